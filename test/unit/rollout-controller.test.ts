/** The controller over the real core and store: from the start to both ends, and everything that may come in between. */
import t from 'tap';
import { NO_OVERRIDE, rowOf } from '../../src/model/evidence-table.ts';
import { CI, newRolloutStage, refusal, resultOf, rolloutOf, strategyOf } from './rollout-stage.ts';

const SLOW = {
  steps: [
    { name: 'few', weight: 10, for: '1m' },
    { name: 'half', weight: 50, for: '1m' },
  ],
};
const hook = (name: string, onFailure = 'rollback') => ({ name, webhook: { url: 'http://127.0.0.1:1/' }, onFailure });

t.test('all the way: steps, lanes and weights, and the end', async (t) => {
  const stage = await newRolloutStage(t);
  const view = await stage.start();
  t.match(view, { id: 'shop-1', phase: 'Progressing', weight: 10, step: 1 });
  t.equal(stage.traffic(), 'stable v1 90, canary v2 10');
  await stage.pass(1_300);
  t.match(stage.get(), { phase: 'Progressing', step: 1, weight: 50 });
  t.equal(stage.traffic(), 'stable v1 50, canary v2 50');
  await stage.pass(1_300);
  t.equal(stage.traffic(), 'stable v1 0, canary v2 100');
  await stage.pass(1_300);
  t.match(stage.get(), { phase: 'Succeeded', weight: 100 });
  t.equal(stage.traffic(), 'stable v2 100');
  t.match(await stage.stored(), { phase: 'Succeeded' });
  t.equal(stage.controller.running('shop-1'), null);
  t.strictSame(stage.controller.ended(), [{ service: 'shop', phase: 'Succeeded', count: 1 }]);
  t.equal(stage.isClosed('v2'), false);
  t.strictSame(
    stage.told.map(({ type }) => type).filter((type) => type !== 'rollout.step'),
    [
      ...['rollout.queued', 'rollout.started', 'lanes.changed', 'weights.changed', 'lanes.changed'],
      ...['weights.changed', 'weights.changed', 'rollout.promoting', 'lanes.changed'],
      'rollout.succeeded',
    ],
  );
  t.strictSame(stage.errors, []);
});

t.test(
  'a worker throws the switch: closed at once, back within a look, lanes as before, the pack verified',
  async (t) => {
    const stage = await newRolloutStage(t, { shop: { lanes: { stable: 'v1', candidate: 'v3' } } });
    await stage.start(SLOW);
    await stage.flags.set(CI, 'beta', 40, {});
    stage.throwSwitch('errors');
    await stage.pass(25, 25);
    t.match(stage.get(), { phase: 'RolledBack', decision: { cause: 'evidence', weight: 10 } });
    t.ok(stage.isClosed('v2'));
    t.equal(stage.traffic(), 'stable v1 100, candidate v3 0');
    const kept = await stage.stored();
    t.match(kept, {
      phase: 'RolledBack',
      decision: { closedAt: Number, acknowledgedAt: Number, firstFailureAt: Number },
    });
    t.match(kept?.rollback?.verified, { ok: true });
    t.equal(stage.core.state.entries.get('override/flags/beta'), undefined, 'flags are set back');
    t.match(await stage.operations.pack('shop-1'), { intact: true });
    t.match(await stage.store.verifyAudit(), { ok: true });
  },
);

t.test('closed until weight is given again, by hand or by another rollout', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start(SLOW);
  await stage.verb('abort');
  await stage.pass(250);
  t.equal(stage.get().phase, 'RolledBack');
  t.ok(stage.isClosed('v2'));
  await stage.weights.set(CI, 'blog', { b1: 90, b2: 10 }, {});
  t.ok(stage.isClosed('v2'), 'a change of somebody else does not open it');
  const restarted = await newRolloutStage(t, { before: stage });
  t.ok(restarted.isClosed('v2'), 'nor does a restart');
  await restarted.versions.setLanes(CI, 'shop', { canary: 'v2' }, {});
  await restarted.weights.set(CI, 'shop', { v1: 95, v2: 5 }, {});
  t.notOk(restarted.isClosed('v2'));
  await restarted.weights.set(CI, 'shop', { v1: 100, v2: 0 }, {});
  t.match(await restarted.verb('retry'), { id: 'shop-2', retryOf: 'shop-1', phase: 'Progressing', weight: 10 });
  t.notOk(restarted.isClosed('v2'));
});

