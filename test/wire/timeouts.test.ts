/** Every timeout and connection limit, on a clock that the test turns. */
import { createServer } from 'node:net';
import t, { type Test } from 'tap';
import { FakeClock } from '../../src/runtime/clock.ts';
import { answering, OK, silent } from '../kit/behaviours.ts';
import { wrongLocalReply } from '../kit/expect.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { type ProxyOptions, startProxy } from '../kit/proxy.ts';
import { type Behaviour, RawUpstream } from '../kit/raw-upstream.ts';
import { turns, until } from '../kit/signal.ts';

expectNoSockets(t);

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const UPLOAD = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n';
const IDLE = { downstream: 0, upstreamActive: 0, upstreamIdle: 0, exchanges: 0 };

/** A timer may fire a little late (the wheel is coarse), never early. */
const LATE = 500;

/** Lets time pass in small steps, with turns between them so that sockets can act on what each step did. */
async function pass(clock: FakeClock, ms: number, step = 100): Promise<void> {
  for (let left = ms; left > 0; left -= step) {
    clock.advance(Math.min(step, left));
    await turns(3);
  }
}

async function setUp(t: Test, behaviour: Behaviour, options: Partial<ProxyOptions> = {}) {
  const clock = new FakeClock();
  const upstream = await RawUpstream.start(t, behaviour);
  const proxy = await startProxy(t, { upstream, clock, ...options });
  await pass(clock, 1000);
  return { clock, upstream, proxy };
}

t.test('head', async (t) => {
  const config = { timeouts: { head: '5s', keepAlive: '20s' } };
  await t.test('a client that connects and says nothing is closed', async (t) => {
    const { clock, proxy } = await setUp(t, silent, { config });
    const client = await proxy.connect();
    await turns(5);
    await pass(clock, 5000 - 100);
    t.notOk(client.over);
    await pass(clock, 100 + LATE);
    await client.untilOver();
    t.ok(client.text === '' || /^HTTP\/1\.1 408 /.test(client.text), client.text);
  });
  await t.test('a client that drips its head is answered 408, however steadily it drips', async (t) => {
    const { clock, upstream, proxy } = await setUp(t, silent, { config });
    const client = await proxy.connect();
    for (const char of GET.slice(0, 24)) {
      client.write(char);
      await turns(3);
      await pass(clock, 200);
    }
    t.equal(client.text, '', 'not before its time');
    client.write('X-A');
    await turns(3);
    await pass(clock, 200 + LATE);
    t.equal(wrongLocalReply(await client.answer(), 408, 'SI'), null);
    await client.untilOver();
    t.equal(upstream.bytes, 0);
  });
  await t.test('the same on a kept connection: the time starts with the first byte', async (t) => {
    const { clock, proxy } = await setUp(t, answering(), { config });
    const client = await proxy.send(GET);
    await client.answer();
    await pass(clock, 15_000);
    client.write('G');
    await turns(3);
    await pass(clock, 5000 - 100);
    t.notOk(client.over, 'not before its time');
    await pass(clock, 100 + LATE);
    t.equal((await client.answers(2))[1]!.status, 408);
    await client.untilOver();
  });
});

t.test('keepAlive: an idle connection is closed without a word', async (t) => {
  const { clock, proxy } = await setUp(t, answering(), { config: { timeouts: { keepAlive: '20s' } } });
  const client = await proxy.send(GET);
  await client.answer();
  await pass(clock, 20_000 - 100);
  t.notOk(client.over);
  await pass(clock, 100 + LATE);
  await client.untilOver();
  t.equal(client.transcript().answers.length, 1);
  t.equal(client.transcript().rest, '');
});

t.test('keepAlive does not run while an answer is awaited', async (t) => {
  const { clock, upstream, proxy } = await setUp(t, silent, {
    config: { timeouts: { keepAlive: '2s', head: '2s', bodyIdle: '2s' } },
  });
  const client = await proxy.send(GET);
  await upstream.untilRequests(1);
  await pass(clock, 10_000);
  upstream.connections[0]!.write(OK);
  t.equal((await client.answer()).status, 200);
});

