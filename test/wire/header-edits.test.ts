/** What routes change about headers, on the way to the service and back, and what they may not change. */
import t, { type Test } from 'tap';
import { ConfigError } from '../../src/control/config/faults.ts';
import { answering, OK, response } from '../kit/behaviours.ts';
import { value, values } from '../kit/message.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { startProxy, type TestProxy } from '../kit/proxy.ts';
import { type Behaviour, RawUpstream } from '../kit/raw-upstream.ts';
import { ask, get, snapshotOf } from '../kit/who-answers.ts';

expectNoSockets(t);

type Part = Readonly<Record<string, unknown>>;

async function startEditing(t: Test, route: Part, behaviour: Behaviour = answering(), config: Part = {}) {
  const upstream = await RawUpstream.start(t, behaviour);
  const routes = [{ match: {}, service: 'web', ...route }];
  return { upstream, proxy: await startProxy(t, { upstream, config: { routes, ...config } }) };
}

const EDITS = {
  set: { 'X-Set': 'new', 'X-Fresh': 'fresh', 'Cache-Control': 'no-store' },
  add: { 'X-Added': ['one', 'two'], 'X-Set': 'more' },
  remove: ['X-Gone', 'x-absent', 'Set-Cookie', 'X-Added'],
};

t.test('requests: remove, then set, then add', async (t) => {
  const { upstream, proxy } = await startEditing(t, {
    requestHeaders: { ...EDITS, remove: ['X-Gone', 'Cookie', 'Authorization', 'X-Added'] },
  });
  await ask(proxy, [
    get(
      '/',
      'x-set: old',
      'X-SET: older',
      'X-Gone: 1',
      'X-Kept: a',
      'x-gone: 2',
      'Cookie: a=1',
      'Cookie: b=2',
      'X-Added: old',
    ),
    get('/', 'Authorization: Basic x', 'Cache-Control: max-age=1', 'X-Gone-Not: 1'),
  ]);
  const [first, second] = upstream.requests;
  t.strictSame(values(first!, 'x-set'), ['new', 'more']);
  t.strictSame(values(first!, 'x-fresh'), ['fresh']);
  t.strictSame(values(first!, 'x-added'), ['one', 'two']);
  t.equal(value(first!, 'x-kept'), 'a');
  for (const gone of ['x-gone', 'cookie']) t.equal(value(first!, gone), null, gone);
  t.equal(value(second!, 'authorization'), null);
  t.equal(value(second!, 'cache-control'), 'no-store');
  t.equal(value(second!, 'x-gone-not'), '1');
  t.equal(value(second!, 'host'), 'shop.example.com');
});

t.test('what is edited is still read: by predicates, overrides, keys', async (t) => {
  const upstream = await RawUpstream.start(t, answering(response(200, 'v1')));
  const canary = await RawUpstream.start(t, answering(response(200, 'v2')));
  const service = {
    versions: { v1: { endpoints: [upstream.url] }, v2: { endpoints: [canary.url] } },
    lanes: { stable: 'v1', canary: 'v2' },
    override: { header: 'X-Canary', cookie: 'canary' },
  };
  const routes = [
    {
      match: { headers: { 'X-Beta': '1' } },
      service: 'web',
      requestHeaders: { set: { 'X-Beta': '2' }, remove: ['X-Canary', 'Cookie'] },
    },
  ];
  const proxy = await startProxy(t, { upstream: [], service, config: { routes } });
  const answers = await ask(proxy, [
    get('/', 'X-Beta: 1', 'X-Canary: canary'),
    get('/', 'X-Beta: 1', 'Cookie: canary=v2'),
    get('/', 'X-Beta: 2'),
  ]);
  t.strictSame(
    answers.map((answer) => [answer.status, answer.body.slice(0, 2)]),
    [
      [200, 'v2'],
      [200, 'v2'],
      [404, 'sl'],
    ],
  );
  for (const request of canary.requests) {
    t.equal(value(request, 'x-beta'), '2');
    t.equal(value(request, 'x-canary'), null);
    t.equal(value(request, 'cookie'), null);
  }
});

