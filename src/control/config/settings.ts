/**
 * The table of every number a user may set: its unit, default, bounds and meaning; those of rollouts are in rollout-settings.ts.
 *
 * The schema, the loader and the documentation all read this one table, so a default cannot differ between them; a test holds
 * it against the comments of the model. Defaults and bounds are written as a user would write them. `0` as the least value of a limit
 * means unlimited.
 */
import type {
  DownstreamTimeoutsConfig,
  EndpointConfig,
  LimitsConfig,
  PoolConfig,
  ServiceTimeoutsConfig,
} from '../../model/config.ts';
import type { CircuitConfig, RetryBudgetConfig } from '../../model/policy-config.ts';
import { parseDuration, parsePercent, parseSize } from './units.ts';

export interface Setting {
  /** `factor` is a number with three decimals, kept in thousandths; `number` is kept as it is. */
  readonly kind: 'size' | 'duration' | 'count' | 'percent' | 'factor' | 'number';
  /** Of a percentage: it is no share of traffic, so it may be finer than 0.01. */
  readonly fine?: true;
  /** Left out where the default depends on something else, or the value must be given. */
  readonly fallback?: string | number;
  readonly least: string | number;
  readonly most: string | number;
  readonly meaning: string;
}

export type Settings<Key extends string = string> = Readonly<Record<Key, Setting>>;

function size(fallback: string | number, least: string | number, most: string, meaning: string): Setting {
  return { kind: 'size', fallback, least, most, meaning };
}

export function duration(fallback: string, least: string, most: string, meaning: string): Setting {
  return { kind: 'duration', fallback, least, most, meaning };
}

export function count(fallback: number, least: number, most: number, meaning: string): Setting {
  return { kind: 'count', fallback, least, most, meaning };
}

