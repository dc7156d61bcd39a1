/** Circuit breakers: what is over a bound is refused or waits, and every place is given back. */
import t from 'tap';
import { setFlag, UNHEALTHY } from '../../src/model/endpoint-table.ts';
import { answering, OK, response } from '../kit/behaviours.ts';
import { endpointsOf, inFlight, versionCounts } from '../kit/counts.ts';
import { wrongLocalReply } from '../kit/expect.ts';
import { pass } from '../kit/fake-time.ts';
import { type LaneOptions, nothingInFlight, startLanes } from '../kit/lanes.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import type { RawClient } from '../kit/raw-client.ts';
import { bytes, GET, head, upload } from '../kit/requests.ts';
import { turns, until } from '../kit/signal.ts';
import { answers, hangs, inTurn } from '../kit/steps.ts';

expectNoSockets(t);

const OVER = (answer: Awaited<ReturnType<RawClient['answer']>>): string | null =>
  wrongLocalReply(answer, 503, 'UO', false);
const to = (target: string, method = 'GET'): string => head(method, {}, target);

const start = (t: Parameters<typeof startLanes>[0], circuit: object, options: LaneOptions = {}) =>
  startLanes(t, { stable: [inTurn(hangs)], ...options, service: { circuit, ...options.service } });

t.test('maxRequests: over it 503 UO at once, and it recovers', async (t) => {
  const { proxy, stable } = await start(t, { maxRequests: 2 });
  const held = [await proxy.send(GET), await proxy.send(GET)];
  await stable[0]!.untilRequests(2);
  const third = await proxy.send(GET);
  t.equal(OVER(await third.answer()), null);
  t.strictSame(versionCounts(proxy), { requests: 3, active: 2, overflows: 1 });
  stable[0]!.connections[0]!.write(OK);
  await Promise.race(held.map((client) => client.answer()));
  third.write(GET);
  await stable[0]!.untilRequests(3);
  for (const connection of stable[0]!.connections) connection.write(OK);
  t.equal((await third.answers(2))[1]!.status, 200, 'on the same connection');
  for (const client of held) t.equal((await client.answer()).status, 200);
  await nothingInFlight(proxy);
});

t.test('maxRequests is the version’s own: a canary that hangs leaves stable alone', async (t) => {
  const { proxy, canary } = await start(t, { maxRequests: 1 }, { stable: [answering()], canary: [inTurn(hangs)] });
  const held = await proxy.send(GET);
  await canary[0]!.untilRequests(1);
  const client = await proxy.send(GET);
  t.equal(OVER(await client.answer()), null);
  client.write(head('GET', { 'X-Lane': 'stable' }).repeat(3));
  t.strictSame(
    (await client.answers(4)).slice(1).map(({ status }) => status),
    [200, 200, 200],
  );
  held.reset();
});

t.test('an upload that is refused is read and dropped, and the connection goes on', async (t) => {
  const { proxy, stable } = await start(t, { maxRequests: 1 });
  const held = await proxy.send(GET);
  await stable[0]!.untilRequests(1);
  const client = await proxy.send(upload(bytes(60_000)));
  t.equal(OVER(await client.answer()), null);
  held.reset();
  await nothingInFlight(proxy);
  stable[0]!.behaviour = answering();
  client.write(upload(bytes(10)));
  t.equal((await client.answers(2))[1]!.status, 200);
});

