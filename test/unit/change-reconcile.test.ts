/** What runs and what is kept are made equal again, once the disk can be written. */
import t from 'tap';
import { WeightOperations } from '../../src/control/change/weights.ts';
import { versionKey, weightsKey } from '../../src/control/state/overrides.ts';
import { CI, newStage, refusal } from './change-stage.ts';

t.test('a rollback that could not be written is written later, with an audit row', async (t) => {
  const stage = await newStage(t);
  const weights = new WeightOperations(stage.core);
  await weights.set(CI, 'shop', { v1: 50, v2: 50 }, {});
  stage.disk.trouble = 'full';
  t.match(await refusal(weights.rollBack(CI, 'shop', { reason: 'broken' })), /^store_full: it is done, but not kept/);
  t.strictSame(await stage.kept(), { 'services/shop/weights': { v1: 50, v2: 50, v3: 0 } }, 'a restart would undo it');
  stage.disk.trouble = null;
  await stage.core.reconcile();
  t.strictSame(await stage.kept(), { 'services/shop/weights': { v1: 100, v2: 0, v3: 0 } });
  t.match((await stage.audit()).at(-1), {
    ...{ actor: 'sluice', action: 'state.reconcile', target: 'state' },
    before: { [weightsKey('shop')]: { v1: 50, v2: 50, v3: 0 } },
    after: { [weightsKey('shop')]: { v1: 100, v2: 0, v3: 0 } },
  });
});

t.test('what is kept but does not run is forgotten', async (t) => {
  const stage = await newStage(t);
  await stage.store.commit({ puts: [{ key: versionKey('shop', 'v9'), value: [] }] });
  await stage.core.reconcile();
  t.strictSame(await stage.kept(), {});
  t.match((await stage.audit()).at(-1), { action: 'state.reconcile', after: { [versionKey('shop', 'v9')]: null } });
});

t.test('where both are equal nothing is written', async (t) => {
  const stage = await newStage(t);
  await new WeightOperations(stage.core).set(CI, 'shop', { v1: 50, v2: 50 }, {});
  const { revision } = stage.store.state();
  await stage.core.reconcile();
  t.equal(stage.store.state().revision, revision);
});

t.test('it waits its turn, and a disk that is still full is the caller’s to know', async (t) => {
  const stage = await newStage(t);
  const weights = new WeightOperations(stage.core);
  stage.disk.trouble = 'full';
  await refusal(weights.rollBack(CI, 'shop', {}));
  await t.rejects(stage.core.reconcile(), /no space left/);
  stage.disk.trouble = null;
  t.match(await weights.set(CI, 'shop', { v1: 60, v2: 40 }, {}), { workers: 2 });
});
