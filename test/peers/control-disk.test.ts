/**
 * A disk that fills up under a running process: traffic goes on, changes are refused and say why, and all is well again by itself.
 *
 * The disk is a file system in memory in a mount namespace of the process, which is reached through /proc. A rollback is the exception: it is
 * done even so, whether a rollout has the traffic in hand or not, and answered with what that is worth; who did it is written down afterwards.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { RolloutWhy } from '../../src/control/rollout/view.ts';
import { lacking, plainEnvironment } from './commands.ts';
import {
  answersOf,
  configFor,
  eventsOf,
  eventually,
  newSite,
  startControl,
  threeUpstreams,
  whoAnswers,
} from './control-process.ts';
import { phaseOf, started, until } from './rollout-site.ts';

const namespaces = (): string | false => {
  const tried = spawnSync(
    'unshare',
    ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=1m none /mnt && ls /proc/self/root/mnt'],
    {
      env: plainEnvironment(),
    },
  );
  return tried.status !== 0 && 'no file system can be mounted in a namespace here';
};

/** Writes until not a byte more fits. */
function fillUp(file: string): void {
  const handle = openSync(file, 'a');
  for (let bytes = 64 * 1024; bytes >= 1; bytes = Math.floor(bytes / 4)) {
    try {
      for (;;) writeSync(handle, Buffer.alloc(bytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
  closeSync(handle);
}

t.test('a full disk', { skip: lacking('unshare', 'mount') || namespaces() }, async (t) => {
  const site = await newSite(t);
  const urls = await threeUpstreams(t);
  const disk = join(site.folder, 'disk');
  mkdirSync(disk);
  const mount = `mount -t tmpfs -o size=2m none '${disk}' && exec "$@"`;
  const text = configFor({ ...site, data: join(disk, 'data') }, urls);
  const running = await startControl(t, site, text, { mount });
  const { calls } = running;
  t.match(await calls.setWeights('shop', { v1: 50, v2: 50 }), { status: 200 });

  const filler = join(`/proc/${running.child.pid}/root`, disk, 'filler');
  fillUp(filler);
  // What is left in the last page of the log may still take a small change.
  let refused = await calls.setWeights('shop', { v1: 40, v2: 60 });
  for (let i = 0; refused.status === 200 && i < 200; i++) {
    refused = await calls.setWeights('shop', { v1: 40 + (i % 2), v2: 60 - (i % 2) });
  }
  t.match(refused, {
    status: 507,
    body: { code: 'store_full', detail: /cannot be written .*; traffic goes on as before/ },
  });
  const { weights } = (await calls.weights('shop')).body;
  t.match(await whoAnswers(site), /^[abc]$/);
  t.match(await calls.call('GET', '/readyz'), {
    status: 200,
    body: { ready: true, notes: [/The state cannot be written/] },
  });
  t.equal(await calls.metric('sluice_store_up'), 0);
  t.match((await calls.status()).store.trouble, { kind: 'full' });
  t.match((await eventsOf(running)).at(-1), { type: 'store.failed', level: 'warning', data: { kind: 'full' } });
  for (const [method, path, body] of [
    ['PUT', '/api/v1/services/shop/lanes', { canary: null }],
    ['PUT', '/api/v1/services/shop/versions/v3', { endpoints: [urls.c] }],
    ['PUT', '/api/v1/services/shop/endpoints/state', { url: urls.a, state: 'disabled' }],
  ] as const) {
    t.equal((await calls.call(method, path, body)).status, 507, path);
  }
  t.strictSame((await calls.weights('shop')).body.weights, weights, 'nothing of it has happened');
  t.ok(Object.keys(await answersOf(site, 40)).length > 1, 'to requests neither');

  const rollback = await calls.call('POST', '/api/v1/services/shop/rollback', { reason: 'v2 is broken' });
  t.match(rollback, {
    status: 507,
    body: { detail: /it is done, but not kept: .* a restart would bring the weights from before back/ },
  });
  t.notOk('c' in (await answersOf(site, 20)), 'a rollback does not wait for a disk');

  rmSync(filler);
  await eventually('the store to recover', async () => (await calls.metric('sluice_store_up')) === 1);
  await eventually('the rollback to be kept', async () => {
    const rows = (await calls.call('GET', '/api/v1/audit?newest=true&limit=5')).body as { rows?: { action: string }[] };
    return JSON.stringify(rows).includes('"state.reconcile"');
  });
  const newest = async (action: string) => {
    const { body } = await calls.call('GET', `/api/v1/audit?newest=true&limit=1&action=${action}`);
    return (body as { rows: readonly unknown[] }).rows[0];
  };
  const unwritten = /\(done at 2.*Z, when the state could not be written\)$/;
  t.match(await newest('rollback'), { actor: 'local', target: 'services/shop/weights', reason: /^v2 is broken / });
  t.match(await newest('rollback'), { reason: unwritten, after: { v1: 100, v2: 0 } });
  t.match(await calls.setWeights('shop', { v1: 30, v2: 70 }), { status: 200 });

  t.equal((await calls.call('DELETE', '/api/v1/services/shop/weights')).status, 200);
  const steps = [{ name: 'half', weight: 50, for: '1h' }];
  const { id } = await started(running, 'v2', { strategy: { steps } });
  await until(running, id, 'has users', phaseOf('Progressing'));
  fillUp(filler);
  // Its counts are written every two seconds, which is where it is found out.
  await eventually('the store to fail', async () => (await calls.metric('sluice_store_up')) === 0);
  const why = async () => (await calls.call<RolloutWhy>('GET', `/api/v1/rollouts/${id}/why`)).body;
  t.match((await why()).answer, /which is held: no step is taken while the state cannot be written: there is no space/);
  t.match(await calls.call('POST', '/api/v1/services/shop/rollback', { reason: 'v2 is worse' }), {
    status: 507,
    body: { code: 'store_full', detail: /^it is done, but not kept: the state cannot be written/ },
  });
  t.notOk('c' in (await answersOf(site, 20)), 'nor does that of a rollout');
  rmSync(filler);
  await until(running, id, 'is back', phaseOf('RolledBack'));
  await eventually('who did it to be kept', async () => (await newest('rollout.rollback')) !== undefined);
  t.match(await newest('rollout.rollback'), { actor: 'local', target: `rollouts/${id}`, reason: unwritten });

  const types = (await eventsOf(running)).map(({ type }) => type);
  t.strictSame(
    types.filter((type) => type.startsWith('store.')),
    ['store.failed', 'store.recovered', 'store.failed', 'store.recovered'],
  );
  t.ok(types.includes('rollback.finished'), 'what happened meanwhile is told');
  t.match(await calls.call('GET', '/api/v1/audit/verify'), { body: { ok: true } });
  t.equal(running.child.exitCode, null, 'all of it in one process');
  t.strictSame(await running.stop(), { code: 0, signal: null });
});
