import { Ajv } from 'ajv';
import t from 'tap';
import type { TSchema } from 'typebox';
import { CALLS } from '../../src/control/admin/call-list.ts';
import { OperationError } from '../../src/control/problems.ts';
import { AdminStage } from './admin-stage.ts';

const stage = await AdminStage.open();
t.teardown(() => stage.server.close(1_000));

const ajv = new Ajv({ allErrors: true, strict: false, formats: { 'date-time': true } });

t.test('every call answers what its schema says', async (t) => {
  const names: Readonly<Record<string, string>> = {
    ...{ service: 'demo', version: 'v2', flag: 'new-checkout' },
    ...{ rollout: 'demo-7', strategy: 'careful', notification: '118' },
  };
  for (const call of CALLS) {
    const path = call.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => names[name] ?? name);
    const query = call.id === 'getHistory' ? '?service=demo' : '';
    const streams = call.answers.some(({ content }) => 'text/event-stream' in content);
    const headers = streams ? { accept: 'application/json' } : {};
    const reply = await stage.send(call.method, path + query, { body: call.body?.example, headers });
    const shape = call.answers.find(({ status }) => status === reply.status);
    if (shape === undefined) {
      t.fail(`${call.id}: ${reply.status} ${reply.text}`);
      continue;
    }
    const type = String(reply.headers['content-type']).split(';', 1)[0] ?? '';
    const schema: TSchema | undefined = shape.content[type]?.schema;
    t.ok(schema !== undefined && ajv.validate(schema, reply.json ?? reply.text), `${call.id} ${ajv.errorsText()}`);
  }
});

t.test('changes reach the control plane as they were meant', async (t) => {
  const sent = async (method: string, path: string, body: unknown, headers = {}): Promise<unknown> => {
    const reply = await stage.send(method, `/api${path}`, { body, headers: { 'x-request-id': 'r1', ...headers } });
    if (reply.status >= 400) return reply.json;
    const { call, args } = stage.operations.last ?? { call: '', args: [] };
    const [actor, ...rest] = args;
    t.strictSame(actor, { name: 'local', role: 'admin', address: '127.0.0.1', requestId: 'r1' });
    return [call, ...rest];
  };
  const service = '/v1/services/demo';
  t.strictSame(await sent('PUT', `${service}/weights?reason=more`, { stable: 90, canary: 10 }), [
    'setWeights',
    'demo',
    { stable: 90, canary: 10 },
    { reason: 'more' },
  ]);
  t.strictSame(await sent('DELETE', `${service}/weights`, undefined), ['resetWeights', 'demo', {}]);
  for (const path of ['/traffic-weights', '/v1/traffic-weights']) {
    t.strictSame(await sent('POST', path, { v1: 1, v2: 0 }), ['setRelativeWeights', null, { v1: 1, v2: 0 }, {}]);
  }
  t.strictSame(await sent('POST', '/traffic-weights?service=demo&reason=x', { v1: 3 }), [
    'setRelativeWeights',
    'demo',
    { v1: 3 },
    { reason: 'x' },
  ]);
  t.strictSame(await sent('POST', `${service}/rollback`, { reason: 'bad' }), [
    'rollback',
    'demo',
    'immediate',
    { reason: 'bad' },
  ]);
  t.strictSame(
    await sent('POST', `${service}/rollback`, { reason: 'bad', mode: 'gradual', by: '12.5%', every: '90s' }),
    ['rollback', 'demo', 'gradual', { reason: 'bad', by: 12.5, everyMs: 90_000 }],
  );
  t.strictSame(
    await sent('PUT', `${service}/versions/v3`, { endpoints: ['http://a:1', { url: 'http://b:2', weight: 3 }] }),
    ['putVersion', 'demo', 'v3', [{ url: 'http://a:1' }, { url: 'http://b:2', weight: 3 }], {}],
  );
  t.strictSame(await sent('DELETE', `${service}/versions/v3?reason=done`, undefined), [
    'deleteVersion',
    'demo',
    'v3',
    { reason: 'done' },
  ]);
  t.strictSame(await sent('PUT', `${service}/lanes`, { canary: 'v3', candidate: null, reason: 'next' }), [
    'setLanes',
    'demo',
    { canary: 'v3', candidate: null },
    { reason: 'next' },
  ]);
  t.strictSame(
    await sent('PUT', `${service}/endpoints/state`, { url: 'http://a:1', state: 'drain', deadline: '30s' }),
    ['setEndpointState', 'demo', 'http://a:1', 'drain', { deadlineMs: 30_000 }],
  );
  t.strictSame(await sent('POST', `${service}/versions/v2/metrics`, { task_success_rate: 0.99 }), [
    'pushMetrics',
    'demo',
    'v2',
    { task_success_rate: 0.99 },
  ]);
  for (const [value, percent] of [
    [true, 100],
    [false, 0],
    [12.5, 12.5],
    ['12.5%', 12.5],
    [1, 1],
  ] as const) {
    t.strictSame(await sent('PUT', '/v1/flags/new-checkout', { value, reason: 'r' }), [
      'setFlag',
      'new-checkout',
      percent,
      { reason: 'r' },
    ]);
  }
  t.strictSame(await sent('DELETE', '/v1/flags/new-checkout', undefined), ['resetFlag', 'new-checkout', {}]);
  t.strictSame(await sent('POST', '/v1/config/reload', undefined), ['reload', {}]);
  t.strictSame(await sent('POST', '/v1/drain', { reason: 'new machine' }), ['drain', { reason: 'new machine' }]);
});

