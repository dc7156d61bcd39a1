/** Feature flags: who has one, which route that leads to, what the upstream is told, and who cannot tell it anything. */
import t, { type Test } from 'tap';
import { answering, response } from '../kit/behaviours.ts';
import { value, values } from '../kit/message.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { startProxy, type TestProxy } from '../kit/proxy.ts';
import { RawUpstream } from '../kit/raw-upstream.ts';
import { chunked } from '../kit/requests.ts';
import { ask, get, snapshotOf, startNamed, tally, whoAnswers } from '../kit/who-answers.ts';

expectNoSockets(t);

type Part = Readonly<Record<string, unknown>>;
type Upstreams = Readonly<Record<'v1' | 'v2', RawUpstream>>;

const KEY = { header: 'X-User' };
const USERS = Array.from({ length: 400 }, (_, i) => `user-${i}`);
const requests = USERS.map((user) => get('/', `X-User: ${user}`));

/** Users who have the flag `new` go to v2. */
const TO_V2 = [
  { match: { flags: { new: 'on' } }, service: 'web', version: 'v2' },
  { match: {}, service: 'web' },
];

function options({ v1, v2 }: Upstreams, config: Part, service: Part = {}) {
  const versions = { v1: { endpoints: [v1.url] }, v2: { endpoints: [v2.url] } };
  return { upstream: [], service: { versions, lanes: { stable: 'v1', canary: 'v2' }, ...service }, config };
}

async function start(t: Test, config: Part, service: Part = {}) {
  const upstreams = await startNamed(t, 'v1', 'v2');
  return { ...upstreams, proxy: await startProxy(t, options(upstreams, config, service)) };
}

/** One service with one version, and the flag fields that it has been told, request by request. */
async function startTold(t: Test, config: Part, behaviour = answering()) {
  const upstream = await RawUpstream.start(t, behaviour);
  const proxy = await startProxy(t, { upstream, config });
  const told = (name = 'x-new') => upstream.requests.map((request) => value(request, name));
  return { upstream, proxy, told };
}

const sharesOf = async (proxy: TestProxy): Promise<number> => tally(await whoAnswers(proxy, requests)).v2 ?? 0;

t.test('a share of the users, always the same, and it only grows', async (t) => {
  const upstreams = await startNamed(t, 'v1', 'v2');
  const at = (share: unknown) => options(upstreams, { flags: { new: { default: share, key: KEY } }, routes: TO_V2 });
  const proxy = await startProxy(t, at('off'));
  const other = await startProxy(t, at('25%'));
  let before: string[] = USERS.map(() => 'v1');
  let generation = 1;
  for (const share of [0, 5, 25, 90]) {
    proxy.plane.apply(snapshotOf(at(share), ++generation));
    const got = await whoAnswers(proxy, requests);
    const p = share / 100;
    const has = tally(got).v2 ?? 0;
    t.ok(Math.abs(has - 400 * p) <= 4 * Math.sqrt(400 * p * (1 - p)), `${share} %: ${has} of 400`);
    const lost = got.filter((name, i) => name === 'v1' && before[i] === 'v2').length;
    t.equal(lost, 0, `${share} % takes the flag from nobody`);
    if (share === 25) t.strictSame(await whoAnswers(other, requests), got, 'another worker agrees');
    before = got;
  }
});

