/** The layout of the evidence table, and what workers do to it at the same time. */
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { VERSION_ROWS } from '../../src/model/capacity.ts';
import {
  CLOSED,
  clearEvidence,
  EVIDENCE_ROWS,
  type EvidenceTable,
  markOf,
  NO_OVERRIDE,
  newEvidenceTable,
  readEvidence,
  rowOf,
  SEEN_BITS,
  SHARES,
  SIDE_SLOTS,
  STABLE_SIDE,
  SWITCH,
  seenWord,
  shareSlot,
  sideSlot,
  switchSlot,
  TERMS,
  TIMES,
  termsSlot,
  timesSlot,
} from '../../src/model/evidence-table.ts';
import { NO_KEY } from '../../src/proxy/balance/policy.ts';
import { Evidence, FAILED, LEFT, SLOW } from '../../src/proxy/record/evidence.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import type { HammerOrder, HammerResult } from './evidence-hammer.ts';

const LAST = EVIDENCE_ROWS - 1;

t.test('marks', (t) => {
  t.equal(rowOf(0), -1, 'nobody compares it');
  t.equal(rowOf(CLOSED | NO_OVERRIDE), -1);
  for (let row = 0; row < EVIDENCE_ROWS; row++) {
    for (const stable of [false, true]) {
      const mark = markOf(row, stable);
      t.equal(rowOf(mark | CLOSED | NO_OVERRIDE), row);
      t.equal((mark & STABLE_SIDE) !== 0, stable);
      t.equal(mark & (CLOSED | NO_OVERRIDE), 0);
    }
  }
  t.equal(newEvidenceTable(1).marks.length, VERSION_ROWS);
  t.end();
});

t.test('no two things have one place, and all are in the table', (t) => {
  const table = newEvidenceTable(1);
  const places = {
    totals: new Set<number>(),
    terms: new Set<number>(),
    switches: new Set<number>(),
    times: new Set<number>(),
  };
  let counts = 0;
  for (let row = 0; row < EVIDENCE_ROWS; row++) {
    for (let share = 0; share < SHARES; share++) {
      places.terms.add(shareSlot(row, share));
      for (const side of [0, 1]) {
        for (const slot of Object.values(SIDE_SLOTS)) {
          places.totals.add(sideSlot(row, share, side) + slot);
          counts++;
        }
      }
    }
    for (const slot of Object.values(TERMS)) places.terms.add(termsSlot(row) + slot);
    for (const slot of Object.values(SWITCH)) places.switches.add(switchSlot(row) + slot);
    for (const slot of Object.values(TIMES)) places.times.add(timesSlot(row) + slot);
  }
  t.equal(places.totals.size, counts);
  t.equal(places.terms.size, EVIDENCE_ROWS * (SHARES + Object.keys(TERMS).length));
  t.equal(places.switches.size, EVIDENCE_ROWS * Object.keys(SWITCH).length);
  t.equal(places.times.size, EVIDENCE_ROWS * Object.keys(TIMES).length);
  t.ok(Math.max(...places.terms) < table.terms.length);
  t.ok(Math.max(...places.switches) < table.switches.length);
  t.ok(Math.max(...places.times) < table.times.length);
  t.ok([...places.totals].every((place) => place < table.totals[0]!.length));
  t.equal(seenWord(LAST, LEFT, SEEN_BITS - 1), table.seen.length - 1);
  t.equal(seenWord(1, FAILED, 0), seenWord(0, LEFT, SEEN_BITS - 1) + 1);
  t.end();
});

t.test('sums over the workers and the base, share by share', (t) => {
  const table = newEvidenceTable(2);
  t.equal(table.totals.length, 3);
  t.strictSame(readEvidence(table, 1), [], 'no share, nothing to tell');
  table.terms[termsSlot(1) + TERMS.shares] = 2;
  table.terms[shareSlot(1, 0)] = 0.05;
  table.terms[shareSlot(1, 1)] = 0.2;
  table.totals.forEach((block, i) => {
    block[sideSlot(1, 1, 0) + SIDE_SLOTS.counted] = 10 ** i;
    block[sideSlot(1, 1, 1) + SIDE_SLOTS.trials] = 2 * 10 ** i;
    block[sideSlot(2, 1, 1) + SIDE_SLOTS.trials] = 7;
  });
  const [first, second, ...none] = readEvidence(table, 1);
  t.equal(first!.share, 0.05);
  t.ok(Object.values(first!.canary).every((count) => count === 0));
  t.equal(second!.share, 0.2);
  t.match(second, { canary: { counted: 111, trials: 0 }, stable: { trials: 222, counted: 0 } });
  t.strictSame(Object.keys(second!.canary), Object.keys(SIDE_SLOTS));
  t.equal(none.length, 0);
  t.end();
});

