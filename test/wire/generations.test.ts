/** New generations of the configuration while requests are on their way: nothing is lost, nothing is mixed up. */
import t, { type Test } from 'tap';
import { answering, response } from '../kit/behaviours.ts';
import { value, values } from '../kit/message.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { type ProxyOptions, startProxy } from '../kit/proxy.ts';
import { type Behaviour, RawUpstream } from '../kit/raw-upstream.ts';
import { turns, until } from '../kit/signal.ts';
import { counted, get, snapshotOf, startNamed, tally, whoAnswers } from '../kit/who-answers.ts';

expectNoSockets(t);

type Part = Readonly<Record<string, unknown>>;

/** An upstream whose answers wait until they may go. */
async function startHeld(t: Test, answer: string) {
  const gate = Promise.withResolvers<void>();
  const behaviour: Behaviour = async (connection) => {
    for (;;) {
      await connection.request();
      await gate.promise;
      connection.write(answer);
    }
  };
  return { upstream: await RawUpstream.start(t, behaviour), release: gate.resolve };
}

const withRoutes = (endpoints: readonly string[], routes: readonly Part[], service: Part = {}): ProxyOptions => ({
  upstream: endpoints,
  service,
  config: { routes },
});

t.test('a request in flight ends as it began, whatever the new generation has removed', async (t) => {
  const { next } = await startNamed(t, 'next');
  const both = (v2: RawUpstream): ProxyOptions => ({
    upstream: [],
    service: {
      versions: { v1: { endpoints: [next.url] }, v2: { endpoints: [v2.url] } },
      lanes: { stable: 'v1', canary: 'v2' },
      split: { weights: { v2: 100 } },
      exposeVersion: true,
    },
  });
  const generations: Readonly<Record<string, ProxyOptions>> = {
    'its version': { upstream: next },
    'its route': withRoutes([next.url], [{ match: { path: '/other' }, service: 'web' }]),
    'its service': {
      upstream: [],
      config: { services: { other: { versions: { v1: { endpoints: [next.url] } } } } },
    },
  };
  for (const [what, options] of Object.entries(generations)) {
    const { upstream, release } = await startHeld(t, response(200, 'old'));
    const proxy = await startProxy(t, both(upstream));
    const client = await proxy.send(get());
    await upstream.untilRequests(1);
    proxy.plane.apply(snapshotOf(options, 2));
    client.write(get('/other'));
    await turns(5);
    release();
    const [old, young] = await client.answers(2);
    t.strictSame([old!.body, value(old!, 'x-sluice-version')], ['old', 'v2'], what);
    t.strictSame([young!.body, value(young!, 'x-sluice-version')], ['next', null], 'the next one is new');
    await upstream.connections[0]!.untilOver();
    t.equal(proxy.plane.stats().upstreamActive, 0);
    t.equal(proxy.plane.stats().upstreamIdle, 1, 'the connection of what is gone is not kept');
  }
});

t.test('the answer gets the edits of the route that took its request', async (t) => {
  const { upstream, release } = await startHeld(t, response(200, 'ok', { 'X-Old': '1', 'X-New': '2', 'X-Kept': '3' }));
  const edits = (side: string) => ({ set: { 'X-Side': side }, remove: [side === 'old' ? 'X-Old' : 'X-New'] });
  const generation = (side: string) =>
    withRoutes(
      [upstream.url],
      [{ match: {}, service: 'web', responseHeaders: edits(side), requestHeaders: edits(side) }],
    );
  const proxy = await startProxy(t, generation('old'));
  const client = await proxy.send(get('/', 'X-Old: 1', 'X-New: 2'));
  await upstream.untilRequests(1);
  proxy.plane.apply(snapshotOf(generation('new'), 2));
  client.write(get('/', 'X-Old: 1', 'X-New: 2'));
  release();
  const answers = await client.answers(2);
  const seen = (message: (typeof answers)[0]) => ['x-side', 'x-old', 'x-new'].map((name) => value(message, name));
  t.strictSame(answers.map(seen), [
    ['old', null, '2'],
    ['new', '1', null],
  ]);
  t.strictSame(
    upstream.requests.map((request) => ['x-side', 'x-old', 'x-new'].map((name) => value(request, name))),
    [
      ['old', null, '2'],
      ['new', '1', null],
    ],
  );
  t.ok(answers.every((answer) => value(answer, 'x-kept') === '3'));
});

