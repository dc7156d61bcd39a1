/**
 * What users got, per version: answers by status, and how long they took. One block per worker, written by that worker only, like the
 * counters (counters.ts).
 *
 * A row is found by the version's id; NO_VERSION is the row of requests that never had one (no route, a redirect, a head that was refused).
 * Counted is the version whose answer the user saw: a request that stable answered in place of the canary counts for stable. What the
 * attempts did is counted elsewhere, and both are true.
 *
 * Durations are counted in the buckets that Prometheus gets, exactly, because finer ones cannot be regrouped without error. A status that
 * is not among the named ones counts with the `x00` of its class, which bounds the series that can come of it.
 */
import { VERSION_ROWS } from './capacity.ts';

/** Statuses with a count of their own. 499 is a client that went away before its answer was complete. */
export const STATUSES = [
  ...[
    100, 101, 103, 200, 201, 202, 203, 204, 205, 206, 207, 226, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403,
  ],
  ...[
    404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424, 425, 426, 428, 429,
  ],
  ...[431, 451, 499, 500, 501, 502, 503, 504, 505, 506, 507, 508, 511],
] as const;

const STATUS_SLOTS = 64;

/** Upper bounds of the duration buckets, seconds; one more takes what is longer. */
export const DURATION_BOUNDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;

const BOUNDS_MS = Float64Array.from(DURATION_BOUNDS, (seconds) => seconds * 1000);

export const DURATION_BUCKETS = DURATION_BOUNDS.length + 1;

/** First of the DURATION_BUCKETS counts of whole requests, then their sum in milliseconds. */
export const REQUEST_DURATIONS = STATUS_SLOTS;
export const REQUEST_DURATION_SUM = REQUEST_DURATIONS + DURATION_BUCKETS;
/** The same of answered attempts, to their response head. */
export const UPSTREAM_DURATIONS = REQUEST_DURATION_SUM + 1;
export const UPSTREAM_DURATION_SUM = UPSTREAM_DURATIONS + DURATION_BUCKETS;

/** Whole cache lines. */
const SLOTS_PER_ROW = 104;

/** Row of the requests without a version. */
export const NO_VERSION = VERSION_ROWS;

export const REQUEST_TABLE_LENGTH = (VERSION_ROWS + 1) * SLOTS_PER_ROW;

export const requestRow = (versionId: number): number => versionId * SLOTS_PER_ROW;

const SLOT_OF_STATUS = Uint8Array.from({ length: 1_000 }, (_, status) => {
  const index = (STATUSES as readonly number[]).indexOf(status);
  if (index >= 0) return index;
  const class00 = Math.min(5, Math.max(1, Math.floor(status / 100))) * 100;
  return (STATUSES as readonly number[]).indexOf(class00);
});

/** Slot of a status from 100 to 999 within a row. */
export const statusSlot = (status: number): number => SLOT_OF_STATUS[status] ?? 0;

/** Bucket of a duration in milliseconds, 0 to DURATION_BUCKETS − 1. */
export function durationBucket(ms: number): number {
  let bucket = 0;
  while (bucket < BOUNDS_MS.length && ms > BOUNDS_MS[bucket]!) bucket++;
  return bucket;
}