t.test('flags, on and off, all of them, before plainer routes', async (t) => {
  const flags = { a: 'on', b: 'off' };
  const reply = (body: string, match: Part) => ({ match, reply: { body } });
  const { proxy } = await startTold(t, {
    flags,
    routes: [
      { match: {}, service: 'web' },
      reply('plain', { path: '/a' }),
      reply('a on', { path: '/a', flags: { a: true } }),
      reply('a and not b', { path: '/ab', flags: { a: 'on', b: 'off' } }),
      reply('a', { path: '/ab', flags: { a: 'on' } }),
      reply('never', { path: '/ab', flags: { a: 'on', b: 'on' }, headers: { 'X-B': '1' } }),
      reply('header', { path: '/h', headers: { 'X-B': '1' } }),
      reply('header and flag', { path: '/h', headers: { 'X-B': '1' }, flags: { b: 'off' } }),
      reply('two flags', { path: '/two', flags: { a: 'on', b: 'off' } }),
      reply('one header', { path: '/two', headers: { 'X-B': '1' } }),
    ],
  });
  const bodies = (
    await ask(
      proxy,
      ['/a', '/ab', '/h', '/two'].map((path) => get(path, 'X-B: 1')),
    )
  ).map((answer) => answer.body);
  t.strictSame(bodies, ['a on', 'a and not b', 'header and flag', 'two flags']);
});

t.test('redirects by flag', async (t) => {
  const { proxy, upstream } = await startTold(t, {
    flags: { moved: 'on' },
    routes: [
      { match: { flags: { moved: 'on' } }, redirect: { path: '/new' } },
      { match: {}, service: 'web' },
    ],
  });
  const [answer] = await ask(proxy, [get('/')]);
  t.equal(answer!.status, 302);
  t.equal(upstream.requests.length, 0);
});

t.test('the upstream is told in headers, every request, the same that routes see', async (t) => {
  const flags = {
    new: { default: '50%', key: KEY, header: 'X-New' },
    always: { default: 'on', header: 'x-Always' },
    never: { header: 'X-Never' },
    silent: 'on',
  };
  const { v1, v2, proxy } = await start(t, { flags, routes: TO_V2 });
  const has = await sharesOf(proxy);
  t.ok(has > 160 && has < 240, `${has} of 400`);
  for (const [upstream, expected, count] of [
    [v1, 'false', 400 - has],
    [v2, 'true', has],
  ] as const) {
    t.strictSame(tally(upstream.requests.map((request) => value(request, 'x-new') ?? 'none')), { [expected]: count });
    t.ok(upstream.requests.every((request) => value(request, 'x-always') === 'true'));
    t.ok(upstream.requests.every((request) => value(request, 'x-never') === 'false'));
    t.ok(upstream.requests.every((request) => request.fields.some(([name]) => name === 'x-Always')));
  }
  await ask(proxy, [get('/'), get('/', 'X-User:')]);
  t.strictSame(
    v1.requests.slice(-2).map((request) => value(request, 'x-new')),
    ['false', 'false'],
    'without the key',
  );
});

t.test('without routes too', async (t) => {
  const { proxy, told } = await startTold(t, { flags: { new: { default: 'on', header: 'X-New' } } });
  await ask(proxy, [get('/'), get('/', 'X-New: false')]);
  t.strictSame(told(), ['true', 'true']);
});

t.test('a client cannot say it: fields, case, repetition, trailers, Connection, a trusted proxy', async (t) => {
  const flags = { new: { default: 'off', header: 'X-New' }, shown: { default: 'on', header: 'X-Shown' } };
  for (const trustedProxies of [[], ['127.0.0.1']]) {
    const { proxy, upstream } = await startTold(t, { flags, trustedProxies });
    const lie = ['X-New: true', 'x-new: true', 'X-NEW:true', 'X-Shown: false', 'X-Newer: true', 'X-New-: 1'];
    const post = `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-New\r\n\r\n`;
    const answers = await ask(proxy, [get('/', ...lie), `${post}${chunked('x', 1, 'X-New: true\r\nX-T: 1\r\n')}`]);
    t.strictSame(
      answers.map((answer) => answer.status),
      [200, 200],
    );
    for (const request of upstream.requests) {
      t.strictSame(values(request, 'x-new'), ['false']);
      t.strictSame(values(request, 'x-shown'), ['true']);
    }
    t.equal(value(upstream.requests[0]!, 'x-newer'), 'true');
    t.equal(value(upstream.requests[0]!, 'x-new-'), '1');
    t.strictSame(upstream.requests[1]!.trailers, [['X-T', '1']]);
    const nominated = await proxy.send(get('/', 'Connection: X-New', 'X-New: true'));
    t.equal((await nominated.answer()).status, 400);
    nominated.destroy();
    t.equal(upstream.requests.length, 2);
  }
});