t.test('forwarding fields: X-Forwarded-* of others can be set and removed, those of Sluice are its own', async (t) => {
  const requestHeaders = {
    set: { 'X-Forwarded-Prefix': '/shop' },
    add: { 'X-Forwarded-Port': '8080' },
    remove: ['X-Forwarded-User', 'X-Real-IP'],
  };
  for (const trustedProxies of [[], ['127.0.0.1']]) {
    const { upstream, proxy } = await startEditing(t, { requestHeaders }, answering(), { trustedProxies });
    await ask(proxy, [
      get('/', 'X-Forwarded-User: root', 'X-Forwarded-Prefix: /forged', 'X-Real-IP: 10.0.0.1', 'X-Forwarded-Team: a'),
    ]);
    const [request] = upstream.requests;
    t.strictSame(values(request!, 'x-forwarded-prefix'), ['/shop']);
    t.strictSame(values(request!, 'x-forwarded-port'), ['8080']);
    t.equal(value(request!, 'x-forwarded-user'), null);
    t.equal(value(request!, 'x-real-ip'), null);
    t.equal(value(request!, 'x-forwarded-for'), '127.0.0.1');
    t.equal(value(request!, 'x-forwarded-team'), trustedProxies.length > 0 ? 'a' : null, 'a claim');
  }
});

t.test('naming X-Forwarded-* in the configuration does not make strangers believed', async (t) => {
  const upstream = await RawUpstream.start(t, answering());
  const key = (name: string) => ({ header: `X-Forwarded-${name}` });
  const service = {
    versions: { v1: { endpoints: [upstream.url] } },
    override: key('Override'),
    affinity: key('Session'),
    split: { strategy: 'hash', key: key('Split'), weights: { v1: 100 } },
    balance: { policy: 'maglev', key: key('Balance') },
    experiments: [{ name: 'a', key: key('Experiment'), weights: { v1: 100 } }],
    rateLimit: { rate: 1000, key: key('Rate') },
  };
  const match = { headers: { 'X-Forwarded-Match': { present: false } } };
  const fault = { ...key('Fault'), abort: { status: 503 } };
  const routes = [{ match, service: 'web', fault, rateLimit: { rate: 1000, key: key('Route-Rate') } }];
  const names = 'Override Session Split Balance Experiment Rate Match Fault Route-Rate'.split(' ');
  const proxy = await startProxy(t, { upstream: [], service, config: { routes } });
  const [answer] = await ask(proxy, [get('/', ...names.map((name) => `X-Forwarded-${name}: forged`))]);
  t.equal(answer!.status, 200, 'nor does a claim call for a fault');
  for (const name of names) {
    const field = `x-forwarded-${name.toLowerCase()}`;
    for (const request of upstream.requests) t.equal(value(request, field), null, field);
  }
});