t.test('a version is 201 when it is new', async (t) => {
  const body = { endpoints: ['http://a:1'] };
  t.equal((await stage.send('PUT', '/api/v1/services/demo/versions/v3', { body })).status, 201);
  t.equal((await stage.send('PUT', '/api/v1/services/demo/versions/v2', { body })).status, 200);
});

t.test('a configuration is checked from disk, as YAML or within JSON', async (t) => {
  const path = '/api/v1/config/validate';
  const text = `${'# comment\n'.repeat(90_000)}services: {}\n`;
  const given = (): unknown => stage.operations.last?.args[0];
  t.equal((await stage.send('POST', path)).status, 200);
  t.equal(given(), null);
  for (const type of ['application/yaml', 'text/yaml; charset=utf-8']) {
    t.equal((await stage.send('POST', path, { body: text, headers: { 'content-type': type } })).status, 200, type);
    t.equal(given(), text);
  }
  t.equal((await stage.send('POST', path, { body: { text } })).status, 200);
  t.equal(given(), text);
  const body = 'x'.repeat(1_048_577);
  t.equal((await stage.send('POST', path, { body, headers: { 'content-type': 'text/yaml' } })).status, 413);
  const faults = [{ field: 'services', message: 'is empty', file: 'sluice.yaml', line: 3, column: 1 }];
  stage.operations.failure = new OperationError('config_invalid', 'sluice.yaml:3:1: services is empty', faults);
  const refused = await stage.send('POST', path);
  t.equal(refused.status, 422);
  t.strictSame(refused.json.errors, faults);
});

t.test('entity tags of the weights', async (t) => {
  const path = '/api/v1/services/demo/weights';
  const put = (match: string) => stage.send('PUT', path, { body: { v1: 100 }, headers: { 'if-match': match } });
  stage.operations.etag = 'abc';
  const seen = await stage.get(path);
  t.equal(seen.headers.etag, '"abc"');
  t.equal(seen.json.etag, 'abc');
  for (const known of ['"abc"', 'W/"abc"', '"x", "abc"', '*']) {
    const again = await stage.get(path, { 'if-none-match': known });
    t.strictSame([again.status, again.text, again.headers.etag], [304, '', '"abc"'], known);
  }
  t.equal((await stage.get(path, { 'if-none-match': '"x"' })).status, 200);

  const done = await put('"x", "abc"');
  t.equal(done.headers.etag, '"abc"');
  t.strictSame(stage.operations.last?.args.at(-1), { ifMatch: 'abc' });
  await put('*');
  t.strictSame(stage.operations.last?.args.at(-1), {});

  const changes = stage.operations.noted.length;
  for (const other of ['"x"', 'W/"abc"']) {
    const refused = await put(other);
    t.equal(refused.status, 412, other);
    t.equal(refused.json.code, 'changed_meanwhile');
    t.strictSame(refused.json.present.weights, { v1: 90, v2: 10 }, 'the present weights are told');
    t.equal(refused.headers.etag, '"abc"');
  }
  t.equal((await put('abc')).status, 400, 'a tag has quotes');
  t.equal(stage.operations.noted.length, changes, 'nothing was changed');

  stage.operations.failure = new OperationError('changed_meanwhile', 'The control plane found it out.');
  const raced = await put('"abc"');
  t.equal(raced.status, 412);
  t.equal(raced.json.present.etag, 'abc');

  const headers = { 'if-match': '"x"' };
  for (const [method, address, body] of [
    ['DELETE', path, undefined],
    ['PUT', '/api/v1/services/demo/lanes', { canary: 'v2' }],
    ['POST', '/api/v1/services/demo/rollback', { reason: 'r' }],
    ['POST', '/api/traffic-weights', { v1: 1 }],
    ['PUT', '/api/v1/services/demo/versions/v3', { endpoints: ['http://a:1'] }],
    ['DELETE', '/api/v1/services/demo/versions/v3', undefined],
  ] as const) {
    t.equal((await stage.send(method, address, { body, headers })).status, 412, address);
  }
  const flag = await stage.send('PUT', '/api/v1/flags/new-checkout', { body: { value: true }, headers });
  t.equal(flag.status, 400, 'a condition that is not looked at is refused');
});

