/** What `drain`, `close` and `apply` do to connections in each state. */
import t from 'tap';
import { compileSnapshot } from '../../src/control/config/compile.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { answering, OK, response, silent } from '../kit/behaviours.ts';
import { value } from '../kit/message.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { configText, startProxy } from '../kit/proxy.ts';
import { RawClient } from '../kit/raw-client.ts';
import { RawUpstream } from '../kit/raw-upstream.ts';
import { turns, until } from '../kit/signal.ts';

expectNoSockets(t);

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

t.test('drain finishes requests, closes idle connections and accepts no more', async (t) => {
  const upstream = await RawUpstream.start(t, silent);
  const proxy = await startProxy(t, { upstream });
  const idle = await proxy.connect();
  const busy = await proxy.send(GET);
  await upstream.untilRequests(1);
  const drained = proxy.plane.drain(5000);
  await idle.untilOver();
  t.equal(idle.text, '');
  idle.destroy();
  const late = await RawClient.open(proxy.port);
  await late.untilOver();
  t.equal(late.bytes, 0, 'refused');
  late.destroy();
  t.notOk(busy.over);
  upstream.connections[0]!.write(OK);
  const answer = await busy.answer();
  t.equal(answer.status, 200);
  t.match(value(answer, 'connection'), /close/i);
  await busy.untilOver();
  busy.destroy();
  await drained;
});

t.test('drain cuts what is not done at its deadline', async (t) => {
  const clock = new FakeClock();
  const upstream = await RawUpstream.start(t, silent);
  const proxy = await startProxy(t, { upstream, clock });
  const busy = await proxy.send(GET);
  await upstream.untilRequests(1);
  const drained = proxy.plane.drain(5000);
  await turns(5);
  clock.advance(4900);
  await turns(5);
  t.notOk(busy.over);
  clock.advance(1000);
  await drained;
  await busy.untilOver();
  await upstream.connections[0]!.untilOver();
});

t.test('close ends everything at once, in every state', async (t) => {
  const upstream = await RawUpstream.start(t, silent);
  const proxy = await startProxy(t, { upstream });
  const clients = [
    await proxy.connect(),
    await proxy.send('GET / HT'),
    await proxy.send(GET),
    await proxy.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc'),
    await proxy.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'),
  ];
  await upstream.untilRequests(1);
  await upstream.untilConnections(2);
  proxy.plane.close();
  for (const client of clients) await client.untilOver();
  for (const connection of upstream.connections) await connection.untilOver();
  await until('nothing to be left', () => Object.values(proxy.plane.stats()).every((count) => count === 0));
});

t.test('close a moment after connecting, while upstream connections are being made', async (t) => {
  const upstream = await RawUpstream.start(t, silent);
  for (let turn = 0; turn < 8; turn++) {
    const proxy = await startProxy(t, { upstream });
    const client = await proxy.send(GET);
    await turns(turn);
    proxy.plane.close();
    await client.untilOver();
    client.destroy();
  }
  await turns(5);
  for (const connection of upstream.connections) await connection.untilOver();
});

t.test('apply: the next request goes by the new snapshot, on connections that stay open', async (t) => {
  const first = await RawUpstream.start(t, answering(response(200, 'first')));
  const second = await RawUpstream.start(t, answering(response(200, 'second')));
  const proxy = await startProxy(t, { upstream: first });
  const client = await proxy.send(GET);
  t.equal((await client.answer()).body, 'first');
  proxy.plane.apply(compileSnapshot(parseConfig(configText({ upstream: second }), 'test.yaml', {}), 2));
  client.write(GET);
  t.equal((await client.answers(2))[1]!.body, 'second');
  await first.connections[0]!.untilOver();
  t.pass('the pool of the endpoint that is gone was emptied');
});
