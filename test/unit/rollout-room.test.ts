/** How many rollouts there may be: of one service, and of all. */
import t from 'tap';
import { EvidenceRows } from '../../src/control/rollout/evidence-rows.ts';
import { EVIDENCE_ROWS, newEvidenceTable } from '../../src/model/evidence-table.ts';
import { newRolloutStage, QUICK, refusal } from './rollout-stage.ts';

const SLOW = { steps: [{ name: 'few', weight: 10, for: '1h' }], whenBusy: 'queue' };

t.test('a service has at most ten rollouts that wait', async (t) => {
  const stage = await newRolloutStage(t);
  for (let index = 0; index < 11; index++) await stage.start(SLOW);
  t.match(await refusal(stage.start(SLOW)), /^conflict.*10 rollouts of shop wait already/);
  await stage.verb('abort', 'shop-5');
  await stage.pass(300);
  t.match(await stage.start(SLOW), { phase: 'Queued' });
});

t.test('rows are kept free for rollouts that are over', async (t) => {
  const rows = new EvidenceRows(newEvidenceTable(1));
  const taken: number[] = [];
  while (rows.hasRoom) taken.push(rows.take()!);
  t.equal(taken.length, EVIDENCE_ROWS - 8);
  t.ok(rows.take() !== null);
});

t.test('one that has succeeded is undone however many wait', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start(QUICK);
  await stage.pass(4_000);
  t.equal(stage.get().phase, 'Succeeded');
  for (let index = 0; index < 10; index++) await stage.start(SLOW, 'b2', {}, 'blog');
  await stage.verb('rollback', 'shop-1');
  t.match(stage.get().phase, /RollingBack|RolledBack/);
});
