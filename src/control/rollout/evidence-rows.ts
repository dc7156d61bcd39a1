/**
 * The control plane's side of the evidence table (model/evidence-table.ts): who is compared in which row, on what terms, and who is closed.
 *
 * A row is taken when a rollout begins and given back when it is over; another `use` each time, so that what a worker counts late for the
 * one before is dropped. Workers set CLOSED by themselves, so marks are never stored as a whole: bits are set and cleared one by one.
 * Everything is written before the mark that makes workers look at it.
 */
import {
  CAUSES,
  CLOSED,
  clearEvidence,
  EVIDENCE_ROWS,
  type EvidenceTable,
  markOf,
  NO_OVERRIDE,
  readEvidence,
  SHARES,
  type ShareCounts,
  SIDE_SLOTS,
  type SideCounts,
  SWITCH,
  type SwitchCause,
  shareSlot,
  sideSlot,
  startSlot,
  switchSlot,
  TERMS,
  TIMES,
  termsSlot,
  timesSlot,
} from '../../model/evidence-table.ts';
import type { EvidenceConfig } from '../../model/rollout-config.ts';
import { thresholdOf } from '../analysis/evidence.ts';
import { FIRST } from '../analysis/fresh-starts.ts';

/** Everything of a mark but its lowest two bits. */
const COMPARED = ~(CLOSED | NO_OVERRIDE);

export interface Compared {
  readonly canary: number;
  readonly stable: number;
}

/** Rows for rollouts that are over. */
const KEPT_FREE = 8;

export class EvidenceRows {
  readonly #table: EvidenceTable;
  readonly #free = Array.from({ length: EVIDENCE_ROWS }, (_, row) => row);
  #uses = 0;

  constructor(table: EvidenceTable) {
    this.#table = table;
  }

  /** Rollouts that can still be taken up. */
  get room(): number {
    return this.#free.length;
  }

  /** Whether another rollout may be taken up. So many rows stay free that one which is over can always be spoken to, and taken back. */
  get hasRoom(): boolean {
    return this.room > KEPT_FREE;
  }

  /** @returns null where as many rollouts as may be are under way. */
  take(): number | null {
    return this.#free.shift() ?? null;
  }

  release(row: number): void {
    this.#terms(row, TERMS.use, ++this.#uses);
    this.#free.push(row);
  }

  /** @param counted what was counted before a restart. @param forgiven failures that the budget does not count any more. */
  begin(row: number, config: EvidenceConfig, counted: readonly ShareCounts[], forgiven: number): void {
    const table = this.#table;
    clearEvidence(table, row);
    counted.slice(0, SHARES).forEach(({ share, canary, stable }, index) => {
      table.terms[shareSlot(row, index)] = share;
      this.#base(sideSlot(row, index, 0), canary);
      this.#base(sideSlot(row, index, 1), stable);
    });
    const failed = counted.reduce((sum, { canary }) => sum + canary.failed, 0);
    Atomics.store(table.switches, switchSlot(row) + SWITCH.failures, Math.max(0, failed - forgiven));
    const terms: readonly (readonly [keyof typeof TERMS, number])[] = [
      ['shares', Math.min(counted.length, SHARES)],
      ['current', 0],
      ['budget', config.maxFailures],
      ['errorsThreshold', thresholdOf(config, 'errors') - FIRST],
      ['startCost', 0],
      ['errorsTolerance', config.tolerance],
      ['slowLimit', 0],
      ['slowThreshold', Number.POSITIVE_INFINITY],
      ['slowTolerance', config.latency?.tolerance ?? 1],
      ['use', ++this.#uses],
    ];
    for (const [term, value] of terms) this.#terms(row, TERMS[term], value);
  }

  /** From now on requests are assigned at this share (0 to 1). Where every slot is taken, the nearest one is used. */
  assign(row: number, share: number): void {
    const { terms } = this.#table;
    const used = terms[termsSlot(row) + TERMS.shares]!;
    const shares = Array.from({ length: used }, (_, index) => terms[shareSlot(row, index)]!);
    let slot = shares.indexOf(share);
    if (slot < 0 && used < SHARES) {
      slot = used;
      terms[shareSlot(row, slot)] = share;
      this.#terms(row, TERMS.shares, used + 1);
    } else if (slot < 0) {
      const distances = shares.map((each) => Math.abs(each - share));
      slot = distances.indexOf(Math.min(...distances));
    }
    this.#terms(row, TERMS.current, slot);
  }

  slowFrom(row: number, ms: number): void {
    this.#terms(row, TERMS.slowLimit, ms);
  }

  /** Whether workers may find the canary slow by its requests alone: only while windows of time say the same. */
  trustSlow(row: number, config: EvidenceConfig, isTrusted: boolean): void {
    this.#terms(
      row,
      TERMS.slowThreshold,
      isTrusted ? thresholdOf(config, 'latency') - FIRST : Number.POSITIVE_INFINITY,
    );
  }

