/** Lanes and weights that follow from a rollout, phase by phase. */
import t from 'tap';
import type { Rollout } from '../../src/control/rollout/rollout.ts';
import { sameTraffic, trafficOf } from '../../src/control/rollout/traffic.ts';
import { QUICK, rolloutOf, strategyOf } from './rollout-stage.ts';

const STRATEGY = strategyOf(QUICK);
const SHOP = { lanes: { stable: 'v1' }, weights: { v1: 100, v2: 0, v3: 0 } };
const before = { lanes: { stable: 'v1', canary: 'v3' }, weights: SHOP.weights };
const of = (more: Partial<Rollout>, service: Parameters<typeof trafficOf>[1] = SHOP) =>
  trafficOf(rolloutOf(STRATEGY, { before, ...more }), service);

t.test('by phase', async (t) => {
  const all = { v1: 100, v2: 0, v3: 0 };
  const canary = { lanes: { stable: 'v1', canary: 'v2' }, weights: { v1: 90, v2: 10, v3: 0 } };
  t.equal(of({ phase: 'Queued', before: null }), null);
  t.strictSame(of({ phase: 'Preflight' }), { lanes: { stable: 'v1', candidate: 'v2' }, weights: all });
  t.strictSame(of({ phase: 'Progressing', weight: 0 }), { lanes: { stable: 'v1', candidate: 'v2' }, weights: all });
  for (const phase of ['Progressing', 'Paused', 'RollingBack'] as const) {
    t.strictSame(of({ phase, weight: 10 }), canary, phase);
  }
  t.strictSame(of({ phase: 'Promoting', weight: 10, waiting: 'frozen' }), canary, 'held by the guard');
  const promoted = { lanes: { stable: 'v2' }, weights: { v1: 0, v2: 100, v3: 0 } };
  t.strictSame(of({ phase: 'Promoting', weight: 10 }), promoted);
  t.strictSame(of({ phase: 'Succeeded', weight: 100 }), promoted);
  for (const phase of ['RollingBack', 'RolledBack', 'Failed'] as const) {
    t.strictSame(of({ phase, weight: 0 }), { lanes: { stable: 'v1', canary: 'v3' }, weights: all }, phase);
    t.equal(of({ phase, weight: 0, before: null }), null, `${phase} that had touched nothing`);
  }
});

t.test('other lanes keep their versions, unless the rollout needs the lane', async (t) => {
  const service = { lanes: { stable: 'v1', canary: 'v2', candidate: 'v3' }, weights: { v1: 90, v2: 10, v3: 0 } };
  t.strictSame(of({ phase: 'Progressing', weight: 10 }, service)?.lanes, service.lanes);
  t.strictSame(of({ phase: 'Promoting' }, service)?.lanes, { stable: 'v2', candidate: 'v3' });
});

t.test('shares of a hundredth of a percent sum to 100', async (t) => {
  for (const weight of [0.01, 0.07, 33.33, 66.67, 99.99]) {
    const { weights } = of({ phase: 'Progressing', weight })!;
    t.equal(Math.round(weights.v1! * 100) + Math.round(weights.v2! * 100), 10_000, String(weight));
    t.equal(weights.v2, weight);
  }
});

t.test('what is gone from the configuration gets nothing', async (t) => {
  const [noStable, noVersion] = [
    { lanes: { stable: 'v3' }, weights: { v2: 0, v3: 100 } },
    { ...SHOP, weights: { v1: 100 } },
  ];
  t.equal(of({ phase: 'RollingBack', weight: 0 }, noStable), null);
  t.equal(of({ phase: 'Progressing', weight: 10 }, noVersion), null);
  t.equal(of({ phase: 'Promoting', weight: 10 }, noVersion), null);
  t.strictSame(of({ phase: 'RollingBack', weight: 0 }, noVersion)?.weights, { v1: 100 });
  const gone = { lanes: { stable: 'v1', canary: 'v9' }, weights: SHOP.weights };
  t.strictSame(of({ phase: 'RolledBack', before: gone })?.lanes, { stable: 'v1' }, 'a lane from before');
});

t.test('the same traffic', async (t) => {
  t.ok(
    sameTraffic(
      { lanes: { stable: 'v1' }, weights: { b: 1, a: 2 } },
      { lanes: { stable: 'v1' }, weights: { a: 2, b: 1 } },
    ),
  );
  t.notOk(sameTraffic(SHOP, { ...SHOP, weights: { v1: 99, v2: 1, v3: 0 } }));
  t.notOk(sameTraffic(SHOP, { ...SHOP, lanes: { stable: 'v1', canary: 'v2' } }));
});
