/** Upgraded connections: WebSocket tunnels, their halves, and upgrades that do not happen. */
import t from 'tap';
import { answering, response } from '../kit/behaviours.ts';
import { deliveries } from '../kit/deliveries.ts';
import { value } from '../kit/message.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { startProxy } from '../kit/proxy.ts';
import { type Behaviour, RawUpstream } from '../kit/raw-upstream.ts';
import { turns, until } from '../kit/signal.ts';

expectNoSockets(t);

const UPGRADE =
  'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

const switching: Behaviour = async (connection) => {
  await connection.request();
  connection.write(SWITCH);
};

t.test('the handshake goes through, then every byte both ways', async (t) => {
  const upstream = await RawUpstream.start(t, switching);
  const proxy = await startProxy(t, { upstream });
  const client = await proxy.send(UPGRADE);
  const answer = await client.answer();
  t.equal(answer.status, 101);
  t.match(value(answer, 'upgrade'), /^websocket$/i);
  t.match(value(answer, 'connection'), /upgrade/i);
  t.equal(value(answer, 'sec-websocket-accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  const request = upstream.requests[0]!;
  t.match(value(request, 'connection'), /upgrade/i);
  t.match(value(request, 'upgrade'), /^websocket$/i);
  t.equal(value(request, 'sec-websocket-key'), 'dGhlIHNhbXBsZSBub25jZQ==');
  const every = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('');
  client.write(`GET / HTTP/1.1\r\n\r\n${every}`);
  await until('the bytes upstream', () => upstream.connections[0]!.rest.length === 18 + 256);
  t.equal(upstream.connections[0]!.rest, `GET / HTTP/1.1\r\n\r\n${every}`);
  upstream.connections[0]!.write(every);
  await until('the bytes downstream', () => client.transcript().rest.length === 256);
  t.equal(client.transcript().rest, every);
});

t.test('bytes in the packets of the two heads, split at every byte', async (t) => {
  const upstream = await RawUpstream.start(t, () => {});
  const proxy = await startProxy(t, { upstream });
  for (const delivery of deliveries(`${SWITCH}server speaks first`, 3)) {
    upstream.behaviour = async (connection) => {
      await connection.request();
      await connection.writeParts(delivery.parts);
    };
    const client = await proxy.send(`${UPGRADE}client is hasty`);
    await client.untilText('server speaks first');
    const connection = upstream.connections.at(-1)!;
    await connection.untilText('client is hasty');
    const wrong = client.transcript().rest !== 'server speaks first' || connection.rest !== 'client is hasty';
    if (wrong) return t.fail(`${delivery.how}: ${client.describe()}; ${connection.describe()}`);
    client.destroy();
    await connection.untilOver();
    connection.destroy();
  }
  return t.pass('the same in every delivery');
});

t.test('each direction ends by itself', async (t) => {
  await t.test('the client ends first', async (t) => {
    const upstream = await RawUpstream.start(t, switching);
    const proxy = await startProxy(t, { upstream });
    const client = await proxy.send(UPGRADE);
    await client.answer();
    const connection = upstream.connections[0]!;
    client.write('last words');
    client.fin();
    await connection.untilOver();
    t.equal(connection.rest, 'last words');
    t.notOk(connection.closed);
    await turns(5);
    connection.write('a late answer');
    await client.untilText('a late answer');
    t.notOk(client.over, 'the other direction is open');
    connection.fin();
    await client.untilClosed();
    await until('nothing to be left', () => proxy.plane.stats().downstream === 0);
    t.strictSame(proxy.plane.stats(), { downstream: 0, upstreamActive: 0, upstreamIdle: 0, exchanges: 0 });
  });
  await t.test('the upstream ends first', async (t) => {
    const upstream = await RawUpstream.start(t, switching);
    const proxy = await startProxy(t, { upstream });
    const client = await proxy.send(UPGRADE);
    await client.answer();
    const connection = upstream.connections[0]!;
    connection.write('last words');
    connection.fin();
    await client.untilOver();
    t.equal(client.transcript().rest, 'last words');
    client.write('a late answer');
    await connection.untilText('a late answer');
    t.notOk(connection.over, 'the other direction is open');
    client.fin();
    await connection.untilClosed();
  });
  await t.test('the upstream ends in the packet of its 101', async (t) => {
    const upstream = await RawUpstream.start(t, async (connection) => {
      await connection.request();
      connection.write(`${SWITCH}bye`);
      connection.fin();
    });
    const proxy = await startProxy(t, { upstream });
    const client = await proxy.send(UPGRADE);
    await client.untilOver();
    t.equal(client.transcript().rest, 'bye');
    client.fin();
    await client.untilClosed();
  });
});

t.test('a reset on one side ends the other', async (t) => {
  for (const side of ['client', 'upstream'] as const) {
    const upstream = await RawUpstream.start(t, switching);
    const proxy = await startProxy(t, { upstream });
    const client = await proxy.send(UPGRADE);
    await client.answer();
    const ends = { client, upstream: upstream.connections[0]! };
    ends[side].reset();
    await ends[side === 'client' ? 'upstream' : 'client'].untilOver();
    ends.client.destroy();
    ends.upstream.destroy();
    await until('nothing to be left', () => proxy.plane.stats().downstream === 0);
    t.strictSame(proxy.plane.stats(), { downstream: 0, upstreamActive: 0, upstreamIdle: 0, exchanges: 0 }, side);
  }
});

t.test('a refused upgrade is an answer like any other', async (t) => {
  for (const status of [200, 400, 403, 426]) {
    await t.test(`${status}`, async (t) => {
      const upstream = await RawUpstream.start(t, answering(response(status, 'no')));
      const proxy = await startProxy(t, { upstream });
      const client = await proxy.send(UPGRADE);
      const answer = await client.answer();
      t.strictSame([answer.status, answer.body], [status, 'no']);
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      t.equal((await client.answers(2)).length, 2, 'the connection goes on');
      t.equal(value(upstream.requests.at(-1)!, 'upgrade'), null);
    });
  }
});

t.test('several protocols are offered as they are', async (t) => {
  const upstream = await RawUpstream.start(t, answering());
  const proxy = await startProxy(t, { upstream });
  const client = await proxy.send(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c, websocket\r\n\r\n',
  );
  t.equal((await client.answer()).status, 200);
  t.notMatch(value(upstream.requests[0]!, 'upgrade'), /h2c/i, 'but never h2c');
});

t.test('an upgrade whose body is not whole waits for it', async (t) => {
  const upstream = await RawUpstream.start(t, switching);
  const proxy = await startProxy(t, { upstream });
  const client = await proxy.send(UPGRADE.replace('\r\n\r\n', '\r\nContent-Length: 5\r\n\r\nhel'));
  await upstream.untilBytes(20);
  client.write('lotunnel');
  await client.answer().then(
    (answer) => t.match(`${answer.status}`, /^(101|400|501)$/),
    (error) => t.fail(error),
  );
  const [request] = upstream.requests;
  if (request) t.equal(request.body, 'hello');
});