t.test('responses: remove, then set, then add, however the answer is framed', async (t) => {
  const fields = { 'x-set': 'old', 'X-Gone': '1', 'Set-Cookie': 'a=1', 'X-Kept': 'a', 'X-Added': 'old' };
  const lines = Object.entries(fields).map(([name, text]) => `${name}: ${text}\r\n`);
  const head = lines.join('');
  const answers: [what: string, method: string, text: string, status: number, body: string][] = [
    ['with a length', 'GET', response(200, 'body', fields), 200, 'body'],
    ['without a body', 'GET', `HTTP/1.1 204 None\r\n${head}\r\n`, 204, ''],
    ['not modified', 'GET', `HTTP/1.1 304 Same\r\n${head}ETag: "x"\r\nContent-Length: 10\r\n\r\n`, 304, ''],
    ['to HEAD', 'HEAD', `HTTP/1.1 200 OK\r\n${head}Content-Length: 10\r\n\r\n`, 200, ''],
    [
      'chunked',
      'GET',
      `HTTP/1.1 200 OK\r\n${head}Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n`,
      200,
      'body',
    ],
    ['an error', 'GET', response(500, 'body', fields), 500, 'body'],
    ['until the end', 'GET', `HTTP/1.1 200 OK\r\n${head}Connection: close\r\n\r\nbody`, 200, 'body'],
  ];
  for (const [what, method, text, status, body] of answers) {
    await t.test(what, async (t) => {
      const { proxy } = await startEditing(t, { responseHeaders: EDITS }, async (connection) => {
        await connection.request();
        connection.write(text);
        if (what === 'until the end') connection.fin();
      });
      const [answer] = await ask(proxy, [get().replace('GET', method)]);
      t.strictSame([answer!.status, answer!.body], [status, body]);
      t.strictSame(values(answer!, 'x-set'), ['new', 'more']);
      t.strictSame(values(answer!, 'x-added'), ['one', 'two']);
      t.strictSame(values(answer!, 'cache-control'), ['no-store']);
      for (const gone of ['x-gone', 'set-cookie']) t.equal(value(answer!, gone), null, gone);
      t.equal(value(answer!, 'x-kept'), 'a');
      t.match(value(answer!, 'via'), /sluice/);
      t.ok(value(answer!, 'date'));
      t.equal(value(answer!, 'x-fresh'), 'fresh');
    });
  }
});

t.test('the version and the date stay, whatever is edited besides', async (t) => {
  const upstream = await RawUpstream.start(t, answering(response(200, 'ok', { Date: 'yesterday', Via: '1.1 inner' })));
  const routes = [{ match: {}, service: 'web', responseHeaders: EDITS }];
  const proxy = await startProxy(t, { upstream, service: { exposeVersion: true }, config: { routes } });
  const [answer] = await ask(proxy, [get()]);
  t.strictSame(values(answer!, 'x-sluice-version'), ['v1']);
  t.strictSame(values(answer!, 'date'), ['yesterday']);
  t.strictSame(values(answer!, 'via'), ['1.1 inner', '1.1 sluice']);
});

t.test('the cookie of a session is not one of the headers that the service sent', async (t) => {
  const upstream = await RawUpstream.start(t, answering(response(200, 'ok', { 'Set-Cookie': 'a=1' })));
  const routes = [
    { match: {}, service: 'web', responseHeaders: { remove: ['Set-Cookie'], add: { 'Set-Cookie': 'b=2' } } },
  ];
  const proxy = await startProxy(t, { upstream, service: { affinity: { cookie: 'sid' } }, config: { routes } });
  const [answer] = await ask(proxy, [get()]);
  const cookies = values(answer!, 'set-cookie');
  t.equal(cookies.length, 2);
  t.match(cookies[0], /^sid=/);
  t.equal(cookies[1], 'b=2');
});

t.test('an upgrade is an answer like any other', async (t) => {
  const { proxy } = await startEditing(t, { responseHeaders: EDITS }, async (connection) => {
    await connection.request();
    connection.write('HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: echo\r\nX-Gone: 1\r\n\r\n');
  });
  const [answer] = await ask(proxy, [get('/', 'Connection: upgrade', 'Upgrade: echo')]);
  t.equal(answer!.status, 101);
  t.equal(value(answer!, 'x-gone'), null);
  t.strictSame(values(answer!, 'x-set'), ['new', 'more']);
  t.match(value(answer!, 'upgrade'), 'echo');
});