t.test('header names that have run out of numbers still mean themselves in what is in flight', async (t) => {
  const fields = {
    'X-Secret': '1',
    'X-Name-1-0': 'kept',
    'X-Name-2-0': 'kept',
    'X-Name-3-0': 'kept',
    'X-Kept': 'kept',
  };
  const { upstream, release } = await startHeld(t, response(200, 'ok', fields));
  const names = (generation: number) => Array.from({ length: 150 }, (_, i) => `X-Name-${generation}-${i}`);
  const first = withRoutes([upstream.url], [{ match: {}, service: 'web', responseHeaders: { remove: ['X-Secret'] } }]);
  const proxy = await startProxy(t, first);
  const client = await proxy.send(get());
  await upstream.untilRequests(1);
  for (const generation of [1, 2, 3]) {
    const headers = Object.fromEntries(names(generation).map((name) => [name, { regex: '^$' }]));
    const routes = [
      { match: { headers }, reply: {} },
      { match: {}, service: 'web' },
    ];
    proxy.plane.apply(snapshotOf(withRoutes([upstream.url], routes), generation + 1));
  }
  client.write(get());
  release();
  const [old, young] = await client.answers(2);
  t.equal(value(old!, 'x-secret'), null);
  t.equal(value(young!, 'x-secret'), '1');
  for (const name of ['x-name-1-0', 'x-name-2-0', 'x-name-3-0', 'x-kept']) t.equal(value(old!, name), 'kept', name);
});

