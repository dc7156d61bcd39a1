/**
 * Evidence in shared memory: what happened to the requests that a rollout compares, and the switch that ends it.
 *
 *     marks     per version: may it be chosen, and which row compares it        read at every choice
 *     terms     per row: who is compared, and when the switch is thrown          written by the control plane
 *     totals    per row, share and side: counts; one block per worker and a base  written by that worker
 *     seen      per row: bitmaps of session keys that have failed, been slow or left written by all
 *
 * A row compares two versions of one service: the canary (side 0) and stable (side 1). Counts are kept apart by the share that the canary had
 * when the request was assigned, because the evidence of a failure depends on it: that of the moment of the failure may be another one.
 * All counts only grow and are sums over the workers, so whoever adds the blocks up has the whole truth; the base block holds what was
 * counted before a restart.
 *
 * The switch is in `marks`: CLOSED takes a version out of everything but what names it (route, override), for the very next request of every
 * worker. A worker throws it itself when the evidence that it has just added to is enough: the way back does not depend on the main thread.
 */
import { VERSION_ROWS } from './capacity.ts';

/** Rollouts at once. */
export const EVIDENCE_ROWS = 64;
/** Different shares of one rollout. */
export const SHARES = 128;

/** Bits of a mark. */
export const CLOSED = 1;
/** Override header and cookie do not reach it either. */
export const NO_OVERRIDE = 2;
/** The row that compares the version, plus one, is in the bits from here on; the bit before says that it is the stable side. */
export const STABLE_SIDE = 4;
const ROW_SHIFT = 8;

/** Number of the row, −1 where there is none. */
export const rowOf = (mark: number): number => (mark >>> ROW_SHIFT) - 1;
export const markOf = (row: number, stable: boolean): number => ((row + 1) << ROW_SHIFT) | (stable ? STABLE_SIDE : 0);

/** Counts of one side at one share, relative to its first. */
export const SIDE_SLOTS = {
  /** Requests assigned; those that were asked for by name are not among them. */
  trials: 0,
  /** Those of them without a session or key, which the split deals exactly. */
  keyless: 1,
  /** First attempts that failed: 5xx, or no answer. */
  failed: 2,
  /** Those of them that were the first of their session; what evidence counts. */
  counted: 3,
  /** First attempts slower than the limit, first of their session. */
  slow: 4,
  /** Requests that came to an end, whatever it was. */
  ended: 5,
  /** Those of them whose client had gone. */
  aborted: 6,
  /** Requests that users got an error for (500 or more, or cut). */
  userErrors: 7,
  /** Those of the aborted that were the first of their session; what evidence counts. */
  left: 8,
  /** First attempts slower than the limit, all of them. */
  late: 9,
} as const;
/** Whole cache lines. */
const SIDE_LENGTH = 16;
const SHARE_LENGTH = 2 * SIDE_LENGTH;
const ROW_LENGTH = SHARES * SHARE_LENGTH;

/** First count of a side (0 canary, 1 stable) at a share. */
export const sideSlot = (row: number, share: number, side: number): number =>
  row * ROW_LENGTH + share * SHARE_LENGTH + side * SIDE_LENGTH;

/** What the control plane says about a row, relative to its first. */
export const TERMS = {
  /** Another one for each use of the row: what was assigned under an older one is not counted any more. */
  use: 0,
  /** Version id of the canary. */
  canary: 1,
  /** Share slot that holds now. */
  current: 2,
  /** Share slots in use. */
  shares: 3,
  /** Failed first attempts at which the switch is thrown; 0: none. */
  budget: 4,
  /** ln E at which it is thrown, Infinity for off, and the odds that are still equal. */
  errorsThreshold: 5,
  errorsTolerance: 6,
  /** Milliseconds from which a request is slow; 0: none is. */
  slowLimit: 7,
  slowThreshold: 8,
  slowTolerance: 9,
  /** What evidence that was begun anew has to have more, of ln E; 0: it was not. */
  startCost: 10,
} as const;
const SHARES_AT = 16;
const TERMS_LENGTH = SHARES_AT + SHARES;

export const termsSlot = (row: number): number => row * TERMS_LENGTH;
/** Share of the canary (0 to 1) of a share slot. */
export const shareSlot = (row: number, share: number): number => row * TERMS_LENGTH + SHARES_AT + share;

/** What workers say to each other and to the control plane, atomically; relative to a row's first. */
export const SWITCH = {
  /** Failed first attempts of the canary, all workers and the time before a restart. */
  failures: 0,
  /** Why it was thrown: one of CAUSES, 0 while it is not. */
  cause: 1,
} as const;
const SWITCH_LENGTH = 4;
export const switchSlot = (row: number): number => row * SWITCH_LENGTH;

/** By number, from 1. */
export const CAUSES = ['errors', 'latency', 'budget'] as const;
export type SwitchCause = (typeof CAUSES)[number];