for (const [name, end] of [
  ['a reset', (client: RawClient) => client.reset()],
  ['an answer', () => {}],
] as const) {
  t.test(`maxConnections: who waits goes on in order after ${name}`, async (t) => {
    const { proxy, stable } = await start(t, { maxConnections: 1 });
    const upstream = stable[0]!;
    const first = await proxy.send(to('/0'));
    await upstream.untilRequests(1);
    const waiting: RawClient[] = [];
    for (let i = 1; i <= 5; i++) {
      waiting.push(await proxy.send(to(`/${i}`)));
      await until('it to wait', () => versionCounts(proxy).pending === i);
    }
    t.equal(upstream.requests.length, 1);
    if (name === 'a reset') end(first);
    else upstream.connections.at(-1)!.write(OK);
    for (let i = 1; i <= 5; i++) {
      await upstream.untilRequests(i + 1);
      await turns(3);
      t.equal(upstream.requests.length, i + 1, 'one at a time');
      t.equal(upstream.requests[i]!.target, `/${i}`);
      t.equal(versionCounts(proxy).pending ?? 0, 5 - i);
      upstream.connections.at(-1)!.write(response(200, `${i}`));
      t.equal((await waiting[i - 1]!.answer()).body, `${i}`);
    }
    await nothingInFlight(proxy);
    t.equal(versionCounts(proxy).overflows, undefined);
  });
}

t.test('maxConnections: an idle connection elsewhere gives way', async (t) => {
  const { proxy, stable } = await start(t, { maxConnections: 1 }, { stable: [answering(), answering()] });
  const client = await proxy.send(GET.repeat(6));
  await client.answers(6);
  t.equal(stable[0]!.requests.length, 3);
  t.equal(stable[1]!.requests.length, 3);
  const { upstreamActive, upstreamIdle } = proxy.plane.stats();
  t.equal(upstreamActive + upstreamIdle, 1);
  await until(
    'the others to be closed',
    () => [...stable[0]!.connections, ...stable[1]!.connections].filter((each) => !each.over).length === 1,
  );
});

t.test('maxPending: one more is refused at once', async (t) => {
  const { proxy, stable } = await start(t, { maxConnections: 1, maxPending: 1 });
  const clients = [await proxy.send(to('/0'))];
  await stable[0]!.untilRequests(1);
  clients.push(await proxy.send(to('/1')));
  await until('it to wait', () => versionCounts(proxy).pending === 1);
  const third = await proxy.send(to('/2'));
  t.equal(OVER(await third.answer()), null);
  t.equal(versionCounts(proxy).overflows, 1);
  for (const [i, client] of clients.entries()) {
    await stable[0]!.untilRequests(i + 1);
    stable[0]!.connections[0]!.write(response(200, `${i}`));
    t.equal((await client.answer()).body, `${i}`);
  }
});

t.test('waiting ends after timeouts.connect', async (t) => {
  const service = { timeouts: { connect: '500ms' } };
  const { proxy, clock, stable } = await start(t, { maxConnections: 1 }, { service });
  const first = await proxy.send(GET);
  await stable[0]!.untilRequests(1);
  const second = await proxy.send(upload('hello'));
  await until('it to wait', () => versionCounts(proxy).pending === 1);
  await pass(clock, 450);
  t.equal(second.text, '');
  await pass(clock, 150);
  t.equal(OVER(await second.answer()), null);
  t.strictSame(versionCounts(proxy), { requests: 2, active: 1, overflows: 1 });
  stable[0]!.connections[0]!.write(OK);
  t.equal((await first.answer()).status, 200);
  t.equal(stable[0]!.requests.length, 1);
  second.write(GET);
  await stable[0]!.untilRequests(2);
  stable[0]!.connections[0]!.write(OK);
  t.equal((await second.answers(2))[1]!.status, 200, 'its connection goes on');
});

t.test('a client that leaves gives its place in the line to nobody', async (t) => {
  const { proxy, stable } = await start(t, { maxConnections: 1 });
  const first = await proxy.send(to('/0'));
  await stable[0]!.untilRequests(1);
  const second = await proxy.send(to('/1'));
  await until('it to wait', () => versionCounts(proxy).pending === 1);
  const third = await proxy.send(to('/2'));
  await until('it to wait', () => versionCounts(proxy).pending === 2);
  second.reset();
  await until('it to have left', () => versionCounts(proxy).pending === 1);
  stable[0]!.connections[0]!.write(OK);
  t.equal((await first.answer()).status, 200);
  await stable[0]!.untilRequests(2);
  t.equal(stable[0]!.requests[1]!.target, '/2');
  stable[0]!.connections[0]!.write(OK);
  t.equal((await third.answer()).status, 200);
});

