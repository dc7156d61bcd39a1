/** What comes at the same time, or at the wrong one: holds, hanging workers, two starts at once, clocks that are set back. */
import t from 'tap';
import { setFlag, UNHEALTHY } from '../../src/model/endpoint-table.ts';
import { CI, newRolloutStage, QUICK, resultOf } from './rollout-stage.ts';

const LONG = { evidence: { maxFailures: 10 }, steps: [{ name: 'few', weight: 10, for: '1h' }] };
const NEVER = '2030-01-01T00:00:00Z';

/** Both versions fail, and the canary's budget is spent. */
const OUTAGE = {
  canary: { trials: 100, keyless: 100, failed: 12 },
  stable: { trials: 900, keyless: 900, failed: 200 },
};

t.test('who is closed while held is not missed by the split, and the rollout can be resumed', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start(LONG);
  await stage.pass(500);
  stage.serve(OUTAGE);
  await stage.pass(300);
  t.match(stage.get(), { phase: 'Paused', pause: { by: 'incident' } });
  t.equal(stage.isClosed('v2'), true);
  for (let second = 0; second < 30; second++) {
    stage.serve({ stable: { trials: 90, keyless: 90, failed: 40 } });
    await stage.pass(1_000, 500);
  }
  await stage.verb('resume');
  await stage.pass(600);
  t.match(stage.get(), { phase: 'Progressing' });
  t.equal(stage.isClosed('v2'), false);
  const evidence = stage.controller.running('shop-1')!.evidence();
  t.equal(evidence.mismatch, null);
  t.equal(evidence.tests[0]!.state, 'watching');
});

t.test('a pause step that was held is open again when it is resumed', async (t) => {
  const stage = await newRolloutStage(t);
  const steps = [
    { name: 'few', weight: 10 },
    { name: 'wait', pause: 'manual' },
  ];
  await stage.start({ ...LONG, steps });
  await stage.pass(500);
  stage.serve(OUTAGE);
  await stage.pass(300);
  t.equal(stage.isClosed('v2'), true);
  await stage.verb('resume');
  t.match(stage.get(), { phase: 'Paused', pause: { by: 'step' } });
  t.equal(stage.isClosed('v2'), false);
});

t.test('a resume that cannot be written down changes nothing', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start(LONG);
  await stage.pass(500);
  stage.serve(OUTAGE);
  await stage.pass(300);
  stage.disk.trouble = 'full';
  await t.rejects(stage.verb('resume'), { code: 'store_full' });
  await stage.pass(300);
  t.match(stage.get(), { phase: 'Paused', pause: { by: 'incident' } });
  t.match(stage.controller.running('shop-1')!.evidence().budget, { used: 12, spent: true });
  t.equal(stage.isClosed('v2'), true);
});

t.test('closed before workers serve, after a restart', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start(LONG);
  await stage.pass(500);
  await stage.verb('rollback');
  await stage.pass(1_000);
  const next = await newRolloutStage(t, { before: stage });
  t.equal(next.isClosed('v2'), true);
});

t.test('whoever takes a version back does not wait for a worker that hangs', async (t) => {
  const stage = await newRolloutStage(t);
  const steps = [
    { name: 'few', weight: 10, for: '1s' },
    { name: 'half', weight: 50, for: '1h' },
  ];
  await stage.start({ steps });
  const { promise, resolve } = Promise.withResolvers<void>();
  stage.workers.gate = promise;
  await stage.pass(1_500);
  const back = stage.verb('rollback');
  t.equal(stage.isClosed('v2'), true);
  stage.workers.gate = null;
  resolve();
  await back;
  t.match(stage.get(), { phase: /RollingBack|RolledBack/, weight: 0 });
});

t.test('a verb that is refused closes nothing', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start(QUICK);
  await stage.pass(5_000);
  t.match(stage.get(), { phase: 'Succeeded' });
  await t.rejects(stage.verb('abort'), { code: 'conflict' });
  t.equal(stage.isClosed('v2'), false);
});

