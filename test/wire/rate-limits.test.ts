/** Rate limits at the wire: who is refused, with what, and when there is room again. */
import t from 'tap';
import { answering, response } from '../kit/behaviours.ts';
import { inFlight, versionCounts, workerCounts } from '../kit/counts.ts';
import { wrongLocalReply } from '../kit/expect.ts';
import { pass } from '../kit/fake-time.ts';
import { startLanes } from '../kit/lanes.ts';
import { value } from '../kit/message.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { bytes, chunked, GET, head, upload } from '../kit/requests.ts';

expectNoSockets(t);

const start = (t: Parameters<typeof startLanes>[0], rateLimit: unknown, routes?: readonly unknown[]) =>
  startLanes(t, {
    stable: [answering()],
    service: rateLimit === null ? {} : { rateLimit },
    ...(routes === undefined ? {} : { config: { routes } }),
  });

type Proxy = Awaited<ReturnType<typeof start>>['proxy'];

async function statuses(proxy: Proxy, requests: readonly string[]): Promise<number[]> {
  const client = await proxy.send(requests.join(''));
  const got = await client.answers(requests.length);
  client.destroy();
  return got.map(({ status }) => status);
}

t.test('over the limit: 429 with whole seconds, and nothing reaches an upstream', async (t) => {
  for (const [rate, seconds] of [
    ['10/s', '1'],
    ['1/s', '1'],
    ['40/m', '2'],
    ['1/m', '60'],
    ['1/h', '3600'],
  ] as const) {
    const { proxy, stable } = await start(t, { rate, burst: 1 });
    const client = await proxy.send(GET + GET);
    const [first, second] = await client.answers(2);
    t.equal(first!.status, 200);
    t.equal(wrongLocalReply(second!, 429, 'RL', false), null);
    t.equal(value(second!, 'retry-after'), seconds, rate);
    t.equal(value(second!, 'connection'), null);
    t.equal(stable[0]!.requests.length, 1);
    t.strictSame(versionCounts(proxy), { requests: 1, status2xx: 1 });
    t.equal(workerCounts(proxy).rateLimited, 1);
    t.equal(workerCounts(proxy).localReplies, 1);
  }
});

t.test('the wait is rounded up, and it is long enough', async (t) => {
  const { proxy, clock } = await start(t, { rate: '20/m', burst: 1 });
  const client = await proxy.send(GET);
  await client.answer();
  for (const [elapsed, wanted] of [
    [500, '3'],
    [600, '2'],
    [899, '2'],
    [2, '1'],
    [900, '1'],
  ] as const) {
    clock.advance(elapsed);
    client.write(GET);
    const { answers } = client.transcript();
    const answer = (await client.answers(answers.length + 1)).at(-1)!;
    t.equal(value(answer, 'retry-after'), wanted, `at ${clock.now() - 1000} ms`);
  }
  clock.advance(100);
  client.write(GET);
  t.equal((await client.answers(7)).at(-1)!.status, 200, 'a refusal costs nothing');
});

t.test('burst and refill', async (t) => {
  const { proxy, clock } = await start(t, { rate: '10/s', burst: 5 });
  const many = Array(8).fill(GET);
  t.strictSame(await statuses(proxy, many), [200, 200, 200, 200, 200, 429, 429, 429]);
  await pass(clock, 300);
  t.strictSame(await statuses(proxy, many), [200, 200, 200, 429, 429, 429, 429, 429], 'three came back');
  await pass(clock, 60_000, 1000);
  t.strictSame(await statuses(proxy, many), [200, 200, 200, 200, 200, 429, 429, 429], 'no more than the burst');
});

t.test('a bucket for each value of the key', async (t) => {
  const keys: Record<string, [unknown, (value: string) => string]> = {
    header: [{ header: 'X-Key' }, (name) => head('GET', { 'x-key': name })],
    cookie: [{ cookie: 'who' }, (name) => head('GET', { Cookie: `a=b; who=${name}` })],
    query: [{ query: 'who' }, (name) => head('GET', {}, `/?a=b&who=${name}`)],
  };
  for (const [name, [key, request]] of Object.entries(keys)) {
    const { proxy } = await start(t, { rate: 1, burst: 2, key });
    const users = ['ann', 'ben', 'ann', 'ann', 'ben', 'ben', 'cem'].map(request);
    t.strictSame(await statuses(proxy, users), [200, 200, 200, 429, 200, 429, 200], name);
    t.strictSame(await statuses(proxy, [GET, GET, GET]), [200, 200, 429], 'requests without it share one');
  }
});

