import t from 'tap';
import { EndpointReader } from '../../src/control/monitor/endpoint-reader.ts';
import { VersionHistory } from '../../src/control/monitor/history.ts';
import type { Metric } from '../../src/control/monitor/metric.ts';
import { idleSlice, type Slice, sliceValue, sumSlices } from '../../src/control/monitor/slice.ts';
import { SlidingWindow } from '../../src/control/monitor/sliding-window.ts';
import { ENDPOINT_SLOTS, endpointSlot, latencyRow, newWorkerMemory } from '../../src/model/counters.ts';
import { bucketMiddle, latencyBucket } from '../../src/model/latency-buckets.ts';
import { SeededRandom } from '../../src/runtime/random.ts';

const IDLE = idleSlice(1);

function setUp(workers = 2) {
  const memories = Array.from({ length: workers }, newWorkerMemory);
  const count = (worker: number, id: number, slot: keyof typeof ENDPOINT_SLOTS, by = 1): void => {
    memories[worker]!.endpoints[endpointSlot(id) + ENDPOINT_SLOTS[slot]]! += by;
  };
  const latency = (worker: number, id: number, micros: number, by = 1): void => {
    memories[worker]!.latencies[latencyRow(id) + latencyBucket(micros)]! += by;
  };
  return { memories, count, latency };
}

const slice = (latencies: readonly number[], attempts = 0): Slice => ({
  seconds: 1,
  attempts,
  answered: attempts,
  errors: 0,
  latencies: Uint16Array.from(latencies),
});

/** With a plain array, which a report can show. */
const plain = (s: Slice) => ({ ...s, latencies: [...s.latencies] });

t.test('the reader sums workers and reports what is new', async (t) => {
  const { memories, count, latency } = setUp();
  count(0, 3, 'success', 100);
  latency(0, 3, 500, 100);
  const reader = new EndpointReader(memories, 3);
  t.equal(reader.read(IDLE), IDLE, 'what was there before is not new');
  count(0, 3, 'success', 4);
  count(1, 3, 'success', 3);
  count(0, 3, 'gateway');
  count(1, 3, 'error5xx', 2);
  for (const slot of ['connectFailures', 'resets', 'timeouts', 'malformed'] as const) count(1, 3, slot);
  count(0, 3, 'abandoned', 50);
  count(0, 3, 'active', 9);
  count(0, 4, 'success', 7);
  latency(0, 3, 500, 4);
  latency(1, 3, 500, 3);
  latency(1, 3, 20, 3);
  const expected = { seconds: 1, attempts: 14, answered: 10, errors: 7, latencies: [20, 3, latencyBucket(500), 7] };
  t.strictSame(plain(reader.read(IDLE)), expected);
  t.equal(reader.read(IDLE), IDLE);
});

t.test('a latency written after its count was read is not lost', async (t) => {
  const { memories, count, latency } = setUp();
  const reader = new EndpointReader(memories, 0);
  count(0, 0, 'success');
  t.strictSame([...reader.read(IDLE).latencies], []);
  latency(0, 0, 30);
  t.strictSame([...reader.read(IDLE).latencies], [30, 1]);
  t.equal(reader.read(IDLE), IDLE);
});

t.test('latencies outside of what was in use are found', async (t) => {
  const { memories, count, latency } = setUp();
  const reader = new EndpointReader(memories, 0);
  const expect = (...latencies: number[]) => t.strictSame([...reader.read(IDLE).latencies], latencies);
  count(0, 0, 'success', 2);
  latency(0, 0, 20);
  latency(1, 0, 25);
  expect(20, 1, 25, 1);
  count(0, 0, 'success', 3);
  latency(0, 0, 10);
  latency(0, 0, 22);
  latency(0, 0, 31);
  expect(10, 1, 22, 1, 31, 1);
  // A latency ahead of its count and a count without one of its own.
  latency(0, 0, 12);
  count(0, 0, 'malformed');
  expect(12, 1);
  count(0, 0, 'success');
  latency(0, 0, 3);
  expect();
  expect(3, 1);
  // Latencies that belong to no count must not use up the credit of those that do.
  for (let i = 0; i < 5; i++) {
    latency(0, 0, 15, 100);
    count(0, 0, 'resets');
    expect(15, 100);
  }
  latency(0, 0, 29, 3);
  latency(0, 0, 2);
  count(0, 0, 'success', 6);
  expect(2, 1, 29, 3);
});

