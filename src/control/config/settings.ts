/**
 * The table of every number a user may set: its unit, default, bounds and meaning.
 *
 * The schema, the loader and the documentation all read this one table, so a default cannot differ between them; a test holds
 * it against the comments of `model/config.ts`. Defaults and bounds are written as a user would write them. `0` as the least
 * value of a limit means unlimited.
 */
import type { DownstreamTimeoutsConfig, LimitsConfig, PoolConfig, ServiceTimeoutsConfig } from '../../model/config.ts';
import { parseDuration, parseSize } from './units.ts';

export interface Setting {
  readonly kind: 'size' | 'duration' | 'count';
  readonly fallback: string | number;
  readonly least: string | number;
  readonly most: string | number;
  readonly meaning: string;
}

export type Settings<Key extends string = string> = Readonly<Record<Key, Setting>>;

function size(fallback: string | number, least: string | number, most: string, meaning: string): Setting {
  return { kind: 'size', fallback, least, most, meaning };
}

function duration(fallback: string, least: string, most: string, meaning: string): Setting {
  return { kind: 'duration', fallback, least, most, meaning };
}

function count(fallback: number, least: number, most: number, meaning: string): Setting {
  return { kind: 'count', fallback, least, most, meaning };
}

export const LIMITS = {
  headSize: size('16KiB', '1KiB', '1MiB', 'Largest request or response head, request line included.'),
  headerCount: count(100, 1, 10_000, 'Most header fields in one head.'),
  targetLength: size(
    '8KiB',
    64,
    '1MiB',
    'Longest request target; at most `headSize`, to which the default shrinks with it.',
  ),
  bodySize: size(0, 0, '1000000GiB', 'Largest request body; 0 is unlimited.'),
  connections: count(20_000, 1, 1_000_000, 'Most downstream connections of the process; more are closed at accept.'),
  connectionsPerAddress: count(
    5_000,
    0,
    1_000_000,
    'Most downstream connections from one address, trusted proxies excepted; 0 is unlimited.',
  ),
} as const satisfies Settings<keyof LimitsConfig>;

export const DOWNSTREAM_TIMEOUTS = {
  head: duration('10s', '10ms', '24h', 'From the first byte of a request, or from accept, to the end of its head.'),
  bodyIdle: duration(
    '30s',
    '10ms',
    '24h',
    'Longest silence of a client within a request body, or of a reader within a response.',
  ),
  keepAlive: duration('60s', '10ms', '24h', 'Longest wait for the next request on a kept-alive connection.'),
  halfClose: duration('1s', '0ms', '24h', 'How long an answer may pause once the client has sent FIN.'),
  drain: duration('30s', '0ms', '24h', 'How long requests may finish after SIGTERM.'),
} as const satisfies Settings<keyof DownstreamTimeoutsConfig>;

export const SERVICE_TIMEOUTS = {
  connect: duration('1s', '10ms', '24h', 'To an established connection.'),
  request: duration(
    '30s',
    '10ms',
    '24h',
    'From the end of the request to the head of the response, all attempts together.',
  ),
  response: duration('30s', '10ms', '24h', 'From the end of the request to the head of the response, one attempt.'),
  idle: duration('60s', '10ms', '24h', 'Longest silence of an upstream within a body.'),
  tunnel: duration('1h', '10ms', '168h', 'Longest silence of both sides of an upgraded connection.'),
} as const satisfies Settings<keyof ServiceTimeoutsConfig>;

export const POOL = {
  maxIdle: count(1_024, 0, 65_536, 'Most idle connections kept per endpoint and worker.'),
  idle: duration('30s', '10ms', '24h', 'Longest time a connection stays idle.'),
  maxAge: duration('0s', '0s', '8760h', 'Longest life of a connection; `0s` is unlimited.'),
} as const satisfies Settings<keyof PoolConfig>;

/** Defaults of what is no number with a unit. */
export const PLAIN_DEFAULTS = {
  workers: 'auto',
  forwarded: false,
  via: 'sluice',
  endpointWeight: 1,
  splitStrategy: 'weighted',
  exposeVersion: false,
  pathPrefix: '/',
} as const;

/** Bytes, milliseconds or a count; null where `value` is none of that kind. */
export function parseSetting(kind: Setting['kind'], value: unknown): number | null {
  switch (kind) {
    case 'size':
      return parseSize(value);
    case 'duration':
      return parseDuration(value);
    case 'count':
      return typeof value === 'number' && Number.isSafeInteger(value) ? value : null;
  }
}
