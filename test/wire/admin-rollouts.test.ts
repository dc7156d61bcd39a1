/** Rollouts over the admin API: what reaches the control plane, what is refused before it, and the forms of the report. */
import t from 'tap';
import { reportExample } from '../../src/control/admin/schemas/rollout-examples.ts';
import { OperationError } from '../../src/control/problems.ts';
import { reportMarkdown } from '../../src/control/rollout/report-markdown.ts';
import { AdminStage, bearer, GUARDED } from './admin-stage.ts';

const stage = await AdminStage.open();
t.teardown(() => stage.server.close(1_000));

const SIGNATURE = `${'A'.repeat(86)}==`;
const SIGNED = { approver: 'release-lead', signature: SIGNATURE, signedAt: '2026-01-01T12:00:00Z' };
const START = '/api/v1/services/demo/rollouts';
const ROLLOUT = '/api/v1/rollouts/demo-7';

/** Name and arguments of the operation, without the actor. */
async function told(path: string, body?: unknown): Promise<unknown> {
  const reply = await stage.send('POST', path, { body, headers: { 'x-request-id': 'r1' } });
  if (reply.status >= 400) return reply.json;
  const { call, args } = stage.operations.last ?? { call: '', args: [] };
  if (call === 'rolloutRisk') return [call, ...args];
  const [actor, ...rest] = args;
  t.strictSame(actor, { name: 'local', role: 'admin', address: '127.0.0.1', requestId: 'r1' });
  return [call, ...rest];
}

async function refused(path: string, body: unknown): Promise<Readonly<Record<string, string>>> {
  const before = stage.operations.noted.length;
  const { status, json } = await stage.send('POST', path, { body });
  t.equal(status, 400, JSON.stringify(json));
  t.equal(stage.operations.noted.length, before, 'the control plane was not asked');
  const errors = (json.errors ?? []) as { field: string; message: string }[];
  return Object.fromEntries(errors.map(({ field, message }) => [field, message]));
}

t.test('a start is 201 with where the rollout is', async (t) => {
  const reply = await stage.send('POST', START, { body: { version: 'v2' } });
  t.strictSame([reply.status, reply.headers.location, reply.json.id], [201, ROLLOUT, 'demo-7']);
  t.equal((await stage.get(String(reply.headers.location))).json.id, 'demo-7');
});

t.test('starts reach the control plane as they were meant', async (t) => {
  const cases: readonly (readonly [body: Readonly<Record<string, unknown>>, given: unknown, options: unknown])[] = [
    [{ version: 'v2' }, { version: 'v2' }, {}],
    [{ version: 'v2', reason: 'r' }, { version: 'v2' }, { reason: 'r' }],
    [
      { version: 'v2', strategy: 'careful', whenBusy: 'queue' },
      { version: 'v2', strategy: 'careful', whenBusy: 'queue' },
      {},
    ],
    [{ version: 'v2', strategy: { steps: [] } }, { version: 'v2', strategy: { steps: [] } }, {}],
    [
      { version: 'v2', notBefore: '2026-01-01T13:00:00+01:00' },
      { version: 'v2', notBefore: '2026-01-01T13:00:00+01:00' },
      {},
    ],
  ];
  for (const [body, given, options] of cases) {
    t.strictSame(await told(START, body), ['startRollout', 'demo', given, options]);
    t.strictSame(await told(`${START}/risk`, body), ['rolloutRisk', 'demo', given]);
  }
  t.strictSame(await told(`${START}?reason=asked`, { version: 'v2' }), [
    ...['startRollout', 'demo', { version: 'v2' }, { reason: 'asked' }],
  ]);
  const long = { version: 'v2', strategy: { note: 'x'.repeat(40_000) } };
  t.equal((await stage.send('POST', START, { body: long })).status, 201, 'a strategy has room');
  t.equal((await stage.send('POST', START, { body: { ...long, strategy: 'x'.repeat(70_000) } })).status, 413);
});