t.test('a block that was cleared is a new baseline', async (t) => {
  const { memories, count, latency } = setUp(1);
  const reader = new EndpointReader(memories, 0);
  count(0, 0, 'success', 10);
  latency(0, 0, 10, 10);
  t.equal(reader.read(IDLE).attempts, 10);
  memories[0]!.endpoints.fill(0);
  memories[0]!.latencies.fill(0);
  count(0, 0, 'success', 2);
  latency(0, 0, 10, 2);
  t.equal(reader.read(IDLE), IDLE);
  count(0, 0, 'success', 3);
  latency(0, 0, 10, 3);
  t.strictSame(plain(reader.read(IDLE)), { seconds: 1, attempts: 3, answered: 3, errors: 0, latencies: [10, 3] });
});

t.test('a cleared block is noticed though the sum of its counts has grown', async (t) => {
  const { memories, count } = setUp(1);
  const reader = new EndpointReader(memories, 0);
  count(0, 0, 'error5xx', 10);
  reader.read(IDLE);
  memories[0]!.endpoints.fill(0);
  count(0, 0, 'success', 30);
  t.equal(reader.read(IDLE), IDLE);
});

t.test('buckets of 32 bits may wrap', async (t) => {
  const { memories, count, latency } = setUp();
  memories[0]!.latencies[latencyRow(0) + 5] = 0xffff_fffe;
  memories[1]!.latencies[latencyRow(0) + 5] = 7;
  const reader = new EndpointReader(memories, 0);
  count(0, 0, 'success', 4);
  latency(0, 0, 5, 4);
  t.equal(memories[0]!.latencies[latencyRow(0) + 5], 2);
  t.strictSame([...reader.read(IDLE).latencies], [5, 4]);
});

t.test('a count of more than 16 bits', async (t) => {
  const { memories, count, latency } = setUp();
  const reader = new EndpointReader(memories, 0);
  count(0, 0, 'success', 200_001);
  latency(0, 0, 10, 100_000);
  latency(1, 0, 10, 100_000);
  latency(1, 0, 20, 1);
  const window = new SlidingWindow(1);
  const read = reader.read(IDLE);
  t.strictSame([...read.latencies], [10, 65_535, 10, 65_535, 10, 65_535, 10, 3_395, 20, 1]);
  t.equal(sliceValue(read, 'p99'), 0.01);
  window.push(read);
  t.equal(window.value('p99'), 0.01);
  window.push(IDLE);
  t.equal(window.value('p99'), null);
});

t.test('slices add up', async (t) => {
  const a: Slice = { seconds: 1, attempts: 4, answered: 3, errors: 2, latencies: Uint16Array.of(1, 2, 9, 1) };
  const b: Slice = { seconds: 1, attempts: 2, answered: 2, errors: 0, latencies: Uint16Array.of(1, 1, 5, 1) };
  const sum = { seconds: 1, attempts: 6, answered: 5, errors: 2, latencies: [1, 3, 5, 1, 9, 1] };
  t.strictSame(plain(sumSlices([a, b], 1)), sum);
  t.strictSame(plain(sumSlices([b, a], 1)), sum, 'nothing is left over from the call before');
});

t.test('percentiles of one slice', async (t) => {
  const one = slice([10, 50, 20, 45, 30, 5], 100);
  t.strictSame(
    (['p50', 'p95', 'p99'] as Metric[]).map((metric) => sliceValue(one, metric)),
    [0.01, 0.02, 0.03],
  );
  t.equal(sliceValue(IDLE, 'p95'), null);
  t.equal(sliceValue(IDLE, 'error_rate'), null);
});

