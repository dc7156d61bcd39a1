import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import type { RateLimitConfig } from '../../src/model/policy-config.ts';
import { newRateMemory, RateTable, TICKS_PER_MS } from '../../src/model/rate-table.ts';
import { RateLimit } from '../../src/proxy/admit/rate-limit.ts';
import { NO_KEY } from '../../src/proxy/balance/policy.ts';
import type { HammerOrder, HammerResult } from './rate-limit-hammer.ts';

const newTable = (now = 0): RateTable => new RateTable(newRateMemory(now));

/** Requests admitted out of `tries` at one moment. */
function admitted(limit: RateLimit, tries: number, now: number, key = NO_KEY): number {
  let count = 0;
  for (let i = 0; i < tries; i++) if (limit.tryTake(key, now) === 0) count++;
  return count;
}

/** How many of `keys` different keys have a request admitted. */
function admittedKeys(limit: RateLimit, keys: number, now: number): number {
  let count = 0;
  for (let key = 0; key < keys; key++) if (limit.tryTake(key, now) === 0) count++;
  return count;
}

t.test('a burst is admitted at once, then one request per interval', async (t) => {
  const limit = new RateLimit({ rate: 10, burst: 5 }, 'route a', newTable());
  t.equal(admitted(limit, 100, 1_000), 5);
  t.equal(admitted(limit, 100, 1_099), 0);
  t.equal(admitted(limit, 100, 1_100), 1);
  t.equal(admitted(limit, 100, 1_350), 2, 'two intervals have passed since');
  t.equal(admitted(limit, 100, 1_399), 0, 'the half interval is not forgotten');
  t.equal(admitted(limit, 100, 1_400), 1);
  t.equal(admitted(limit, 100, 60_000), 5, 'a bucket holds no more than a burst, however long it rests');
});

t.test('the wait is exact: a request one millisecond earlier is refused', async (t) => {
  const limit = new RateLimit({ rate: 4, burst: 2 }, 'route a', newTable());
  t.equal(admitted(limit, 2, 0), 2);
  t.equal(limit.tryTake(NO_KEY, 0), 250);
  t.equal(limit.tryTake(NO_KEY, 100), 150);
  t.equal(limit.tryTake(NO_KEY, 249), 1);
  t.equal(limit.tryTake(NO_KEY, 249.5), 1, 'whole milliseconds, never 0');
  t.equal(limit.tryTake(NO_KEY, 250), 0);
  t.equal(limit.tryTake(NO_KEY, 250), 250, 'refused requests have cost nothing');
});

t.test('one request an hour', async (t) => {
  const limit = new RateLimit({ rate: 1 / 3_600, burst: 1 }, 'route a', newTable());
  t.equal(limit.tryTake(NO_KEY, 0), 0);
  t.equal(limit.tryTake(NO_KEY, 0), 3_600_000);
  t.equal(limit.tryTake(NO_KEY, 3_599_999), 1);
  t.equal(limit.tryTake(NO_KEY, 3_600_000), 0);
});

t.test('rates that are no whole number of ticks are kept in the long run', async (t) => {
  for (const rate of [0.7, 3, 7, 333, 9_999, 30_000, 123_457, 700_000, 1_000_000]) {
    const burst = Math.max(1, Math.ceil(rate / 100));
    const limit = new RateLimit({ rate, burst }, 'route a', newTable());
    const seconds = Math.max(2, 20 / rate);
    let count = 0;
    // Every five milliseconds as much is asked for as could have come back in ten.
    const tries = Math.ceil(rate / 100) + 1;
    for (let now = 0; now < seconds * 1_000; now += 5) count += admitted(limit, tries, now);
    const due = burst + rate * seconds;
    t.ok(count <= due + 1, `${rate}/s: ${count} of ${due} in ${seconds} s`);
    t.ok(count >= due - rate * 0.005 - 1, `${rate}/s: ${count} of ${due} in ${seconds} s`);
  }
});

t.test('a burst is whole at any rate', async (t) => {
  for (const rate of [0.3, 3, 7, 11, 999, 12_345]) {
    for (const burst of [1, 2, 10, 1_000]) {
      const limit = new RateLimit({ rate, burst }, 'route a', newTable());
      t.equal(admitted(limit, 2_000, 5_000), burst, `${rate}/s, ${burst} at once`);
    }
  }
});

t.test('each key has a bucket, and so have requests without one', async (t) => {
  const limit = new RateLimit({ rate: 1, burst: 3 }, 'route a', newTable());
  for (let key = 0; key < 20_000; key++) {
    if (admitted(limit, 4, 10, Math.imul(key, 0x9e3779b1) >>> 0) !== 3) t.fail(`key ${key}`);
  }
  t.equal(admitted(limit, 4, 10, NO_KEY), 3);
});

t.test('limits of one table', async (t) => {
  const table = newTable();
  const config = { rate: 1, burst: 10 };
  const here = new RateLimit(config, 'route a', table);
  const there = new RateLimit(config, 'route a', table);
  t.equal(admitted(here, 6, 0), 6);
  t.equal(admitted(there, 100, 0), 4, 'two workers share the bucket of one limit');
  t.equal(admitted(new RateLimit(config, 'route b', table), 100, 0), 10, 'another limit has its own');
  t.equal(admitted(new RateLimit({ rate: 2, burst: 10 }, 'route a', table), 100, 0), 10, 'a changed one starts afresh');
  t.equal(admitted(new RateLimit(config, 'route a', table), 100, 0), 0, 'one that a reload has left alone does not');
});

