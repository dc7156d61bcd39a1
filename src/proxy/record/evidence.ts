/**
 * What one worker adds to the evidence about rollouts (model/evidence-table.ts), and the switch that it throws when that is enough.
 *
 * Counts go to the worker's own block, by plain additions. What workers must agree on is atomic: the bit of a session, the number of
 * failures against the budget, and the switch, which the first to reach it throws.
 *
 *     canary failed ─▶ count ─▶ failures + 1 ─▶ budget spent?            ─┐
 *                                             └▶ evidence of all enough? ─┴▶ cause 0 → why ─▶ mark CLOSED ─▶ tell
 *
 * Why in the worker: it knows first. The main thread would notice at its next look, up to 20 ms and a queue of messages later, and a canary
 * that fails every request gets as many more meanwhile as come in that time. It costs nothing where nothing fails: the sums over all
 * workers are only made when a failure of the canary has just been added.
 *
 * Two workers may fail at the same moment. Each adds its count before an atomic operation and sums the others' after it, so at least one of
 * the two sees both; a switch that ought to be thrown is never missed between them. A row without a threshold or a budget (all zeros, a table that
 * nobody has written) throws nothing. After the switch is thrown, failures are still counted: a report wants to know them.
 *
 * @hotpath bench/micro/evidence.ts
 */
import { Attribution } from '../../model/attribution.ts';
import {
  CAUSES,
  CLOSED,
  type EvidenceTable,
  type FailedRequest,
  SEEN_BITS,
  SIDE_SLOTS,
  SWITCH,
  type SwitchCause,
  seenWord,
  shareSlot,
  sideSlot,
  startSlot,
  switchSlot,
  TERMS,
  TIMES,
  termsSlot,
  timesSlot,
} from '../../model/evidence-table.ts';
import type { Clock } from '../../runtime/clock.ts';
import { NO_KEY } from '../balance/policy.ts';

/** Bitmaps of sessions. */
export const FAILED = 0;
export const SLOW = 1;
export const LEFT = 2;
export type SeenKind = typeof FAILED | typeof SLOW | typeof LEFT;

/** Failed requests that a worker tells of in a second; the others are counted only. */
const TOLD = 20;
const SECOND = 1_000;

/** Who is told what cannot be read in the table. */
export interface EvidenceEvents {
  onFailedRequest(request: FailedRequest): void;
  /** This worker has thrown the switch. */
  onSwitched(row: number, use: number, cause: SwitchCause): void;
}

export interface EvidenceOptions {
  readonly table: EvidenceTable;
  /** Of the worker's block in `totals`. */
  readonly index: number;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** Left out, nobody is told. */
  readonly events?: EvidenceEvents;
}

export class Evidence {
  readonly table: EvidenceTable;
  readonly wall: () => number;
  readonly #own: Float64Array;
  readonly #clock: Clock;
  readonly #events: EvidenceEvents | null;
  readonly #attribution = new Attribution();
  #secondBegan = Number.NEGATIVE_INFINITY;
  #told = 0;

  constructor(options: EvidenceOptions) {
    this.table = options.table;
    this.wall = options.wall;
    this.#own = options.table.totals[options.index]!;
    this.#clock = options.clock;
    this.#events = options.events ?? null;
  }

  /** One of the TERMS of a row. */
  term(row: number, term: number): number {
    return this.table.terms[termsSlot(row) + term]!;
  }

  /** @param slot first of a side, plus one of SIDE_SLOTS. */
  count(slot: number): void {
    this.#own[slot] = this.#own[slot]! + 1;
  }

  /** Whether a session does this for the first time, and remembers it; a request without a key is a session of its own. */
  isFirst(row: number, kind: SeenKind, key: number): boolean {
    if (key === NO_KEY) return true;
    const bit = key & (SEEN_BITS - 1);
    const flag = 1 << (bit & 31);
    return (Atomics.or(this.table.seen, seenWord(row, kind, bit), flag) & flag) === 0;
  }