t.test('rates are over the window, and what leaves it no longer counts', async (t) => {
  const window = new SlidingWindow(3);
  t.strictSame(window.values(), {
    availability: null,
    error_rate: null,
    throughput: null,
    p50: null,
    p95: null,
    p99: null,
  });
  window.push({ seconds: 1, attempts: 10, answered: 8, errors: 5, latencies: IDLE.latencies });
  t.equal(window.value('availability'), 80);
  t.equal(window.value('error_rate'), 50);
  t.equal(window.value('throughput'), 10, 'a window that is not full yet is as long as it is');
  window.push(IDLE);
  window.push({ seconds: 2, attempts: 30, answered: 30, errors: 0, latencies: IDLE.latencies });
  t.equal(window.value('error_rate'), 12.5);
  t.equal(window.value('throughput'), 10, 'a late tick is a long one');
  window.push(IDLE);
  t.equal(window.value('error_rate'), 0);
  for (let i = 0; i < 3; i++) window.push(IDLE);
  t.equal(window.value('error_rate'), null);
  t.equal(window.value('throughput'), null, 'no data is null, not 0');
});

t.test('percentiles are those of a sort over the same window', async (t) => {
  const random = new SeededRandom(11);
  const window = new SlidingWindow(5);
  const kept: number[][] = [];
  for (let tick = 0; tick < 40; tick++) {
    const micros = Array.from({ length: Math.floor(random.next() * 300) }, () => Math.floor(200 * 40 ** random.next()));
    const { memories, count, latency } = setUp(1);
    const reader = new EndpointReader(memories, 0);
    for (const value of micros) latency(0, 0, value);
    count(0, 0, 'success', micros.length);
    window.push(reader.read(IDLE));
    kept.push(micros);
    if (kept.length > 5) kept.shift();
    const sorted = kept.flat().sort((a, b) => a - b);
    for (const [metric, share] of [
      ['p50', 0.5],
      ['p95', 0.95],
      ['p99', 0.99],
    ] as const) {
      const exact = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]! / 1000;
      const value = window.value(metric)!;
      t.ok(Math.abs(value - exact) <= exact * 0.026, `${metric} at tick ${tick}: ${value}, exactly ${exact}`);
    }
  }
});

t.test('the smallest and the largest latency can be recorded', async (t) => {
  const window = new SlidingWindow(2);
  const last = latencyBucket(2 ** 30);
  window.push(slice([0, 1], 1));
  t.equal(window.value('p99'), 0);
  window.push(slice([last, 10], 10));
  t.ok(Math.abs(window.value('p99')! * 1000 - bucketMiddle(last)) < bucketMiddle(last) * 0.01);
});

t.test('the series has one point a slice', async (t) => {
  const window = new SlidingWindow(3);
  window.push(slice([10, 1], 1));
  window.push(IDLE);
  window.push({ ...slice([20, 1], 8), seconds: 2 });
  t.strictSame(window.series('throughput', 10_000), [
    { at: 7_000, value: 1 },
    { at: 8_000, value: null },
    { at: 10_000, value: 4 },
  ]);
  window.push(slice([30, 1], 1));
  t.strictSame(
    window.series('p50', 11_000).map((point) => point.value),
    [null, 0.02, 0.03],
  );
});

t.test('history is a ring with gaps, and bounded', async (t) => {
  const history = new VersionHistory(30_000);
  const window = new SlidingWindow(1);
  t.strictSame(history.points('throughput'), []);
  for (let i = 1; i <= 5; i++) {
    window.push(i === 4 ? IDLE : slice([], i));
    history.record(i * 10_000, window);
  }
  t.strictSame(history.points('throughput'), [
    { at: 30_000, value: 3 },
    { at: 40_000, value: null },
    { at: 50_000, value: 5 },
  ]);
  t.strictSame(history.points('throughput', 40_000), [{ at: 50_000, value: 5 }]);
  const long = new VersionHistory(30 * 86_400_000);
  t.equal(long.resolution, 300_000, 'a month in five-minute steps');
});