t.test('a table without room lets new keys pass, counts them, and still holds the others to their limit', async (t) => {
  const table = newTable();
  const slow = new RateLimit({ rate: 1 / 3_600, burst: 1 }, 'route a', table);
  const keys = 400_000;
  const slots = 131_072;
  const sharing = keys - admittedKeys(slow, keys, 0);
  t.ok(sharing < 20, `${sharing} keys share a bucket with another`);
  const refused = keys - admittedKeys(slow, keys, 0);
  t.equal(refused, slots + sharing, 'every slot remembers a key');
  t.equal(table.overflows, 2 * (keys - refused), 'each of the others was counted, both times');
  const hour = 3_600_000;
  t.equal(slow.tryTake(keys, hour), 0);
  t.ok(slow.tryTake(keys, hour) > 0, 'slots whose time has passed are used again');
  t.equal(table.overflows, 2 * (keys - refused));
});

t.test('a new key takes the slot that has been full the longest, which all workers agree on', async (t) => {
  const table = newTable();
  const ways = 16;
  const set = 7;
  const millisecond = TICKS_PER_MS;
  // Tag 1 is full again at 17 ms, tag 2 at 16 ms, and so on: the last one first.
  for (let tag = 1; tag <= ways; tag++) t.equal(table.take(set, tag, 0, (18 - tag) * millisecond, 18 * millisecond), 0);
  t.equal(table.take(set, 99, 1_000, millisecond, millisecond), 0);
  // A worker whose clock is a second behind finds every other bucket as it was.
  for (let tag = 1; tag < ways; tag++) t.not(table.take(set, tag, 0, millisecond, millisecond), 0, `tag ${tag}`);
  t.equal(table.overflows, 0);
  t.equal(table.take(set, ways, 0, millisecond, millisecond), 0);
  t.equal(table.overflows, 1, 'the oldest is gone, and by that clock there is no room');
});

t.test('times may start anywhere, and years may pass', async (t) => {
  const origin = 1_750_000_000_000;
  const limit = new RateLimit({ rate: 1, burst: 1 }, 'route a', newTable(origin));
  const year = 365 * 86_400_000;
  for (const now of [origin, origin + 1_000, origin + year, origin + 5 * year]) {
    t.equal(limit.tryTake(NO_KEY, now), 0);
    t.equal(limit.tryTake(NO_KEY, now + 1), 999);
  }
  const early = new RateLimit({ rate: 1, burst: 1 }, 'route b', newTable(origin));
  t.equal(early.tryTake(NO_KEY, origin - 5), 0, 'a clock that is a little behind counts as the origin');
  t.equal(early.tryTake(NO_KEY, origin - 5), 1_000);
});

t.test('the largest burst of the slowest rate fits', async (t) => {
  const limit = new RateLimit({ rate: 1 / 3_600, burst: 1_000_000 }, 'route a', newTable());
  t.equal(admitted(limit, 20_000, 0), 20_000);
});

/** Runs `threads` hammers at once. */
async function hammer(mode: HammerOrder['mode'], takes: number, config: RateLimitConfig, threads: number) {
  const memory = newRateMemory(performance.timeOrigin + performance.now());
  const gate = new SharedArrayBuffer(4);
  const workers = Array.from({ length: threads }, (_, index) => {
    const workerData: HammerOrder = { memory, gate, config, mode, takes, index };
    return new Worker(new URL('./rate-limit-hammer.ts', import.meta.url), { workerData });
  });
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const ended = workers.map(async (worker) => {
    const [result] = await once(worker, 'message');
    return result as HammerResult;
  });
  Atomics.store(new Int32Array(gate), 0, 1);
  Atomics.notify(new Int32Array(gate), 0);
  const results = await Promise.all(ended);
  await Promise.all(workers.map((worker) => worker.terminate()));
  const first = Math.min(...results.map((result) => result.first));
  const last = Math.max(...results.map((result) => result.last));
  const sum = results.reduce((total, result) => total + result.admitted, 0);
  return { admitted: sum, seconds: (last - first) / 1_000, overflows: new RateTable(memory).overflows };
}

t.test('threads that hammer one bucket get a burst and the rate between them', async (t) => {
  const config = { rate: 1_000, burst: 50_000 };
  const { admitted, seconds } = await hammer('one', 100_000, config, 4);
  const most = config.burst + config.rate * seconds + 1;
  t.ok(admitted <= most, `${admitted} admitted, at most ${most.toFixed(1)} in ${seconds.toFixed(3)} s`);
  t.ok(admitted >= config.burst, `${admitted} admitted`);
});

t.test('threads that meet the same new keys open one bucket for each', async (t) => {
  const keys = 30_000;
  const { admitted, overflows } = await hammer('many', keys, { rate: 1 / 3_600, burst: 1 }, 4);
  // A thread that is descheduled between reading the clock and the table takes what has passed meanwhile for live, and may find no room.
  t.ok(overflows < 100, `${overflows} times there was no room`);
  t.ok(admitted >= keys && admitted <= keys + overflows, `${admitted} requests admitted of ${keys} keys`);
});
