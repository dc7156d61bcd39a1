import t from 'tap';
import { judgeEvidence } from '../../src/control/analysis/evidence.ts';
import { costOf, FIRST, mixed, STARTS, type Start } from '../../src/control/analysis/fresh-starts.ts';
import { SlowWindows, WINDOW } from '../../src/control/analysis/slow-windows.ts';
import { EvidenceRows } from '../../src/control/rollout/evidence-rows.ts';
import {
  newEvidenceTable,
  type ShareCounts,
  SIDE_SLOTS,
  type SideCounts,
  sideSlot,
} from '../../src/model/evidence-table.ts';
import type { EvidenceConfig } from '../../src/model/rollout-config.ts';
import { Evidence } from '../../src/proxy/record/evidence.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { SeededRandom } from '../../src/runtime/random.ts';

const config: EvidenceConfig = {
  ...{ alpha: 0.001, shares: { errors: 1, slo: 0, latency: 0, ratio: 0 }, tolerance: 1, maxFailures: 0 },
  ...{ earlyPass: false, slo: null, proof: 0.05, latency: null },
};
const NONE: SideCounts = {
  ...{ trials: 0, keyless: 0, failed: 0, counted: 0, slow: 0, ended: 0, aborted: 0, userErrors: 0, left: 0, late: 0 },
};
const failures = (canary: number, stable: number): ShareCounts[] => [
  { share: 0.1, canary: { ...NONE, counted: canary }, stable: { ...NONE, counted: stable } },
];
type Starts = readonly Start<readonly ShareCounts[]>[];

/** How many failures in a row have to be the canary's, behind a past. */
function needed(canary: number, stable: number, starts: Starts): number {
  for (let more = 1; more < 2_000; more++) {
    if (judgeEvidence(failures(canary + more, stable), config, 0, { starts }).verdict !== null) return more;
  }
  return Number.POSITIVE_INFINITY;
}

t.test('the parts of the capital sum to 1', async (t) => {
  let sum = Math.exp(FIRST);
  for (let index = 1; index <= 100_000; index++) sum += Math.exp(-costOf(index));
  t.ok(sum < 1);
  t.ok(sum > 0.9999);
  t.equal(
    mixed(3, [], () => 9),
    3,
    'without starts nothing is given away',
  );
});

t.test('a canary that was as good as stable for long is found nearly as soon as a new one', async (t) => {
  const past = failures(100, 900);
  const hour: Starts = [{ from: past, cost: costOf(360) }];
  t.equal(needed(0, 0, []), 4);
  t.ok(needed(100, 900, []) > 30, 'from the beginning alone it takes long');
  t.equal(needed(100, 900, hour), 10);
  t.equal(needed(0, 1_000, [{ from: failures(0, 1_000), cost: costOf(360) }]), 10, 'the same if stable alone failed');
});

t.test('workers find it with the start that they are told of', async (t) => {
  const table = newEvidenceTable(1);
  const rows = new EvidenceRows(table);
  const row = rows.take()!;
  rows.begin(row, config, [], 0);
  rows.assign(row, 0.1);
  const evidence = new Evidence({ table, index: 0, clock: new FakeClock(), wall: () => 1 });
  const count = (side: number, by: number): void => {
    table.totals[0]![sideSlot(row, 0, side) + SIDE_SLOTS.counted]! += by;
  };
  count(0, 100);
  count(1, 900);
  t.equal(evidence.canaryFailed(row, 7, true), null);
  rows.startAnew(row, rows.read(row), costOf(360));
  let failed = 0;
  for (let cause = null as string | null; cause === null && failed < 100; ) {
    count(0, 1);
    failed++;
    cause = evidence.canaryFailed(row, 7, true);
  }
  t.equal(failed, 10);
});

t.test('a canary that gets slow after an hour is found within seconds', async (t) => {
  const windows = new SlowWindows();
  let now = 0;
  let counts = { ...failures(0, 0)[0]! };
  const window = (slow: number): void => {
    now += WINDOW;
    const more = (side: SideCounts, trials: number, late: number): SideCounts => ({
      ...side,
      ...{ trials: side.trials + trials, ended: side.ended + trials, late: side.late + late },
    });
    counts = { ...counts, canary: more(counts.canary, 25, slow), stable: more(counts.stable, 225, 11) };
    windows.note(now, [counts], true);
  };
  window(1);
  for (let i = 0; i < 14_400; i++) {
    if (i % 40 === 39) windows.startAnew(costOf(i / 40 + 1));
    window(1);
  }
  let more = 0;
  while (windows.logE < Math.log(4_000) && more < 1_000) {
    window(20);
    more++;
  }
  t.ok(more <= 50, `${more} windows`);
});

t.test('the level holds, however often evidence is begun anew', async (t) => {
  const random = new SeededRandom(5);
  const nominal: EvidenceConfig = { ...config, alpha: 0.05 };
  let found = 0;
  const runs = 300;
  for (let run = 0; run < runs; run++) {
    let starts: Starts = [];
    let [canary, stable] = [0, 0];
    for (let i = 1; i <= 400; i++) {
      if (random.next() < 0.1) canary++;
      else stable++;
      const now = failures(canary, stable);
      if (i % 20 === 0) starts = [...starts.slice(-(STARTS - 1)), { from: now, cost: costOf(i / 20) }];
      if (judgeEvidence(now, nominal, 0, { starts }).verdict === null) continue;
      found++;
      break;
    }
  }
  t.ok(found / runs <= 0.05, `${found} of ${runs} at a nominal 5 %`);
});
