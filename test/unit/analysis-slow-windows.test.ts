import t from 'tap';
import { SlowWindows, WINDOW } from '../../src/control/analysis/slow-windows.ts';
import type { ShareCounts, SideCounts } from '../../src/model/evidence-table.ts';
import { SeededRandom } from '../../src/runtime/random.ts';

const NONE: SideCounts = {
  ...{ trials: 0, keyless: 0, failed: 0, counted: 0, slow: 0, ended: 0, aborted: 0, userErrors: 0, left: 0, late: 0 },
};

/** Sums of what each window brings: requests and slow ones, canary then stable. */
class Traffic {
  readonly windows = new SlowWindows();
  #now = 0;
  #counts: ShareCounts = { share: 0.1, canary: NONE, stable: NONE };

  constructor() {
    this.windows.note(0, [this.#counts], true);
  }

  window(canary: readonly [number, number], stable: readonly [number, number], ended = true): void {
    this.#now += WINDOW;
    const more = (side: SideCounts, [requests, slow]: readonly [number, number]): SideCounts => ({
      ...side,
      trials: side.trials + requests,
      late: side.late + slow,
      ended: side.ended + (ended ? requests : 0),
    });
    const { canary: c, stable: s } = this.#counts;
    this.#counts = { share: 0.1, canary: more(c, canary), stable: { ...more(s, stable), ended: s.ended + stable[0] } };
    this.windows.note(this.#now, [this.#counts], true);
  }
}

t.test('one pause is one window, however many requests it made wait', async (t) => {
  const traffic = new Traffic();
  traffic.window([25, 25], [225, 1]);
  t.match(traffic.windows, { won: 1, lost: 0 });
  t.ok(traffic.windows.logE < 1);
});

t.test('a canary that is slow for long is found after fourteen windows', async (t) => {
  const traffic = new Traffic();
  let windows = 0;
  while (traffic.windows.logE < Math.log(4_000)) {
    traffic.window([25, 20], [225, 11]);
    windows++;
  }
  t.equal(windows, 14);
});

t.test('what has no slow requests, or nobody to compare with, says nothing', async (t) => {
  const traffic = new Traffic();
  traffic.window([25, 0], [225, 0]);
  traffic.window([25, 5], [0, 0]);
  traffic.window([9, 9], [200, 0]);
  t.match(traffic.windows, { won: 0, lost: 0 });
  t.equal(traffic.windows.logE, 0);
});

t.test('a window waits for enough requests of the canary', async (t) => {
  const traffic = new Traffic();
  traffic.window([6, 6], [50, 0]);
  t.equal(traffic.windows.won, 0);
  traffic.window([6, 6], [50, 0]);
  t.equal(traffic.windows.won, 1);
});

t.test('a canary that hangs goes on losing although nobody asks it anything more', async (t) => {
  const traffic = new Traffic();
  traffic.window([25, 25], [225, 5], false);
  for (let i = 0; i < 5; i++) traffic.window([0, 0], [225, 5], false);
  t.equal(traffic.windows.won, 6);
});

t.test('what was before anything was called slow is in no window', async (t) => {
  const windows = new SlowWindows();
  const counts = (trials: number, late: number): ShareCounts[] => [
    { share: 0.1, canary: { ...NONE, trials, late, ended: trials }, stable: { ...NONE, trials: 900, ended: 900 } },
  ];
  windows.note(0, counts(100, 100), false);
  windows.note(WINDOW, counts(200, 200), true);
  t.equal(windows.won, 0);
});

t.test('two processes that pause alike are not told apart, and the level holds', async (t) => {
  const random = new SeededRandom(20);
  let found = 0;
  for (let run = 0; run < 400; run++) {
    const traffic = new Traffic();
    let most = 0;
    for (let i = 0; i < 200; i++) {
      // Each process stands still in one window of ten, and everything it has then is late.
      const canary = random.next() < 0.1 ? 25 : 0;
      const stable = random.next() < 0.1 ? 225 : 0;
      traffic.window([25, canary], [225, stable]);
      most = Math.max(most, traffic.windows.logE);
    }
    if (most >= Math.log(20)) found++;
  }
  t.ok(found / 400 <= 0.05, `${found} of 400 at a nominal 5 %`);
});