t.test('bodyIdle', async (t) => {
  const config = { timeouts: { bodyIdle: '5s' } };
  await t.test('silence in an upload is a 408', async (t) => {
    const { clock, upstream, proxy } = await setUp(t, silent, { config });
    const client = await proxy.send(`${UPLOAD}abc`);
    await upstream.untilBytes(20);
    await pass(clock, 5000 - 100);
    t.notOk(client.over);
    await pass(clock, 100 + LATE);
    t.equal(wrongLocalReply(await client.answer(), 408, 'SI'), null);
    await client.untilOver();
    await upstream.connections[0]!.untilOver();
  });
  await t.test('a slow but steady upload goes on', async (t) => {
    const { clock, proxy } = await setUp(t, answering(), { config });
    const client = await proxy.send(UPLOAD);
    for (let i = 0; i < 100; i++) {
      client.write('x');
      await turns(3);
      await pass(clock, 4000, 1000);
    }
    t.equal((await client.answer()).status, 200);
  });
  await t.test('a reader that stops is cut', async (t) => {
    const big = `HTTP/1.1 200 OK\r\nContent-Length: 64000000\r\n\r\n${'x'.repeat(64_000_000)}`;
    const { clock, upstream, proxy } = await setUp(t, answering(big), { config });
    const client = await proxy.connect();
    client.keep = false;
    client.socket.pause();
    client.write(GET);
    await upstream.untilRequests(1);
    await turns(200);
    await pass(clock, 5000 + 2 * LATE);
    await upstream.connections[0]!.untilOver();
    upstream.connections[0]!.destroy();
    await until('nothing to be left', () => proxy.plane.stats().downstream === 0);
    t.strictSame(proxy.plane.stats(), IDLE);
  });
});

t.test('an upstream that takes too long', async (t) => {
  for (const key of ['response', 'request']) {
    await t.test(`${key}: no head in time is a 504`, async (t) => {
      const { clock, upstream, proxy } = await setUp(t, silent, { service: { timeouts: { [key]: '5s' } } });
      const client = await proxy.send(GET);
      await upstream.untilRequests(1);
      await pass(clock, 5000 - 100);
      t.equal(client.text, '');
      await pass(clock, 100 + LATE);
      t.equal(wrongLocalReply(await client.answer(), 504, 'UT', false), null);
      await upstream.connections[0]!.untilOver();
      upstream.behaviour = answering();
      client.write(GET);
      t.equal((await client.answers(2))[1]!.status, 200, 'the client connection goes on');
    });
  }
  await t.test('half a head or interim responses do not help', async (t) => {
    const { clock, upstream, proxy } = await setUp(t, silent, { service: { timeouts: { response: '5s' } } });
    const client = await proxy.send(GET);
    await upstream.untilRequests(1);
    upstream.connections[0]!.write('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n');
    await turns(5);
    await pass(clock, 5000 + LATE);
    t.equal((await client.answer()).status, 504);
  });
  await t.test('the time of a slow upload is not the upstream’s', async (t) => {
    const { clock, upstream, proxy } = await setUp(t, answering(), {
      service: { timeouts: { response: '5s', request: '5s' } },
    });
    const client = await proxy.send(`${UPLOAD}abc`);
    await upstream.untilBytes(20);
    await pass(clock, 10_000);
    client.write('x'.repeat(97));
    t.equal((await client.answer()).status, 200);
  });
  await t.test('idle: silence in the middle of a body cuts the client', async (t) => {
    for (const body of [
      'Content-Length: 100\r\n\r\nabc',
      'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
      '\r\nabc',
    ]) {
      const { clock, upstream, proxy } = await setUp(t, silent, { service: { timeouts: { idle: '5s' } } });
      const client = await proxy.send(GET);
      await upstream.untilRequests(1);
      upstream.connections[0]!.write(`HTTP/1.1 200 OK\r\n${body}`);
      await client.untilText('abc');
      await pass(clock, 5000 - 100);
      t.notOk(client.over);
      await pass(clock, 100 + LATE);
      await client.untilOver();
      t.ok(client.transcript().cut, 'without an end');
      await upstream.connections[0]!.untilOver();
    }
  });
  await t.test('idle: a slow but steady body goes on', async (t) => {
    const { clock, upstream, proxy } = await setUp(t, silent, {
      service: { timeouts: { idle: '5s', response: '5s', request: '5s' } },
    });
    const client = await proxy.send(GET);
    await upstream.untilRequests(1);
    upstream.connections[0]!.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n');
    for (let i = 0; i < 10; i++) {
      await turns(3);
      await pass(clock, 4000, 1000);
      upstream.connections[0]!.write('x');
    }
    t.equal((await client.answer()).body, 'x'.repeat(10));
  });
});