t.test('what the main thread has closed is not opened by another change before the way back is kept', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start({ ...SLOW, evidence: { maxFailures: 3 } });
  const gate = Promise.withResolvers<void>();
  stage.workers.gate = gate.promise;
  const other = stage.versions.setLanes(CI, 'blog', { canary: 'b2' }, {});
  await stage.pass(20, 20);
  stage.serve({ canary: { trials: 3, failed: 3 }, stable: { trials: 30 } });
  await stage.pass(20, 20);
  t.ok(stage.isClosed('v2'), 'the budget is spent');
  t.equal(stage.get().phase, 'Progressing', 'the way back waits for its turn');
  stage.controller.settle(stage.workers.snapshot);
  t.ok(stage.isClosed('v2'));
  gate.resolve();
  await other;
  await stage.pass(500);
  t.match(stage.get(), { phase: 'RolledBack', decision: { cause: 'budget' } });
  t.ok(stage.isClosed('v2'));
});

t.test('the disk is full: taken back all the same, and written down later', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start(SLOW);
  stage.disk.trouble = 'full';
  stage.throwSwitch('errors');
  await stage.pass(500);
  t.equal(stage.traffic(), 'stable v1 100');
  t.equal(stage.get().phase, 'RollingBack');
  t.match(await stage.stored(), { phase: 'Progressing' });
  stage.disk.trouble = null;
  await stage.core.reconcile();
  await stage.pass(8_000);
  t.equal(stage.get().phase, 'RolledBack');
  t.match(await stage.stored(), { phase: 'RolledBack' });
  t.match((await newRolloutStage(t, { before: stage })).traffic(), 'stable v1 100');
});

t.test('a step that cannot be kept does not hold a way back up', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start({
    steps: [
      { name: 'few', weight: 10, for: '1s' },
      { name: 'half', weight: 50, for: '1m' },
    ],
  });
  stage.disk.trouble = 'full';
  await stage.pass(1_250);
  t.match(stage.get(), { phase: 'Progressing', step: 0 });
  t.match(stage.errors, [/rollout_not_advanced/]);
  stage.throwSwitch('latency');
  await stage.pass(250);
  t.equal(stage.get().phase, 'RollingBack');
  t.equal(stage.traffic(), 'stable v1 100');
});

t.test('what is written meanwhile is never older than what is kept', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start(SLOW);
  const gate = Promise.withResolvers<void>();
  stage.workers.gate = gate.promise;
  const promoted = stage.verb('promote', 'shop-1', { full: true });
  await stage.pass(20, 20);
  t.match(await stage.stored(), { phase: 'Promoting' });
  await stage.pass(2_500);
  t.match(await stage.stored(), { phase: 'Promoting' }, 'while a worker takes its time');
  const restarted = await newRolloutStage(t, { before: stage });
  await restarted.pass(250);
  t.equal(restarted.get().phase, 'Succeeded');
  t.equal(restarted.traffic(), 'stable v2 100');
  gate.resolve();
  await promoted;
});

t.test('the workers refuse the snapshot: nothing has changed, and it is tried again', async (t) => {
  const stage = await newRolloutStage(t);
  stage.workers.refuses = 'no room';
  await stage.start(SLOW);
  await stage.pass(250);
  t.match(stage.get(), { phase: 'Queued' });
  t.equal(stage.traffic(), 'stable v1 100');
  t.match(stage.errors[0], /the workers cannot run it: no room/);
  stage.workers.refuses = null;
  await stage.pass(6_000);
  t.match(stage.get(), { phase: 'Progressing', weight: 10 });
  t.equal(stage.traffic(), 'stable v1 90, canary v2 10');
});

