/** What runs and what is kept are made equal again, once the disk can be written. */
import t from 'tap';
import { auditOf } from '../../src/control/change/change-core.ts';
import { UnkeptAudit } from '../../src/control/change/unkept.ts';
import { WeightOperations } from '../../src/control/change/weights.ts';
import { versionKey, weightsKey } from '../../src/control/state/overrides.ts';
import { CI, newStage, refusal } from './change-stage.ts';

t.test('a rollback that could not be written is written later, with who did it and why', async (t) => {
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
  t.match((await stage.audit()).at(-2), {
    ...{ actor: CI.name, address: CI.address, action: 'rollback', target: 'services/shop/weights' },
    ...{ before: { v2: 50 }, after: { v2: 0 } },
    reason: /^broken \(done at \d{4}-.*Z, when the state could not be written\)$/,
  });
  const rows = (await stage.audit()).length;
  await stage.core.reconcile();
  t.equal((await stage.audit()).length, rows, 'once');
});

t.test('who did it is written even where what runs is what was kept', async (t) => {
  const stage = await newStage(t);
  const weights = new WeightOperations(stage.core);
  await weights.set(CI, 'shop', { v1: 100 }, {});
  stage.disk.trouble = 'full';
  await refusal(weights.rollBack(CI, 'shop', { reason: 'to be sure' }));
  await t.rejects(stage.core.reconcile(), /no space left/);
  stage.disk.trouble = null;
  await stage.core.reconcile();
  const rows = (await stage.audit()).slice(1);
  t.match(rows, [{ action: 'rollback', reason: /^to be sure \(/ }]);
  t.equal(rows.length, 1);
});

t.test('what workers refused was never done', async (t) => {
  const stage = await newStage(t);
  stage.disk.trouble = 'full';
  stage.workers.refuses = 'no room';
  const urgent = { action: 'x', target: 'x', before: null, after: null, events: [], urgent: true };
  await refusal(stage.core.change(CI, {}, () => ({ ...urgent, scope: 'snapshot' })));
  stage.disk.trouble = null;
  await stage.core.reconcile();
  t.strictSame(await stage.audit(), []);
});

t.test('of a thousand changes while the disk is full the newest are remembered', async (t) => {
  const audit = new UnkeptAudit(() => 0);
  const row = (reason: string) => auditOf(CI, { reason }, { action: 'a', target: 't', before: null, after: null });
  for (let each = 0; each <= 1_000; each++) audit.note(row(`${each}`));
  const { rows } = audit;
  t.equal(rows.length, 1_000);
  t.equal(rows[0]!.reason, '1 (done at 1970-01-01T00:00:00.000Z, when the state could not be written)');
  audit.note(row(''));
  audit.forget(rows);
  t.match(
    audit.rows.map(({ reason }) => reason),
    ['done at 1970-01-01T00:00:00.000Z, when the state could not be written'],
    'what came while they were written stays',
  );
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