t.test('bodies go on over generations', async (t) => {
  const { next } = await startNamed(t, 'next');
  const upstream = await RawUpstream.start(t, () => {});
  const proxy = await startProxy(t, { upstream });
  const client = await proxy.send('POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
  await upstream.signal.wait('half of the body', () => upstream.connections[0]?.text.endsWith('hello') ?? false);
  proxy.plane.apply(snapshotOf({ upstream: next }, 2));
  client.write('world');
  const connection = upstream.connections[0]!;
  t.equal((await connection.request()).body, 'helloworld');
  connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
  await client.untilText('first');
  proxy.plane.apply(snapshotOf(withRoutes([next.url], []), 3));
  connection.write('6\r\nsecond\r\n0\r\nX-Trailer: 1\r\n\r\n');
  client.write(get());
  const [long, after] = await client.answers(2);
  t.strictSame([long!.body, after!.body], ['firstsecond', 'next']);
  t.strictSame(long!.trailers, [['X-Trailer', '1']]);
});

t.test('a tunnel stays open, also when its endpoint is removed', async (t) => {
  const { next } = await startNamed(t, 'next');
  const upstream = await RawUpstream.start(t, async (connection) => {
    await connection.request();
    connection.write('HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
  });
  const proxy = await startProxy(t, { upstream, service: { timeouts: { tunnel: '1h' } } });
  const client = await proxy.send(get('/', 'Connection: upgrade', 'Upgrade: websocket'));
  t.equal((await client.answer()).status, 101);
  const connection = upstream.connections[0]!;
  for (let generation = 2; generation < 12; generation++) {
    const options = generation % 3 === 0 ? { upstream } : { upstream: next, service: { balance: 'maglev' } };
    proxy.plane.apply(snapshotOf(options, generation));
    client.write(`up ${generation};`);
    await connection.untilText(`up ${generation};`);
    connection.write(`down ${generation};`);
    await client.untilText(`down ${generation};`);
  }
  t.strictSame(await whoAnswers(proxy, [get()]), ['next']);
  client.fin();
  connection.fin();
  await client.untilClosed();
  await until('the tunnel to be gone', () => proxy.plane.stats().exchanges === 0);
  t.equal(proxy.plane.stats().upstreamActive, 0);
});

t.test('a request that fails after a new generation came is retried where it began', async (t) => {
  const gate = Promise.withResolvers<void>();
  const failing = await RawUpstream.start(t, async (connection) => {
    await connection.request();
    await gate.promise;
    connection.reset();
  });
  const { old, next } = await startNamed(t, 'old', 'next');
  const service = {
    versions: { v1: { endpoints: [old.url] }, v2: { endpoints: [failing.url] } },
    lanes: { stable: 'v1', canary: 'v2' },
    split: { weights: { v2: 100 } },
    shield: {},
  };
  const proxy = await startProxy(t, { upstream: [], service });
  const client = await proxy.send(get());
  await failing.untilRequests(1);
  proxy.plane.apply(snapshotOf({ upstream: next }, 2));
  gate.resolve();
  t.equal((await client.answer()).body, 'old');
  await until('nothing in flight', () => proxy.plane.stats().exchanges === 0);
  t.strictSame(await whoAnswers(proxy, [get()]), ['next']);
});

t.test('requests that wait for a connection wait in one line over generations', async (t) => {
  const release: (() => void)[] = [];
  const upstream = await RawUpstream.start(t, async (connection) => {
    for (;;) {
      const request = await connection.request();
      await new Promise<void>((resolve) => release.push(resolve));
      connection.write(response(200, request.target));
    }
  });
  const options = { upstream, service: { circuit: { maxConnections: 1 } } };
  const proxy = await startProxy(t, options);
  const clients = [await proxy.send(get('/1'))];
  await upstream.untilRequests(1);
  for (const [i, generation] of [1, 2, 3].entries()) {
    if (generation > 1) proxy.plane.apply(snapshotOf(options, generation));
    clients.push(await proxy.send(get(`/${i + 2}`)));
    await until('one more to wait', () => counted(proxy, 'v1', 'pending') === i + 1);
  }
  for (let i = 0; i < 4; i++) {
    await until('its turn', () => release.length === i + 1);
    release[i]!();
    t.equal((await clients[i]!.answer()).body, `/${i + 1}`);
  }
  t.equal(counted(proxy, 'v1', 'pending'), 0);
  t.equal(counted(proxy, 'v1', 'active'), 0);
  t.equal(upstream.connections.length, 1);
});

t.test('200 generations under load lose nothing', async (t) => {
  const { a, b, c } = await startNamed(t, 'a', 'b', 'c');
  const generations: ProxyOptions[] = [
    { upstream: [a.url, b.url, c.url], service: { balance: 'round_robin' } },
    { upstream: [b.url, a.url], service: { affinity: { cookie: 'sid' }, balance: 'ring_hash' } },
    {
      upstream: [],
      service: {
        versions: { v1: { endpoints: [a.url] }, v2: { endpoints: [c.url, b.url] } },
        lanes: { stable: 'v1', canary: 'v2' },
        split: { strategy: 'hash', key: { header: 'X-User' }, weights: { v1: 50, v2: 50 } },
      },
    },
    withRoutes(
      [c.url],
      [
        { match: { headers: { 'X-User': { present: true } } }, service: 'web', requestHeaders: { remove: ['X-A'] } },
        { match: {}, service: 'web', rewrite: { host: 'inner.test' } },
      ],
    ),
    { upstream: [a.url, c.url], service: { balance: { policy: 'peak_ewma', decay: '2s' }, retry: {}, outlier: {} } },
  ];
  const snapshots = generations.map((options, i) => snapshotOf(options, i + 1));
  const proxy = await startProxy(t, generations[0]!);
  let over = false;
  let asked = 0;
  const load = async (user: number): Promise<string[]> => {
    const names: string[] = [];
    while (!over) {
      const client = await proxy.connect();
      for (let i = 1; i <= 20 && !over; i++) {
        client.write(get('/', `X-User: ${user}`, 'X-A: 1'));
        asked++;
        const answer = (await client.answers(i))[i - 1]!;
        names.push(answer.status === 200 ? answer.body : String(answer.status));
      }
      client.destroy();
    }
    return names;
  };
  const users = Array.from({ length: 16 }, (_, user) => load(user));
  for (let generation = 2; generation <= 201; generation++) {
    const before = asked;
    proxy.plane.apply({ ...snapshots[generation % snapshots.length]!, generation });
    await until('some requests', () => asked >= before + 10);
  }
  over = true;
  const got = tally((await Promise.all(users)).flat());
  t.strictSame(Object.keys(got).toSorted(), ['a', 'b', 'c'], JSON.stringify(got));
  t.equal(
    Object.values(got).reduce((sum, count) => sum + count),
    asked,
  );
  await until('nothing in flight', () => proxy.plane.stats().exchanges === 0);
  t.equal(proxy.plane.stats().upstreamActive, 0);
  const open = [a, b, c].flatMap((upstream) => upstream.connections);
  await until('the connections of endpoints that are gone to be closed', () => {
    return open.filter((connection) => !connection.over).length === proxy.plane.stats().upstreamIdle;
  });
});

t.test('limits and trusted proxies of the new generation hold for the next request', async (t) => {
  const upstream = await RawUpstream.start(t, answering());
  const proxy = await startProxy(t, { upstream });
  const client = await proxy.send(get('/long'.repeat(40)));
  t.equal((await client.answer()).status, 200);
  proxy.plane.apply(snapshotOf({ upstream, config: { limits: { targetLength: 64 }, headers: { via: 'edge' } } }, 2));
  client.write(get('/short'));
  t.strictSame(values((await client.answers(2))[1]!, 'via'), ['1.1 edge']);
  client.write(get('/long'.repeat(40)));
  t.equal((await client.answers(3))[2]!.status, 414);
});