export function percent(fallback: number, least: number, most: number, meaning: string): Setting {
  return { kind: 'percent', fallback, least, most, meaning };
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

export const ENDPOINT = {
  weight: count(1, 1, 1_000, "Relative share of the version's requests."),
  maxRequests: count(0, 0, 1_000_000, 'Most attempts at once, over all workers; 0 is unlimited.'),
} as const satisfies Settings<Exclude<keyof EndpointConfig, 'url'>>;

export const SPLIT = {
  floor: percent(
    5,
    0,
    100,
    'For `latency`: what each version with a weight gets at least, so that a slow one is still measured.',
  ),
} as const satisfies Settings;

export const EXPERIMENT = {
  traffic: percent(100, 0, 100, 'Share of the keys that take part, in steps of 0.01.'),
} as const satisfies Settings;

export const AFFINITY = {
  ttl: duration(
    '1h',
    '1s',
    '8760h',
    "How long a session is remembered after its last request; also the cookie's `Max-Age`.",
  ),
  max: count(100_000, 1, 10_000_000, 'Most sessions remembered per worker.'),
} as const satisfies Settings;

export const BALANCE = {
  slowStart: duration(
    '0s',
    '0s',
    '1h',
    'How long the share of an endpoint that is new or back grows to its full size; `0s` turns it off.',
  ),
  maxLoad: percent(
    125,
    0,
    1_000,
    'For `ring_hash`: most load of an endpoint relative to the mean, at least 100; 0 is unbounded.',
  ),
  decay: duration(
    '10s',
    '10ms',
    '1h',
    'Time constant of the latency average of `peak_ewma` and of the `latency` split.',
  ),
  panicThreshold: percent(
    0,
    0,
    100,
    'Share of available endpoints below which availability is ignored; 0 turns it off.',
  ),
} as const satisfies Settings;

export const HEALTH = {
  interval: duration('2s', '10ms', '24h', 'Between probes of a healthy endpoint.'),
  unhealthyInterval: {
    kind: 'duration',
    least: '10ms',
    most: '24h',
    meaning: 'Between probes of an unhealthy endpoint. Default: a quarter of the interval, at least 100ms.',
  },
  jitter: percent(10, 0, 50, 'Random share of the interval that is added or taken away.'),
  timeout: duration('1s', '10ms', '24h', 'How long a probe may take.'),
  healthy: count(2, 1, 1_000, 'Successes in a row that make an endpoint healthy.'),
  unhealthy: count(3, 1, 1_000, 'Failures in a row that make it unhealthy.'),
} as const satisfies Settings;

export const OUTLIER = {
  consecutive5xx: count(5, 0, 1_000_000, 'Answers 500 to 599 and local failures in a row that eject; 0 turns it off.'),
  consecutiveGateway: count(
    5,
    0,
    1_000_000,
    'Answers 502, 503, 504 and local failures in a row that eject; 0 turns it off.',
  ),
  consecutiveLocal: count(
    5,
    0,
    1_000_000,
    'Connections refused or reset, timeouts and malformed answers in a row that eject; 0 turns it off.',
  ),
  baseEjection: duration('30s', '10ms', '24h', 'First ejection; the n-th takes n times as long.'),
  maxEjection: duration('5m', '10ms', '168h', 'Longest ejection.'),
  maxEjectionPercent: percent(50, 0, 100, 'Most endpoints of a version that are ejected at once.'),
  interval: duration(
    '10s',
    '100ms',
    '24h',
    'Between looks at the success rates; an endpoint that behaves for this long is forgiven one ejection.',
  ),
} as const satisfies Settings;

export const SUCCESS_RATE = {
  minimumHosts: count(3, 0, 4_096, 'Endpoints with enough requests that it needs; 0 turns it off.'),
  minimumRequests: count(100, 1, 1_000_000, 'Requests in an interval that make an endpoint count.'),
  stdevFactor: {
    kind: 'factor',
    fallback: 1.9,
    least: 0.1,
    most: 100,
    meaning: 'Standard deviations below the mean that eject.',
  },
} as const satisfies Settings;

/** It is memory that every request in flight may take, hence the modest bound. */
const REPLAYABLE = size('64KiB', 0, '10MiB', 'Largest request body that is kept in memory to be sent again.');

export const RETRY = {
  attempts: count(1, 0, 10, 'Attempts after the first.'),
  perTryTimeout: duration(
    '0s',
    '0s',
    '24h',
    'From the end of the request to the head of the response; `0s` is `timeouts.response`.',
  ),
  backoff: duration('25ms', '0ms', '1m', 'First pause before a retry; it doubles each time, with full jitter.'),
  maxBackoff: duration('250ms', '0ms', '1h', 'Longest pause; where it is left out, at least `backoff`.'),
  maxBody: REPLAYABLE,
} as const satisfies Settings;

export const RETRY_BUDGET = {
  percent: percent(20, 0, 100, 'Further attempts relative to the requests of the last ten seconds.'),
  minimum: count(10, 0, 1_000_000, 'Further attempts per second that are always allowed.'),
} as const satisfies Settings<keyof RetryBudgetConfig>;

export const SHIELD = { maxBody: REPLAYABLE } as const satisfies Settings;

export const HEDGE = {
  after: {
    kind: 'duration',
    least: '1ms',
    most: '1h',
    meaning: 'How long the first attempt may stay without an answer before a second one starts.',
  },
} as const satisfies Settings;

export const CIRCUIT = {
  maxRequests: count(0, 0, 1_000_000, 'Requests in flight, over all workers; 0 is unlimited.'),
  maxConnections: count(0, 0, 1_000_000, 'Upstream connections, divided among the workers; 0 is unlimited.'),
  maxPending: count(0, 0, 1_000_000, 'Requests that wait for a connection, divided among the workers; 0 is unlimited.'),
  maxRetries: count(
    0,
    0,
    1_000_000,
    'Retries, shielded attempts and hedges in flight, over all workers; 0 is unlimited.',
  ),
} as const satisfies Settings<keyof CircuitConfig>;

export const RATE_LIMIT = {
  burst: {
    kind: 'count',
    least: 1,
    most: 1_000_000,
    meaning: 'Requests that may come at once. Default: the rate per second, at least 1.',
  },
} as const satisfies Settings;

export const MONITOR = {
  window: duration('60s', '1s', '1h', 'Length of the sliding window that signals are taken over.'),
  history: duration('1h', '1m', '168h', 'How long history is kept.'),
} as const satisfies Settings;

export const ALERT = {
  for: duration('0s', '0s', '24h', 'How long the value must be bad before the alert is raised.'),
  minimum: count(
    20,
    1,
    1_000_000,
    'Attempts in the window below which there is no value to judge; `throughput` is judged from the first.',
  ),
  forecast: duration(
    '0s',
    '0s',
    '24h',
    'Also warn when the trend will cross the threshold within this time; `0s` is never.',
  ),
} as const satisfies Settings;

export const EVENTS = {
  retention: duration('2160h', '1m', '87600h', 'How long events and audit rows are kept.'),
} as const satisfies Settings;

export const ACCESS_LOG = {
  sample: percent(100, 0, 100, 'Share of the requests that is logged.'),
  buffer: size(
    '1MiB',
    '16KiB',
    '256MiB',
    'Most bytes that wait to be written, per worker; lines beyond it are dropped and counted.',
  ),
} as const satisfies Settings<'sample' | 'buffer'>;

/** Defaults of what is no number with a unit. */
export const PLAIN_DEFAULTS = {
  environment: 'default',
  workers: 'auto',
  forwarded: false,
  via: 'sluice',
  exposeVersion: false,
  splitStrategy: 'weighted',
  balancingPolicy: 'weighted_round_robin',
  healthPath: '/',
  healthStatus: '200-299',
  retryOn: ['connect-failure', 'reset', 502, 503, 504],
  retryMethods: 'idempotent',
  shieldOn: ['connect-failure', 'reset', 'timeout', '5xx'],
  shieldMethods: 'idempotent',
  shieldForced: false,
  hedgeMethods: 'safe',
  pathPrefix: '/',
  adminListen: '127.0.0.1:9901',
  publicMetrics: false,
  accessLogPath: '-',
  accessLogFormat: 'json',
  accessLogErrors: true,
} as const;

/** Bytes, milliseconds, percent, thousandths or a count; null where `value` is none of that kind. */
export function parseSetting(kind: Setting['kind'], value: unknown): number | null {
  switch (kind) {
    case 'size':
      return parseSize(value);
    case 'duration':
      return parseDuration(value);
    case 'count':
      return typeof value === 'number' && Number.isSafeInteger(value) ? value : null;
    case 'percent':
      return parsePercent(value);
    case 'factor':
      return typeof value === 'number' && Number.isFinite(value) ? Math.round(value * 1000) : null;
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? value : null;
  }
}
