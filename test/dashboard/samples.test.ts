import t from 'tap';
import type { ServiceView, VersionView } from '../../src/dashboard/api/views.ts';
import { extended, keyOf, MOST, ratesAt, type Samples, trackOf } from '../../src/dashboard/state/samples.ts';

const NONE = { availability: null, error_rate: null, throughput: null, p50: null, p95: 4, p99: null };

interface Counted {
  readonly ok: number;
  readonly failed?: number;
  readonly userErrors?: number;
  readonly shielded?: number;
}

function service(name: string, counted: Counted, version = 'v1'): ServiceView {
  const { ok, failed = 0, userErrors = 0, shielded = 0 } = counted;
  const view: VersionView = {
    ...{ name: version, lane: 'stable', weight: 100, attempts: 0, values: NONE, endpoints: [] },
    traffic: {
      requests: ok + failed,
      inFlight: 0,
      attempts: { '2xx': ok, '3xx': 0, '4xx': 0, '5xx': failed, connect: 0, reset: 0, timeout: 0, malformed: 0 },
      replies: { '2xx': ok + failed - userErrors, '3xx': 0, '4xx': 0, '5xx': userErrors },
      ...{ retries: 0, failovers: 0, shield: { requests: shielded, saved: shielded } },
    },
  };
  return {
    ...{ name, lanes: { stable: version }, weights: { [version]: 100 }, etag: 'x', strategy: 'weighted' },
    ...{ overrides: [], rollback: null, rollout: null, versions: [view], alerts: [] },
  };
}

const KEY = keyOf('shop', 'v1');
const grown = (steps: readonly Counted[], first: Samples = new Map()): Samples =>
  steps.reduce((samples, counted, index) => extended(samples, [service('shop', counted)], index * 1000), first);

t.test('rates are differences of counters over the last samples', async (t) => {
  const samples = grown([
    { ok: 0 },
    { ok: 100 },
    { ok: 200 },
    { ok: 290, failed: 10, shielded: 6, userErrors: 4 },
    { ok: 380, failed: 20, shielded: 12, userErrors: 8 },
  ]).get(KEY)!;
  t.same(
    ratesAt(samples, 1),
    { requests: 100, failed: 0, userErrors: 0, shielded: 0, retries: 0 },
    'from the first two on',
  );
  t.same(ratesAt(samples), {
    requests: 100,
    failed: (100 * 20) / 300,
    userErrors: (100 * 8) / 300,
    shielded: 4,
    retries: 0,
  });
  t.equal(ratesAt(samples.slice(0, 1)), null, 'one sample has no rate');
  t.equal(ratesAt([]), null);
});

t.test('without requests there is a rate of nought and no share of errors', async (t) => {
  const samples = grown([{ ok: 5 }, { ok: 5 }]).get(KEY)!;
  t.same(ratesAt(samples), { requests: 0, failed: null, userErrors: null, shielded: 0, retries: 0 });
});

t.test('a restart begins anew, a version that is gone is forgotten, and the list is bounded', async (t) => {
  const before = grown([{ ok: 500 }, { ok: 600 }]);
  t.equal(extended(before, [service('shop', { ok: 3 })], 5_000).get(KEY)!.length, 1);
  t.same([...extended(before, [service('shop', { ok: 3 }, 'v2')], 5_000).keys()], [keyOf('shop', 'v2')]);
  const long = grown(Array.from({ length: MOST + 20 }, (_, index) => ({ ok: index })));
  t.equal(long.get(KEY)!.length, MOST);
  t.equal(long.get(KEY)!.at(-1)!.requests, MOST + 19);
});

t.test('a track has history in front of the samples, and gaps where nothing was seen', async (t) => {
  const samples = grown([{ ok: 0 }, { ok: 50 }, { ok: 100 }])
    .get(KEY)!
    .map((sample) => ({ ...sample, at: sample.at + 100_000 }));
  const point = (at: number, throughput: number | null) => ({
    at,
    version: 'v1',
    values: { throughput, error_rate: 1, p95: 9 },
  });
  const track = trackOf(samples, [point(60_000, 7), point(70_000, null), point(100_500, 99)]);
  t.same(track.times, [60, 70, 71, 101, 102], 'history later than the first sample is left out, and a long gap is one');
  t.same(track.requests, [7, null, null, 50, 50]);
  t.same(track.p95, [9, 9, null, 4, 4]);
});
