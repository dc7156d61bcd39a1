/**
 * A thread that fails at the same moment as another one, round after round, for evidence-table.test.ts.
 *
 * The failures of both are needed to throw the switch. Thread 0 makes the row anew between two rounds and counts those in which nobody threw it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import {
  clearEvidence,
  type EvidenceTable,
  SIDE_SLOTS,
  SWITCH,
  sideSlot,
  switchSlot,
} from '../../src/model/evidence-table.ts';
import { Evidence } from '../../src/proxy/record/evidence.ts';
import { FakeClock } from '../../src/runtime/clock.ts';

export interface HammerOrder {
  readonly table: EvidenceTable;
  /** How many have come to the next barrier, ever. */
  readonly barrier: Int32Array;
  readonly index: number;
  readonly rounds: number;
  readonly kind: 'errors' | 'latency';
}

export interface HammerResult {
  readonly missed: number;
  /** Rounds in which this thread has thrown it. */
  readonly thrown: number;
}

const THREADS = 2;
const PATIENCE = 5_000;
const ROW = 5;
const VERSION = 9;

function hammer({ table, barrier, index, rounds, kind }: HammerOrder): HammerResult {
  const evidence = new Evidence({ table, index, clock: new FakeClock(), wall: () => 1 });
  const slot = sideSlot(ROW, 0, 0) + (kind === 'errors' ? SIDE_SLOTS.counted : SIDE_SLOTS.slow);
  let met = 0;
  const meet = (): void => {
    met += THREADS;
    Atomics.add(barrier, 0, 1);
    Atomics.notify(barrier, 0);
    // Whoever has waited in vain for a moment leaves its processor to the other.
    for (let looks = 0; ; looks++) {
      const came = Atomics.load(barrier, 0);
      if (came >= met) return;
      if (looks > PATIENCE) Atomics.wait(barrier, 0, came, 10);
    }
  };
  let missed = 0;
  let thrown = 0;
  for (let round = 0; round < rounds; round++) {
    if (index === 0) clearEvidence(table, ROW);
    meet();
    evidence.count(slot);
    const cause = kind === 'errors' ? evidence.canaryFailed(ROW, VERSION, true) : evidence.canarySlow(ROW, VERSION);
    if (cause !== null) thrown++;
    meet();
    if (index === 0 && table.switches[switchSlot(ROW) + SWITCH.cause] === 0) missed++;
  }
  return { missed, thrown };
}

const order: HammerOrder = workerData;
parentPort!.postMessage(hammer(order));