  /**
   * The first attempt on a canary has failed, and has been counted.
   *
   * @param version id of the canary. @param isNew whether evidence has grown by it. @returns why the switch has been thrown now; null where
   * it has not.
   */
  canaryFailed(row: number, version: number, isNew: boolean): SwitchCause | null {
    const { switches, times } = this.table;
    const at = switchSlot(row);
    const failures = Atomics.add(switches, at + SWITCH.failures, 1) + 1;
    const first = timesSlot(row) + TIMES.firstFailure;
    if (times[first] === 0) times[first] = this.wall();
    if (Atomics.load(switches, at + SWITCH.cause) !== 0) return null;
    const budget = this.term(row, TERMS.budget);
    if (budget > 0 && failures >= budget) return this.#throw(row, version, 'budget');
    if (!isNew) return null;
    const threshold = this.term(row, TERMS.errorsThreshold);
    const tolerance = this.term(row, TERMS.errorsTolerance);
    return this.#isEnough(row, FAILED, threshold, tolerance) ? this.#throw(row, version, 'errors') : null;
  }

  /** The same for a slow first attempt that evidence has grown by. */
  canarySlow(row: number, version: number): SwitchCause | null {
    // An addition of nothing, for what the head says about two workers at the same moment: a load would not do.
    if (Atomics.add(this.table.switches, switchSlot(row) + SWITCH.cause, 0) !== 0) return null;
    const threshold = this.term(row, TERMS.slowThreshold);
    const tolerance = this.term(row, TERMS.slowTolerance);
    return this.#isEnough(row, SLOW, threshold, tolerance) ? this.#throw(row, version, 'latency') : null;
  }

  /** From the beginning, or from where evidence was begun anew, which asks for more. */
  #isEnough(row: number, kind: typeof FAILED | typeof SLOW, threshold: number, tolerance: number): boolean {
    if (!(threshold > 0) || threshold === Number.POSITIVE_INFINITY) return false;
    if (this.#logE(row, kind, tolerance, false) >= threshold) return true;
    const cost = this.term(row, TERMS.startCost);
    return cost > 0 && this.#logE(row, kind, tolerance, true) >= threshold + cost;
  }

  #logE(row: number, kind: typeof FAILED | typeof SLOW, tolerance: number, anew: boolean): number {
    const { terms, starts } = this.table;
    const event = kind === FAILED ? SIDE_SLOTS.counted : SIDE_SLOTS.slow;
    const attribution = this.#attribution;
    attribution.reset();
    const shares = this.term(row, TERMS.shares);
    for (let share = 0; share < shares; share++) {
      let canary = this.#sum(sideSlot(row, share, 0) + event);
      let stable = this.#sum(sideSlot(row, share, 1) + event);
      if (anew) {
        canary = Math.max(0, canary - starts[startSlot(row, share, kind, 0)]!);
        stable = Math.max(0, stable - starts[startSlot(row, share, kind, 1)]!);
      }
      attribution.add(terms[shareSlot(row, share)]!, canary, stable, tolerance);
    }
    return attribution.logE;
  }

  #sum(slot: number): number {
    const { totals } = this.table;
    let sum = 0;
    for (let i = 0; i < totals.length; i++) sum += totals[i]![slot]!;
    return sum;
  }

  #throw(row: number, version: number, cause: SwitchCause): SwitchCause | null {
    const { switches, marks, times } = this.table;
    const number = CAUSES.indexOf(cause) + 1;
    if (Atomics.compareExchange(switches, switchSlot(row) + SWITCH.cause, 0, number) !== 0) return null;
    Atomics.or(marks, version, CLOSED);
    times[timesSlot(row) + TIMES.thrown] = this.wall();
    return cause;
  }

  /** Whether one more failed request may be told of in this second. */
  mayTell(): boolean {
    if (this.#events === null) return false;
    const now = this.#clock.now();
    if (now - this.#secondBegan >= SECOND) {
      this.#secondBegan = now;
      this.#told = 0;
    }
    return this.#told++ < TOLD;
  }

  tell(request: FailedRequest): void {
    this.#events?.onFailedRequest(request);
  }

  tellSwitched(row: number, use: number, cause: SwitchCause): void {
    this.#events?.onSwitched(row, use, cause);
  }
}
