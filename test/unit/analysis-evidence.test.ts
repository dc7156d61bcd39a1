import t from 'tap';
import {
  type EvidenceOptions,
  judgeEvidence,
  measureEvidence,
  TESTS,
  thresholdOf,
} from '../../src/control/analysis/evidence.ts';
import { bothAreDown, countedSince, stableFailsToo } from '../../src/control/analysis/stable-fails.ts';
import type { EvidenceReading, TestName } from '../../src/control/analysis/verdict.ts';
import type { ShareCounts, SideCounts } from '../../src/model/evidence-table.ts';
import type { EvidenceConfig } from '../../src/model/rollout-config.ts';

const config: EvidenceConfig = {
  alpha: 0.001,
  shares: { errors: 0.4, slo: 0.3, latency: 0.15, ratio: 0.15 },
  tolerance: 1,
  maxFailures: 20,
  earlyPass: true,
  slo: 1,
  proof: 0.05,
  latency: { percentile: 95, floor: 10, tolerance: 2 },
};

/** A side all of whose requests have ended, unless something else is said. */
function side(trials: number, more: Partial<SideCounts> = {}): SideCounts {
  const { counted = 0, aborted = 0 } = more;
  const lost = { aborted, left: aborted, late: more.slow ?? 0, userErrors: 0 };
  return { trials, keyless: 0, failed: counted, counted, slow: 0, ended: trials, ...lost, ...more };
}
const at = (share: number, canary: SideCounts, stable: SideCounts): ShareCounts => ({ share, canary, stable });
const judge = (counts: ShareCounts[], failures = 0, options?: EvidenceOptions): EvidenceReading =>
  judgeEvidence(counts, config, failures, options);
const testOf = (reading: EvidenceReading, name: TestName) => reading.tests.find(({ test }) => test === name)!;

t.test('no data is not failure', async (t) => {
  const reading = judge([]);
  t.same(
    reading.tests.map(({ test, logE }) => [test, logE]),
    TESTS.map((test) => [test, 0]),
  );
  t.equal(reading.verdict, null);
  t.equal(reading.mismatch, null);
  t.equal(reading.bothFail, false);
  t.match(reading.proof, { logE: 0, proved: false, needs: 377 });
  t.equal(testOf(reading, 'errors').message, 'the canary has no traffic now; no failures so far');
});

t.test('thresholds are what the parts of alpha say', async (t) => {
  t.equal(thresholdOf(config, 'errors'), Math.log(2_500));
  t.equal(thresholdOf({ ...config, alpha: 0 }, 'errors'), Number.POSITIVE_INFINITY);
  t.equal(thresholdOf({ ...config, shares: { ...config.shares, ratio: 0 } }, 'ratio'), Number.POSITIVE_INFINITY);
  t.equal(thresholdOf({ ...config, slo: null }, 'slo'), Number.POSITIVE_INFINITY);
  t.equal(thresholdOf({ ...config, latency: null }, 'latency'), Number.POSITIVE_INFINITY);
});

t.test('errors: enough with the fourth failure, and the sentence says so', async (t) => {
  const three = judge([at(0.1, side(30, { counted: 3 }), side(270))], 3);
  t.match(testOf(three, 'errors'), { state: 'watching', threshold: Math.log(2_500) });
  t.equal(three.verdict, null);
  const four = judgeEvidence([at(0.1, side(300, { counted: 4 }), side(2_700))], config, 4);
  t.equal(four.verdict, testOf(four, 'errors'));
  t.match(four.verdict, {
    state: 'crossed',
    message: "4 of 4 failures were the canary's, which had 10 % of the requests: e-value 3,318 of 2,500 needed",
  });
});

t.test('errors: sessions count once, the budget counts everything', async (t) => {
  const reading = judge([at(0.1, side(300, { counted: 1, failed: 25 }), side(2_700))], 25);
  t.equal(reading.verdict, null);
  t.same(reading.budget, { used: 25, max: 20, spent: true });
  t.equal(judgeEvidence([], { ...config, maxFailures: 0 }, 25).budget, null);
  t.match(judge([], 19).budget, { spent: false });
});

t.test('evidence carries over between steps, and stays when nothing more can be seen', async (t) => {
  const steps = [at(0.05, side(50, { counted: 2 }), side(950)), at(0.2, side(400, { counted: 4 }), side(1_600))];
  t.match(testOf(judge(steps), 'errors'), { state: 'crossed', message: /which had 5 to 20 % of the requests/ });
  const atAll = [at(0.05, side(50, { counted: 1 }), side(950)), at(1, side(400, { counted: 1 }), side(0))];
  t.match(testOf(judge(atAll), 'errors'), {
    state: 'blind',
    message: /^at 100 % there is nobody to compare the canary with; 1 of 1 failures were the canary's, which had 5 %/,
  });
  t.match(testOf(judge(steps, 0, { share: 1 }), 'errors'), { state: 'crossed' });
  t.match(testOf(judge([steps[0]!], 0, { share: 0 }), 'latency'), { state: 'blind' });
});