t.test('a state that was kept without its traffic gets it after a restart', async (t) => {
  const strategy = strategyOf(SLOW);
  const before = { lanes: { stable: 'v1' }, weights: { v1: 100, v2: 0, v3: 0 } };
  const begun = { startedAt: 1, before, step: 2, weight: 50 };
  const pause = { by: 'operator', reason: '', since: 1, for: null, until: 'manual' } as const;
  for (const [more, traffic] of [
    [{ phase: 'Promoting' }, 'stable v2 100'],
    [{ phase: 'Paused', step: 0, weight: 10, pause }, 'stable v1 90, canary v2 10'],
  ] as const) {
    const stage = await newRolloutStage(t);
    await stage.store.commit({ puts: [{ key: 'rollout/shop-1', value: rolloutOf(strategy, { ...begun, ...more }) }] });
    const restarted = await newRolloutStage(t, { before: stage });
    await restarted.pass(500);
    t.equal(restarted.traffic(), traffic, more.phase);
  }
});

t.test('a restart goes on where it was; the time between is no soak time, and counts go on', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start({ ...SLOW, hooks: { step: [hook('probe')] } });
  stage.serve({ canary: { trials: 100, failed: 2 }, stable: { trials: 900 } });
  await stage.pass(3_000);
  const soaked = (await stage.stored())!.soaked;
  t.ok(soaked > 1_000 && soaked < 3_000, String(soaked));
  stage.wall.now += 3_600_000;
  const restarted = await newRolloutStage(t, { before: stage });
  t.match(restarted.get(), { phase: 'Progressing', step: 0, soaked });
  t.match(restarted.get().timeline.at(-1), { kind: 'restart' });
  t.equal(restarted.traffic(), 'stable v1 90, canary v2 10');
  t.match(restarted.operations.get('shop-1'), { canary: { requests: 100, failed: 2 }, baseline: { requests: 900 } });
  await restarted.pass(1_000);
  const grown = restarted.get().soaked - soaked;
  t.ok(grown > 0 && grown <= 1_000, String(grown));
  t.strictSame(restarted.tasks.begun, ['shop-1 hook:step:0:0'], 'what was cut off begins again');
  restarted.serve({ canary: { trials: 1 } });
  t.match(restarted.operations.get('shop-1'), { canary: { requests: 101 } });
});

t.test('a restart in every phase', async (t) => {
  const wait = {
    steps: [
      { name: 'few', weight: 10, for: '1s' },
      { name: 'wait', pause: 'manual' },
      { name: 'half', weight: 50 },
    ],
  };
  const phases = {
    Queued: [SLOW, { notBefore: '2026-01-01T01:00:00Z' }, 'stable v1 100'],
    Preflight: [{ ...SLOW, hooks: { start: [hook('a')] } }, {}, 'stable v1 100, candidate v2 0'],
    Progressing: [SLOW, {}, 'stable v1 90, canary v2 10'],
    Paused: [wait, {}, 'stable v1 90, canary v2 10'],
  } as const;
  for (const [phase, [strategy, more, traffic]] of Object.entries(phases)) {
    const stage = await newRolloutStage(t);
    await stage.start(strategy, 'v2', more);
    await stage.pass(1_500);
    t.equal(stage.get().phase, phase);
    const restarted = await newRolloutStage(t, { before: stage });
    await restarted.pass(500);
    t.equal(restarted.get().phase, phase);
    t.equal(restarted.traffic(), traffic, phase);
    if (phase === 'Preflight') {
      await restarted.tasks.end('hook:start:0', resultOf(true));
      await restarted.pass(250);
      t.match(restarted.get(), { phase: 'Progressing', weight: 10 });
    }
  }
  const back = await newRolloutStage(t);
  await back.start({ ...SLOW, gradual: { by: 4, every: '1m' }, hooks: { rollback: [hook('page', 'ignore')] } });
  await back.verb('rollback', 'shop-1', { mode: 'gradual' });
  t.match(back.get(), { phase: 'RollingBack', weight: 6 });
  const restarted = await newRolloutStage(t, { before: back });
  await restarted.pass(500);
  t.equal(restarted.traffic(), 'stable v1 94, canary v2 6');
  t.strictSame(restarted.tasks.open, ['hook:rollback:0']);
  await restarted.pass(125_000, 1_000);
  t.match(restarted.get(), { phase: 'RolledBack', weight: 0 });
  const over = await newRolloutStage(t, { before: restarted });
  await over.pass(500);
  t.match(over.get(), { phase: 'RolledBack' });
  t.equal(over.traffic(), 'stable v1 100');
});

