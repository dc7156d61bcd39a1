/** Before a rollout begins: what is refused with a sentence, and what is written out. */
import t from 'tap';
import { OperationError } from '../../src/control/problems.ts';
import { newRollout, riskFor, type StartContext } from '../../src/control/rollout/start.ts';
import { CI, NOW, newRolloutStage, QUICK, refusal, rolloutOf, strategyOf } from './rollout-stage.ts';

t.test('refusals', async (t) => {
  const stage = await newRolloutStage(t);
  const start = (given: object, service = 'shop') =>
    refusal(stage.operations.start(CI, service, { version: 'v2', strategy: QUICK, ...given }, {}));
  t.match(await start({}, 'shap'), /^not_found: /);
  t.match(await start({ version: 'v9' }), /^not_found: .*v9/);
  t.match(await start({ version: 'v1' }), /^conflict: v1 is the stable version of shop/);
  t.match(await start({ strategy: 'standart' }), /^not_found: there is no strategy standart; .*standard/);
  t.match(await start({ strategy: { steps: [{ weight: 'x' }] } }), /^invalid_request/);
  t.match(await start({ notBefore: 'soon' }), /^invalid_request: notBefore must be a time/);
  await stage.versions.setLanes(CI, 'shop', { canary: 'v3' }, {});
  await stage.weights.set(CI, 'shop', { v1: 80, v3: 20 }, {});
  t.match(await start({}), /^conflict: v3 has 20 % of shop; .* set it to 0 first/);
  t.strictSame(stage.controller.all(), []);
  t.strictSame(await stage.store.list('rollout/'), []);
  t.match(await start({ version: 'v3' }), null, 'what the version has itself is no other');
  t.equal(stage.traffic(), 'stable v1 90, canary v3 10');
});

t.test('what is written out', async (t) => {
  const { core, controller } = await newRolloutStage(t);
  const context: StartContext = {
    ...{ config: core.state.config, rollouts: controller.all(), now: NOW, inline: () => strategyOf(QUICK) },
    ...{ health: () => 'known good', errorRate: () => null },
  };
  const given = { version: 'v2', strategy: {} };
  const first = newRollout('shop', given, CI, 'a fix', context);
  t.match(first, {
    ...{ id: 'shop-1', phase: 'Queued', stable: 'v1', step: -1, weight: 0, startedBy: { name: 'ci' }, notBefore: null },
    ...{ digest: /^[0-9a-f]{64}$/, timeline: [{ message: 'started by ci: a fix' }], retryOf: null },
  });
  t.equal(newRollout('shop', given, CI, 'another reason', context).digest, first.digest);
  t.not(newRollout('shop', { ...given, version: 'v3' }, CI, '', context).digest, first.digest);
  const others = [
    rolloutOf(strategyOf(QUICK), { id: 'shop-7', phase: 'Failed' }),
    rolloutOf(strategyOf(QUICK), { id: 'blog-9', service: 'blog' }),
  ];
  t.equal(newRollout('shop', given, CI, '', { ...context, rollouts: others }).id, 'shop-8');
  t.equal(newRollout('shop', { ...given, whenBusy: 'supersede' }, CI, '', context).strategy.whenBusy, 'supersede');
  const back = rolloutOf(strategyOf(QUICK), { phase: 'RolledBack', endedAt: NOW - 1 });
  const risk = (rollouts: StartContext['rollouts']): number => riskFor('shop', given, { ...context, rollouts }).score;
  t.equal(risk([back]) - risk([]), 6);
  t.equal(risk([{ ...back, endedAt: NOW - 15 * 86_400_000 }]), risk([]), 'what is long past does not count');
  t.throws(() => riskFor('shop', { version: 'v9' }, context), OperationError);
});
