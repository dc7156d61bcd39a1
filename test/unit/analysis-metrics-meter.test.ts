import t, { type Test } from 'tap';
import {
  complianceBetween,
  latenciesBetween,
  noLatencies,
  percentileBetween,
} from '../../src/control/analysis/latency-counts.ts';
import { MetricMarks } from '../../src/control/analysis/metric-marks.ts';
import { summaryOf } from '../../src/control/analysis/version-totals.ts';
import { endpointSlot } from '../../src/model/counters.ts';
import { latencyBucket } from '../../src/model/latency-buckets.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { RolloutStage } from './analysis-metrics-stage.ts';
import { TWO_VERSIONS } from './metrics-stage.ts';

const near = (t: Test, found: number | null, wanted: number, percent: number, message = ''): void => {
  t.ok(
    found !== null && Math.abs(found - wanted) <= (wanted * percent) / 100,
    `${message} ${found} is about ${wanted}`,
  );
};

t.test('a meter sums workers and endpoints from its beginning on', async (t) => {
  const stage = new RolloutStage();
  stage.answer('v1', 5, 1_000);
  stage.countVersion('v1', 'shielded', 7);
  const meter = stage.meter('v1');
  const before = meter.read();
  t.match(before, { attempts: 0, answered: 0, errors: 0, shielded: 0, inFlight: 0 }, 'what was before is not its own');
  stage.answer('v1', 10, 90);
  stage.answer('v1', 40, 6, 'error5xx', 1);
  stage.answer('v1', 40, 1, 'gateway', 1);
  stage.count('v1', 'resets', 2, 1);
  stage.count('v1', 'timeouts');
  stage.count('v1', 'abandoned', 50);
  stage.countVersion('v1', 'shielded', 4, 1);
  stage.countVersion('v1', 'active', 3);
  stage.countVersion('v1', 'active', 2, 1);
  const after = meter.read();
  t.match(after, { attempts: 100, answered: 97, errors: 10, shielded: 4, inFlight: 5 });
  t.equal(latenciesBetween(before.latencies, after.latencies), 97);
  t.equal(latenciesBetween(noLatencies(), before.latencies), 0, 'an older reading is not changed');
  const again = meter.read();
  t.equal(again.latencies, after.latencies, 'nothing new costs nothing');
  const summary = summaryOf(before, again);
  t.match(summary, { requests: 100, errors: 10, shielded: 4 });
  near(t, summary.p50, 10, 1.6);
  near(t, summary.p95, 40, 1.6);
  t.strictSame(summaryOf(after, again), {
    ...{ requests: 0, errors: 0, shielded: 0 },
    ...{ p50: null, p95: null, p99: null, p999: null },
  });
});

t.test('totals only grow, whatever becomes of the endpoints', async (t) => {
  const stage = new RolloutStage();
  const meter = stage.meter('v2');
  const leaving = stage.endpointOf('v2');
  stage.answer('v2', 10, 10);
  stage.countVersion('v2', 'shielded', 2);
  t.match(meter.read(), { attempts: 10, shielded: 2 });

  const moved = TWO_VERSIONS.replace('3003', '3004');
  stage.apply(moved);
  const coming = stage.endpointOf('v2');
  t.not(coming, leaving);
  stage.answer('v2', 10, 3);
  t.match(meter.read(), { attempts: 10 }, 'a new endpoint begins with the reading that finds it');
  stage.answer('v2', 10, 5);
  t.match(meter.read(), { attempts: 15 });

  const { endpoints } = stage.memories[0]!;
  endpoints[endpointSlot(leaving)] = endpoints[endpointSlot(leaving)]! + 4;
  t.match(meter.read(), { attempts: 19 }, 'last requests of an endpoint that is gone');

  stage.apply(moved.replace('3004" ] }', '3004" ] }\n      v3: { endpoints: [ "http://127.0.0.1:3005" ] }'));
  t.equal(stage.endpointOf('v3'), leaving, 'somebody else has the row');
  stage.answer('v3', 10, 1_000);
  t.match(meter.read(), { attempts: 19, shielded: 2 }, 'which counts for somebody else now');

  stage.countVersion('v2', 'shielded', 1);
  stage.apply(
    TWO_VERSIONS.replace(/ {6}v2:.*\n/, '')
      .replace(', canary: v2', '')
      .replace('v1: 90, v2: 10', 'v1: 100'),
  );
  t.match(meter.read(), { attempts: 19, shielded: 3 }, 'a version that is gone keeps what it had');
  stage.apply(TWO_VERSIONS);
  stage.answer('v2', 10, 6);
  meter.read();
  stage.answer('v2', 10, 6);
  t.equal(meter.read().attempts >= 25, true, 'and goes on when it is back');

  stage.memories[0]!.endpoints.fill(0);
  t.equal(meter.read().attempts >= 25, true, 'a cleared block takes nothing away');
});