t.test('another version waits for the one that has traffic, or supersedes it', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start(LONG);
  await stage.pass(300);
  await t.rejects(stage.start(QUICK, 'v3'), { message: /shop-1 of shop is Progressing; end it/ });
  t.match(await stage.start(QUICK, 'v3', { whenBusy: 'queue' }), { phase: 'Queued', waiting: /shop-1/ });
  await stage.start(LONG, 'v3', { whenBusy: 'supersede' });
  await stage.pass(1_000);
  t.match(stage.get('shop-1'), { phase: 'RolledBack' });
  t.match(stage.get('shop-2'), { phase: 'Failed' });
  t.match(stage.get('shop-3'), { phase: 'Progressing' });
  t.equal(stage.traffic(), 'stable v1 90, canary v3 10');
});

t.test('one that has waited behind a success is compared with what is stable then', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start(QUICK);
  const waiting = await stage.start(LONG, 'v3', { whenBusy: 'queue' });
  t.match(waiting, { phase: 'Queued', stable: 'v1' });
  await stage.pass(5_000);
  t.match(stage.get('shop-1'), { phase: 'Succeeded' });
  t.match(stage.get('shop-2'), { phase: 'Progressing', stable: 'v2', before: { lanes: { stable: 'v2' } } });
  t.not(stage.get('shop-2').digest, waiting.digest, 'it is another plan, and needs approvals of its own');
  t.equal(stage.traffic(), 'stable v2 90, canary v3 10');
  t.match(
    stage.get('shop-2').timeline.find(({ kind }) => kind === 'rebased'),
    { message: /v2 has become stable meanwhile/ },
  );
  stage.throwSwitch('errors', 'shop-2');
  await stage.pass(500);
  t.match(stage.get('shop-2'), { phase: 'RolledBack' });
  t.equal(stage.traffic(), 'stable v2 100');
});

t.test('one that waits for what has become stable by itself is done with', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start(QUICK);
  await stage.start(LONG, 'v2', { whenBusy: 'queue' });
  await stage.pass(5_000);
  t.match(stage.get('shop-2'), { phase: 'Failed', decision: { reason: /v2 is the stable version of shop already/ } });
});

t.test('what is under way outside is cut short when the version is taken back', async (t) => {
  const stage = await newRolloutStage(t);
  const gate = { name: 'gate', webhook: { url: 'http://127.0.0.1:1/', deadline: '1h' } };
  await stage.start({ steps: [{ name: 'few', weight: 10, for: '250ms' }, gate] });
  await stage.pass(1_000);
  t.match(stage.get(), { phase: 'Progressing', step: 1 });
  await stage.verb('abort');
  await stage.pass(500);
  t.match(stage.get(), { phase: 'RolledBack' });
  t.strictSame(stage.tasks.cancelled, ['shop-1']);
});

t.test('weights that somebody has set by hand refuse a start', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.weights.set(CI, 'shop', { v1: 80, v2: 20 }, {});
  await t.rejects(stage.start(QUICK, 'v3'), { message: /v2 has 20 % of shop/ });
});

t.test('two that supersede at once have their own names, and the later one wins', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start(LONG);
  await stage.pass(300);
  const both = await Promise.all([
    stage.start(LONG, 'v2', { whenBusy: 'supersede' }),
    stage.start(LONG, 'v3', { whenBusy: 'supersede' }),
  ]);
  t.strictSame(
    both.map(({ id }) => id),
    ['shop-2', 'shop-3'],
  );
  await stage.pass(1_000);
  t.strictSame(
    stage.controller.all().map(({ id, phase }) => `${id} ${phase}`),
    ['shop-1 RolledBack', 'shop-2 Failed', 'shop-3 Progressing'],
  );
});

t.test('what cannot be done is said, and said no more when it is done', async (t) => {
  const stage = await newRolloutStage(t);
  stage.workers.refuses = 'too much for me';
  await stage.start(LONG);
  await stage.pass(300);
  t.match(stage.operations.get('shop-1'), { phase: 'Queued', waiting: /could not go on: .*too much for me/ });
  t.match(stage.operations.list({})[0], { waiting: /too much for me/ });
  stage.workers.refuses = null;
  await stage.pass(10_000);
  t.match(stage.operations.get('shop-1'), { phase: 'Progressing', waiting: null });
});

