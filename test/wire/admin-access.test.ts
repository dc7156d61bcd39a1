import t from 'tap';
import { CALLS } from '../../src/control/admin/call-list.ts';
import { type CallId, PERMISSIONS } from '../../src/control/admin/permissions.ts';
import type { Role } from '../../src/model/admin-config.ts';
import { AdminStage, bearer, GUARDED, ROLES, secretOf } from './admin-stage.ts';

/** Written down once more, by hand: the table of the documentation. */
const MAY: Readonly<Record<string, readonly (Role | 'nobody')[]>> = {
  open: ['nobody', 'viewer', 'operator', 'approver', 'admin'],
  scrape: ['viewer', 'operator', 'approver', 'admin'],
  read: ['viewer', 'operator', 'approver', 'admin'],
  operate: ['operator', 'admin'],
  approve: ['operator', 'approver', 'admin'],
  administer: ['admin'],
};

t.test('every call for every role', async (t) => {
  const stage = await AdminStage.open(GUARDED);
  t.teardown(() => stage.server.close(1_000));
  const names: Readonly<Record<string, string>> = {
    ...{ service: 'demo', version: 'v2', flag: 'new-checkout' },
    ...{ rollout: 'demo-7', strategy: 'careful', notification: '118' },
  };
  for (const call of CALLS) {
    const path = call.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => names[name] ?? name);
    const query = call.id === 'getHistory' ? '?service=demo' : '';
    for (const role of ['nobody', ...ROLES] as const) {
      const headers = { accept: 'application/json', ...(role !== 'nobody' && bearer(role)) };
      const { status } = await stage.send(call.method, path + query, { body: call.body?.example, headers });
      const expected = MAY[PERMISSIONS[call.id]]?.includes(role) ? 'let in' : role === 'nobody' ? 401 : 403;
      t.equal(status < 400 ? 'let in' : status, expected, `${call.id} for ${role}`);
    }
  }
  t.ok(
    stage.operations.noted.every(({ args }) => {
      const actor = args[0] as { name?: string; role?: string } | null | string;
      return typeof actor !== 'object' || actor === null || (actor.name === actor.role && actor.role !== 'viewer');
    }),
    'the control plane is told who it was',
  );
});

t.test('the permissions that matter most', async (t) => {
  const expected: Partial<Record<CallId, string>> = {
    drainServer: 'administer',
    reloadConfig: 'administer',
    setWeights: 'operate',
    rollBack: 'operate',
    pushMetrics: 'operate',
    startRollout: 'operate',
    promoteRollout: 'operate',
    approveRollout: 'approve',
    getAudit: 'read',
    getConfig: 'read',
    getMetrics: 'scrape',
    getHealth: 'open',
  };
  for (const [id, permission] of Object.entries(expected)) t.equal(PERMISSIONS[id as CallId], permission, id);
});

t.test('refusals say what is missing, before the body is read', async (t) => {
  const stage = await AdminStage.open(GUARDED);
  t.teardown(() => stage.server.close(1_000));
  const path = '/api/v1/services/demo/weights';
  const none = await stage.send('PUT', path, { body: 'no JSON', headers: { 'content-type': 'text/plain' } });
  t.equal(none.status, 401);
  t.equal(none.headers['www-authenticate'], 'Bearer realm="sluice"');
  const wrong = await stage.get(path, { authorization: 'Bearer wrong' });
  t.equal(wrong.status, 401);
  t.equal(wrong.headers['www-authenticate'], 'Bearer realm="sluice", error="invalid_token"');
  const viewer = await stage.send('PUT', path, { body: { v1: 100 }, headers: bearer('viewer') });
  t.equal(viewer.status, 403);
  t.match(viewer.json.detail, /viewer; this call needs operator or admin/);
  t.match(viewer.headers['www-authenticate'], /insufficient_scope/);
  t.equal((await stage.get('/nope')).status, 404, 'what there is and what not is no secret');
  t.equal((await stage.get('/docs')).status, 200);
  t.equal((await stage.get('/api/v1/status?token=admin-token-0123456789')).status, 401, 'no tokens in addresses');
  t.notMatch(JSON.stringify(stage.lines), /wrong|token-0123/, 'no token in the log');
});

t.test('guessing is bounded', async (t) => {
  const stage = await AdminStage.open(GUARDED);
  t.teardown(() => stage.server.close(1_000));
  const attempt = (token: string) => stage.get('/api/v1/status', { authorization: `Bearer ${token}` });
  t.equal((await attempt(secretOf('admin'))).status, 200);
  for (let i = 0; i < 10; i++) t.equal((await attempt(`guess${i}`)).status, 401);
  t.strictSame(stage.denials, [{ address: '127.0.0.1', failures: 10 }], 'the burst is told once');
  const refused = await attempt('guess10');
  t.strictSame([refused.status, refused.json.code, refused.headers['retry-after']], [429, 'too_many_failures', '60']);
  t.equal((await attempt(secretOf('viewer'))).status, 429, 'a token that was not used from here before');
  t.equal((await attempt(secretOf('admin'))).status, 200, 'one that was');
  t.equal((await stage.get('/healthz')).status, 200);
  stage.clock.advance(60_000);
  t.equal((await attempt(secretOf('viewer'))).status, 200);
  t.equal(stage.lines.length, 0, 'floods are not logged line by line');
});

t.test('public metrics need no token', async (t) => {
  const stage = await AdminStage.open({ ...GUARDED, publicMetrics: true });
  t.teardown(() => stage.server.close(1_000));
  t.equal((await stage.get('/metrics')).status, 200);
  t.equal((await stage.get('/api/v1/status')).status, 401);
});