t.test('the strongest of those that are enough is the verdict', async (t) => {
  const canary = side(300, { counted: 5, slow: 60 });
  const reading = judge([at(0.1, canary, side(2_700, { slow: 30 }))]);
  t.same(
    reading.tests.filter(({ state }) => state === 'crossed').map(({ test }) => test),
    ['errors', 'latency'],
  );
  t.equal(reading.verdict?.test, 'latency');
});

t.test('tests that are off say nothing', async (t) => {
  const counts = [at(0.1, side(300, { counted: 50, slow: 60, aborted: 40 }), side(2_700))];
  const off = judgeEvidence(counts, { ...config, alpha: 0 }, 50);
  t.ok(off.tests.every(({ state, logE, threshold }) => state === 'off' && logE === 0 && threshold === null));
  t.equal(off.verdict, null);
  t.same(measureEvidence(counts, { ...config, alpha: 0 }), { errors: 0, slo: 0, latency: 0, ratio: 0, mismatch: 0 });
});

t.test('slo: requests under way are clean against the canary, and prove nothing for it', async (t) => {
  const quickFailures = judge([at(0.1, side(1_000, { counted: 5, ended: 5 }), side(9_000, { ended: 8_000 }))]);
  t.ok(testOf(quickFailures, 'slo').logE < 0, 'five of a thousand, although only those five have ended');
  const hanging = judge([at(0.1, side(1_000, { ended: 900 }), side(9_000))]);
  t.match(hanging.proof, { proved: false }, 'a hundred hang on the canary and none on stable');
  const both = judge([at(0.1, side(1_000, { ended: 900 }), side(9_000, { ended: 8_100 }))]);
  t.match(both.proof, { proved: true, needs: 0 }, 'as many hang on stable');
});

t.test('slo: proved, by requests that clients did not give up', async (t) => {
  t.match(judge([at(0.1, side(377), side(0))]).proof, { proved: true, needs: 0, threshold: Math.log(20) });
  t.match(judge([at(0.1, side(376), side(0))]).proof, { proved: false, needs: 1 });
  t.match(judge([at(0.1, side(400, { aborted: 50 }), side(0))]).proof, { proved: false, needs: 27 });
  t.match(judge([at(0.1, side(377, { counted: 1, failed: 4 }), side(0))]).proof, { proved: false });
  t.match(judge([at(0.1, side(376), side(0))], 0, { needs: false }).proof, { proved: false, needs: null });
  t.equal(judgeEvidence([], { ...config, slo: null }, 0).proof, null);
});

t.test('slo: seen at 100 %, where nothing else is', async (t) => {
  const reading = judge([at(1, side(500, { counted: 25 }), side(0))]);
  t.equal(reading.verdict?.test, 'slo');
  t.match(
    reading.verdict?.message,
    /^25 of 500 requests of the canary failed \(5 %\), at most 1 % may: e-value [\d,]+ of 3,333 needed$/,
  );
});

t.test('a shared outage is not the canary’s', async (t) => {
  const reading = judge([at(0.1, side(1_000, { counted: 300 }), side(9_000, { counted: 2_700 }))]);
  t.equal(reading.bothFail, true);
  t.match(testOf(reading, 'slo'), {
    state: 'crossed',
    message: /; stable fails as well, so it is not taken back for this$/,
  });
  t.equal(reading.verdict, null);
  const worse = judge([at(0.1, side(1_000, { counted: 900 }), side(9_000, { counted: 2_700 }))]);
  t.equal(worse.bothFail, false, 'three times as bad');
  t.ok(worse.verdict !== null);
});

t.test('when stable fails too', async (t) => {
  const fails = (canary: SideCounts, stable: SideCounts, slo: number | null = null) =>
    stableFailsToo([at(0.1, canary, stable)], slo);
  t.equal(fails(side(100, { counted: 4 }), side(100, { counted: 4 })), false, 'too few to say');
  t.equal(fails(side(100, { counted: 5 }), side(100, { counted: 5 })), true);
  t.equal(fails(side(100, { counted: 11 }), side(100, { counted: 5 })), false, 'less than half');
  t.equal(fails(side(10_000, { counted: 50 }), side(10_000, { counted: 50 })), false, 'little');
  t.equal(fails(side(10_000, { counted: 50 }), side(10_000, { counted: 50 }), 0.001), true, 'much for its SLO');
  t.equal(fails(side(0), side(100, { counted: 50 })), false, 'the canary has had no requests');
  t.equal(stableFailsToo([], null), false);
  const oldIncident = [
    at(0.01, side(100, { counted: 10 }), side(9_900, { counted: 990 })),
    at(0.5, side(10_000, { counted: 500 }), side(10_000)),
  ];
  t.equal(stableFailsToo(oldIncident, null), false, 'stable had its failures at another time');
});

