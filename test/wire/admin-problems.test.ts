import net from 'node:net';
import t from 'tap';
import { OperationError } from '../../src/control/problems.ts';
import { StoreError } from '../../src/control/store/store.ts';
import { AdminStage } from './admin-stage.ts';

const stage = await AdminStage.open();
t.teardown(() => stage.server.close(1_000));

const WEIGHTS = '/api/v1/services/demo/weights';

t.test('faults of path, query and body come together and say how to mend them', async (t) => {
  const cases: [method: string, path: string, body: unknown, expected: Record<string, string>][] = [
    [
      'PUT',
      WEIGHTS,
      { stable: '90', canary: 101 },
      {
        '/stable': 'must be a percentage from 0 to 100, not "90"',
        '/canary': 'must be a percentage from 0 to 100, not 101',
      },
    ],
    ['PUT', WEIGHTS, {}, { '': 'is empty; add at least one entry' }],
    ['PUT', WEIGHTS, [1], { '': 'must be an object of names and numbers, not a list' }],
    ['PUT', WEIGHTS, null, { '': 'must be an object of names and numbers, not null' }],
    ['PUT', WEIGHTS, undefined, { '': 'the body is missing; send JSON' }],
    ['PUT', WEIGHTS, { 'a/b': 1 }, { '/a~1b': 'must be the name of a version or a lane' }],
    ['PUT', `${WEIGHTS}?raeson=x`, { v1: 100 }, { 'query:raeson': 'is unknown; did you mean reason?' }],
    ['DELETE', WEIGHTS, { v1: 1 }, { '': 'this call takes no body; leave it out' }],
    ['GET', '/api/v1/services/de%20mo', undefined, { 'path:service': 'must be the name of a service, not "de mo"' }],
    [
      'POST',
      '/api/v1/services/de%20mo/rollback?x=1',
      { mode: 'gradul', evry: 1 },
      {
        'path:service': 'must be the name of a service, not "de mo"',
        'query:x': 'is unknown; known: reason',
        '/reason': 'is missing; add it',
        '/mode': 'must be one of immediate, gradual, not "gradul"; did you mean gradual?',
        '/evry': 'is unknown; did you mean every?',
      },
    ],
    [
      'POST',
      '/api/v1/services/demo/rollback',
      { reason: 'r', by: 10 },
      {
        '/by': 'is for "mode": "gradual"; add that, or leave this out',
      },
    ],
    [
      'POST',
      '/api/v1/services/demo/rollback',
      { reason: 'r', mode: 'gradual', every: 30 },
      {
        '/every': 'must be a duration such as 250ms, 30s, 5m or 1h, not 30',
      },
    ],
    [
      'PUT',
      '/api/v1/services/demo/endpoints/state',
      { url: 'http://a:1', state: 'disabled', deadline: '1s' },
      {
        '/deadline': 'is for "state": "drain"; leave it out',
      },
    ],
    [
      'PUT',
      '/api/v1/services/demo/versions/v3',
      { endpoints: [{ url: 'http://a:1', wieght: 2 }, 'ftp://x', { weight: 0 }] },
      {
        '/endpoints/0/wieght': 'is unknown; did you mean weight?',
        '/endpoints/1': 'must be a URL, or an object with one, not "ftp://x"',
        '/endpoints/2/url': 'is missing; add it',
        '/endpoints/2/weight': 'must be a whole number from 1 to 1000, not 0',
      },
    ],
    [
      'POST',
      '/api/v1/services/demo/versions/v2/metrics',
      { 'Task-Rate': 1, x: 'y' },
      {
        '/Task-Rate': 'must be a name of 1 to 63 lower-case letters, digits or "_", the first a letter',
        '/x': 'must be a number, not "y"',
      },
    ],
    [
      'PUT',
      '/api/v1/flags/new-checkout',
      { value: 'on' },
      {
        '/value': 'must be true, false or a percentage from 0 to 100, such as 12.5 or "12.5%", not "on"',
      },
    ],
    [
      'PUT',
      '/api/v1/flags/new-checkout',
      { value: 12.345 },
      { '/value': 'must be a percentage with at most two decimals' },
    ],
    [
      'GET',
      '/api/v1/audit?limit=many&newest=yes',
      undefined,
      {
        'query:limit': 'must be a number from 1 to 1000, not "many"',
        'query:newest': 'must be true or false, not "yes"',
      },
    ],
    [
      'GET',
      '/api/v1/audit?limit=1&limit=2',
      undefined,
      { 'query:limit': 'must be a number from 1 to 1000, not a list' },
    ],
    ['GET', '/api/v1/events?types=alrt', undefined, { 'query:types': 'no event type "alrt"; did you mean alert?' }],
  ];
  for (const [method, path, body, expected] of cases) {
    const reply = await stage.send(method, path, { body });
    t.equal(reply.status, 400, `${method} ${path} ${JSON.stringify(body)}`);
    const errors = Object.fromEntries(
      reply.json.errors.map((e: { field: string; message: string }) => [e.field, e.message]),
    );
    t.strictSame(Object.entries(errors).sort(), Object.entries(expected).sort(), path);
  }
  t.equal(stage.operations.noted.length, 0, 'nothing was changed');
});

