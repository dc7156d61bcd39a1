/** The control plane's own part of the configuration as written; see `raw-config.ts`. */
import type { AccessLogConfig, Role, TracingConfig } from '../../model/admin-config.ts';
import type { Written } from './raw-config.ts';
import type { TRACING } from './schema-tracing.ts';
import type { ACCESS_LOG, EVENTS } from './settings.ts';

/** Exactly one of the two. */
export interface RawSecretSource {
  readonly env?: string;
  readonly file?: string;
}

/** `env:NAME`, `file:PATH`, or a mapping. */
export type RawSecret = string | RawSecretSource;

export interface RawToken extends RawSecretSource {
  readonly name: string;
  readonly role: Role;
}

export interface RawAdminParts {
  readonly listen?: string | number;
  readonly tokens?: readonly RawToken[];
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly hosts?: readonly string[];
  readonly origins?: readonly string[];
  readonly publicMetrics?: boolean;
}

/** An address alone, or a mapping. */
export type RawAdmin = string | number | RawAdminParts;

export interface RawEventWebhook {
  readonly name: string;
  readonly url: string;
  readonly secret?: RawSecret;
  readonly types?: readonly string[];
}

export interface RawEvents extends Written<typeof EVENTS> {
  readonly webhooks?: readonly RawEventWebhook[];
}

export interface RawAccessLogParts extends Written<typeof ACCESS_LOG> {
  readonly path?: string;
  readonly format?: AccessLogConfig['format'];
  readonly errors?: boolean;
}

/** A path alone, or a mapping. */
export type RawAccessLog = string | RawAccessLogParts;

export interface RawTracing extends Written<typeof TRACING> {
  readonly endpoint: string;
  /** Texts and references to secrets. */
  readonly headers?: Readonly<Record<string, RawSecret>>;
  readonly parent?: TracingConfig['parent'];
  readonly service?: string;
  readonly environment?: string;
  readonly compression?: TracingConfig['compression'];
}
