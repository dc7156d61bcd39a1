/**
 * kill -9 in each phase on the way forward, under traffic: it goes on where it was, and what is on the disk is never a state without its traffic.
 *
 * One Sluice in one folder is killed again and again; each part begins a rollout of its own, brings it into a phase, kills, reads what is left,
 * starts again, and lets the rollout go on to its end. The users never stop, and no answer that they get is an error.
 */
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { eventually } from './control-process.ts';
import { DONE, EVIDENCE, KillStage, keptOf, stepsOf } from './rollout-kill-stage.ts';
import { phaseOf, rollout, say, started, trafficOf, until } from './rollout-site.ts';

t.test('killed on the way forward', async (t) => {
  const stage = await KillStage.begin(t);
  const { v1, v2 } = stage;

  t.test('Queued, until its time', async (t) => {
    const notBefore = new Date(Date.now() + 6_000);
    const { id, phase } = await started(stage.running, 'v2', {
      strategy: stepsOf({ name: 'few', weight: 10, for: '1s' }, { name: 'hold', pause: 'manual' }),
      notBefore: notBefore.toISOString(),
    });
    t.equal(phase, 'Queued');
    await stage.killed(t);
    if (Date.now() < notBefore.getTime() - 500) {
      const queued = await rollout(stage.running, id);
      t.equal(queued.phase, 'Queued');
      t.equal(await trafficOf(stage.running), DONE, 'nothing is touched');
    }
    const begun = await until(stage.running, id, 'begins', phaseOf('Progressing'));
    t.ok(Date.parse(begun.startedAt!) >= notBefore.getTime(), 'not before its time');
    await stage.back(t, id);
  });

  t.test('Preflight, in a smoke test', async (t) => {
    v2.holding = true;
    const asked = v2.smoked;
    const smoke = [{ name: 'smoke', path: '/smoke', timeout: '20s' }];
    const { id } = await started(stage.running, 'v2', {
      strategy: stepsOf({ name: 'checks', preflight: { smoke } }, { name: 'few', weight: 10, for: '10m' }),
    });
    await eventually('the smoke test', async () => v2.smoked > asked);
    await stage.killed(t);
    await eventually('the smoke test again', async () => v2.smoked > asked + 1);
    t.equal((await rollout(stage.running, id)).phase, 'Preflight');
    t.equal(await trafficOf(stage.running), 'stable v1 100, candidate v2 0');
    v2.release();
    await until(stage.running, id, 'goes on', phaseOf('Progressing'));
    t.equal(await trafficOf(stage.running), 'stable v1 90, canary v2 10');
    await stage.back(t, id);
    await stage.saysRestart(t, id);
  });

  t.test('Preflight, in a hook', async (t) => {
    v1.holding = true;
    const posted = v1.hooked.length;
    const hook = { name: 'announce', webhook: { url: `${v1.url}/hook` }, timeout: '20s' };
    const { id } = await started(stage.running, 'v2', {
      strategy: { steps: [{ name: 'few', weight: 10, for: '10m' }], evidence: EVIDENCE, hooks: { start: [hook] } },
    });
    await eventually('the hook', async () => v1.hooked.length > posted);
    await stage.killed(t);
    await eventually('the hook again', async () => v1.hooked.length > posted + 1);
    t.match(await rollout(stage.running, id), { phase: 'Preflight', waiting: 'start hooks' });
    v1.release();
    await until(stage.running, id, 'goes on', phaseOf('Progressing'));
    await stage.back(t, id);
    await stage.saysRestart(t, id);
  });

  t.test('Progressing at a weight: the time down does not count, the counts go on', async (t) => {
    const time = 4_000;
    const down = 1_500;
    const { id } = await started(stage.running, 'v2', {
      strategy: stepsOf({ name: 'few', weight: 30, for: `${time}ms` }, { name: 'hold', pause: 'manual' }),
    });
    const before = await until(
      stage.running,
      id,
      'has counted',
      ({ soak, canary }) => soak!.soaked > 2_500 && canary.requests > 20,
    );
    const killedAt = Date.now();
    const kept = keptOf(await stage.killed(t, down), id);
    t.ok(kept.soaked > 0, 'the time looked at is kept');
    const counted = kept.counted.reduce((sum, { canary }) => sum + canary.trials, 0);
    t.ok(counted > 0, 'and the counts');
    const after = await rollout(stage.running, id);
    const startedAgainAt = Date.now();
    t.equal(after.phase, 'Progressing');
    t.equal(await trafficOf(stage.running), 'stable v1 70, canary v2 30');
    t.ok(after.canary.requests >= counted, `${after.canary.requests} of ${counted} counted`);
    t.ok(after.canary.requests <= before.canary.requests + stage.users.answered, 'nothing is counted twice');
    const end = await until(stage.running, id, 'ends its step', ({ step }) => step === 2);
    const report = await stage.report(id);
    const step = report.steps[0]!;
    const lasted = Date.parse(step.endedAt!) - Date.parse(step.startedAt);
    // Between the kill and the first answer of the new process nothing was looked at, but for the moment that its start takes to be seen here.
    t.ok(lasted >= time + down, `${lasted} ms for ${time} ms, ${startedAgainAt - killedAt} ms of them down`);
    t.ok((step.canary?.requests ?? 0) >= counted, 'the record of the step has the requests of both parts');
    t.equal(end.phase, 'Paused');
    await stage.back(t, id);
    await stage.saysRestart(t, id);
  });

  t.test('Paused by somebody', async (t) => {
    const { id } = await started(stage.running, 'v2', { strategy: stepsOf({ name: 'few', weight: 20, for: '1s' }) });
    await until(stage.running, id, 'has users', phaseOf('Progressing'));
    const paused = await say(stage.running, id, 'pause', { reason: 'lunch' });
    await stage.killed(t);
    const after = await rollout(stage.running, id);
    t.same(after.pause, paused.pause, 'the same pause');
    t.equal(await trafficOf(stage.running), 'stable v1 80, canary v2 20');
    await pause(1_200);
    t.equal((await rollout(stage.running, id)).phase, 'Paused', 'however long');
    await say(stage.running, id, 'resume');
    await until(stage.running, id, 'becomes stable', phaseOf('Succeeded'));
    await stage.undone(t, id);
    await stage.saysRestart(t, id);
  });

  t.test('Paused for approval', async (t) => {
    const steps = [
      { name: 'few', weight: 10 },
      { name: 'yes', pause: 'approval' },
      { name: 'all', weight: 50, for: '10m' },
    ];
    const { id } = await started(stage.running, 'v2', { strategy: stepsOf(...steps) });
    await until(stage.running, id, 'asks', phaseOf('Paused'));
    await stage.killed(t);
    const after = await rollout(stage.running, id);
    t.match(after, {
      phase: 'Paused',
      pause: { by: 'step', until: 'approval' },
      approvals: { required: 1, given: [] },
    });
    t.equal(await trafficOf(stage.running), 'stable v1 90, canary v2 10');
    const approved = await say(stage.running, id, 'approve');
    t.match(approved.approvals.given, [{ approver: 'local' }]);
    await until(stage.running, id, 'goes on', ({ step }) => step === 3);
    await stage.killed(t);
    t.match((await rollout(stage.running, id)).approvals.given, [{ approver: 'local' }], 'an approval is kept');
    t.equal(await trafficOf(stage.running), 'stable v1 50, canary v2 50');
    await stage.back(t, id);
    await stage.saysRestart(t, id);
  });

  t.test('everything is whole', (t) => stage.isWhole(t));
});