t.test('a bucket for each address', async (t) => {
  const { proxy } = await start(t, { rate: 1, burst: 1, key: { ip: true } });
  const ask = async (address: string) => {
    const client = await proxy.connect(address);
    client.write(GET);
    return (await client.answer()).status;
  };
  t.strictSame(
    [await ask('127.0.0.1'), await ask('127.0.0.2'), await ask('127.0.0.1'), await ask('127.0.0.2')],
    [200, 200, 429, 429],
  );
});

t.test('route and service must both pass', async (t) => {
  const routes = [
    { match: { pathPrefix: '/a' }, service: 'web', rateLimit: { rate: 1, burst: 2 } },
    { match: { pathPrefix: '/b' }, service: 'web', rateLimit: { rate: 1, burst: 2 } },
    { match: { pathPrefix: '/' }, service: 'web' },
  ];
  const { proxy, stable } = await start(t, { rate: 1, burst: 5 }, routes);
  const asked = ['/a', '/a', '/a', '/b', '/', '/', '/', '/b'].map((target) => head('GET', {}, target));
  t.strictSame(await statuses(proxy, asked), [200, 200, 429, 200, 200, 200, 429, 429]);
  t.equal(stable[0]!.requests.length, 5);
});

t.test('redirects and fixed replies are limited too', async (t) => {
  const routes = [
    { match: { path: '/fixed' }, reply: { status: 200, body: 'fixed' }, rateLimit: { rate: 1, burst: 1 } },
    { match: { pathPrefix: '/' }, service: 'web' },
  ];
  const { proxy } = await start(t, null, routes);
  const asked = ['/fixed', '/fixed', '/', '/'].map((target) => head('GET', {}, target));
  t.strictSame(await statuses(proxy, asked), [200, 429, 200, 200]);
});

t.test('the connection survives a refusal, whatever the request', async (t) => {
  const body = bytes(40_000);
  const requests = {
    HEAD: [head('HEAD'), 'HEAD'],
    'a POST with a body': [upload(body), 'POST'],
    'an upload of nothing': [upload(''), 'POST'],
  } as const;
  for (const [name, [request, method]] of Object.entries(requests)) {
    const { proxy, clock } = await start(t, { rate: 1, burst: 1 });
    const client = await proxy.send(GET);
    await client.answer();
    client.write(request);
    t.equal((await client.answers(2, ['GET', method]))[1]!.status, 429, name);
    await pass(clock, 1100);
    client.write(GET);
    t.equal((await client.answers(3, ['GET', method, 'GET']))[2]!.status, 200);
    t.strictSame(inFlight(proxy), {});
  }
});

t.test('a chunked upload that is refused ends its connection, and its bytes are never a request', async (t) => {
  const { proxy, stable } = await start(t, { rate: 1, burst: 1 });
  const client = await proxy.send(GET);
  await client.answer();
  client.write(head('POST', { 'Transfer-Encoding': 'chunked' }) + chunked(GET));
  t.equal((await client.answers(2))[1]!.status, 429);
  await client.untilOver();
  t.equal(stable[0]!.requests.length, 1);
});

t.test('a limit that stays the same keeps its buckets over a new generation, another starts afresh', async (t) => {
  const { proxy } = await start(t, { rate: 1, burst: 1 });
  t.strictSame(await statuses(proxy, [GET, GET]), [200, 429]);
  const { snapshot } = proxy.plane;
  proxy.plane.apply({ ...snapshot, generation: 2 });
  t.strictSame(await statuses(proxy, [GET]), [429]);
  const rateLimit = { rate: 1, burst: 2 };
  proxy.plane.apply({
    ...snapshot,
    generation: 3,
    services: snapshot.services.map((each) => ({ ...each, rateLimit })),
  });
  t.strictSame(await statuses(proxy, [GET, GET, GET]), [200, 200, 429]);
});

t.test('a refused request leaves no trace in splits', async (t) => {
  const { proxy } = await startLanes(t, {
    stable: [answering(response(200, 'stable'))],
    canary: [answering(response(200, 'canary'))],
    service: { rateLimit: { rate: 1, burst: 1, key: { header: 'X-Key' } }, split: { weights: { v1: 50, v2: 50 } } },
  });
  const users = ['a', 'a', 'a', 'b', 'b', 'c', 'd'].map((name) => head('GET', { 'X-Key': name }));
  await statuses(proxy, users);
  t.equal(versionCounts(proxy, 'v1').requests, 2);
  t.equal(versionCounts(proxy, 'v2').requests, 2);
});
