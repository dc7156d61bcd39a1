/** A disk that is full while somebody takes a version back: done, said to be done and not kept, and written down with who it was when it can be. */
import t from 'tap';
import { refusal } from './change-stage.ts';
import { CI, newRolloutStage } from './rollout-stage.ts';

const SLOW = { steps: [{ name: 'few', weight: 10, for: '1h' }] };
const UNKEPT = /^store_full: it is done, but not kept: the state cannot be written/;

t.test('a rollout is taken back by hand', async (t) => {
  const stage = await newRolloutStage(t);
  const { operations, disk, core, store } = stage;
  await stage.start(SLOW);
  disk.trouble = 'full';
  const rollBack = () => operations.rollBackService(CI, 'shop', 'immediate', { reason: 'v2 loses orders' });
  t.match(await refusal(rollBack()), UNKEPT);
  t.equal(stage.traffic(), 'stable v1 100');
  t.equal(stage.get().phase, 'RollingBack');
  t.match(await refusal(rollBack()), UNKEPT, 'whoever asks again hears the same');
  t.match(operations.why('shop-1').holding, [/^what is done is kept as soon as the state can be written/]);
  t.strictSame(
    (await store.audit({ limit: 10 })).map(({ action }) => action).filter((action) => action !== 'rollout.advance'),
    ['rollout.start'],
  );

  disk.trouble = null;
  await core.reconcile();
  await core.reconcile();
  const rows = await store.audit({ limit: 2, newest: true });
  t.match(rows, [
    { actor: 'sluice', action: 'state.reconcile' },
    {
      ...{ actor: CI.name, action: 'rollout.rollback', target: 'rollouts/shop-1' },
      ...{ before: { phase: 'Progressing' }, after: { phase: 'RollingBack' } },
      reason: /^v2 loses orders \(done at 2026-.*Z, when the state could not be written\)$/,
    },
  ]);
  await stage.pass(8_000);
  t.match(await stage.stored(), { phase: 'RolledBack' });
});

t.test('a disk that works: what a rollback comes to is said', async (t) => {
  const stage = await newRolloutStage(t);
  const { operations } = stage;
  t.equal(await operations.rollBackService(CI, 'shop', 'immediate', {}), null, 'no rollout has the traffic in hand');
  t.equal(operations.nothingToTakeBack('shop'), 'Nothing was changed: v1 is stable and has all traffic already.');
  await stage.start(SLOW);
  t.equal(operations.nothingToTakeBack('shop'), null);
  t.match(
    await operations.rollBackService(CI, 'shop', 'immediate', {}),
    /^shop-1 takes v2 back; sluice rollout get shop-1/,
  );
});

t.test('behind a rollout that has succeeded stable is the new version, and its rollout has to be undone', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start();
  await stage.pass(6_000);
  t.equal(stage.get().phase, 'Succeeded');
  t.equal(
    stage.operations.nothingToTakeBack('shop'),
    'Nothing was changed: v2 is stable and has all traffic already. shop-1 made it so; to go back to v1: sluice rollout rollback shop-1 --reason TEXT',
  );
  t.equal(stage.operations.nothingToTakeBack('nowhere'), null);
  await stage.verb('rollback');
  await stage.pass(1_000);
  t.equal(stage.traffic(), 'stable v1 100');
  t.notMatch(stage.operations.nothingToTakeBack('shop'), /rollout rollback/, 'it is undone');
});

t.test('held: nothing moves forward', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start(SLOW);
  t.match(stage.operations.why('shop-1').answer, /nothing holds it but its time/);
  stage.disk.trouble = 'full';
  t.match(
    stage.operations.why('shop-1').answer,
    /which is held: no step is taken while the state cannot be written: no space/,
  );
});
