/** Where a request goes when its version, or the endpoint whose turn it is, cannot take it. */
import t from 'tap';
import { clearFlag, DISABLED, DRAINING, EJECTED, setFlag, UNHEALTHY } from '../../src/model/endpoint-table.ts';
import { answering, response } from '../kit/behaviours.ts';
import { endpointsOf, versionCounts, workerCounts } from '../kit/counts.ts';
import { wrongLocalReply } from '../kit/expect.ts';
import { pass } from '../kit/fake-time.ts';
import { type Lanes, startLanes } from '../kit/lanes.ts';
import { value } from '../kit/message.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { GET, head } from '../kit/requests.ts';
import { answers, hangs, inTurn } from '../kit/steps.ts';

expectNoSockets(t);

const named = (name: string) => answering(response(200, name));
const FLAGS = { UNHEALTHY, DRAINING, DISABLED, EJECTED };

/** Takes endpoints of a version out. */
function flag({ proxy }: Lanes, version: string, bit: number, indices: readonly number[]): void {
  for (const i of indices) setFlag(proxy.plane.memory.endpoints, endpointsOf(proxy, version)[i]!.id, bit);
}

async function bodies({ proxy }: Lanes, count: number, request = GET): Promise<string[]> {
  const client = await proxy.send(request.repeat(count));
  const got = await client.answers(count);
  client.destroy();
  return got.map((answer) => (answer.status === 200 ? answer.body : String(answer.status)));
}

for (const [name, bit] of Object.entries(FLAGS)) {
  t.test(`a canary whose endpoints are all ${name}`, async (t) => {
    const lanes = await startLanes(t, { stable: [named('stable')], canary: [named('a'), named('b')] });
    const { proxy } = lanes;
    flag(lanes, 'v2', bit, [0]);
    t.strictSame(await bodies(lanes, 2), ['b', 'b'], 'while it has one it is used');
    flag(lanes, 'v2', bit, [1]);
    const client = await proxy.send(GET + head('GET', { 'X-Lane': 'canary' }));
    const got = await client.answers(2);
    t.strictSame(
      got.map((answer) => [answer.status, answer.body, value(answer, 'x-sluice-version')]),
      Array(2).fill([200, 'stable', 'v1']),
      'also for who asked for it by name',
    );
    t.strictSame(versionCounts(proxy, 'v2'), { requests: 4, status2xx: 2, failovers: 2 });
    t.strictSame(versionCounts(proxy, 'v1'), { status2xx: 2 });
    t.equal(workerCounts(proxy).localReplies, undefined);
    clearFlag(proxy.plane.memory.endpoints, endpointsOf(proxy, 'v2')[0]!.id, bit);
    t.strictSame(await bodies(lanes, 1), ['a'], 'and it comes back');
  });

  t.test(`a stable version whose endpoints are all ${name}`, async (t) => {
    const lanes = await startLanes(t, { stable: [named('stable')], canary: [named('canary')] });
    flag(lanes, 'v1', bit, [0]);
    const client = await lanes.proxy.send(head('GET', { 'X-Lane': 'stable' }));
    t.equal(wrongLocalReply(await client.answer(), 503, 'UH', false), null);
    t.strictSame(versionCounts(lanes.proxy, 'v1'), { requests: 1 });
    client.write(GET);
    t.equal((await client.answers(2))[1]!.body, 'canary', 'the connection goes on');
    flag(lanes, 'v2', bit, [0]);
    t.strictSame(await bodies(lanes, 1), ['503'], 'there is nobody left to fail over to');
  });
}

t.test('failover asks stable’s circuit', async (t) => {
  const circuit = { maxRequests: 1 };
  const lanes = await startLanes(t, { stable: [inTurn(hangs)], canary: [named('canary')], service: { circuit } });
  flag(lanes, 'v2', UNHEALTHY, [0]);
  const first = await lanes.proxy.send(GET);
  await lanes.stable[0]!.untilRequests(1);
  const second = await lanes.proxy.send(GET);
  t.equal(wrongLocalReply(await second.answer(), 503, 'UO', false), null);
  t.equal(versionCounts(lanes.proxy, 'v1').overflows, 1);
  lanes.stable[0]!.connections[0]!.write(response(200));
  t.equal((await first.answer()).status, 200);
});

t.test('failover is no further attempt: no budget is asked, retries are left', async (t) => {
  const lanes = await startLanes(t, {
    stable: [inTurn(answers(200, 'stable'), answers(503), answers(200, 'again'))],
    canary: [named('canary')],
    service: { retry: { budget: { percent: '50%', minimum: 0 } } },
  });
  flag(lanes, 'v2', EJECTED, [0]);
  t.strictSame(await bodies(lanes, 2), ['stable', 'again']);
});

