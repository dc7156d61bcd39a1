/**
 * kill -9 in each phase at the end of a rollout, under traffic: while it is promoted, while it is taken back, and when it is over.
 *
 * The same stage as on the way forward (rollout-kill.test.ts).
 */
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import type { RolloutView } from '../../src/control/rollout/view.ts';
import { eventually } from './control-process.ts';
import { DONE, KillStage, keptOf, stepsOf } from './rollout-kill-stage.ts';
import { phaseOf, rollout, say, started, trafficOf, until } from './rollout-site.ts';

t.test('killed at the end', async (t) => {
  const stage = await KillStage.begin(t);
  const { v1, v2 } = stage;

  t.test('Promoting, held by its guard', async (t) => {
    const strategy = {
      ...stepsOf({ name: 'look', pause: 'manual' }, { name: 'all', weight: 100 }),
      unavailableFor: '10m',
    };
    const { id } = await started(stage.running, 'v2', { strategy });
    await until(stage.running, id, 'waits', phaseOf('Paused'));
    v2.failing = true;
    const isDown = async (): Promise<boolean> => {
      const { body } = await stage.running.calls.call<{
        versions: { name: string; endpoints: { available: boolean }[] }[];
      }>('GET', '/api/v1/services/shop');
      return body.versions.find(({ name }) => name === 'v2')!.endpoints.every(({ available }) => !available);
    };
    await eventually('v2 is known to be down', isDown);
    await say(stage.running, id, 'promote', { full: true });
    await until(stage.running, id, 'is held', ({ phase, waiting }) => phase === 'Promoting' && waiting !== null);
    await stage.killed(t);
    t.match(await rollout(stage.running, id), { phase: 'Promoting' }, 'a start does not make it well');
    t.match(await trafficOf(stage.running), /^stable v1 100/);
    await eventually('v2 is known to be down', isDown);
    await pause(700);
    t.match(await rollout(stage.running, id), { phase: 'Promoting', waiting: /no endpoint of v2/ });
    t.match(await trafficOf(stage.running), /^stable v1 100/);
    v2.failing = false;
    await until(stage.running, id, 'becomes stable', phaseOf('Succeeded'));
    await stage.undone(t, id);
    await stage.saysRestart(t, id);
  });

  t.test('RollingBack, step by step', async (t) => {
    const strategy = { ...stepsOf({ name: 'half', weight: 50, for: '10m' }), gradual: { by: 10, every: '1500ms' } };
    const { id } = await started(stage.running, 'v2', { strategy });
    await until(stage.running, id, 'has users', phaseOf('Progressing'));
    await say(stage.running, id, 'rollback', { mode: 'gradual', reason: 'slow' });
    const before = await until(stage.running, id, 'has less', ({ weight }) => weight <= 30);
    const kept = keptOf(await stage.killed(t, 3_000), id);
    t.ok(kept.weight <= before.weight);
    const seen: number[] = [];
    const end = await until(stage.running, id, 'is back', (view) => {
      seen.push(view.weight);
      return view.phase === 'RolledBack';
    });
    t.ok(seen[0]! >= kept.weight - 10, `one step at a time however long it was down: ${kept.weight}, then ${seen[0]}`);
    t.strictSame(
      seen,
      seen.toSorted((a, b) => b - a),
      'the weight never rises',
    );
    t.match(end.rollback, { mode: 'gradual', drained: true, verified: { ok: true } });
    t.equal(await trafficOf(stage.running), DONE);
  });

  t.test('RollingBack, while something is in flight', async (t) => {
    v2.holding = true;
    const { id } = await started(stage.running, 'v2', { strategy: stepsOf({ name: 'few', weight: 10, for: '10m' }) });
    await until(stage.running, id, 'has users', phaseOf('Progressing'));
    const asked = v2.smoked;
    const cut = fetch(`${stage.site.proxy}/smoke`, { headers: { 'x-canary-deploy': 'v2' } }).catch(() => null);
    await eventually('a request in flight', async () => v2.smoked > asked);
    await say(stage.running, id, 'rollback', { reason: 'enough' });
    t.match(await rollout(stage.running, id), { phase: 'RollingBack', rollback: { inFlight: 1 } });
    await stage.killed(t);
    v2.release();
    await cut;
    const end = await until(stage.running, id, 'is back', phaseOf('RolledBack'));
    t.match(end.rollback, { drained: true, verified: { ok: true, differences: [] } });
    t.equal(await trafficOf(stage.running), DONE);
    t.strictSame(Object.keys(await stage.users.answersOfNext(100)), ['v1']);
  });

  t.test('hooks at the end that a kill cuts off are called again', async (t) => {
    const hooks = Object.fromEntries(
      ['rollback', 'success'].map((point) => [
        point,
        [{ name: `tell-${point}`, webhook: { url: `${v1.url}/hook` }, timeout: '20s' }],
      ]),
    );
    const strategy = { ...stepsOf({ name: 'all', weight: 100 }), hooks };
    const cutOff = async (id: string): Promise<void> => {
      const posted = v1.hooked.length;
      v1.holding = true;
      await until(stage.running, id, 'calls', () => v1.hooked.length > posted);
      await stage.killed(t);
      await eventually(`the hook of ${id} again`, async () => v1.hooked.length > posted + 1);
      v1.release();
      await until(stage.running, id, 'has heard', ({ timeline }) =>
        timeline.some(({ message }) => /^hook .* passed/.test(message)),
      );
    };
    v1.holding = true;
    const { id } = await started(stage.running, 'v2', { strategy });
    await cutOff(id);
    t.equal((await rollout(stage.running, id)).phase, 'Succeeded');
    v1.holding = true;
    await say(stage.running, id, 'rollback', { reason: 'not this one' });
    await cutOff(id);
    t.equal((await until(stage.running, id, 'is back', phaseOf('RolledBack'))).phase, 'RolledBack');
    t.equal(await trafficOf(stage.running), DONE);
  });

  t.test('over: taken back, and stable', async (t) => {
    const { id } = await started(stage.running, 'v2', { strategy: stepsOf({ name: 'half', weight: 50, for: '10m' }) });
    await until(stage.running, id, 'has users', phaseOf('Progressing'));
    v2.failing = true;
    const failed = await until(stage.running, id, 'is taken back', phaseOf('RolledBack'));
    t.match(failed.outcome, /v2 was taken back/);
    v2.failing = false;
    await stage.killed(t);
    t.same((await rollout(stage.running, id)).timeline, failed.timeline, 'nothing changes any more');
    t.equal(await trafficOf(stage.running), DONE);
    const { status, body } = await stage.running.calls.call<RolloutView>('POST', `/api/v1/rollouts/${id}/retry`, {});
    t.match([status, body], [201, { retryOf: id }]);
    const retried = body.id;
    await until(stage.running, retried, 'has users', ({ canary }) => canary.requests > 0);
    await say(stage.running, retried, 'promote', { full: true });
    await until(stage.running, retried, 'becomes stable', phaseOf('Succeeded'));
    await stage.killed(t);
    t.equal((await rollout(stage.running, retried)).phase, 'Succeeded');
    t.equal(await trafficOf(stage.running), 'stable v2 100');
    t.strictSame(Object.keys(await stage.users.answersOfNext(100)), ['v2']);
    await stage.undone(t, retried);
    await stage.killed(t);
    t.equal((await rollout(stage.running, retried)).phase, 'RolledBack');
    t.strictSame(Object.keys(await stage.users.answersOfNext(100)), ['v1']);
  });

  t.test('everything is whole', (t) => stage.isWhole(t));
});
