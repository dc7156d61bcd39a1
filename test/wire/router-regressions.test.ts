/** Faults of the request path that fuzzing or reading has found, one test each: the smallest exchange that showed them. */
import t, { type Test } from 'tap';
import { compileSnapshot } from '../../src/control/config/compile.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import { clearFlag, setFlag, UNHEALTHY } from '../../src/model/endpoint-table.ts';
import { answering, OK, response } from '../kit/behaviours.ts';
import { endpointCounts, endpointsOf } from '../kit/counts.ts';
import { wrongLocalReply } from '../kit/expect.ts';
import { nothingInFlight, startLanes } from '../kit/lanes.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { configText, startProxy } from '../kit/proxy.ts';
import { RawUpstream } from '../kit/raw-upstream.ts';
import { chunked, GET, head } from '../kit/requests.ts';
import { turns } from '../kit/signal.ts';
import { answers, ends, inTurn, type Step, says } from '../kit/steps.ts';

expectNoSockets(t);

const named = (name: string) => answering(response(200, name));

t.test(
  'a 101 that nobody asked for is not taken for a stale connection because an earlier attempt had one',
  async (t) => {
    const switches = says('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
    const { proxy, stable } = await startLanes(t, { stable: [inTurn(answers(200, 'first'), ends, switches)] });
    const client = await proxy.send(GET);
    await client.answer();
    client.write(GET);
    const second = (await client.answers(2))[1]!;
    t.equal(wrongLocalReply(second, 502, 'UPE', false), null);
    t.equal(stable[0]!.requests.length, 3, 'once more on a fresh connection, and that is all');
  },
);

t.test(
  'an endpoint that a request has tried before its version failed over is used again when it is back',
  async (t) => {
    let endpoints = new Int32Array();
    let id = -1;
    const fails: Step = (connection) => {
      setFlag(endpoints, id, UNHEALTHY);
      connection.reset();
    };
    const lanes = await startLanes(t, {
      stable: [named('stable')],
      canary: [inTurn(fails, answers(200, 'canary'))],
      service: { retry: { on: ['reset'] } },
    });
    const { proxy } = lanes;
    endpoints = proxy.plane.memory.endpoints as Int32Array<ArrayBuffer>;
    id = endpointsOf(proxy, 'v2')[0]!.id;
    const client = await proxy.send(GET);
    t.equal((await client.answer()).body, 'stable');
    clearFlag(endpoints, id, UNHEALTHY);
    client.write(GET);
    t.equal((await client.answers(2))[1]!.body, 'canary');
  },
);

t.test('requests that wait for a connection of a version all go on when it has no endpoint left', async (t) => {
  const gate = Promise.withResolvers<void>();
  const lanes = await startLanes(t, {
    stable: [named('stable')],
    canary: [
      inTurn(async (connection) => {
        await gate.promise;
        connection.write(OK);
      }),
    ],
    service: { circuit: { maxConnections: 1 } },
  });
  const { proxy, canary } = lanes;
  const first = await proxy.send(GET);
  await canary[0]!.untilRequests(1);
  const waiting = [await proxy.send(GET), await proxy.send(GET), await proxy.send(GET)];
  await turns(6);
  setFlag(proxy.plane.memory.endpoints, endpointsOf(proxy, 'v2')[0]!.id, UNHEALTHY);
  gate.resolve();
  t.equal((await first.answer()).status, 200);
  for (const client of waiting) t.equal((await client.answer()).body, 'stable');
});

t.test('a request that goes out again because its connection was stale does not exceed the circuit', async (t) => {
  let most = 0;
  const script = inTurn(answers(200), ends, answers(200, 'again'), answers(200, 'next'));
  const { proxy } = await startLanes(t, {
    stable: [
      (connection) => {
        const { upstreamActive, upstreamIdle } = proxy.plane.stats();
        most = Math.max(most, upstreamActive + upstreamIdle);
        return script(connection);
      },
    ],
    service: { circuit: { maxConnections: 1 } },
  });
  const client = await proxy.send(GET);
  await client.answer();
  client.write(GET);
  const other = await proxy.send(GET);
  t.equal((await client.answers(2))[1]!.body, 'again');
  t.equal((await other.answer()).body, 'next');
  t.equal(most, 1);
  await nothingInFlight(proxy);
});

t.test('the bytes of a tunnel are not chunked because the request that opened it was', async (t) => {
  const { proxy, stable } = await startLanes(t, {
    stable: [inTurn(says('HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n'))],
  });
  const fields = { Connection: 'upgrade', Upgrade: 'echo', 'Transfer-Encoding': 'chunked' };
  const client = await proxy.send(`${head('POST', fields)}${chunked('hello')}`);
  await client.untilText('\r\n\r\n');
  client.write('raw');
  await stable[0]!.connections[0]!.untilText('raw');
  await turns(2);
  t.equal(stable[0]!.connections[0]!.rest, 'raw');
  client.reset();
  await nothingInFlight(proxy);
});

t.test(
  'an endpoint that inherits the number of one with a request in flight is counted together with it',
  async (t) => {
    const held = async (t: Test) => {
      const gate = Promise.withResolvers<void>();
      const script = inTurn(async (connection) => {
        await gate.promise;
        connection.write(OK);
      });
      return { upstream: await RawUpstream.start(t, script), release: gate.resolve };
    };
    const [first, second, third] = [await held(t), await held(t), await held(t)];
    const proxy = await startProxy(t, { upstream: first.upstream });
    const move = (to: RawUpstream, generation: number) => {
      const config = parseConfig(configText({ upstream: to }), 'test.yaml', {});
      proxy.plane.apply(compileSnapshot(config, generation, proxy.plane.snapshot));
    };
    const before = await proxy.send(GET);
    await first.upstream.untilRequests(1);
    const { id } = endpointsOf(proxy)[0]!;
    move(second.upstream, 2);
    move(third.upstream, 3);
    t.equal(endpointsOf(proxy)[0]!.id, id, 'which is what this is about');
    const after = await proxy.send(GET);
    await third.upstream.untilRequests(1);
    t.strictSame(endpointCounts(proxy), [{ active: 2 }]);
    first.release();
    await before.answer();
    t.strictSame(endpointCounts(proxy), [{ success: 1, active: 1 }]);
    third.release();
    await after.answer();
    t.strictSame(endpointCounts(proxy), [{ success: 2 }]);
  },
);