t.test('a client cannot take away its key by naming it in Connection', async (t) => {
  const { proxy, upstream } = await startTold(t, { flags: { new: { default: 50, key: KEY, header: 'X-New' } } });
  const client = await proxy.send(get('/', 'Connection: X-User', 'X-User: user-1'));
  t.equal((await client.answer()).status, 400);
  client.destroy();
  t.equal(upstream.requests.length, 0);
});

t.test('addresses and claims are believed from trusted proxies only', async (t) => {
  const addresses = Array.from({ length: 60 }, (_, i) => `203.0.113.${i}`);
  const asked = async (key: Part, trustedProxies: readonly string[], lines: readonly string[]) => {
    const flags = { new: { default: 50, key, header: 'X-New' } };
    const { proxy, told } = await startTold(t, { flags, trustedProxies });
    await ask(
      proxy,
      lines.map((line) => get('/', line)),
    );
    return told();
  };
  const forwarded = addresses.map((address) => `X-Forwarded-For: ${address}`);
  const user = addresses.map((address) => `X-Forwarded-User: ${address}`);
  const plain = await asked(
    { header: 'X-User' },
    [],
    addresses.map((address) => `X-User: ${address}`),
  );
  t.strictSame(Object.keys(tally(plain.map(String))).toSorted(), ['false', 'true']);
  t.strictSame(await asked({ ip: true }, ['127.0.0.1'], forwarded), plain);
  t.strictSame(await asked({ header: 'X-Forwarded-User' }, ['127.0.0.1'], user), plain);
  const own = await asked({ header: 'X-User' }, [], ['X-User: 127.0.0.1']);
  t.strictSame(await asked({ ip: true }, [], forwarded), Array(60).fill(own[0]));
  t.strictSame(await asked({ header: 'X-Forwarded-User' }, [], user), Array(60).fill('false'));
});

t.test('what a route takes off is still the key of what the upstream is told', async (t) => {
  const flags = { new: { default: 50, key: { cookie: 'uid' }, header: 'X-New' } };
  const edits = { requestHeaders: { remove: ['Cookie'], set: { 'X-Edited': '1' } } };
  const cookies = USERS.slice(0, 50).map((user) => get('/', `Cookie: uid=${user}`));
  const plain = await startTold(t, { flags });
  const edited = await startTold(t, { flags, routes: [{ match: {}, service: 'web', ...edits }] });
  await ask(plain.proxy, cookies);
  await ask(edited.proxy, cookies);
  t.strictSame(edited.told(), plain.told());
  t.ok(edited.upstream.requests.every((request) => value(request, 'cookie') === null));
  t.ok(edited.upstream.requests.every((request) => value(request, 'x-edited') === '1'));
});

t.test('a new generation is seen by the next request of the same connection', async (t) => {
  const upstreams = await startNamed(t, 'v1', 'v2');
  const at = (value: unknown) =>
    options(upstreams, { flags: { new: { default: value, header: 'X-New' } }, routes: TO_V2 });
  const proxy = await startProxy(t, at('off'));
  const client = await proxy.connect();
  const values: unknown[] = ['off', 'on', false, 100, 0, true];
  for (const [i, flag] of values.entries()) {
    proxy.plane.apply(snapshotOf(at(flag), i + 2));
    client.write(get('/'));
    const answers = await client.answers(i + 1);
    t.equal(answers.at(-1)!.body, i % 2 === 0 ? 'v1' : 'v2', String(flag));
  }
  proxy.plane.apply(snapshotOf(options(upstreams, {}), 9));
  client.write(get('/', 'X-New: mine'));
  t.equal((await client.answers(7)).at(-1)!.body, 'v1');
  t.equal(value(upstreams.v1.requests.at(-1)!, 'x-new'), 'mine', 'where there is no flag the field is nobody’s');
});