t.test('readiness', async (t) => {
  const ready = async () => {
    const { status, json } = await stage.get('/readyz');
    return [status, json.ready, json.reasons.length, json.notes.length];
  };
  t.strictSame(await ready(), [200, true, 0, 0]);
  stage.operations.trouble = { kind: 'full', message: 'no space', since: '2026-01-01T12:00:00.000Z' };
  t.strictSame(await ready(), [200, true, 0, 1], 'traffic goes on without a store');
  stage.operations.trouble = null;
  for (const state of ['starting', 'draining'] as const) {
    stage.operations.state = state;
    t.strictSame(await ready(), [503, false, 1, 0], state);
  }
  t.equal((await stage.get('/healthz')).status, 200);
  stage.operations.state = 'serving';
});

t.test('metrics are told what the scraper accepts', async (t) => {
  const reply = await stage.get('/metrics', { accept: 'application/openmetrics-text' });
  t.match(reply.headers['content-type'], 'version=0.0.4');
  t.equal(reply.text, 'sluice_up 1\n');
  t.equal(stage.accepts.at(-1), 'application/openmetrics-text');
});

t.test('audit and history', async (t) => {
  const page = await stage.get('/api/v1/audit?since=3&limit=1&actor=ci&action=a&target=b&newest=false');
  t.strictSame(stage.store.queries.at(-1), {
    since: 3,
    limit: 1,
    actor: 'ci',
    action: 'a',
    target: 'b',
    newest: false,
  });
  t.equal(page.json.next, 12, 'a full page has another behind it');
  t.equal((await stage.get('/api/v1/audit')).json.next, null);
  const before = stage.store.verifications;
  const verdicts = await Promise.all([1, 2, 3].map(() => stage.get('/api/v1/audit/verify')));
  t.ok(verdicts.every(({ json }) => json.ok));
  t.ok(stage.store.verifications - before <= 3);

  const noon = Date.parse('2026-01-01T12:00:00Z');
  const since = async (query: string): Promise<number> =>
    (await stage.get(`/api/v1/history?service=demo&version=v1${query}`)).json.points[0].at - 1;
  t.equal(await since(''), noon - 3_600_000);
  t.equal(await since('&since=15m'), noon - 900_000);
  t.equal(await since('&since=2026-01-01T11:00:00Z'), noon - 3_600_000);
  t.equal((await stage.get('/api/v1/history?service=demo')).json.points.length, 2, 'of every version');
  t.equal((await stage.get('/api/v1/history?service=demo&since=yesterday')).status, 400);
  t.equal((await stage.get('/api/v1/history?service=dmo')).status, 404);
});

t.test('HEAD has the head of GET', async (t) => {
  const reply = await stage.send('HEAD', '/api/v1/status');
  t.strictSame([reply.status, reply.text], [200, '']);
  t.equal((await stage.send('HEAD', '/api/v1/events')).status, 405, 'a stream without end has no length');
});
