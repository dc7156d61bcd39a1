import t from 'tap';
import type { SuccessRateLimits } from '../../src/control/health/success-rate.ts';
import { rateOutliers } from '../../src/control/health/success-rate.ts';
import { SeededRandom } from '../../src/runtime/random.ts';

const LIMITS: SuccessRateLimits = {
  successRateMinimumHosts: 3,
  successRateMinimumRequests: 100,
  successRateStdevFactor: 1_900,
};

/** Endpoints 0, 1 … with failures out of `requests` each. @returns ids of the outliers, the worst first. */
function outliers(failures: readonly number[], requests = 1_000, limits: Partial<SuccessRateLimits> = {}): number[] {
  const counts = failures.map((failed, endpointId) => ({ endpointId, requests, successes: requests - failed }));
  return rateOutliers(counts, { ...LIMITS, ...limits }).map(({ endpointId }) => endpointId);
}

t.test('who is an outlier', async (t) => {
  t.strictSame(outliers([0, 0, 0, 0, 100]), [4], 'one bad endpoint among five');
  t.strictSame(outliers([0, 0, 100]), [2], 'one among three, whom a mean with the endpoint itself could never tell');
  t.strictSame(outliers([10, 12, 8, 11, 60, 9]), [4], 'among endpoints that fail a little');
  t.strictSame(
    outliers([0, 0, 0, 0, 0, 0, 0, 0, 100, 300]),
    [9],
    'the worst one first; the other is seen once it is out',
  );
  t.strictSame(outliers([0, 0, 0, 0, 0, 0, 0, 0, 100]), [8]);
  t.strictSame(outliers([0, 0, 0, 10], 100), [3], 'a tenth of a hundred requests');
});

t.test('who is not', async (t) => {
  t.strictSame(outliers([0, 0, 0, 0, 0]), [], 'nobody fails');
  t.strictSame(outliers([500, 500, 500, 500]), [], 'all fail alike');
  t.strictSame(outliers([1_000, 1_000, 1_000]), [], 'all fail always');
  t.strictSame(outliers([0, 0, 0, 0, 1]), [], 'one failure is no pattern, however perfect the peers are');
  t.strictSame(outliers([10, 12, 8, 11, 17, 9]), [], 'luck');
  t.strictSame(outliers([0, 100, 200, 300, 350]), [], 'where all differ widely, the worst is within the spread');
  t.strictSame(outliers([100, 100, 100, 0]), [], 'better than the others');
});

t.test('without enough data there is no verdict', async (t) => {
  t.strictSame(outliers([0, 0, 0, 50], 99), [], 'too few requests');
  t.strictSame(outliers([0, 100]), [], 'too few endpoints');
  t.strictSame(outliers([0, 400], 1_000, { successRateMinimumHosts: 2 }), [1]);
  t.strictSame(outliers([400], 1_000, { successRateMinimumHosts: 1 }), [], 'nobody to compare with');
  t.strictSame(outliers([0, 0, 0, 100], 1_000, { successRateMinimumHosts: 0 }), [], 'turned off');
  t.strictSame(outliers([], 0, { successRateMinimumRequests: 0 }), []);
  t.strictSame(outliers([0, 0, 0], 0, { successRateMinimumRequests: 0 }), [], 'no request at all');
  const quiet = { endpointId: 9, requests: 50, successes: 0 };
  const busy = [0, 1, 2].map((endpointId) => ({ endpointId, requests: 1_000, successes: 1_000 }));
  t.strictSame(rateOutliers([...busy, quiet], LIMITS), [], 'one with few requests is not judged');
});

t.test('rates are reported', async (t) => {
  const counts = [0, 0, 0, 250].map((failed, endpointId) => ({
    endpointId,
    requests: 1_000,
    successes: 1_000 - failed,
  }));
  t.strictSame(rateOutliers(counts, LIMITS), [{ endpointId: 3, rate: 0.75, peers: 1 }]);
});

t.test('twenty equal endpoints that fail one percent are left alone for an hour', async (t) => {
  const random = new SeededRandom(11);
  let ejected = 0;
  let envoy = 0;
  for (let interval = 0; interval < 360; interval++) {
    const failures = Array.from({ length: 20 }, () => {
      let failed = 0;
      for (let i = 0; i < 500; i++) if (random.next() < 0.01) failed++;
      return failed;
    });
    ejected += outliers(failures, 500).length;
    const mean = failures.reduce((sum, each) => sum + each, 0) / 20;
    const deviation = Math.sqrt(failures.reduce((sum, each) => sum + (each - mean) ** 2, 0) / 20);
    if (failures.some((each) => each > mean + 1.9 * deviation)) envoy++;
  }
  t.equal(ejected, 0);
  t.ok(envoy > 150, `mean and deviation alone would have ejected in ${envoy} of 360 intervals`);
});
