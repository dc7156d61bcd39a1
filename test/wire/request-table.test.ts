/** What users got, by version and status: every request once, whatever way it ended. */
import t, { type Test } from 'tap';
import { setFlag, UNHEALTHY } from '../../src/model/endpoint-table.ts';
import { response } from '../kit/behaviours.ts';
import { endpointsOf, workerCounts } from '../kit/counts.ts';
import { pass } from '../kit/fake-time.ts';
import { type LaneOptions, type Lanes, nothingInFlight, REFUSED, startLanes } from '../kit/lanes.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import type { RawClient } from '../kit/raw-client.ts';
import { allRequests, requestDurations, statuses, upstreamDurations } from '../kit/request-rows.ts';
import { GET, head, POST } from '../kit/requests.ts';
import { until } from '../kit/signal.ts';
import { answers, babbles, breaksOffAfter, ends, hangs, inTurn, resets, type Step, says } from '../kit/steps.ts';

expectNoSockets(t);

/** Lanes whose table must add up when the test ends: as many durations as statuses, and as many as requests began or were refused. */
async function start(t: Test, options: LaneOptions): Promise<Lanes> {
  const lanes = await startLanes(t, options);
  t.teardown(async () => {
    await nothingInFlight(lanes.proxy);
    const { requests = 0, refused = 0 } = workerCounts(lanes.proxy);
    const found = allRequests(lanes.proxy);
    const whole = found.statuses === requests + refused && found.durations === found.statuses;
    if (!whole) throw new Error(`${requests} requests and ${refused} refused heads, but ${JSON.stringify(found)}`);
  });
  return lanes;
}

const UPGRADE = head('GET', { Connection: 'upgrade', Upgrade: 'websocket' });
const SWITCH: Step = says('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');

t.test('answers count with their status, unusual ones with their class', async (t) => {
  const steps = [200, 204, 304, 404, 418, 299, 599, 500].map((status) => answers(status));
  const { proxy } = await start(t, { stable: [inTurn(...steps)] });
  const client = await proxy.connect();
  for (let i = 1; i <= steps.length; i++) {
    client.write(GET);
    await client.answers(i);
  }
  await nothingInFlight(proxy);
  t.strictSame(statuses(proxy), { 200: 2, 204: 1, 304: 1, 404: 1, 418: 1, 500: 2 });
  t.strictSame(statuses(proxy, null), {});
});

t.test('answers without a version count for none', async (t) => {
  const routes = [
    { match: { path: '/moved' }, redirect: { path: '/new', status: 301 } },
    { match: { path: '/fixed' }, reply: { status: 410, body: 'gone' } },
    { match: { path: '/faulty' }, service: 'web', fault: { abort: { status: 418, percent: 100 } } },
    { match: { path: '/slow' }, service: 'web', rateLimit: { rate: '1/h', burst: 1 } },
  ];
  const { proxy } = await start(t, { stable: [inTurn(answers(200))], config: { routes } });
  const client = await proxy.connect();
  const targets = ['/moved', '/fixed', '/faulty', '/slow', '/slow', '/nowhere'];
  for (let i = 0; i < targets.length; i++) {
    client.write(head('GET', {}, targets[i]));
    await client.answers(i + 1);
  }
  t.strictSame(statuses(proxy, null), { 301: 1, 404: 1, 410: 1, 418: 1, 429: 1 });
  t.strictSame(statuses(proxy), { 200: 1 });
});

t.test('heads that are refused count for none', async (t) => {
  const { proxy, clock } = await start(t, { stable: [inTurn(answers(200))], config: { limits: { headSize: '1KiB' } } });
  const refused = ['GET / HTTP/1.1\r\n\r\n', head('GET', { A: 'x'.repeat(2000) }), 'GET / HTTP/2.0\r\nHost: a\r\n\r\n'];
  for (const text of refused) await (await proxy.send(text)).answer();
  const slow = await proxy.send('GET / HT');
  await pass(clock, 10_200);
  t.equal((await slow.answer()).status, 408);
  t.strictSame(statuses(proxy, null), { 400: 1, 408: 1, 431: 1, 505: 1 });
  t.strictSame(requestDurations(proxy, null), { buckets: { 0.0005: 4 }, sum: 0 });
});