t.test('further attempts and upgrades are told the same', async (t) => {
  let failures = 0;
  const failing = answering(() => (failures++ % 2 === 0 ? response(503) : response(200, 'v1')));
  const flags = { new: { default: 50, key: KEY, header: 'X-New' } };
  const upstream = await RawUpstream.start(t, failing);
  const service = { retry: { attempts: 1, on: [503], budget: '100%' } };
  const proxy = await startProxy(t, { upstream, service, config: { flags } });
  const answers = await ask(proxy, requests.slice(0, 20));
  t.ok(answers.every((answer) => answer.status === 200));
  const told = upstream.requests.map((request) => values(request, 'x-new'));
  t.equal(told.length, 40);
  for (let i = 0; i < 40; i += 2) t.strictSame(told[i], told[i + 1]);

  const { proxy: tunnel, upstream: switching } = await startTold(
    t,
    { flags: { new: { default: 'on', header: 'X-New' } } },
    async (connection) => {
      await connection.request();
      connection.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    },
  );
  const client = await tunnel.send(get('/', 'Connection: Upgrade', 'Upgrade: websocket', 'X-New: false'));
  t.equal((await client.answer()).status, 101);
  t.strictSame(values(switching.requests[0]!, 'x-new'), ['true']);
});

t.test('a shielded request tells stable what it told the canary', async (t) => {
  const canary = await RawUpstream.start(t, answering(response(500)));
  const { v1 } = await startNamed(t, 'v1');
  const flags = { new: { default: 50, key: KEY, header: 'X-New' } };
  const proxy = await startProxy(
    t,
    options({ v1, v2: canary }, { flags }, { split: { weights: { v2: 100 } }, shield: { on: ['5xx'] } }),
  );
  const answers = await ask(proxy, requests.slice(0, 20));
  t.ok(answers.every((answer) => answer.body === 'v1'));
  const told = (upstream: RawUpstream) => upstream.requests.map((request) => value(request, 'x-new'));
  t.strictSame(told(v1), told(canary));
  t.equal(new Set(told(v1)).size, 2);
});

t.test('with overrides and experiments: each decides what is its own', async (t) => {
  const flags = { new: { default: 50, key: KEY, header: 'X-New' }, whole: { default: 'on' } };
  const experiments = [{ name: 'new', key: KEY, weights: { v1: 50, v2: 50 } }];
  const service = { experiments, override: { header: 'X-Lane' } };
  const routes = [
    { match: { path: '/flag', flags: { new: 'on' } }, service: 'web', version: 'v2' },
    { match: { flags: { whole: 'on' } }, service: 'web' },
  ];
  const { proxy } = await start(t, { flags, routes }, service);
  const by = (path: string, ...lines: string[]) => USERS.map((user) => get(path, `X-User: ${user}`, ...lines));
  const groups = await whoAnswers(proxy, by('/'));
  const flagged = await whoAnswers(proxy, by('/flag'));
  const has = flagged.map((name, i) => name === 'v2' && groups[i] === 'v1');
  const turned = has.filter((on) => on).length;
  t.ok(Math.abs(turned - 100) < 35, `${turned} of 400 are in group v1 and have the flag: independent`);
  t.ok(
    groups.every((group, i) => group === 'v1' || flagged[i] === 'v2'),
    'who is in group v2 stays there',
  );
  const forced = await whoAnswers(proxy, by('/flag', 'X-Lane: stable'));
  const plain = await whoAnswers(proxy, by('/', 'X-Lane: stable'));
  t.strictSame(tally(plain), { v1: 400 }, 'the override goes before the experiment');
  const held = forced.filter((name) => name === 'v2').length;
  t.ok(held > 160 && held < 240, `${held} of 400: and the version of a route before the override`);
});