t.test('a body that arrives while its request waits is neither lost nor kept without bound', async (t) => {
  const { proxy, stable } = await start(t, { maxConnections: 1 });
  const first = await proxy.send(GET);
  await stable[0]!.untilRequests(1);
  const size = 30_000_000;
  const second = await proxy.send(upload('x'.repeat(size)));
  await until('it to wait', () => versionCounts(proxy).pending === 1);
  await turns(100);
  t.ok(second.socket.writableLength > size / 2, 'the client is held up');
  const connection = stable[0]!.connections[0]!;
  const before = connection.bytes;
  connection.keep = false;
  connection.write(OK);
  await first.answer();
  await connection.signal.wait('all of it', () => connection.bytes - before > size);
  await turns(10);
  t.ok(connection.bytes - before < size + 1000, 'once');
  stable[0]!.connections[0]!.write(OK);
  t.equal((await second.answer()).status, 200);
});

t.test('a retry that waits is bounded by timeouts.request', async (t) => {
  const { proxy, clock, stable } = await start(
    t,
    { maxConnections: 1 },
    {
      stable: [inTurn(answers(503), hangs)],
      service: { retry: { backoff: '400ms', maxBackoff: '400ms' }, timeouts: { request: '1s', connect: '9s' } },
      dice: 0.5,
    },
  );
  const first = await proxy.send(GET);
  await until('the pause', () => versionCounts(proxy).retries === 1);
  const second = await proxy.send(GET);
  await stable[0]!.untilRequests(2);
  await pass(clock, 300, 5);
  await until('it to wait', () => versionCounts(proxy).pending === 1);
  await pass(clock, 900);
  t.equal((await first.answer()).status, 503);
  t.equal(versionCounts(proxy).pending, undefined);
  second.reset();
});

t.test('who is called and cannot go passes the call on', async (t) => {
  const { proxy, clock, stable } = await start(
    t,
    { maxConnections: 1 },
    { stable: [answering(response(200, 'stable'))], canary: [inTurn(hangs)], service: { timeouts: { connect: '5s' } } },
  );
  const first = await proxy.send(GET);
  await until('the attempt', () => inFlight(proxy).upstreamActive === 1);
  const waiting = [await proxy.send(GET), await proxy.send(GET), await proxy.send(GET)];
  await until('them to wait', () => versionCounts(proxy, 'v2').pending === 3);
  setFlag(proxy.plane.memory.endpoints, endpointsOf(proxy, 'v2')[0]!.id, UNHEALTHY);
  first.reset();
  for (const client of waiting) t.equal((await client.answer()).body, 'stable');
  t.equal(stable[0]!.requests.length, 3);
  t.ok(clock.now() < 2000, 'without waiting for a timeout');
});

t.test('a line survives a new generation', async (t) => {
  const { proxy, stable } = await start(t, { maxConnections: 1 });
  const first = await proxy.send(to('/0'));
  await stable[0]!.untilRequests(1);
  const second = await proxy.send(to('/1'));
  await until('it to wait', () => versionCounts(proxy).pending === 1);
  proxy.plane.apply({ ...proxy.plane.snapshot, generation: 2 });
  const third = await proxy.send(to('/2'));
  await until('it to wait', () => versionCounts(proxy).pending === 2);
  for (const [i, client] of [first, second, third].entries()) {
    await stable[0]!.untilRequests(i + 1);
    t.equal(stable[0]!.requests[i]!.target, `/${i}`);
    stable[0]!.connections.at(-1)!.write(response(200, `${i}`));
    t.equal((await client.answer()).body, `${i}`);
  }
});