const FAILURES: readonly (readonly [name: string, step: Step | string, status: number])[] = [
  ['refused', REFUSED, 503],
  ['reset', resets, 502],
  ['FIN', ends, 502],
  ['malformed', babbles, 502],
  ['silence', hangs, 504],
  ['a fault in the packet of the head', says('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense'), 502],
];

for (const [name, step, status] of FAILURES) {
  t.test(`a failed attempt counts for the version that was tried: ${name}`, async (t) => {
    const canary = [typeof step === 'string' ? step : inTurn(step)];
    const lanes = await start(t, { stable: [inTurn(answers(200))], canary, service: { timeouts: { response: '1s' } } });
    const client = await lanes.proxy.send(GET);
    if (step === hangs) {
      await lanes.canary[0]!.untilRequests(1);
      await pass(lanes.clock, 1200);
    }
    t.equal((await client.answer()).status, status);
    t.strictSame(statuses(lanes.proxy, 'v2'), { [status]: 1 });
    t.strictSame(statuses(lanes.proxy, 'v1'), {});
    t.strictSame(statuses(lanes.proxy, null), {});
  });
}

t.test('what the circuit breaker refuses counts for the version that it protects', async (t) => {
  const service = { circuit: { maxRequests: 1 } };
  const { proxy, canary } = await start(t, { stable: [inTurn(answers(200))], canary: [inTurn(hangs)], service });
  const first = await proxy.send(GET);
  await canary[0]!.untilRequests(1);
  t.equal((await (await proxy.send(GET)).answer()).status, 503);
  first.reset();
  await nothingInFlight(proxy);
  t.strictSame(statuses(proxy, 'v2'), { 499: 1, 503: 1 });
});

t.test('a request that stable answered counts for stable, its failed attempt for what it was', async (t) => {
  const { proxy } = await start(t, {
    stable: [inTurn(answers(200))],
    canary: [inTurn(answers(500), resets)],
    service: { shield: {} },
  });
  const client = await proxy.send(GET);
  await client.answer();
  client.write(GET);
  await client.answers(2);
  t.strictSame(statuses(proxy, 'v1'), { 200: 2 });
  t.strictSame(statuses(proxy, 'v2'), {});
  t.strictSame(upstreamDurations(proxy, 'v1').buckets, { 0.0005: 2 });
  t.strictSame(upstreamDurations(proxy, 'v2').buckets, { 0.0005: 1 }, 'the reset was no answer');
});

t.test(
  'a request whose version has no endpoint to spare counts for stable, also where stable refuses it',
  async (t) => {
    const service = { circuit: { maxRequests: 1 } };
    const { proxy, stable } = await start(t, { stable: [inTurn(answers(200), hangs)], canary: [REFUSED], service });
    setFlag(proxy.plane.memory.endpoints, endpointsOf(proxy, 'v2')[0]!.id, UNHEALTHY);
    await (await proxy.send(GET)).answer();
    const second = await proxy.send(GET);
    await stable[0]!.untilRequests(2);
    t.equal((await (await proxy.send(GET)).answer()).status, 503);
    second.reset();
    await nothingInFlight(proxy);
    t.strictSame(statuses(proxy, 'v1'), { 200: 1, 499: 1, 503: 1 });
    t.strictSame(statuses(proxy, 'v2'), {});
  },
);

