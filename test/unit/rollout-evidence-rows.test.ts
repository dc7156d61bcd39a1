/** The control plane's side of the evidence table: rows that are taken and given back, shares, a restart's counts, and marks bit by bit. */
import t from 'tap';
import { EvidenceRows } from '../../src/control/rollout/evidence-rows.ts';
import {
  CLOSED,
  EVIDENCE_ROWS,
  markOf,
  NO_OVERRIDE,
  newEvidenceTable,
  rowOf,
  SHARES,
  SIDE_SLOTS,
  type SideCounts,
  STABLE_SIDE,
  SWITCH,
  sideSlot,
  switchSlot,
  TERMS,
  termsSlot,
} from '../../src/model/evidence-table.ts';
import { QUICK, strategyOf } from './rollout-stage.ts';

const { evidence: CONFIG } = strategyOf({ ...QUICK, evidence: { maxFailures: 20 } });
const NONE = Object.fromEntries(Object.keys(SIDE_SLOTS).map((name) => [name, 0])) as SideCounts;
const side = (trials: number, failed: number): SideCounts => ({
  ...NONE,
  trials,
  failed,
  counted: failed,
  ended: trials,
});
const newRows = () => {
  const table = newEvidenceTable(2);
  return { table, rows: new EvidenceRows(table) };
};

t.test('as many rows as there are, another use each time', async (t) => {
  const { rows } = newRows();
  const taken = Array.from({ length: EVIDENCE_ROWS }, () => rows.take());
  t.equal(new Set(taken).size, EVIDENCE_ROWS);
  t.equal(rows.take(), null);
  t.equal(rows.room, 0);
  rows.begin(5, CONFIG, [], 0);
  const use = rows.use(5);
  rows.release(5);
  t.not(rows.use(5), use, 'what is counted late for the one before is dropped');
  const released = rows.use(5);
  t.equal(rows.take(), 5);
  rows.begin(5, CONFIG, [], 0);
  t.notOk([use, released].includes(rows.use(5)));
});

t.test('what was counted before a restart is the base, and the budget forgives', async (t) => {
  const { rows, table } = newRows();
  const counted = [
    { share: 0.1, canary: side(100, 9), stable: side(900, 1) },
    { share: 0.5, canary: side(50, 4), stable: side(50, 0) },
  ];
  rows.begin(3, CONFIG, counted, 10);
  t.strictSame(rows.read(3), counted);
  t.equal(rows.failures(3), 3);
  t.equal(table.terms[termsSlot(3) + TERMS.budget], 20);
  rows.assign(3, 0.5);
  table.totals[0]![sideSlot(3, 1, 0) + SIDE_SLOTS.trials]! += 7;
  t.equal(rows.read(3)[1]?.canary.trials, 57);
  rows.begin(3, CONFIG, counted, 99);
  t.equal(rows.failures(3), 0, 'never below none');
  t.equal(rows.cause(3), null);
  const old = { share: 0.1, canary: { trials: 4 } as SideCounts, stable: NONE };
  rows.begin(3, CONFIG, [old], 0);
  t.strictSame(rows.read(3), [{ ...old, canary: { ...NONE, trials: 4 } }], 'of a release that counted less');
  rows.begin(3, CONFIG, [], 0);
  t.strictSame(rows.read(3), []);
});

t.test('a slot for each share, and the nearest one where there is none left', async (t) => {
  const { rows, table } = newRows();
  const current = (): number => table.terms[termsSlot(0) + TERMS.current]!;
  rows.begin(0, CONFIG, [], 0);
  rows.assign(0, 0.1);
  rows.assign(0, 0.2);
  t.equal(current(), 1);
  rows.assign(0, 0.1);
  t.equal(current(), 0);
  t.equal(rows.read(0).length, 2);
  for (let share = 2; share < SHARES; share++) rows.assign(0, 1 + share);
  rows.assign(0, 0.19);
  t.equal(current(), 1);
  t.equal(rows.read(0).length, SHARES);
});

t.test('marks: who is compared, who is closed, whom the override reaches', async (t) => {
  const { rows, table } = newRows();
  rows.begin(2, CONFIG, [], 0);
  rows.close(8);
  rows.override(8, false);
  rows.compare(2, { canary: 8, stable: 7 });
  t.equal(table.marks[8], markOf(2, false) | CLOSED | NO_OVERRIDE, 'what was set stays set');
  t.equal(table.marks[7], markOf(2, true));
  t.equal(rowOf(table.marks[7]!), 2);
  t.equal(table.marks[7]! & STABLE_SIDE, STABLE_SIDE);
  t.equal(table.terms[termsSlot(2) + TERMS.canary], 8);
  rows.compare(4, { canary: 7, stable: 8 });
  t.equal(table.marks[7], markOf(4, false), 'the other side, another row');
  rows.compareNoMore({ canary: 7, stable: 8 });
  t.strictSame([table.marks[7], table.marks[8]], [0, CLOSED | NO_OVERRIDE]);
  t.ok(rows.isClosed(8));
  rows.open(8);
  rows.override(8, true);
  t.equal(table.marks[8], 0);
});

t.test('the switch as if it had never been thrown; who is closed stays so', async (t) => {
  const { rows, table } = newRows();
  rows.begin(1, CONFIG, [], 0);
  rows.compare(1, { canary: 8, stable: 7 });
  Atomics.store(table.switches, switchSlot(1) + SWITCH.failures, 5);
  Atomics.store(table.switches, switchSlot(1) + SWITCH.cause, 3);
  rows.close(8);
  t.strictSame([rows.failures(1), rows.cause(1)], [5, 'budget']);
  t.strictSame(rows.times(1), { firstFailure: null, thrown: null });
  rows.reset(1);
  t.strictSame([rows.failures(1), rows.cause(1), rows.isClosed(8)], [0, null, true]);
});