t.test('a problem has the shape of RFC 9457', async (t) => {
  const reply = await stage.get('/api/v1/services/dmo', { 'x-request-id': 'r-1' });
  t.equal(reply.headers['content-type'], 'application/problem+json; charset=utf-8');
  t.strictSame(reply.json, {
    type: '/docs/problems#not_found',
    title: 'There is no such thing',
    status: 404,
    detail: 'There is no service dmo; did you mean demo?',
    instance: 'r-1',
    code: 'not_found',
    errors: [],
  });
  t.equal(reply.headers['x-request-id'], 'r-1');
  t.match((await stage.get('/docs/problems')).text, /id="not_found"/, 'and its type leads somewhere');
});

t.test('what fastify and HTTP refuse is a problem too', async (t) => {
  const json = { 'content-type': 'application/json' };
  const cases: [
    what: string,
    method: string,
    path: string,
    sent: Parameters<typeof stage.send>[2],
    status: number,
    code: string,
    detail: RegExp,
  ][] = [
    ['unknown address', 'GET', '/api/v2', {}, 404, 'not_found', /\/api\/v2/],
    ['long name', 'GET', `/api/v1/services/${'x'.repeat(300)}`, {}, 404, 'not_found', /longer/],
    ['other method', 'POST', WEIGHTS, { body: {} }, 405, 'not_allowed', /GET, HEAD, PUT, DELETE, OPTIONS/],
    ['odd method', 'PATCH', '/healthz', {}, 405, 'not_allowed', /GET/],
    [
      'large body',
      'PUT',
      WEIGHTS,
      { body: JSON.stringify({ a: 'x'.repeat(20_000) }), headers: json },
      413,
      'too_large',
      /larger/,
    ],
    [
      'text',
      'PUT',
      WEIGHTS,
      { body: '{"v1":100}', headers: { 'content-type': 'text/plain' } },
      415,
      'unsupported_media_type',
      /JSON/,
    ],
    [
      'form',
      'POST',
      '/api/traffic-weights',
      { body: 'v1=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'unsupported_media_type',
      /JSON/,
    ],
    ['no type', 'PUT', WEIGHTS, { body: '{"v1":100}' }, 415, 'unsupported_media_type', /JSON/],
    [
      'YAML elsewhere',
      'PUT',
      WEIGHTS,
      { body: 'v1: 100', headers: { 'content-type': 'application/yaml' } },
      415,
      'unsupported_media_type',
      /JSON/,
    ],
    ['bad JSON', 'PUT', WEIGHTS, { body: '{"v1":100,}', headers: json }, 400, 'invalid_request', /line 1 column 11/],
    ['half JSON', 'PUT', WEIGHTS, { body: '{"v1":', headers: json }, 400, 'invalid_request', /line 1 column 7/],
    [
      'a key twice',
      'PUT',
      WEIGHTS,
      { body: '{"v1":1,"v1":2}', headers: json },
      400,
      'invalid_request',
      /"v1" is given twice/,
    ],
    ['bad escape', 'GET', '/%zz', {}, 400, 'invalid_request', /%/],
  ];
  for (const [what, method, path, sent, status, code, detail] of cases) {
    const reply = await stage.send(method, path, sent);
    t.strictSame([reply.status, reply.json?.code], [status, code], what);
    t.match(reply.json?.detail, detail, what);
    t.ok(reply.headers['x-request-id'], what);
    t.equal(reply.headers['x-content-type-options'], 'nosniff', what);
    t.equal(reply.headers['cache-control'], 'no-store', what);
  }
  const allow = (await stage.send('POST', WEIGHTS)).headers.allow;
  t.equal(allow, 'GET, HEAD, PUT, DELETE, OPTIONS');
  t.strictSame(
    [(await stage.send('OPTIONS', WEIGHTS)).status, (await stage.send('OPTIONS', '/nope')).status],
    [204, 404],
  );
});

t.test('failures of the store, and what nobody expected', async (t) => {
  const change = () => stage.send('PUT', WEIGHTS, { body: { v1: 100 }, headers: { 'x-request-id': 'r-2' } });
  const fails = async (failure: Error) => {
    stage.operations.failure = failure;
    const { status, json, headers } = await change();
    return [status, json.code, headers['retry-after']];
  };
  t.strictSame(await fails(new StoreError('full', 'disk full')), [507, 'store_full', '5']);
  t.strictSame(await fails(new StoreError('unavailable', 'read-only')), [503, 'store_unavailable', '5']);
  t.strictSame(await fails(new StoreError('conflict', 'again')), [409, 'conflict', undefined]);
  t.strictSame(await fails(new OperationError('not_acknowledged', 'one did not', [], 2)), [
    503,
    'not_acknowledged',
    '2',
  ]);

  stage.operations.failure = new TypeError('secret detail');
  const reply = await change();
  t.equal(reply.status, 500);
  t.equal(reply.json.code, 'internal');
  t.notMatch(reply.text, /secret|at .*\.ts/, 'a client learns nothing of it');
  const line = stage.lines.find(({ event }) => event === 'admin_fault');
  t.match(line?.fields, { requestId: 'r-2', message: 'secret detail', stack: /TypeError/ });
});

t.test('every change is logged in one line, reading is not', async (t) => {
  stage.lines.length = 0;
  await stage.get('/api/v1/status');
  await stage.send('POST', '/api/v1/services/demo/versions/v2/metrics', { body: { a: 1 } });
  await stage.send('PUT', `${WEIGHTS}?reason=x`, { body: { v1: 100 }, headers: { 'x-request-id': 'r-3' } });
  await stage.send('PUT', WEIGHTS, { body: { v1: 'x' } });
  t.match(stage.lines, [
    {
      level: 'info',
      event: 'admin_call',
      fields: { actor: 'local', action: 'setWeights', target: WEIGHTS, status: 200, ms: 0, requestId: 'r-3' },
    },
    { fields: { action: 'setWeights', status: 400 } },
  ]);
  t.equal(stage.lines.length, 2);
});

function rawAnswer(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(stage.port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      answer += chunk;
      if (/\r\n\r\n[\s\S]*}\n?$/.test(answer)) socket.destroy();
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

t.test('what is no HTTP is answered as well', async (t) => {
  t.match(
    await rawAnswer('nonsense\r\n\r\n'),
    /^HTTP\/1.1 400 [\s\S]*application\/problem\+json[\s\S]*"type":"about:blank"/,
  );
  t.match(await rawAnswer(`GET / HTTP/1.1\r\nHost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1.1 431 /);
  t.match(await rawAnswer('GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'), /^HTTP\/1.1 40[04] /);
  t.match(await rawAnswer('GET /healthz HTTP/1.0\r\n\r\n'), /^HTTP\/1.1 421 /, 'no Host at all');
  t.match(await rawAnswer('GET /healthz HTTP/1.1\r\nHost: a\r\nHost: localhost\r\n\r\n'), /^HTTP\/1.1 400 /);
});