t.test('a client that goes away', async (t) => {
  const part = says('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
  const { proxy, stable } = await start(t, { stable: [inTurn(hangs, part)] });
  const waiting = await proxy.send(GET);
  await stable[0]!.untilRequests(1);
  waiting.reset();
  const reading = await proxy.send(GET);
  await reading.untilText('half');
  reading.reset();
  await nothingInFlight(proxy);
  t.strictSame(statuses(proxy), { 499: 2 });
  t.equal(workerCounts(proxy).clientAborts, 2);
});

t.test('an answer that is cut in the middle counts with the status that the client saw', async (t) => {
  const half = breaksOffAfter('HTTP/1.1 206 Part\r\nContent-Length: 10\r\n\r\nhalf');
  const { proxy } = await start(t, { stable: [inTurn(half)] });
  const client = await proxy.send(GET);
  await client.untilClosed();
  await nothingInFlight(proxy);
  t.strictSame(statuses(proxy), { 206: 1 });
  t.equal(workerCounts(proxy).cut, 1);
});

t.test('a fault in the body of a request', async (t) => {
  const { proxy } = await start(t, { stable: [inTurn(answers(200))] });
  const client = await proxy.send(`${head('POST', { 'Transfer-Encoding': 'chunked' })}nonsense\r\n`);
  t.equal((await client.answer()).status, 400);
  t.strictSame(statuses(proxy), { 400: 1 });
});

t.test('a tunnel counts when it ends', async (t) => {
  const { proxy, stable } = await start(t, { stable: [inTurn(SWITCH, SWITCH)] });
  const open = async (): Promise<RawClient> => {
    const client = await proxy.send(UPGRADE);
    await client.answer();
    return client;
  };
  const [one, other] = [await open(), await open()];
  t.strictSame(statuses(proxy), {});
  other.reset();
  await until('one tunnel to be counted', () => statuses(proxy)[101] === 1);
  one.fin();
  stable[0]!.connections[0]!.fin();
  await nothingInFlight(proxy);
  t.strictSame(statuses(proxy), { 101: 2 });
});

t.test('durations: of the request until its answer is whole, of the attempt until its head', async (t) => {
  const { proxy, clock, stable } = await start(t, { stable: [inTurn(hangs)] });
  const client = await proxy.send(POST);
  await stable[0]!.untilRequests(1);
  clock.advance(30);
  stable[0]!.connections[0]!.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha');
  await client.untilText('ha');
  clock.advance(170);
  stable[0]!.connections[0]!.write('lf');
  await client.answer();
  t.strictSame(upstreamDurations(proxy), { buckets: { 0.05: 1 }, sum: 30 });
  t.strictSame(requestDurations(proxy), { buckets: { 0.25: 1 }, sum: 200 });
});

t.test('gauges of upstream connections', async (t) => {
  const steps = [answers(200), hangs, ends, says(response(200, 'ok', { Connection: 'close' })), SWITCH, answers(200)];
  const { proxy, stable } = await start(t, { stable: [inTurn(...steps)] });
  const gauges = (): readonly [number, number] => {
    const { upstreamActive = 0, upstreamIdle = 0 } = workerCounts(proxy);
    return [upstreamActive, upstreamIdle];
  };
  const becomes = async (active: number, idle: number): Promise<void> => {
    await until(`${active} active and ${idle} idle`, () => gauges()[0] === active && gauges()[1] === idle);
    const stats = proxy.plane.stats();
    t.strictSame([stats.upstreamActive, stats.upstreamIdle], [active, idle]);
  };
  const ask = async (): Promise<RawClient> => {
    const client = await proxy.send(GET);
    await client.answer();
    return client;
  };
  await ask();
  await becomes(0, 1);
  const waiting = await proxy.send(GET);
  await stable[0]!.untilRequests(2);
  t.strictSame(gauges(), [1, 0], 'taken from the pool');
  waiting.reset();
  await becomes(0, 0);
  await ask();
  t.strictSame(gauges(), [0, 0], 'ended by the upstream');
  await ask();
  await becomes(0, 0);
  const tunnel = await proxy.send(UPGRADE);
  await tunnel.answer();
  t.strictSame(gauges(), [1, 0]);
  tunnel.reset();
  await becomes(0, 0);
  await ask();
  await becomes(0, 1);
  stable[0]!.connections.at(-1)!.reset();
  await becomes(0, 0);
  await ask();
  await becomes(0, 1);
  await proxy.plane.close();
  t.strictSame(gauges(), [0, 0], 'closed with the proxy');
});