t.test('a new one waits behind another without taking its evidence', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start(SLOW);
  const row = stage.rowOf('shop-1');
  t.match(await stage.start({ ...SLOW, whenBusy: 'queue' }, 'v3'), {
    id: 'shop-2',
    phase: 'Queued',
    waiting: /shop-1/,
  });
  const rows = () => [rowOf(stage.mark('v1')), rowOf(stage.mark('v2')), rowOf(stage.mark('v3'))];
  t.strictSame(rows(), [row, row, -1]);
  await stage.weights.set(CI, 'blog', { b1: 90, b2: 10 }, {});
  t.strictSame(rows(), [row, row, -1]);
  t.match(await refusal(stage.start(SLOW, 'v3')), /^conflict: shop-1 of shop is Progressing/);
  await stage.verb('abort');
  await stage.pass(500);
  t.match([stage.get('shop-1').phase, stage.get('shop-2').phase], ['RolledBack', 'Progressing']);
  t.equal(stage.traffic(), 'stable v1 90, canary v3 10');
  const next = stage.rowOf('shop-2');
  t.strictSame(rows(), [next, -1, next]);
  t.match(await refusal(stage.verb('pause', 'shop-1')), /^conflict/);
  t.strictSame(rows(), [next, -1, next], 'nor does what is said to one that is over');
  t.strictSame(stage.controller.ended(), [{ service: 'shop', phase: 'RolledBack', count: 1 }], 'nor does it end twice');
});

t.test('a new one takes the place of another', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start(SLOW);
  await stage.start({ ...SLOW, whenBusy: 'supersede' }, 'v3');
  await stage.pass(500);
  t.match(stage.get('shop-1'), { phase: 'RolledBack', decision: { cause: 'superseded' } });
  t.match(stage.get('shop-2'), { phase: 'Progressing' });
  t.equal(stage.traffic(), 'stable v1 90, canary v3 10');
});

t.test('the service is in hand: nobody else moves its traffic, but a rollback of the service ends it', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start(SLOW);
  t.match(await refusal(stage.weights.set(CI, 'shop', { v1: 50, v2: 50 }, {})), /^conflict: shop-1 has the traffic/);
  t.match(await refusal(stage.versions.setLanes(CI, 'shop', { candidate: 'v3' }, {})), /^conflict: shop-1 has/);
  t.match(await refusal(stage.versions.put(CI, 'shop', 'v2', [{ url: 'http://127.0.0.1:3099' }], {})), /^conflict/);
  t.match(await stage.operations.rollBackService(CI, 'shop', 'gradual', {}), /^shop-1 takes v2 back; /);
  t.equal(await refusal(stage.operations.rollBackService(CI, 'shop', 'immediate', {})), null, 'again is no fault');
  await stage.pass(500);
  t.match(stage.get(), { phase: 'RolledBack', decision: { cause: 'operator' } });
  t.equal(await stage.operations.rollBackService(CI, 'shop', 'immediate', {}), null);
  await stage.weights.set(CI, 'shop', { v1: 50, v3: 50 }, {});
  t.equal(stage.traffic(), 'stable v1 50');
});

