/**
 * The layout of the shared counters: one block of doubles per worker, written by that worker only, read by anyone at any time.
 *
 * Doubles, because an aligned 64-bit store is not torn on any platform that Node supports, and counts stay exact up to 2^53; a single
 * writer needs no atomic add. Whoever reads sums the blocks.
 */
import { MAX_VERSIONS } from './capacity.ts';

/** Slots that belong to the worker as a whole. */
export const WORKER_SLOTS = {
  /** Downstream connections accepted. */
  accepted: 0,
  /** Downstream connections closed at accept because of a limit. */
  rejected: 1,
  /** Downstream connections open now. */
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
  /** Requests in flight now. */
  inFlight: 8,
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
} as const;

const SLOTS_PER_VERSION = 16;

export const BLOCK_LENGTH = FIRST_VERSION_SLOT + MAX_VERSIONS * SLOTS_PER_VERSION;

export const versionSlot = (versionId: number): number => FIRST_VERSION_SLOT + versionId * SLOTS_PER_VERSION;

export const newCounterBlock = (): Float64Array =>
  new Float64Array(new SharedArrayBuffer(BLOCK_LENGTH * Float64Array.BYTES_PER_ELEMENT));

/** Sets the slots that say what is open now to nothing; call when the worker that wrote them has died. */
export const clearGauges = (block: Float64Array): void => {
  block[WORKER_SLOTS.open] = 0;
  block[WORKER_SLOTS.inFlight] = 0;
};