t.test('a way back that the workers refuse is tried again, and not with every look', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start(LONG);
  await stage.pass(500);
  const rows = (await stage.store.audit({ limit: 1_000 })).length;
  stage.workers.refuses = 'too much for me';
  stage.throwSwitch('errors');
  await stage.pass(11_000);
  t.equal(stage.isClosed('v2'), true);
  t.match(stage.get(), { phase: 'Progressing' });
  t.ok((await stage.store.audit({ limit: 1_000 })).length - rows <= 12, 'three or four tries, two rows each');
  stage.workers.refuses = null;
  await stage.pass(6_000);
  t.match(stage.get(), { phase: 'RolledBack' });
});

t.test('one that never began neither opens what was taken back nor closes anything', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start(LONG);
  await stage.pass(300);
  await stage.verb('rollback');
  await stage.pass(1_000);
  await stage.start(QUICK, 'v2', { notBefore: NEVER });
  await stage.start(QUICK, 'v3', { notBefore: NEVER, whenBusy: 'queue' });
  await stage.verb('abort', 'shop-3');
  await stage.weights.set(CI, 'blog', { b1: 90, b2: 10 }, {});
  t.match(stage.get('shop-3'), { phase: 'Failed' });
  t.equal(stage.isClosed('v2'), true, 'taken back, and queued again');
  t.equal(stage.isClosed('v3'), false, 'nobody has begun with it');
});

t.test('a clock that is set back makes neither a gradual way back nor a drain wait for it', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start({ gradual: { by: 10, every: '1s' }, steps: [{ name: 'half', weight: 50, for: '1h' }] });
  await stage.pass(300);
  await stage.verb('rollback', 'shop-1', { mode: 'gradual' });
  stage.wall.now -= 3_600_000;
  await stage.pass(6_000);
  t.match(stage.get(), { phase: 'RolledBack' });
});

t.test('a gate that is asked for hours fills neither the audit nor the timeline', async (t) => {
  const stage = await newRolloutStage(t);
  const ask = { name: 'ask', webhook: { url: 'http://127.0.0.1:1/', every: '5s', deadline: '10h' } };
  await stage.start({ steps: [{ name: 'few', weight: 10 }, ask] });
  await stage.pass(500);
  const rows = (await stage.store.audit({ limit: 1_000 })).length;
  for (let times = 0; times < 10; times++) {
    const [gate] = stage.tasks.open;
    if (gate !== undefined) await stage.tasks.end(gate, { ...resultOf(false, { again: true }), at: stage.wall.now });
    await stage.pass(6_000, 500);
  }
  t.ok(stage.tasks.begun.length > 5);
  t.equal((await stage.store.audit({ limit: 1_000 })).length, rows);
  t.equal(stage.get().timeline.filter(({ kind }) => kind === 'gate').length, 1);
  await stage.tasks.end(stage.tasks.open[0]!, resultOf(true));
  await stage.pass(1_000);
  t.match(await stage.stored(), { phase: 'Succeeded', tasks: { 'gate:1': { result: { ok: true } } } });
});

t.test('time in which the process stood still is no time without endpoints', async (t) => {
  const stage = await newRolloutStage(t);
  await stage.start({ unavailableFor: '5s', steps: [{ name: 'few', weight: 10, for: '1h' }] });
  await stage.pass(500);
  const [endpoint] = stage.workers.snapshot.services[0]!.versions.find(({ name }) => name === 'v2')!.endpoints;
  setFlag(stage.endpoints, endpoint!.id, UNHEALTHY);
  await stage.pass(300);
  await stage.pass(10_000, 10_000);
  t.match(stage.get(), { phase: 'Progressing' });
  await stage.pass(6_000);
  t.match(stage.get(), { phase: 'RolledBack', decision: { cause: 'health' } });
});
