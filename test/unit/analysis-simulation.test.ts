/** A small part of `npm run simulate`, seeded: what the tests find, and what they leave alone. */
import t from 'tap';
import { atLeast, Dice, gap, normalBelow } from '../../bench/simulate/dice.ts';
import { only, summarise, USUAL } from '../../bench/simulate/summary.ts';
import type { Traffic } from '../../bench/simulate/traffic.ts';

const RUNS = 100;
const tenth = (requests: number) => [{ share: 0.1, requests }];

t.test('a bad canary is found within the expected number of requests', async (t) => {
  for (const [rate, median, events] of [
    [0.5, 77, 4],
    [0.1, 377, 4],
    [0.02, 2_500, 6],
  ] as const) {
    const traffic: Traffic = { steps: tenth(100_000), canary: { failed: rate }, stable: { failed: 0.001 } };
    const found = summarise({ traffic, config: only('errors', 0.001), runs: RUNS }, new Dice(1));
    t.equal(found.stopped, RUNS, `${rate}: all are found`);
    t.ok(found.median > median / 1.4 && found.median < median * 1.4, `${rate}: after ${found.median} requests`);
    t.ok(Math.abs(found.events - events) <= 1, `${rate}: after ${found.events} failures`);
  }
});

t.test('an equal canary is not taken back, sticky bad clients included', async (t) => {
  const rates = { failed: 0.02, slow: 0.01, aborted: 0.005 };
  const steps = [0.05, 0.2, 0.5, 1].map((share) => ({ share, requests: 5_000 }));
  const sticky = { clients: 20, part: 0.01, kind: 'failed' } as const;
  for (const traffic of [
    { steps, canary: rates, stable: rates },
    { steps, canary: rates, stable: rates, sticky },
  ]) {
    const { stopped } = summarise({ traffic, config: USUAL, runs: RUNS }, new Dice(2));
    t.ok(atLeast(stopped, RUNS, 0.001) >= 0.05, `${stopped} of ${RUNS}`);
  }
});

t.test('without counting a session once, sticky clients would take it back', async (t) => {
  const traffic: Traffic = {
    steps: tenth(100_000),
    canary: { failed: 0.001 },
    stable: { failed: 0.001 },
    sticky: { clients: 8, part: 0.02, kind: 'failed' },
  };
  const taken = (firstOnly: boolean) =>
    summarise({ traffic: { ...traffic, firstOnly }, config: only('errors', 0.05), runs: RUNS }, new Dice(3)).stopped;
  t.ok(taken(false) > 25, 'every failure counted');
  t.ok(taken(true) <= 10, 'as built, at an alpha of 5 %');
});

t.test('a canary that is slow, swallows requests or breaks its SLO is found', async (t) => {
  const found = (config: Parameters<typeof summarise>[0]['config'], traffic: Omit<Traffic, 'steps'>, share = 0.1) =>
    summarise({ traffic: { steps: [{ share, requests: 20_000 }], ...traffic }, config, runs: RUNS }, new Dice(4));
  const latency = only('latency', 0.001, { latency: { percentile: 95, floor: 10, tolerance: 2 } });
  t.equal(found(latency, { canary: { slow: 0.7 }, stable: { slow: 0.05 } }).stopped, RUNS);
  t.equal(found(latency, { canary: { slow: 0.05 }, stable: { slow: 0.05 } }).stopped, 0);
  const ratio = only('ratio', 0.001);
  t.equal(found(ratio, { canary: { aborted: 0.2 }, stable: { aborted: 0.005 } }).stopped, RUNS);
  t.equal(found(ratio, { canary: { aborted: 0.005 }, stable: { aborted: 0.005 } }).stopped, 0);
  const slo = only('slo', 0.001, { slo: 1 });
  t.equal(found(slo, { canary: { failed: 0.05 }, stable: {} }, 1).stopped, RUNS);
  t.equal(found(slo, { canary: { failed: 0.005 }, stable: {} }, 1).stopped, 0);
});

t.test('the dice are fair', async (t) => {
  const random = new Dice(5);
  let requests = 0;
  for (let i = 0; i < 100_000; i++) requests += gap(random, 0.02);
  t.ok(Math.abs(requests / 100_000 - 50) < 0.6, `a gap is ${requests / 100_000} on average`);
  t.equal(gap(random, 1), 1);
  t.equal(gap(random, 0), Number.POSITIVE_INFINITY);
  t.ok(Math.abs(normalBelow(1.6449) - 0.95) < 1e-4 && Math.abs(normalBelow(-1) - 0.158655) < 1e-4);
  t.ok(Math.abs(atLeast(4, 1_000, 0.001) - 0.0189) < 1e-3);
  t.equal(atLeast(0, 1_000, 0.001), 1);
});
