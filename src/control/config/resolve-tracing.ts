/**
 * Where spans go and which requests have some.
 *
 * An endpoint without a path means the collector's usual one, as the exporters' own variable OTEL_EXPORTER_OTLP_ENDPOINT has it. Whether anybody
 * listens there is not asked: traffic does not depend on it, and a collector may come later.
 */
import type { TracingConfig } from '../../model/admin-config.ts';
import { type Parsed, parseWebhookUrl } from './addresses.ts';
import type { ConfigPath } from './faults.ts';
import { isReservedHeader } from './header-names.ts';
import type { RawSecret, RawTracing } from './raw-admin.ts';
import { checkFieldValue } from './resolve-route-headers.ts';
import { resolveSecret } from './resolve-secret.ts';
import { resolveSettings } from './resolve-settings.ts';
import type { Review } from './review.ts';
import { TRACING, TRACING_DEFAULTS } from './schema-tracing.ts';
import type { Surroundings } from './surroundings.ts';

const PATH: ConfigPath = ['tracing'];
const USUAL_PATH = '/v1/traces';

/** Headers that the exporter writes itself. */
const OWN_HEADERS: ReadonlySet<string> = new Set(['content-type', 'content-encoding', 'user-agent']);

/** @param environment of the file. */
export function resolveTracing(
  raw: RawTracing | undefined,
  environment: string,
  review: Review,
  surroundings: Surroundings,
): TracingConfig | null {
  if (raw === undefined || raw === null || typeof raw !== 'object') return null;
  const sound = (key: keyof RawTracing): boolean => raw[key] !== undefined && review.sound([...PATH, key]);
  const endpoint: Parsed<string> = sound('endpoint') ? parseCollectorUrl(raw.endpoint) : { ok: '' };
  if ('fault' in endpoint) review.report([...PATH, 'endpoint'], endpoint.fault);
  return {
    endpoint: 'ok' in endpoint ? endpoint.ok : '',
    headers: sound('headers') ? resolveHeaders(raw.headers!, review, surroundings) : {},
    ...resolveSettings(TRACING, raw, PATH, review),
    parent: raw.parent ?? TRACING_DEFAULTS.parent,
    service: raw.service ?? TRACING_DEFAULTS.service,
    environment: raw.environment ?? environment,
    compression: raw.compression ?? TRACING_DEFAULTS.compression,
  };
}

function parseCollectorUrl(text: string): Parsed<string> {
  if (/^grpc:/i.test(text)) {
    return {
      fault: 'gRPC is not spoken here; use the HTTP port of the collector, such as http://127.0.0.1:4318/v1/traces',
    };
  }
  if (!/^https?:\/\//i.test(text)) {
    return { fault: `must be a URL such as http://127.0.0.1:4318/v1/traces, not ${JSON.stringify(text)}` };
  }
  if (URL.canParse(text) && new URL(text).username + new URL(text).password !== '') {
    return { fault: 'must not have a user or a password; put them into headers, such as Authorization: env:NAME' };
  }
  const parsed = parseWebhookUrl(text);
  if ('fault' in parsed) return parsed;
  const url = new URL(parsed.ok);
  if (url.hash !== '') return { fault: 'must not have a fragment; remove what begins with "#"' };
  if (url.pathname === '/') url.pathname = USUAL_PATH;
  return { ok: url.href };
}

function resolveHeaders(
  raw: NonNullable<RawTracing['headers']>,
  review: Review,
  surroundings: Surroundings,
): TracingConfig['headers'] {
  const headers: [name: string, value: TracingConfig['headers'][string]][] = [];
  for (const [name, written] of Object.entries(raw)) {
    const at = [...PATH, 'headers', name];
    if (isReservedHeader(name) || OWN_HEADERS.has(name.toLowerCase())) {
      review.reportKey(at, `${name} is written by Sluice itself; remove it here`);
    }
    if (!review.sound(at)) continue;
    if (isSecret(written)) {
      const secret = resolveSecret(written, at, review, surroundings);
      if (secret === null) continue;
      checkFieldValue(secret.reveal(), at, review);
      headers.push([name, secret]);
    } else {
      checkFieldValue(written, at, review);
      headers.push([name, written]);
    }
  }
  return Object.fromEntries(headers);
}

/** A reference or a mapping; any other text is the value itself. */
const isSecret = (written: RawSecret): written is Exclude<RawSecret, string> | `env:${string}` | `file:${string}` =>
  typeof written !== 'string' || /^(env|file):/.test(written);