t.test('tunnel: silence of both sides ends it, one talking side keeps it', async (t) => {
  const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n';
  const { clock, upstream, proxy } = await setUp(t, answering(head), { service: { timeouts: { tunnel: '60s' } } });
  const client = await proxy.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
  await client.answer();
  const connection = upstream.connections[0]!;
  connection.keep = false;
  for (let i = 0; i < 4; i++) {
    await pass(clock, 50_000, 1000);
    (i % 2 === 0 ? client : connection).write('ping');
    await turns(5);
  }
  t.notOk(client.over || connection.over);
  await pass(clock, 60_000 + 2 * LATE, 500);
  await client.untilOver();
  await connection.untilOver();
});

t.test('pool.idle: an idle upstream connection is closed', async (t) => {
  const { clock, upstream, proxy } = await setUp(t, answering(), { service: { pool: { idle: '5s' } } });
  const client = await proxy.send(GET);
  await client.answer();
  await pass(clock, 5000 - 100);
  t.equal(proxy.plane.stats().upstreamIdle, 1);
  await pass(clock, 100 + 2000);
  await upstream.connections[0]!.untilOver();
  t.equal(proxy.plane.stats().upstreamIdle, 0);
});

t.test('Keep-Alive: timeout of the upstream shortens that time', async (t) => {
  const hinted = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=4, max=100\r\n\r\nok';
  const { clock, upstream, proxy } = await setUp(t, answering(hinted));
  const client = await proxy.send(GET);
  await client.answer();
  await pass(clock, 4000);
  upstream.behaviour = answering();
  client.write(GET);
  t.equal((await client.answers(2))[1]!.status, 200);
  t.equal(upstream.connections.length, 2, 'it was not used at the end of its announced life');
});

t.test('connect', async (t) => {
  await t.test('refused: 503 UF', async (t) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const proxy = await startProxy(t, { upstream: [`http://127.0.0.1:${port}`] });
    const client = await proxy.send(GET);
    t.equal(wrongLocalReply(await client.answer(), 503, 'UF', false), null);
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi');
    t.equal((await client.answers(2))[1]!.status, 503, 'the client connection goes on, the body being whole');
  });
  await t.test('refused in the middle of an upload: the rest of the body is never taken for a request', async (t) => {
    const proxy = await startProxy(t, { upstream: ['http://127.0.0.1:1'] });
    const client = await proxy.send(`${UPLOAD}abc`);
    t.equal(wrongLocalReply(await client.answer(), 503, 'UF', false), null);
    // Both are right: to end the connection, or to let the rest of the body run out and then answer the next request.
    client.write(`${GET}${'x'.repeat(97 - GET.length)}${GET}`);
    await client.signal.wait('the end or an answer', () => client.over || client.transcript().answers.length > 1);
    await client.nothingMore();
    t.ok(client.transcript().answers.length <= 2);
    t.ok(client.transcript().answers.every((answer) => answer.status === 503));
  });
  await t.test('a black hole: 503 UF', { skip: 'loopback answers every connection attempt' }, async () => {});
});

t.test('limits.connections: one more is closed at accept, and there is room again when one ends', async (t) => {
  const { proxy } = await setUp(t, answering(), { config: { limits: { connections: 3 } } });
  const clients = [await proxy.send(GET), await proxy.send(GET), await proxy.send(GET)];
  for (const client of clients) t.equal((await client.answer()).status, 200);
  const fourth = await proxy.send(GET);
  await fourth.untilOver();
  t.notMatch(fourth.text, /200/);
  clients[0]!.destroy();
  await until('room', () => proxy.plane.stats().downstream === 2);
  t.equal((await (await proxy.send(GET)).answer()).status, 200);
});

t.test('limits.connectionsPerAddress counts each address by itself; trusted proxies are not counted', async (t) => {
  const { proxy } = await setUp(t, answering(), {
    config: { limits: { connectionsPerAddress: 2 }, trustedProxies: ['127.0.0.9/32'] },
  });
  const open = async (address: string) => {
    const client = await proxy.connect(address);
    client.write(GET);
    await client.signal.wait('an answer or the end', () => client.over || client.transcript().answers.length > 0);
    return client.transcript().answers.length > 0;
  };
  const addresses = ['127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.2', '127.0.0.9', '127.0.0.9', '127.0.0.9'];
  const served: boolean[] = [];
  for (const address of addresses) served.push(await open(address));
  t.strictSame(served, [true, true, false, true, true, true, true]);
});
