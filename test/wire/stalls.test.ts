/** Clients and upstreams that stop reading or sending at an awkward moment: nobody hangs for ever, nobody is cut too early. */
import t from 'tap';
import { FakeClock } from '../../src/runtime/clock.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { startProxy } from '../kit/proxy.ts';
import { RawUpstream } from '../kit/raw-upstream.ts';
import { turns, until, untilStill } from '../kit/signal.ts';

expectNoSockets(t);

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n';
const SWITCHED = 'HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n';
const BURST = 12_000_000;

async function setUp(t: Parameters<typeof startProxy>[0]) {
  const clock = new FakeClock();
  const upstream = await RawUpstream.start(t, () => {});
  return { clock, upstream, proxy: await startProxy(t, { upstream, clock }) };
}

t.test('an upload that nobody reads and an answer that nobody reads end each other in time', async (t) => {
  const { clock, upstream, proxy } = await setUp(t);
  upstream.behaviour = (connection) => connection.socket.pause();
  const client = await proxy.connect();
  client.socket.pause();
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${9 * BURST}\r\n\r\n`);
  client.socket.write(Buffer.alloc(2 * BURST));
  await upstream.untilConnections(1);
  const { socket } = upstream.connections[0]!;
  await untilStill('the upload', () => client.socket.writableLength);
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${4 * BURST}\r\n\r\n`);
  socket.write(Buffer.alloc(2 * BURST));
  await untilStill('the answer', () => socket.writableLength);
  for (let i = 0; i < 30; i++) {
    clock.advance(10_000);
    await turns(3);
  }
  await until('nothing to be left', () => Object.values(proxy.plane.stats()).every((count) => count === 0));
});

t.test('a client that sent FIN gets all of an answer that goes on, however long it is', async (t) => {
  const { clock, upstream, proxy } = await setUp(t);
  const client = await proxy.send(GET);
  client.fin();
  await upstream.untilRequests(1);
  upstream.connections[0]!.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n');
  for (let i = 0; i < 10; i++) {
    clock.advance(900);
    upstream.connections[0]!.write(String(i));
    await client.untilText(`\r\n\r\n${'0123456789'.slice(0, i + 1)}`);
  }
  t.equal((await client.answer()).body, '0123456789');
  await client.untilOver();
});

t.test('a client that has gone from a silent stream is noticed without a write', async (t) => {
  const { clock, upstream, proxy } = await setUp(t);
  const client = await proxy.send(GET);
  await upstream.untilRequests(1);
  upstream.connections[0]!.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n');
  await client.untilText('data: 1');
  client.fin();
  // The stream has written before, so the first expiry only renews the patience.
  for (let i = 0; i < 3; i++) {
    await turns(5);
    clock.advance(1_200);
  }
  await upstream.connections[0]!.untilOver();
  await until('nothing to be left', () => proxy.plane.stats().exchanges === 0);
});

t.test('a close-delimited answer that is cut for a stalled reader ends with a reset, not with FIN', async (t) => {
  const { clock, upstream, proxy } = await setUp(t);
  const client = await proxy.connect();
  client.keep = false;
  client.socket.pause();
  client.write('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
  await upstream.untilRequests(1);
  const { socket } = upstream.connections[0]!;
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${2 * BURST}\r\n\r\n`.replace(/Content-Length.*\r\n/, ''));
  socket.write(Buffer.alloc(2 * BURST));
  await untilStill('the answer', () => socket.writableLength);
  clock.advance(120_000);
  await until('the connection to be given up', () => proxy.plane.stats().downstream === 0);
  client.socket.resume();
  await client.untilOver();
  t.ok(client.bytes < 2 * BURST);
  t.equal(client.error && 'code' in client.error ? client.error.code : null, 'ECONNRESET');
});

t.test('a tunnel half-closed by the client outlives a burst', async (t) => {
  const { clock, upstream, proxy } = await setUp(t);
  const client = await proxy.send(UPGRADE);
  await upstream.untilRequests(1);
  const connection = upstream.connections[0]!;
  connection.write(SWITCHED);
  await client.untilText('101');
  client.keep = false;
  client.fin();
  await connection.untilOver();
  client.socket.pause();
  const before = client.bytes;
  connection.socket.write(Buffer.alloc(BURST));
  await untilStill('the burst', () => connection.socket.writableLength);
  client.socket.resume();
  await until('the burst to arrive', () => client.bytes - before >= BURST);
  for (let i = 1; i <= 12; i++) {
    clock.advance(10_000);
    connection.write('tick');
    await until(`message ${i}`, () => client.bytes - before === BURST + 4 * i || client.over);
  }
  t.notOk(client.over);
});

t.test('a drain ends a connection behind the response whose head went out before it', async (t) => {
  const { clock, upstream, proxy } = await setUp(t);
  const client = await proxy.send(GET);
  await upstream.untilRequests(1);
  upstream.connections[0]!.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc');
  await client.untilText('abc');
  let drained = false;
  const drain = proxy.plane.drain(30_000).then(() => {
    drained = true;
  });
  clock.advance(1_000);
  await turns(5);
  t.notOk(drained);
  upstream.connections[0]!.write('def');
  t.equal((await client.answer()).body, 'abcdef');
  await client.untilOver();
  client.destroy();
  await drain;
});