/** Times of a row, milliseconds since 1970: of the first failed attempt, and of the switch; 0 where there was none. */
export const TIMES = { firstFailure: 0, thrown: 1 } as const;
const TIMES_LENGTH = 2;
const START_LENGTH = 4;
export const timesSlot = (row: number): number => row * TIMES_LENGTH;

/** Bits per bitmap. Sessions that share a bit count as one, which only makes evidence slower. */
export const SEEN_BITS = 1 << 20;
const SEEN_WORDS = SEEN_BITS / 32;
/** Bitmaps of a row, by kind: failed, slow, left. */
const SEEN_KINDS = 3;
/** First word of a bitmap. */
export const seenWord = (row: number, kind: number, bit: number): number =>
  (row * SEEN_KINDS + kind) * SEEN_WORDS + (bit >>> 5);

export interface EvidenceTable {
  /** By version id. */
  readonly marks: Int32Array;
  readonly terms: Float64Array;
  readonly switches: Int32Array;
  readonly times: Float64Array;
  /** Written by the control plane, by row and share. */
  readonly starts: Float64Array;
  /** One per worker; the last one is the base. */
  readonly totals: readonly Float64Array[];
  readonly seen: Int32Array;
}

/** Untouched pages cost nothing, so there is room for every rollout that may be. */
export function newEvidenceTable(workers: number): EvidenceTable {
  const doubles = (length: number): Float64Array => new Float64Array(new SharedArrayBuffer(length * 8));
  const ints = (length: number): Int32Array => new Int32Array(new SharedArrayBuffer(length * 4));
  return {
    marks: ints(VERSION_ROWS),
    terms: doubles(EVIDENCE_ROWS * TERMS_LENGTH),
    switches: ints(EVIDENCE_ROWS * SWITCH_LENGTH),
    times: doubles(EVIDENCE_ROWS * TIMES_LENGTH),
    starts: doubles(EVIDENCE_ROWS * SHARES * START_LENGTH),
    totals: Array.from({ length: workers + 1 }, () => doubles(EVIDENCE_ROWS * ROW_LENGTH)),
    seen: ints(EVIDENCE_ROWS * SEEN_KINDS * SEEN_WORDS),
  };
}

/** Forgets everything that was counted and seen in a row; call before it is used anew. */
export function clearEvidence(table: EvidenceTable, row: number): void {
  for (const block of table.totals) block.fill(0, row * ROW_LENGTH, (row + 1) * ROW_LENGTH);
  table.seen.fill(0, row * SEEN_KINDS * SEEN_WORDS, (row + 1) * SEEN_KINDS * SEEN_WORDS);
  table.switches.fill(0, switchSlot(row), switchSlot(row + 1));
  table.times.fill(0, timesSlot(row), timesSlot(row + 1));
  table.starts.fill(0, startSlot(row, 0, 0, 0), startSlot(row + 1, 0, 0, 0));
}

/** What had been counted when evidence was begun anew. @param kind 0: counted failures, 1: slow. @param side 0 canary, 1 stable. */
export const startSlot = (row: number, share: number, kind: number, side: number): number =>
  (row * SHARES + share) * START_LENGTH + kind * 2 + side;

export type SideCounts = { readonly [Key in keyof typeof SIDE_SLOTS]: number };

/** What was counted while the canary had one share. */
export interface ShareCounts {
  /** 0 to 1, of the two versions together. */
  readonly share: number;
  readonly canary: SideCounts;
  readonly stable: SideCounts;
}

const SIDE_NAMES = Object.keys(SIDE_SLOTS) as (keyof typeof SIDE_SLOTS)[];

/** The sums over all workers, one entry per share slot in use. */
export function readEvidence(table: EvidenceTable, row: number): ShareCounts[] {
  const used = table.terms[termsSlot(row) + TERMS.shares]!;
  return Array.from({ length: used }, (_, share) => ({
    share: table.terms[shareSlot(row, share)]!,
    canary: sideCounts(table, sideSlot(row, share, 0)),
    stable: sideCounts(table, sideSlot(row, share, 1)),
  }));
}

function sideCounts({ totals }: EvidenceTable, at: number): SideCounts {
  const counts = {} as Record<keyof typeof SIDE_SLOTS, number>;
  for (const name of SIDE_NAMES) {
    let sum = 0;
    for (const block of totals) sum += block[at + SIDE_SLOTS[name]]!;
    counts[name] = sum;
  }
  return counts;
}

/** A failed first attempt of a compared canary, as the worker that saw it tells it. */
export interface FailedRequest {
  readonly row: number;
  readonly use: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly method: string;
  /** Without query, at most 256 characters. */
  readonly path: string;
  /** What the route is called in the access log; empty where it has no name. */
  readonly route: string;
  /** Of the canary's answer, 0 where there was none. */
  readonly status: number;
  /** Response flag of the failure, such as UC; empty where there was an answer. */
  readonly flag: string;
  /** Milliseconds from the request's end to the failure. */
  readonly duration: number;
  readonly requestId: string;
  /** URL of the endpoint. */
  readonly endpoint: string;
}
