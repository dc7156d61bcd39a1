/** Rates between two readings of counters that only rise. */
import t from 'tap';
import { ratesBetween } from '../../src/cli/client/live-rates.ts';
import { SERVICE, traffic, versionView } from '../cli/client-admin-server.ts';

const reading = (at: number, ok: number, failed: number) => ({
  at,
  services: [{ ...SERVICE, versions: [versionView('v1', 100, { traffic: traffic('v1', ok, failed) })] }],
});

t.test('the difference, over the time between', async (t) => {
  const live = ratesBetween(reading(1000, 100, 0), reading(3000, 190, 10));
  t.strictSame(live('demo', 'v1'), { throughput: 50, errorRate: 10 });
  t.equal(live('demo', 'v2'), null, 'a version that was not there');
  t.equal(live('shop', 'v1'), null);
});

t.test('every way of failing is an error, every answer below 500 is none', async (t) => {
  const before = reading(0, 0, 0);
  const attempts = { '2xx': 1, '3xx': 2, '4xx': 3, '5xx': 4, connect: 5, reset: 6, timeout: 7, malformed: 8 };
  const version = versionView('v1', 100, { traffic: { ...traffic('v1'), attempts } });
  const live = ratesBetween(before, { at: 1000, services: [{ ...SERVICE, versions: [version] }] });
  t.strictSame(live('demo', 'v1'), { throughput: 36, errorRate: (100 * 30) / 36 });
});

t.test('where there is no difference to take', async (t) => {
  t.equal(ratesBetween(null, reading(0, 1, 0))('demo', 'v1'), null, 'the first reading');
  t.equal(ratesBetween(reading(0, 500, 5), reading(1000, 3, 0))('demo', 'v1'), null, 'a server started anew');
  t.equal(ratesBetween(reading(5, 1, 0), reading(5, 2, 0))('demo', 'v1'), null, 'no time between');
  t.strictSame(
    ratesBetween(reading(0, 7, 1), reading(1000, 7, 1))('demo', 'v1'),
    { throughput: 0, errorRate: null },
    'no attempt is a rate of 0 and no error rate',
  );
});