t.test('a success is undone; not while another has the traffic', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start({ steps: [{ name: 'all', weight: 100 }] });
  await stage.pass(500);
  t.equal(stage.traffic(), 'stable v2 100');
  await stage.start(SLOW, 'v3');
  t.match(await refusal(stage.verb('rollback')), /^conflict: shop-2 of shop is Progressing; end it first/);
  await stage.pass(500);
  t.equal(stage.traffic(), 'stable v2 90, canary v3 10');
  await stage.verb('abort', 'shop-2');
  await stage.pass(500);
  const results = await Promise.all([refusal(stage.verb('pause')), refusal(stage.verb('rollback'))]);
  t.match(results, [/^conflict/, null]);
  await stage.pass(500);
  t.match(stage.get(), { phase: 'RolledBack', decision: { reason: 'undone by ci' } });
  t.equal(stage.traffic(), 'stable v1 100');
  t.ok(stage.isClosed('v2'));
});

t.test('aborted before users met it, it has failed', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start({ ...SLOW, hooks: { start: [hook('a')] } });
  t.equal(stage.traffic(), 'stable v1 100, candidate v2 0');
  await stage.verb('abort');
  t.match(stage.get(), { phase: 'Failed', decision: { cause: 'operator' } });
  t.equal(stage.traffic(), 'stable v1 100');
});

t.test('the override reaches the version, as the steps say', async (t) => {
  const override = (name: string, value: string) => ({ name, override: value });
  const few = { weight: 10, for: '1s' };
  const stage = await newRolloutStage(t);
  await stage.start({
    steps: [
      { name: 'a', ...few },
      override('b', 'off'),
      { name: 'c', ...few },
      override('d', 'on'),
      { name: 'e', ...few },
    ],
  });
  const isShut = (): boolean => (stage.mark('v2') & NO_OVERRIDE) !== 0;
  t.notOk(isShut());
  await stage.pass(1_500);
  t.match([stage.get().step, isShut()], [2, true]);
  await stage.pass(1_250);
  t.match([stage.get().step, isShut()], [4, false]);
});

t.test('not before its time', async (t) => {
  const stage = await newRolloutStage(t);
  t.match(await stage.start(SLOW, 'v2', { notBefore: '2026-01-01T00:00:05Z' }), {
    phase: 'Queued',
    waiting: /its time/,
  });
  await stage.pass(4_500);
  t.equal(stage.get().phase, 'Queued');
  await stage.pass(750);
  t.equal(stage.get().phase, 'Progressing');
});

t.test('old ones are forgotten, the newest stay', async (t) => {
  const stage = await newRolloutStage(t);
  for (let number = 1; number <= 53; number++) {
    await stage.start({ ...SLOW }, 'v2', { notBefore: '2026-02-01T00:00:00Z' });
    await stage.verb('abort', `shop-${number}`);
  }
  await stage.pass(250);
  t.equal(stage.controller.all().length, 50);
  t.equal(stage.controller.all()[0]?.id, 'shop-4');
  t.equal((await stage.store.list('rollout/')).length, 50);
});

t.test('versions that are gone from the file: over, and the file has its way', async (t) => {
  const versions = (...names: string[]) => ({
    versions: Object.fromEntries(
      names.map((name, index) => [name, { endpoints: [`http://127.0.0.1:${3001 + index}`] }]),
    ),
  });
  for (const [names, stable, traffic] of [
    [['v1', 'v3'], 'v1', 'stable v1 100'],
    [['v2', 'v3'], 'v3', 'stable v3 100'],
  ] as const) {
    const stage = await newRolloutStage(t);
    await stage.start(SLOW);
    const shop = { ...versions(...names), lanes: { stable } };
    const restarted = await newRolloutStage(t, { before: stage, shop });
    await restarted.pass(1_000);
    t.match(restarted.get(), { phase: 'RolledBack', decision: { cause: 'configuration' } });
    t.equal(restarted.traffic(), traffic);
    t.strictSame(restarted.errors, []);
  }
});
