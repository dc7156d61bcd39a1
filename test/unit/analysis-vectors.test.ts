/** The published and agreed values of every test. */
import t from 'tap';
import { sampleRatioLogE } from '../../src/control/analysis/sample-ratio.ts';
import { requestsToProve, sloEvidence, sloGood } from '../../src/control/analysis/slo.ts';
import { TwoByTwo } from '../../src/control/analysis/two-by-two.ts';
import { Attribution } from '../../src/model/attribution.ts';

const near = (found: number, wanted: number, tolerance: number): boolean => Math.abs(found - wanted) <= tolerance;

t.test('attribution', async (t) => {
  const failures = [
    [1, 0.1],
    [1, 0.1],
    [0, 0.1],
    [1, 0.25],
    [1, 0.25],
    [1, 0.5],
  ] as const;
  const wanted = {
    1: [1.744185881, 3.768065508, 1.957347998, 3.085788895, 4.264847825, 4.890158091],
    1.5: [1.482735352, 3.172580898, 1.383743571, 2.24017416, 3.137753785, 3.58215304],
  };
  for (const [tolerance, values] of Object.entries(wanted)) {
    const evidence = new Attribution();
    failures.forEach(([fromCanary, share], i) => {
      evidence.add(share, fromCanary, 1 - fromCanary, Number(tolerance));
      t.ok(near(evidence.logE, values[i]!, 1e-9), `r0 = ${tolerance}, failure ${i + 1}: ${evidence.logE}`);
    });
    const atOnce = new Attribution();
    atOnce.add(0.5, 1, 0, Number(tolerance));
    atOnce.add(0.25, 2, 0, Number(tolerance));
    atOnce.add(0.1, 2, 1, Number(tolerance));
    t.ok(near(atOnce.logE, evidence.logE, 1e-12), 'counts by share, in any order, are the same');
  }
});

t.test('attribution: five failures of the canary at 10 %', async (t) => {
  const evidence = new Attribution();
  for (const wanted of [5.721242, 43.296228, 369.237554, 3318.236231, 30624.299237]) {
    evidence.add(0.1, 1, 0, 1);
    t.ok(near(Math.exp(evidence.logE), wanted, 1e-6 * wanted), `${Math.exp(evidence.logE)}`);
  }
});

t.test('attribution is blind where there is nobody to compare with, and can begin anew', async (t) => {
  const evidence = new Attribution();
  evidence.add(0, 100, 0, 1);
  evidence.add(1, 100, 0, 1);
  t.ok(near(evidence.logE, 0, 1e-12));
  evidence.add(0.1, 5, 0, 1);
  t.ok(evidence.logE > 10);
  evidence.reset();
  t.ok(near(evidence.logE, 0, 1e-12));
  evidence.add(0.1, 1e6, 9e6, 1);
  t.ok(evidence.logE < -1e3 && Number.isFinite(evidence.logE), 'a million failures that are shared fairly');
});

t.test('attribution: the mean of an e-value over what may come next is at most 1', async (t) => {
  for (const tolerance of [1, 1.5, 2]) {
    for (const share of [0.01, 0.1, 0.5, 0.99]) {
      const expected = (fromCanary: number, fromStable: number): number => {
        const evidence = new Attribution();
        evidence.add(share, fromCanary, fromStable, tolerance);
        return Math.exp(evidence.logE);
      };
      const q = (share * tolerance) / (1 - share + share * tolerance);
      const mean = q * expected(1, 0) + (1 - q) * expected(0, 1);
      t.ok(near(mean, 1, 1e-12), `at the limit of the hypothesis it is 1: ${mean}`);
      const fair = share * expected(1, 0) + (1 - share) * expected(0, 1);
      t.ok(fair <= 1 + 1e-12, `of an equal canary: ${fair}`);
    }
  }
});

t.test('slo', async (t) => {
  for (const [failures, requests, p0, bad, good] of [
    [1, 1, 0.01, 3.97749, -1.097273],
    [3, 10, 0.01, 6.437935, -1.927927],
    [5, 10, 0.01, 14.808481, -2.387541],
    [5, 100, 0.01, 1.655654, -2.239597],
    [20, 1000, 0.01, 0.295401, -3.12119],
    [10, 1000, 0.01, -4.27018, -1.6674],
    [0, 300, 0.01, -4.610729, 2.328801],
    [5, 1000, 0.001, 0.385948, -2.235351],
  ] as const) {
    const found = sloEvidence(failures, requests, p0);
    t.ok(
      near(found.bad, bad, 1e-6) && near(found.good, good, 1e-6),
      `${failures} of ${requests}: ${found.bad} ${found.good}`,
    );
  }
});