t.test('percentiles and compliance between two states', async (t) => {
  const random = new SeededRandom(5);
  const from = noLatencies();
  const to = noLatencies();
  const values: number[] = [];
  for (let i = 0; i < 10_000; i++) {
    const ms = 1 + 200 * random.next() ** 3;
    const bucket = latencyBucket(Math.round(ms * 1_000));
    const old = i % 3 === 0;
    if (old) from[bucket] = from[bucket]! + 1;
    else values.push(ms);
    to[bucket] = to[bucket]! + 1;
  }
  values.sort((a, b) => a - b);
  for (const percent of [50, 95, 99, 99.9]) {
    const exact = values[Math.ceil((percent / 100) * values.length) - 1]!;
    near(t, percentileBetween(from, to, percent), exact, 1.7, `p${percent}`);
  }
  for (const limit of [5, 50, 150]) {
    const exact = (100 * values.filter((ms) => ms <= limit).length) / values.length;
    near(t, complianceBetween(from, to, limit), exact, 2, `within ${limit} ms`);
  }
  const p95 = percentileBetween(from, to, 95)!;
  t.ok(complianceBetween(from, to, p95)! >= 95, 'both judge a bucket by its middle');
  t.ok(complianceBetween(from, to, p95 * 0.98)! < 95);
  t.equal(complianceBetween(to, to, 100), null);
  t.equal(percentileBetween(to, to, 99), null);

  const wrapped = noLatencies();
  const past = noLatencies().fill(0xffff_fffe, 40, 41);
  wrapped[40] = 3;
  t.equal(latenciesBetween(past, wrapped), 5, 'counts that wrap');

  const thousand = noLatencies();
  thousand[latencyBucket(1_000)] = 999;
  thousand[latencyBucket(50_000)] = 1;
  near(t, percentileBetween(noLatencies(), thousand, 99.9), 1, 1.7, 'the one in a thousand is above p99.9');
});

t.test('marks: a window is not shorter than asked for and hardly longer', async (t) => {
  const marks = new MetricMarks({ at: 0, value: 0 });
  t.same(marks.back(60_000), { at: 0, value: 0 }, 'a window that reaches back before the first mark');
  const day = 24 * 3_600;
  let most = 0;
  for (let second = 1; second <= 30 * 3_600; second++) {
    marks.keep({ at: second * 1_000, value: second });
    most = Math.max(most, marks.size);
    if (second % 4_999 !== 0 && second !== 30 * 3_600) continue;
    for (const window of [1, 10, 60, 119, 121, 300, 601, 3_599, 3_700, 36_000, day]) {
      const back = marks.back(window * 1_000);
      const length = second - back.value;
      if (window > second) {
        t.equal(back.value, 0, `since the first one, after ${second} s`);
        continue;
      }
      const distance = window < 120 ? 1 : window < 3_600 ? 11 : 71;
      t.ok(length >= window && length <= window + distance, `${window} s are ${length} s after ${second} s`);
    }
  }
  t.ok(most < 1_900, `${most} marks`);
  t.equal(marks.back(0).value, 30 * 3_600);

  const short = new MetricMarks({ at: 0, value: 0 }, 600_000);
  for (let second = 1; second <= 7_200; second++) short.keep({ at: second * 1_000, value: second });
  t.ok(short.size < 185, `${short.size} marks for ten minutes`);
  t.ok(7_200 - short.back(600_000).value >= 600);
  t.ok(7_200 - short.back(600_000).value <= 622);
});

t.test('marks that come early, late or all at once', async (t) => {
  const marks = new MetricMarks({ at: 0, value: 0 });
  for (let i = 1; i <= 10_000; i++) marks.keep({ at: i * 10, value: i });
  t.ok(marks.size < 115, 'a hundred seconds are a hundred marks, however often one is given');
  t.equal(marks.latest.value, 10_000);
  const ragged = new MetricMarks({ at: 0, value: 0 });
  for (let i = 1; i <= 100; i++) ragged.keep({ at: i * 1_000 + (i % 2 === 0 ? 40 : -40), value: i });
  t.equal(ragged.size, 101, 'a little early is not too early');
  const stalled = new MetricMarks({ at: 0, value: 0 });
  stalled.keep({ at: 500_000, value: 1 });
  t.equal(stalled.back(60_000).at, 0, 'after a stall the window is longer');
});