  /** Evidence is begun anew, for workers too. @param counts of that moment. @param cost what more it has to have, of ln E. */
  startAnew(row: number, counts: readonly ShareCounts[], cost: number): void {
    const { starts } = this.#table;
    counts.forEach(({ canary, stable }, share) => {
      [canary, stable].forEach((side, which) => {
        starts[startSlot(row, share, 0, which)] = side.counted;
        starts[startSlot(row, share, 1, which)] = side.slow;
      });
    });
    // What a worker has to have is compared with a threshold that the first bet's part is in already.
    this.#terms(row, TERMS.startCost, cost + FIRST);
  }

  slowLimit(row: number): number {
    return this.#table.terms[termsSlot(row) + TERMS.slowLimit]!;
  }

  use(row: number): number {
    return this.#table.terms[termsSlot(row) + TERMS.use]!;
  }

  read(row: number): ShareCounts[] {
    return readEvidence(this.#table, row);
  }

  failures(row: number): number {
    return Atomics.load(this.#table.switches, switchSlot(row) + SWITCH.failures);
  }

  cause(row: number): SwitchCause | null {
    return CAUSES[Atomics.load(this.#table.switches, switchSlot(row) + SWITCH.cause) - 1] ?? null;
  }

  /** Milliseconds since 1970, null where it has not happened. */
  times(row: number): { readonly firstFailure: number | null; readonly thrown: number | null } {
    const at = timesSlot(row);
    const { times } = this.#table;
    return { firstFailure: times[at + TIMES.firstFailure]! || null, thrown: times[at + TIMES.thrown]! || null };
  }

  /** A new budget, and the switch as if it had never been thrown; who is closed stays so. */
  reset(row: number): void {
    Atomics.store(this.#table.switches, switchSlot(row) + SWITCH.failures, 0);
    Atomics.store(this.#table.switches, switchSlot(row) + SWITCH.cause, 0);
  }

  /** Lets workers compare these versions, by id. */
  compare(row: number, { canary, stable }: Compared): void {
    this.#terms(row, TERMS.canary, canary);
    this.#mark(stable, COMPARED, markOf(row, true));
    this.#mark(canary, COMPARED, markOf(row, false));
  }

  /** What is in flight goes on being counted until the row is released. */
  compareNoMore({ canary, stable }: Compared): void {
    this.#mark(canary, COMPARED, 0);
    this.#mark(stable, COMPARED, 0);
  }

  /** The one store that takes a version's users away from it. */
  close(version: number): void {
    Atomics.or(this.#table.marks, version, CLOSED);
  }

  open(version: number): void {
    Atomics.and(this.#table.marks, version, ~CLOSED);
  }

  isClosed(version: number): boolean {
    return (Atomics.load(this.#table.marks, version) & CLOSED) !== 0;
  }

  override(version: number, on: boolean): void {
    if (on) Atomics.and(this.#table.marks, version, ~NO_OVERRIDE);
    else Atomics.or(this.#table.marks, version, NO_OVERRIDE);
  }

  #terms(row: number, term: number, value: number): void {
    this.#table.terms[termsSlot(row) + term] = value;
  }

  #mark(version: number, clear: number, set: number): void {
    const { marks } = this.#table;
    for (;;) {
      const before = Atomics.load(marks, version);
      if (Atomics.compareExchange(marks, version, before, (before & ~clear) | set) === before) return;
    }
  }

  #base(at: number, counts: SideCounts): void {
    const block = this.#table.totals.at(-1)!;
    // An older release has not counted everything.
    for (const [name, slot] of Object.entries(SIDE_SLOTS)) block[at + slot] = counts[name as keyof SideCounts] ?? 0;
  }
}
