/**
 * The part of the configuration that the control plane keeps to itself: the admin API, flags, events, logs.
 *
 * Shapes only, like `config.ts`. Paths are absolute; in the file they are relative to the file that names them. Shares are percent.
 */
import type { KeySource } from './policy-config.ts';
import type { Secret } from './secret.ts';

/** What a token may do: `viewer` reads, `operator` also shifts traffic, `approver` reads and approves, `admin` may do everything. */
export type Role = 'viewer' | 'operator' | 'approver' | 'admin';

export interface TokenConfig {
  readonly name: string;
  readonly role: Role;
  readonly secret: Secret;
}

export interface AdminConfig {
  /** Default 127.0.0.1:9901. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Empty: anyone who reaches the address may do everything, which is why the address must then be a loopback one. */
  readonly tokens: readonly TokenConfig[];
  /** PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Names that a Host field may have besides those of the address; lower case, no port. */
  readonly hosts: readonly string[];
  /** Origins of web pages that may call the API besides its own, such as https://ops.example.com. */
  readonly origins: readonly string[];
  /** Whether /metrics needs no token. Default false. */
  readonly publicMetrics: boolean;
}

/** A named switch: for which share of the users it is on. 0 is off, 100 is on. */
export interface FlagConfig {
  readonly name: string;
  readonly default: number;
  /** Share by environment, where it differs from the default. */
  readonly environments: Readonly<Record<string, number>>;
  /** Who a user is; requests without the key have the flag off unless it is on for everyone. */
  readonly key?: KeySource;
  /** Request header, name as written, in which upstreams are told: `true` or `false`. */
  readonly header?: string;
}

/** Percent of the users for whom the file has it on in this environment. */
export const flagShare = ({ environments, default: otherwise }: FlagConfig, environment: string): number =>
  Object.hasOwn(environments, environment) ? environments[environment]! : otherwise;

export interface EventWebhookConfig {
  readonly name: string;
  readonly url: string;
  /** Signs deliveries; left out, they are not signed. */
  readonly secret?: Secret;
  /** Event types, or prefixes that end in `*`. Empty: all. */
  readonly types: readonly string[];
}

export interface EventsConfig {
  /** How long events and audit rows are kept, milliseconds. Default 90 days. */
  readonly retention: number;
  readonly webhooks: readonly EventWebhookConfig[];
}

export interface TracingConfig {
  /** Where spans are posted: an http or https URL. */
  readonly endpoint: string;
  /** Headers that go with them, by name. */
  readonly headers: Readonly<Record<string, string | Secret>>;
  /** Share of the requests without a parent that is traced. Default 1. */
  readonly sample: number;
  /** `respect` follows the trace that a request brings, `ignore` begins one of its own. Default `respect`. */
  readonly parent: 'respect' | 'ignore';
  /** Most requests per second, over all workers, that are traced because their parent is; 0 is none. Default 100. */
  readonly maxPerSecond: number;
  /** `service.name` of the spans. Default `sluice`. */
  readonly service: string;
  /** `deployment.environment.name` of the spans. */
  readonly environment: string;
  /** Default `none`. */
  readonly compression: 'none' | 'gzip';
  /** How long one batch may take, repetitions included. Default 10 s. */
  readonly timeout: number;
  /** Most spans that wait to be sent; more are dropped and counted. Default 2,048. */
  readonly queue: number;
}

export interface AccessLogConfig {
  /** Absolute path, or `-` for standard output. */
  readonly path: string;
  readonly format: 'json' | 'combined';
  /** Share of the requests that is logged. Default 100. */
  readonly sample: number;
  /** Whether answers from 500 on, and those with a response flag, are logged whatever the sample says. Default true. */
  readonly errors: boolean;
  /** Most bytes that wait to be written, per worker; lines beyond it are dropped and counted. Default 1 MiB. */
  readonly buffer: number;
}