t.test('slo: the mean over what the next request does is 1 at the limit', async (t) => {
  for (const p0 of [1e-5, 0.001, 0.01, 0.5]) {
    for (const [s, n] of [
      [0, 0],
      [1, 50],
      [30, 1_000],
      [0, 100_000],
      [12_000, 1_000_000],
    ] as const) {
      const now = sloEvidence(s, n, p0);
      const failed = sloEvidence(s + 1, n + 1, p0);
      const passed = sloEvidence(s, n + 1, p0);
      for (const side of ['bad', 'good'] as const) {
        const mean = p0 * Math.exp(failed[side] - now[side]) + (1 - p0) * Math.exp(passed[side] - now[side]);
        t.ok(near(mean, 1, 1e-6), `${side} after ${s} of ${n}, p0 = ${p0}: ${mean}`);
      }
    }
  }
});

t.test('slo at its limits', async (t) => {
  for (const p0 of [0, 1, -1, Number.NaN]) t.same(sloEvidence(5, 10, p0), { bad: 0, good: 0 }, `p0 = ${p0}`);
  t.same(sloEvidence(0, 0, 0.01), { bad: 0, good: 0 }, 'no requests');
  for (const p0 of [1e-5, 0.01, 0.5]) {
    for (const [s, n] of [
      [0, 1e9],
      [1e9, 1e9],
      [Math.round(1e9 * p0), 1e9],
    ] as const) {
      const { bad, good } = sloEvidence(s, n, p0);
      t.ok(Number.isFinite(bad) && Number.isFinite(good), `${s} of ${n}, p0 = ${p0}: ${bad} ${good}`);
    }
  }
});

t.test('requests that a proof still needs', async (t) => {
  t.equal(requestsToProve(0, 0, 0.01, 0.05), 377);
  t.equal(requestsToProve(0, 0, 0.005, 0.05), 756);
  t.equal(requestsToProve(0, 0, 0.001, 0.05), 3_787);
  t.equal(requestsToProve(0, 376, 0.01, 0.05), 1);
  t.equal(requestsToProve(0, 377, 0.01, 0.05), 0);
  const more = requestsToProve(5, 100, 0.01, 0.05)!;
  t.ok(sloGood(5, 100 + more, 0.01) >= Math.log(20) && sloGood(5, 99 + more, 0.01) < Math.log(20), `${more}`);
  t.equal(requestsToProve(100_000, 100_000, 1e-5, 0.05), null, 'more than anybody waits for');
});

t.test('sample ratio', async (t) => {
  t.ok(near(sampleRatioLogE([10_500, 89_500], [0.1, 0.9], 100), 10.190332, 1e-6));
  t.ok(near(sampleRatioLogE([10_500, 89_500], [0.1, 0.9]), 11.224789, 1e-6), 'a concentration of 1000 is usual');
  t.ok(near(sampleRatioLogE([10_300, 89_700], [0.1, 0.9], 100), 1.475422, 1e-6));
  t.ok(sampleRatioLogE([1_000, 9_000], [0.1, 0.9]) < 0, 'exact');
  t.equal(sampleRatioLogE([0, 0], [0.1, 0.9]), 0, 'nothing dealt');
  t.equal(sampleRatioLogE([1, 5], [0, 1]), Number.POSITIVE_INFINITY, 'a side that can have none');
  t.ok(near(sampleRatioLogE([0, 5], [0, 1]), 0, 1e-12));
});

t.test('sample ratio: the mean over whom the next request goes to is 1', async (t) => {
  for (const counts of [
    [0, 0],
    [3, 4],
    [1_000, 12_000],
  ]) {
    const now = sampleRatioLogE(counts, [0.1, 0.9]);
    const canary = sampleRatioLogE([counts[0]! + 1, counts[1]!], [0.1, 0.9]);
    const stable = sampleRatioLogE([counts[0]!, counts[1]! + 1], [0.1, 0.9]);
    const mean = 0.1 * Math.exp(canary - now) + 0.9 * Math.exp(stable - now);
    t.ok(near(mean, 1, 1e-9), `${mean}`);
  }
});

/** One digit per block. */
function twoByTwo(test: TwoByTwo, stable: string, canary: string): number {
  for (let i = 0; i < stable.length; i++) test.add(Number(stable[i]), Number(canary[i]));
  return Math.exp(test.logE);
}

t.test('safe test of two proportions, published values', async (t) => {
  const uneven = twoByTwo(
    new TwoByTwo({ size: 2, prior: [0.18, 0.18] }, { size: 1, prior: [0.09, 0.09] }),
    '0100011100000020101122010111011020012111001010000000001000101102000101100000000',
    '1110110110101110010000101110001001001100001100001110010000000110100111110111000',
  );
  t.equal(uneven.toFixed(4), '1.8097');
  const even = twoByTwo(
    new TwoByTwo(),
    '00000110000010000000100000010000001000001001000010001000001100000000000000000000000001001010001',
    '10000010011100011011100110111111010010000111100110111101010111011011010110001011000101110010001',
  );
  t.equal(Math.round(even), 48_222);
  t.equal(new TwoByTwo().logE, 0, 'no block');
});