t.test('faults of a start come together', async (t) => {
  t.strictSame(await refused(START, { strategy: 7, whenBusy: 'queu', verison: 'v2', notBefore: '' }), {
    '/version': 'is missing; add it',
    '/strategy': 'must be the name of a strategy, or one written out as in the configuration, not 7',
    '/whenBusy': 'must be one of refuse, queue, supersede, not "queu"; did you mean queue?',
    '/verison': 'is unknown; did you mean version?',
  });
  t.match(await refused(START, { version: 'v2', strategy: 'no such name' }), {
    '/strategy': /must be the name of a strategy/,
  });
  const times = [
    '',
    'tomorrow',
    '2026-01-01',
    '2026-01-01T12:00',
    '2026-02-30T12:00:00Z',
    '2026-01-01T25:00:00Z',
    '10m',
  ];
  for (const notBefore of times) {
    for (const path of [START, `${START}/risk`]) {
      t.match(
        await refused(path, { version: 'v2', notBefore }),
        { '/notBefore': /must be a time with its zone/ },
        notBefore,
      );
    }
  }
  const faults = [{ field: '/strategy/steps/0/weight', message: 'must be a percentage from 0 to 100, not 101' }];
  stage.operations.failure = new OperationError('invalid_request', 'A fault in the strategy.', faults);
  t.strictSame((await stage.send('POST', START, { body: { version: 'v2' } })).json.errors, faults);
});

t.test('verbs', async (t) => {
  const cases: readonly (readonly [verb: string, body: unknown, options: unknown])[] = [
    ['promote', undefined, {}],
    ['promote', { full: true, reason: 'r' }, { full: true, reason: 'r' }],
    ['pause', { reason: 'lunch' }, { reason: 'lunch' }],
    ['resume', {}, {}],
    ['skip', undefined, {}],
    ['abort', undefined, {}],
    ['rollback', { mode: 'gradual' }, { mode: 'gradual' }],
  ];
  for (const [verb, body, options] of cases) {
    t.strictSame(await told(`${ROLLOUT}/${verb}`, body), ['changeRollout', 'demo-7', verb, options]);
  }
  t.strictSame(await told(`${ROLLOUT}/pause?reason=lunch`), ['changeRollout', 'demo-7', 'pause', { reason: 'lunch' }]);
  const again = await stage.send('POST', `${ROLLOUT}/retry`);
  t.strictSame([again.status, again.headers.location, again.json.retryOf], [201, '/api/v1/rollouts/demo-8', 'demo-7']);
  t.match(await refused(`${ROLLOUT}/pause`, { full: true }), { '/full': 'is unknown; known: reason' });
  t.match(await refused(`${ROLLOUT}/rollback`, { mode: 'slow' }), { '/mode': /must be one of immediate, gradual/ });
  t.match(await refused(`${ROLLOUT}/promote`, { full: 'yes' }), { '/full': /must be true or false/ });
  t.equal((await stage.send('POST', `${ROLLOUT}/undo`)).status, 404);
  t.equal((await stage.get(`${ROLLOUT}/promote`)).status, 405);
  const headers = { 'if-match': '"abc"' };
  t.equal(
    (await stage.send('POST', `${ROLLOUT}/promote`, { headers })).status,
    400,
    'a condition that nobody looks at',
  );
  stage.operations.failure = new OperationError('conflict', 'It is over.');
  t.equal((await stage.send('POST', `${ROLLOUT}/promote`)).status, 409);
});

t.test('approvals are signed as a whole or not at all', async (t) => {
  const { approver, signedAt } = SIGNED;
  t.strictSame(await told(`${ROLLOUT}/approve`, { ...SIGNED, reason: 'r' }), [
    'approveRollout',
    'demo-7',
    SIGNED,
    { reason: 'r' },
  ]);
  t.strictSame(await told(`${ROLLOUT}/approve`), ['approveRollout', 'demo-7', {}, {}]);
  t.strictSame(await told(`${ROLLOUT}/approve?reason=r`, {}), ['approveRollout', 'demo-7', {}, { reason: 'r' }]);
  t.match(await refused(`${ROLLOUT}/approve`, { approver }), {
    '/signature': /belong together/,
    '/signedAt': /belong together/,
  });
  t.match(await refused(`${ROLLOUT}/approve`, { approver, signature: SIGNATURE }), { '/signedAt': /belong together/ });
  t.match(await refused(`${ROLLOUT}/approve`, { ...SIGNED, signature: 'c2hvcnQ=' }), {
    '/signature': /64 bytes in base64/,
  });
  t.match(await refused(`${ROLLOUT}/approve`, { ...SIGNED, signedAt: 'now' }), { '/signedAt': /with its zone/ });
  t.equal(signedAt, '2026-01-01T12:00:00Z');
});