t.test('clearing a row clears that row', (t) => {
  const table = newEvidenceTable(1);
  const fill = (array: { fill(value: number): unknown }): unknown => array.fill(1);
  [table.switches, table.times, table.seen, ...table.totals].forEach(fill);
  clearEvidence(table, 7);
  for (const [name, array, rows] of [
    ['switches', table.switches, EVIDENCE_ROWS],
    ['times', table.times, EVIDENCE_ROWS],
    ['seen', table.seen, EVIDENCE_ROWS],
    ['totals', table.totals[0]!, EVIDENCE_ROWS],
    ['base', table.totals[1]!, EVIDENCE_ROWS],
  ] as const) {
    const length = array.length / rows;
    t.ok(
      array.subarray(7 * length, 8 * length).every((value) => value === 0),
      `${name}: empty`,
    );
    t.ok(
      array.subarray(0, 7 * length).every((value) => value === 1),
      `${name}: those before are as they were`,
    );
    t.ok(
      array.subarray(8 * length).every((value) => value === 1),
      `${name}: those behind too`,
    );
  }
  t.end();
});

const evidenceOf = (table: EvidenceTable, index = 0): Evidence =>
  new Evidence({ table, index, clock: new FakeClock(), wall: () => 1 });

t.test('a worker counts in its own block', (t) => {
  const table = newEvidenceTable(3);
  evidenceOf(table, 1).count(5);
  t.strictSame(
    table.totals.map((block) => block[5]),
    [0, 1, 0, 0],
  );
  t.end();
});

t.test('a session is first once, in each row, for each kind, whichever worker asks', (t) => {
  const table = newEvidenceTable(2);
  const one = evidenceOf(table, 0);
  const other = evidenceOf(table, 1);
  for (const key of [0, 1, 31, 32, 2 ** 31 + 64, 2 ** 32 - 1]) {
    t.equal(one.isFirst(0, FAILED, key), true);
    t.equal(other.isFirst(0, FAILED, key), false);
    t.equal(other.isFirst(0, SLOW, key), true);
    t.equal(one.isFirst(LAST, SLOW, key), true);
    t.equal(one.isFirst(LAST, SLOW, key), false);
  }
  t.equal(one.isFirst(0, FAILED, 33), true, 'neighbours are others');
  t.equal(one.isFirst(0, FAILED, SEEN_BITS + 33), false, 'who shares a bit is one session');
  for (let i = 0; i < 3; i++) t.equal(one.isFirst(0, FAILED, NO_KEY), true, 'nobody is always new');
  t.end();
});

/** Lets two threads fail at the same moments. */
async function hammer(table: EvidenceTable, kind: HammerOrder['kind'], rounds: number): Promise<HammerResult[]> {
  const barrier = new Int32Array(new SharedArrayBuffer(4));
  const run = (index: number): Promise<HammerResult> =>
    new Promise((resolve, reject) => {
      const order: HammerOrder = { table, barrier, index, rounds, kind };
      const worker = new Worker(new URL('./evidence-hammer.ts', import.meta.url), { workerData: order });
      worker.once('message', resolve).once('error', reject);
    });
  return Promise.all([run(0), run(1)]);
}

t.test('of two failures at the same moment at least one sees both, and one of them throws the switch', async (t) => {
  const table = newEvidenceTable(2);
  const terms = termsSlot(5);
  table.terms[terms + TERMS.shares] = 1;
  table.terms[shareSlot(5, 0)] = 0.1;
  // One is worth 1.74, two are worth 3.77.
  table.terms[terms + TERMS.errorsThreshold] = 3;
  table.terms[terms + TERMS.errorsTolerance] = 1;
  table.terms[terms + TERMS.slowThreshold] = 3;
  table.terms[terms + TERMS.slowTolerance] = 1;
  const rounds = 300;
  for (const kind of ['errors', 'latency'] as const) {
    const [first, second] = await hammer(table, kind, rounds);
    t.equal(first!.missed, 0, `${kind}: none was missed`);
    t.equal(first!.thrown + second!.thrown, rounds, `${kind}: each was thrown by one`);
  }
  t.equal(table.marks[9], CLOSED);
});
