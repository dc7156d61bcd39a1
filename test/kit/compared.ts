/** A rollout as the data plane sees one: a row of the evidence table, written the way the control plane does. */
import {
  CAUSES,
  clearEvidence,
  type EvidenceTable,
  markOf,
  readEvidence,
  SWITCH,
  shareSlot,
  switchSlot,
  TERMS,
  TIMES,
  termsSlot,
  timesSlot,
} from '../../src/model/evidence-table.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';

export type Terms = Partial<Record<Exclude<keyof typeof TERMS, 'canary' | 'use'>, number>>;

/** Enough for one in a thousand. */
export const THOUSAND = Math.log(1000);

const named = (counts: object): Record<string, number> =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));

/** A data plane, or a supervisor. */
interface Plane {
  readonly evidence: EvidenceTable;
  readonly snapshot: Snapshot;
}

export class Compared {
  readonly table: EvidenceTable;
  readonly row = 3;
  /** Version ids. */
  readonly canary: number;
  readonly stable: number;
  use = 7;

  /** Compares `v2` with `v1`. @param shares of the canary, 0 to 1; the first of them holds. */
  constructor(plane: Plane, shares: readonly number[] = [0.1], terms: Terms = {}) {
    const { versions } = plane.snapshot.services[0]!;
    const idOf = (name: string): number => versions.find((version) => version.name === name)!.id;
    this.table = plane.evidence;
    this.canary = idOf('v2');
    this.stable = idOf('v1');
    clearEvidence(this.table, this.row);
    this.set({
      ...{ shares: shares.length, current: 0, budget: 0, slowLimit: 0 },
      ...{ errorsThreshold: Number.POSITIVE_INFINITY, errorsTolerance: 1 },
      ...{ slowThreshold: Number.POSITIVE_INFINITY, slowTolerance: 1 },
      ...terms,
    });
    shares.forEach((share, slot) => {
      this.table.terms[shareSlot(this.row, slot)] = share;
    });
    this.table.terms[termsSlot(this.row) + TERMS.canary] = this.canary;
    this.renew(this.use);
    this.mark(0);
  }

  set(terms: Terms): void {
    for (const [name, value] of Object.entries(terms)) {
      this.table.terms[termsSlot(this.row) + TERMS[name as keyof Terms]] = value;
    }
  }

  /** The row is used for something else from now on. */
  renew(use: number): void {
    this.use = use;
    this.table.terms[termsSlot(this.row) + TERMS.use] = use;
  }

  /** Marks both versions. @param bits what else is said of the canary. */
  mark(bits: number): void {
    this.table.marks[this.canary] = markOf(this.row, false) | bits;
    this.table.marks[this.stable] = markOf(this.row, true);
  }

  /** Bits of the canary's mark apart from the row. */
  get bits(): number {
    return this.table.marks[this.canary]! & 3;
  }

  /** What was counted, zeros left out. */
  canaryAt(share = 0): Record<string, number> {
    return named(readEvidence(this.table, this.row)[share]!.canary);
  }

  stableAt(share = 0): Record<string, number> {
    return named(readEvidence(this.table, this.row)[share]!.stable);
  }

  get failures(): number {
    return this.table.switches[switchSlot(this.row) + SWITCH.failures]!;
  }

  get cause(): string | null {
    return CAUSES[this.table.switches[switchSlot(this.row) + SWITCH.cause]! - 1] ?? null;
  }

  time(which: keyof typeof TIMES): number {
    return this.table.times[timesSlot(this.row) + TIMES[which]]!;
  }
}