t.test('lists are filtered', async (t) => {
  const filter = async (query: string): Promise<unknown> => {
    const { status } = await stage.get(`/api/v1/rollouts${query}`);
    return status === 200 ? stage.operations.last?.args[1] : status;
  };
  t.strictSame(await filter(''), {});
  t.strictSame(await filter('?service=demo&phase=Paused'), { service: 'demo', phase: 'Paused' });
  t.equal(await filter('?phase=paused'), 400);
  t.equal(await filter('?state=Paused'), 400);
});

t.test('a report is JSON or Markdown', async (t) => {
  for (const query of ['', '?format=json']) {
    const reply = await stage.get(`${ROLLOUT}/report${query}`);
    t.match(reply.headers['content-type'], 'application/json');
    t.strictSame(reply.json, reportExample);
  }
  const page = await stage.get(`${ROLLOUT}/report?format=md`);
  t.equal(page.headers['content-type'], 'text/markdown; charset=utf-8');
  t.equal(page.headers['x-content-type-options'], 'nosniff');
  t.equal(page.text, reportMarkdown(reportExample));
  t.equal((await stage.get(`${ROLLOUT}/report?format=html`)).status, 400);
});

t.test('what is not there is 404, and an id that cannot be one is 400', async (t) => {
  for (const path of ['', '/report', '/report?format=md', '/why', '/pack']) {
    t.equal((await stage.get(`/api/v1/rollouts/nope${path}`)).status, 404, path);
    t.equal((await stage.get(`/api/v1/rollouts/..%2fdemo${path}`)).status, 400, path);
  }
  for (const verb of ['promote', 'retry', 'approve']) {
    t.equal((await stage.send('POST', `/api/v1/rollouts/nope/${verb}`)).status, 404, verb);
  }
  t.equal((await stage.send('POST', '/api/v1/services/dmo/rollouts', { body: { version: 'v2' } })).status, 404);
  const strategy = await stage.get('/api/v1/strategies/carful');
  t.strictSame([strategy.status, strategy.json.detail], [404, 'There is no strategy carful; did you mean careful?']);
  t.equal((await stage.send('POST', '/api/v1/notifications/nope/acknowledge')).status, 404);
});

t.test('notifications', async (t) => {
  t.equal((await stage.get('/api/v1/notifications')).json.notifications[0].acknowledged, null);
  t.strictSame(await told('/api/v1/notifications/118/acknowledge', { reason: 'mine' }), [
    ...['acknowledge', '118', { reason: 'mine' }],
  ]);
});

t.test('who may approve, and what is logged', async (t) => {
  const guarded = await AdminStage.open(GUARDED);
  t.teardown(() => guarded.server.close(1_000));
  const status = async (role: string, path: string, body: unknown): Promise<number> =>
    (await guarded.send('POST', path, { body, headers: bearer(role) })).status;
  t.equal(await status('viewer', `${ROLLOUT}/approve`, SIGNED), 403);
  t.equal(await status('operator', `${ROLLOUT}/approve`, SIGNED), 200, 'a pipeline carries the signature');
  t.equal(await status('approver', `${ROLLOUT}/approve`, {}), 200);
  t.match(guarded.operations.last?.args[0], { role: 'approver' }, 'the rest is for the operation to decide');
  t.equal(await status('approver', `${ROLLOUT}/promote`, {}), 403);
  t.equal(await status('approver', START, { version: 'v2' }), 403);
  t.equal(await status('operator', `${START}/risk`, { version: 'v2' }), 200);
  const logged = guarded.lines.filter(({ event }) => event === 'admin_call').map(({ fields }) => fields.action);
  t.notOk(logged.includes('assessRollout'), 'a question is no change');
  t.ok(logged.includes('approveRollout'));
  t.notMatch(JSON.stringify(guarded.lines), SIGNATURE);
});