t.test('routes edit for themselves only', async (t) => {
  const upstream = await RawUpstream.start(t, answering(response(200, 'ok', { Server: 'inner' })));
  const routes = [
    {
      match: { pathPrefix: '/a' },
      service: 'web',
      requestHeaders: { set: { 'X-Route': 'a' } },
      responseHeaders: { remove: ['Server'] },
    },
    {
      match: { pathPrefix: '/b' },
      service: 'web',
      requestHeaders: { add: { 'X-Route': 'b' } },
      responseHeaders: { set: { Server: 'b' } },
    },
    { match: {}, service: 'web' },
  ];
  const proxy = await startProxy(t, { upstream, config: { routes } });
  const answers = await ask(
    proxy,
    ['/a', '/b', '/c', '/a', '/c'].map((path) => get(path, 'X-Route: own')),
  );
  t.strictSame(
    answers.map((answer) => value(answer, 'server')),
    [null, 'b', 'inner', null, 'inner'],
  );
  t.strictSame(
    upstream.requests.map((request) => value(request, 'x-route')),
    ['a', 'own | b', 'own', 'a', 'own'],
  );
});

t.test('what frames a message, belongs to its connection or is written by Sluice cannot be edited', async (t) => {
  const refused = (part: Part): boolean => {
    try {
      snapshotOf({ upstream: ['http://127.0.0.1:1'], config: { routes: [{ match: {}, service: 'web', ...part }] } }, 1);
      return false;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return true;
    }
  };
  const both = [
    'Connection',
    'content-length',
    'Transfer-Encoding',
    'TE',
    'Trailer',
    'Upgrade',
    'Keep-Alive',
    'Expect',
    'Via',
  ];
  const own = {
    requestHeaders: [
      'Host',
      'X-Forwarded-For',
      'X-Forwarded-Host',
      'X-Forwarded-Proto',
      'Forwarded',
      'X-Request-Id',
      'traceparent',
    ],
    responseHeaders: ['Date', 'x-sluice-version'],
  };
  for (const side of ['requestHeaders', 'responseHeaders'] as const) {
    for (const name of both.concat(own[side])) {
      t.ok(refused({ [side]: { remove: [name] } }), `${side}: remove ${name}`);
      t.ok(refused({ [side]: { set: { [name]: 'a' } } }), `${side}: set ${name}`);
      t.ok(refused({ [side]: { add: { [name]: 'a' } } }), `${side}: add ${name}`);
    }
    for (const name of ['X-Real-IP', 'Server', 'Content-Type', 'Cookie']) {
      t.notOk(refused({ [side]: { remove: [name], set: { [name]: 'a' } } }), `${side}: ${name} is free`);
    }
    t.ok(refused({ [side]: { set: { 'X-A': 'a\r\nX-B: b' } } }), 'no second line');
  }
});

t.test('a keep-alive connection carries edited and unedited messages', async (t) => {
  const { upstream, proxy } = await startEditing(
    t,
    {
      match: { pathPrefix: '/edit' },
      requestHeaders: { remove: ['X-A'] },
      responseHeaders: { remove: ['X-B'] },
    },
    answering(response(200, 'ok', { 'X-B': '1', 'X-C': '2' })),
  );
  const answers = await repeated(proxy, 30);
  t.ok(answers.every((answer) => value(answer, 'x-b') === null && value(answer, 'x-c') === '2'));
  t.ok(upstream.requests.every((request) => value(request, 'x-a') === null && value(request, 'x-d') === '4'));
  t.equal(upstream.connections.length, 1);
});

const repeated = (proxy: TestProxy, count: number) =>
  ask(
    proxy,
    Array.from({ length: count }, (_, i) => get(`/edit/${i}`, 'X-A: 1', 'X-D: 4')),
  );

t.test('a client may not have the fields of a route taken off as those of its connection', async (t) => {
  const { upstream, proxy } = await startEditing(
    t,
    { requestHeaders: { set: { 'X-User': 'checked' } } },
    answering(OK),
  );
  const [answer] = await ask(proxy, [get('/', 'Connection: close, X-User', 'X-User: forged')]);
  if (answer!.status === 200) t.strictSame(values(upstream.requests[0]!, 'x-user'), ['checked']);
  else t.equal(answer!.status, 400);
});