t.test('panicThreshold', async (t) => {
  const four = () => ['a', 'b', 'c', 'd'].map(named);
  const balance = { policy: 'round_robin', panicThreshold: '50%' };
  await t.test('below it, health is ignored', async (t) => {
    const lanes = await startLanes(t, { stable: four(), service: { balance } });
    flag(lanes, 'v1', UNHEALTHY, [0, 1]);
    t.strictSame([...new Set(await bodies(lanes, 8))].sort(), ['c', 'd'], 'half is not below half');
    flag(lanes, 'v1', EJECTED, [2]);
    t.strictSame([...new Set(await bodies(lanes, 8))].sort(), ['a', 'b', 'c', 'd']);
    flag(lanes, 'v1', DISABLED, [0]);
    flag(lanes, 'v1', DRAINING, [1]);
    t.strictSame([...new Set(await bodies(lanes, 8))].sort(), ['c', 'd'], 'what an operator took out stays out');
  });
  await t.test('off unless asked for', async (t) => {
    const lanes = await startLanes(t, { stable: four() });
    flag(lanes, 'v1', UNHEALTHY, [0, 1, 2]);
    t.strictSame(await bodies(lanes, 3), ['d', 'd', 'd']);
    flag(lanes, 'v1', UNHEALTHY, [3]);
    t.strictSame(await bodies(lanes, 1), ['503']);
  });
});

t.test('an endpoint’s maxRequests', async (t) => {
  const script = inTurn(hangs);
  const lanes = await startLanes(t, { stable: [script, script], endpoint: { maxRequests: 2 } });
  const { proxy, stable } = lanes;
  const clients = [];
  for (let i = 1; i <= 4; i++) {
    clients.push(await proxy.send(GET));
    await Promise.race(stable.map((upstream) => upstream.untilRequests(Math.ceil(i / 2))));
  }
  for (const upstream of stable) await upstream.untilRequests(2);
  const fifth = await proxy.send(GET);
  t.equal(wrongLocalReply(await fifth.answer(), 503, 'UO', false), null, 'all full');
  t.equal(versionCounts(proxy).overflows, 1);
  stable[1]!.connections[0]!.write(response(200, 'free'));
  await Promise.race(clients.map((client) => client.answer()));
  fifth.write(GET);
  await stable[1]!.untilRequests(3);
  t.equal(stable[0]!.requests.length, 2, 'the one that has room gets it');
  for (const upstream of stable) for (const connection of upstream.connections) connection.write(response(200));
  for (const client of clients) t.equal((await client.answer()).status, 200);
  t.equal((await fifth.answers(2))[1]!.status, 200);
});

t.test('a canary that is full has no endpoint to spare: failover', async (t) => {
  const lanes = await startLanes(t, {
    stable: [named('stable')],
    canary: [inTurn(hangs)],
    endpoint: { maxRequests: 1 },
  });
  const first = await lanes.proxy.send(GET);
  await lanes.canary[0]!.untilRequests(1);
  t.strictSame(await bodies(lanes, 1), ['stable']);
  t.strictSame(versionCounts(lanes.proxy, 'v2'), { requests: 2, failovers: 1, active: 1 });
  first.reset();
});

t.test('a retry passes over an endpoint that is full', async (t) => {
  const lanes = await startLanes(t, {
    stable: [inTurn(hangs), inTurn(answers(503, 'b'))],
    endpoint: { maxRequests: 1 },
    service: { retry: {} },
  });
  const first = await lanes.proxy.send(GET);
  await lanes.stable[0]!.untilRequests(1);
  t.strictSame(await bodies(lanes, 1), ['503']);
  t.equal(lanes.stable[1]!.requests.length, 2, 'the one that was tried is tried again');
  first.reset();
});

t.test('slow start: an endpoint that is back gets its share little by little', async (t) => {
  const balance = { policy: 'round_robin', slowStart: '10s' };
  const lanes = await startLanes(t, { stable: [named('a'), named('b')], service: { balance } });
  const { proxy, clock, dice } = lanes;
  const share = async (): Promise<number> => {
    let count = 0;
    for (let i = 0; i < 20; i++) {
      // Every twentieth of what the dice can show, once.
      dice.value = i / 20;
      const [got] = await bodies(lanes, 2).then((pair) => [pair.filter((body) => body === 'b').length]);
      count += got!;
    }
    return count;
  };
  t.equal(await share(), 20, 'at the beginning all are old');
  flag(lanes, 'v1', UNHEALTHY, [1]);
  t.equal(await share(), 0);
  clearFlag(proxy.plane.memory.endpoints, endpointsOf(proxy)[1]!.id, UNHEALTHY);
  const shares = [await share()];
  for (let i = 0; i < 4; i++) {
    await pass(clock, 2500, 500);
    shares.push(await share());
  }
  t.ok(shares[0]! >= 1 && shares[0]! <= 3, `${shares} of 20`);
  t.strictSame(
    shares,
    [...shares].sort((a, b) => a - b),
    'never falling',
  );
  t.ok(shares[2]! > 7 && shares[2]! < 15, `${shares}`);
  t.equal(shares[4], 20);
});