t.test('an outage that has just begun is seen in the last minute', async (t) => {
  const before = [at(0.1, side(1e6), side(9e6))];
  const now = [at(0.1, side(1e6 + 100, { counted: 90 }), side(9e6 + 900, { counted: 800 }))];
  t.equal(judge(now).bothFail, false);
  t.equal(judge(now, 0, { before }).bothFail, true);
  t.same(countedSince(now, before), [at(0.1, side(100, { counted: 90 }), side(900, { counted: 800 }))]);
  t.same(countedSince(now, []), now, 'a share that is new');
});

t.test('latency speaks of its limit, and waits until it is known', async (t) => {
  const counts = [at(0.1, side(300, { slow: 30 }), side(2_700, { slow: 30 }))];
  t.match(testOf(judge(counts, 0, { slowLimit: 84.2 }), 'latency'), {
    state: 'crossed',
    message: /^30 of 60 requests slower than 84\.2 ms were the canary's/,
  });
  t.match(testOf(judge([], 0, { share: 0.1, slowLimit: 0 }), 'latency'), {
    state: 'blind',
    message: "stable's p95 is not known yet, so nothing is called slow",
  });
});

t.test('ratio: requests that clients gave up', async (t) => {
  const swallowing = judge([at(0.1, side(100, { aborted: 20 }), side(900, { aborted: 4 }))]);
  t.match(testOf(swallowing, 'ratio'), {
    state: 'crossed',
    message: /^20 of 24 requests that clients gave up were the canary's, which had 10 % of the requests/,
  });
  const little = judge([at(0.1, side(10_000, { aborted: 150 }), side(90_000))]);
  t.equal(testOf(little, 'ratio').logE, 0, 'less than 2 % more than on stable is what a few odd clients make');
  const stable = judge([at(0.1, side(1_000), side(9_000, { aborted: 500 }))]);
  t.ok(testOf(stable, 'ratio').logE <= 0, 'stable loses them: nothing against the canary');
});

t.test('mismatch: the split is not what was set', async (t) => {
  const wrong = judge([at(0.1, side(1_000, { keyless: 1_000 }), side(4_000, { keyless: 4_000 }))]);
  t.equal(wrong.verdict, null, 'it is not the canary’s fault');
  t.match(wrong.mismatch, {
    test: 'ratio',
    state: 'crossed',
    message:
      /^the canary was dealt 1,000 of 5,000 requests without a session, where 500 were due: e-value 10\^\d+ of 6,666 needed$/,
  });
  const keyed = judge([at(0.1, side(1_000), side(4_000))]);
  t.equal(keyed.mismatch, null, 'with sessions a few busy users make it so');
  t.equal(judge([at(0.1, side(500, { keyless: 500 }), side(4_500, { keyless: 4_500 }))]).mismatch, null);
  const off = { ...config, shares: { ...config.shares, ratio: 0 } };
  t.equal(judgeEvidence([at(0.1, side(9, { keyless: 9_000 }), side(9))], off, 0).mismatch, null);
});

t.test('totals are sums over all shares', async (t) => {
  const reading = judge([
    at(0.05, side(50, { counted: 1, userErrors: 1 }), side(950, { slow: 3 })),
    at(0.2, side(200, { failed: 5, aborted: 2 }), side(800, { ended: 790 })),
  ]);
  t.same(reading.canary, { trials: 250, failed: 6, counted: 1, slow: 0, ended: 250, aborted: 2, userErrors: 1 });
  t.same(reading.stable, { trials: 1_750, failed: 0, counted: 0, slow: 3, ended: 1_740, aborted: 0, userErrors: 0 });
});

t.test('both are down from one failure in ten on, of each', async (t) => {
  const both = (canary: number, stable: number): boolean =>
    bothAreDown([at(0.1, side(100, { counted: canary }), side(900, { counted: stable }))]);
  t.equal(both(10, 90), true);
  t.equal(both(9, 90), false, 'the canary fails less');
  t.equal(both(10, 80), false, 'stable fails less');
  t.equal(both(50, 90), false, 'most of it is the canary');
  t.equal(bothAreDown([at(0.1, side(10, { counted: 4 }), side(90, { counted: 40 }))]), false, 'too few to tell');
  t.equal(bothAreDown([]), false);
});
