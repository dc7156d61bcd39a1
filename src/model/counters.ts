/**
 * The layout of the shared counters: one set of blocks per worker, written by that worker only, read by anyone at any time.
 *
 * Doubles, because an aligned 64-bit store is not torn on any platform that Node supports, and counts stay exact up to 2^53; a single
 * writer needs no atomic add. Whoever reads sums the blocks. Gauges say what is open now; they are cleared when their worker dies.
 */
import { ENDPOINT_ROWS, VERSION_ROWS } from './capacity.ts';
import { LATENCY_BUCKETS } from './latency-buckets.ts';
import type { ReplyCode } from './local-reply.ts';
import { REQUEST_TABLE_LENGTH } from './request-table.ts';

/** Slots that belong to the worker as a whole. */
export const WORKER_SLOTS = {
  /** Downstream connections accepted. */
  accepted: 0,
  /** Downstream connections closed at accept because of a limit. */
  rejected: 1,
  /** Gauge: downstream connections. */
  open: 2,
  /** Requests whose head was accepted. */
  requests: 3,
  /** Requests refused while reading the head. */
  refused: 4,
  /** Requests that Sluice answered itself. */
  localReplies: 5,
  /** Responses cut in the middle. */
  cut: 6,
  /** Requests whose client went away. */
  clientAborts: 7,
  /** Gauge: requests in flight. */
  inFlight: 8,
  /** Requests over a rate limit. */
  rateLimited: 9,
  /** Faults injected on purpose. */
  faultsInjected: 10,
  /** Lines of the access log that were dropped, because the buffer was full or writing failed. */
  logLinesDropped: 11,
  /** Gauge: upstream connections that carry an exchange. */
  upstreamActive: 12,
  /** Gauge: upstream connections kept for later. */
  upstreamIdle: 13,
  /** Spans of traced requests that were dropped, because the main thread did not take them. */
  spansDropped: 14,
} as const;

const FIRST_VERSION_SLOT = 16;

/** Slots of one version, relative to its first. */
export const VERSION_SLOTS = {
  /** Attempts answered with a status of 100 to 199 (a 101). */
  status1xx: 0,
  status2xx: 1,
  status3xx: 2,
  status4xx: 3,
  status5xx: 4,
  /** Attempts that failed for want of a connection. */
  connectFailures: 5,
  /** Attempts whose connection was closed or reset. */
  resets: 6,
  timeouts: 7,
  malformed: 8,
  /** Requests that were given to this version, before anything went wrong. */
  requests: 9,
  /** Further attempts on this version after one that failed. */
  retries: 10,
  /** Attempts not repeated because the retry budget or the circuit did not allow it. */
  retriesDenied: 11,
  /** Requests whose failed attempt on this version was handed to stable. */
  shielded: 12,
  /** Those of them that stable then answered below 500. */
  shieldSaved: 13,
  /** Milliseconds that shielded requests had spent on this version. */
  shieldDelay: 14,
  hedges: 15,
  /** Hedges that answered first. */
  hedgeWins: 16,
  /** Requests that went to stable because this version had no endpoint. */
  failovers: 17,
  /** Requests refused by a circuit breaker. */
  overflows: 18,
  affinityHits: 19,
  affinityMisses: 20,
  /** Gauge: requests in flight. */
  active: 21,
  /** Gauge: further attempts in flight. */
  retrying: 22,
  /** Gauge: requests that wait for a connection. */
  pending: 23,
} as const;

/** How an attempt fails; VERSION_SLOTS and ENDPOINT_SLOTS have a count of this name each. */
export type FailureKind = 'connectFailures' | 'resets' | 'timeouts' | 'malformed';

export function failureKind(code: ReplyCode): FailureKind {
  switch (code) {
    case 'connect_failed':
    case 'connect_timeout':
      return 'connectFailures';
    case 'upstream_timeout':
      return 'timeouts';
    case 'upstream_malformed':
      return 'malformed';
    default:
      return 'resets';
  }
}

const VERSION_GAUGES = [VERSION_SLOTS.active, VERSION_SLOTS.retrying, VERSION_SLOTS.pending];

const SLOTS_PER_VERSION = 32;

const BLOCK_LENGTH = FIRST_VERSION_SLOT + VERSION_ROWS * SLOTS_PER_VERSION;

export const versionSlot = (versionId: number): number => FIRST_VERSION_SLOT + versionId * SLOTS_PER_VERSION;

/** Slots of one endpoint, relative to its first. An attempt ends in one of the first seven. */
export const ENDPOINT_SLOTS = {
  /** Answered below 500. */
  success: 0,
  /** Answered 502, 503 or 504. */
  gateway: 1,
  /** Answered 500 to 599, the gateway's own apart. */
  error5xx: 2,
  connectFailures: 3,
  resets: 4,
  timeouts: 5,
  malformed: 6,
  /** Given up because the client went away or another attempt was faster; no verdict on the endpoint. */
  abandoned: 7,
  /** Gauge: attempts in flight. */
  active: 8,
} as const;

const SLOTS_PER_ENDPOINT = 16;

export const endpointSlot = (endpointId: number): number => endpointId * SLOTS_PER_ENDPOINT;

/** First of the LATENCY_BUCKETS counts of an endpoint: time to response head of its answered attempts. */
export const latencyRow = (endpointId: number): number => endpointId * LATENCY_BUCKETS;

export interface WorkerMemory {
  /** WORKER_SLOTS, then the versions. */
  readonly counters: Float64Array;
  readonly endpoints: Float64Array;
  readonly latencies: Uint32Array;
  /** See request-table.ts. */
  readonly requests: Float64Array;
}

const doubles = (length: number): Float64Array =>
  new Float64Array(new SharedArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT));

/** Untouched pages cost nothing, so the room for every endpoint that there may be is reserved at once. */
export const newWorkerMemory = (): WorkerMemory => ({
  counters: doubles(BLOCK_LENGTH),
  endpoints: doubles(ENDPOINT_ROWS * SLOTS_PER_ENDPOINT),
  latencies: new Uint32Array(new SharedArrayBuffer(ENDPOINT_ROWS * LATENCY_BUCKETS * Uint32Array.BYTES_PER_ELEMENT)),
  requests: doubles(REQUEST_TABLE_LENGTH),
});

/** Sets what is open now to nothing; call when the worker that wrote it has died. */
export function clearGauges(memory: WorkerMemory): void {
  memory.counters[WORKER_SLOTS.open] = 0;
  memory.counters[WORKER_SLOTS.inFlight] = 0;
  memory.counters[WORKER_SLOTS.upstreamActive] = 0;
  memory.counters[WORKER_SLOTS.upstreamIdle] = 0;
  for (let version = 0; version < VERSION_ROWS; version++) {
    for (const gauge of VERSION_GAUGES) memory.counters[versionSlot(version) + gauge] = 0;
  }
  for (let endpoint = 0; endpoint < ENDPOINT_ROWS; endpoint++) {
    memory.endpoints[endpointSlot(endpoint) + ENDPOINT_SLOTS.active] = 0;
  }
}
