/** What a request goes through besides being forwarded: order, reuse, expectations, early answers, aborts, resends. */
import t from 'tap';
import { FakeClock } from '../../src/runtime/clock.ts';
import { answering, OK, response, silent } from '../kit/behaviours.ts';
import { value } from '../kit/message.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { startProxy } from '../kit/proxy.ts';
import { RawUpstream } from '../kit/raw-upstream.ts';
import { turns, until } from '../kit/signal.ts';

expectNoSockets(t);

const get = (target: string, fields = '') => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;

t.test('pipelined requests are answered in order, however long each takes', async (t) => {
  const waiting = new Map<string, () => void>();
  const seen = new Set<string>();
  const upstream = await RawUpstream.start(t, async (connection) => {
    for (;;) {
      const { target } = await connection.request();
      seen.add(target);
      waiting.set(target, () => connection.write(response(200, target)));
    }
  });
  const proxy = await startProxy(t, { upstream });
  const client = await proxy.send(get('/1') + get('/2') + get('/3'));
  // Whether the later ones are forwarded already is the proxy's affair; of those that are there the last is answered first.
  for (const target of ['/1', '/2', '/3']) {
    await until(`${target} to reach the upstream`, () => seen.has(target));
    for (const answer of [...waiting.values()].reverse()) answer();
    waiting.clear();
  }
  const bodies = (await client.answers(3)).map((answer) => answer.body);
  t.strictSame(bodies, ['/1', '/2', '/3']);
});

t.test('100 pipelined requests in one packet', async (t) => {
  const upstream = await RawUpstream.start(
    t,
    answering((request) => response(200, request.target)),
  );
  const proxy = await startProxy(t, { upstream });
  const targets = Array.from({ length: 100 }, (_, i) => `/${i}`);
  const client = await proxy.send(targets.map((target) => get(target)).join(''));
  t.strictSame(
    (await client.answers(100)).map((answer) => answer.body),
    targets,
  );
});

t.test('both connections are used again; a second client uses the same upstream connection', async (t) => {
  const upstream = await RawUpstream.start(t, answering());
  const proxy = await startProxy(t, { upstream });
  const client = await proxy.connect();
  for (let i = 1; i <= 5; i++) {
    client.write(get('/'));
    await client.answers(i);
  }
  client.fin();
  await client.untilOver();
  const other = await proxy.send(get('/'));
  t.equal((await other.answer()).status, 200);
  t.equal(upstream.connections.length, 1);
  t.equal(upstream.requests.length, 6);
  other.destroy();
  await until('the connections to be gone', () => proxy.plane.stats().downstream === 0);
  t.strictSame(proxy.plane.stats(), { downstream: 0, upstreamActive: 0, upstreamIdle: 1, exchanges: 0 });
});

t.test('Expect: 100-continue is the upstream’s to answer', async (t) => {
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n';
  await t.test('100, then the body', async (t) => {
    const upstream = await RawUpstream.start(t, async (connection) => {
      await connection.head();
      connection.write('HTTP/1.1 100 Continue\r\n\r\n');
      const { body } = await connection.request();
      connection.write(response(200, body));
    });
    const proxy = await startProxy(t, { upstream });
    const client = await proxy.send(head);
    await client.untilText('100 Continue');
    t.equal(upstream.requests.length, 0, 'no body was made up');
    client.write('hello');
    const answer = await client.answer();
    t.strictSame([answer.body, answer.interim.map((each) => each.status)], ['hello', [100]]);
  });
  for (const status of [413, 417]) {
    await t.test(`${status} without the body`, async (t) => {
      const upstream = await RawUpstream.start(t, async (connection) => {
        await connection.head();
        connection.write(response(status, 'no'));
      });
      const proxy = await startProxy(t, { upstream });
      const client = await proxy.send(head);
      const answer = await client.answer();
      t.strictSame([answer.status, answer.body, answer.interim.length], [status, 'no', 0]);
      client.destroy();
      await upstream.connections[0]!.untilOver();
      t.equal(upstream.connections[0]!.requests.length, 0);
    });
  }
});

t.test('an answer before the upload is whole reaches the client, then both connections end', async (t) => {
  for (const framing of ['Content-Length: 1000000', 'Transfer-Encoding: chunked']) {
    await t.test(framing, async (t) => {
      const upstream = await RawUpstream.start(t, async (connection) => {
        await connection.head();
        connection.write(response(403, 'too early'));
      });
      const proxy = await startProxy(t, { upstream });
      const body = framing.includes('chunked') ? `8000\r\n${'x'.repeat(0x8000)}\r\n` : 'x'.repeat(0x8000);
      const client = await proxy.send(`POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${body}`);
      const answer = await client.answer();
      t.strictSame([answer.status, answer.body], [403, 'too early']);
      t.match(value(answer, 'connection'), /close/i, 'the client is told that the connection ends');
      await client.untilOver();
      client.destroy();
      await upstream.connections[0]!.untilOver();
      t.equal(upstream.requests.length, 0);
    });
  }
});

t.test('an early answer of some size, while the client goes on uploading', async (t) => {
  const big = 'y'.repeat(300_000);
  const upstream = await RawUpstream.start(t, async (connection) => {
    connection.keep = true;
    await connection.head();
    connection.write(response(200, big));
  });
  const proxy = await startProxy(t, { upstream });
  const client = await proxy.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n');
  for (let i = 0; i < 50; i++) {
    client.write('x'.repeat(16_000));
    await turns(1);
  }
  t.equal((await client.answer()).body.length, big.length, 'the answer is whole');
  client.destroy();
  await upstream.connections[0]!.untilOver();
});

t.test('a client that goes away takes its upstream connection with it', async (t) => {
  const states: Readonly<Record<string, { send: string; answer: string }>> = {
    'before the answer': { send: get('/'), answer: '' },
    'within the answer': { send: get('/'), answer: 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc' },
    'within a chunked answer': {
      send: get('/'),
      answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
    },
    'within the upload': { send: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nabc', answer: '' },
  };
  for (const [name, { send, answer }] of Object.entries(states)) {
    await t.test(name, async (t) => {
      const upstream = await RawUpstream.start(t, async (connection) => {
        await connection.head();
        connection.write(answer);
      });
      const proxy = await startProxy(t, { upstream });
      const client = await proxy.send(send);
      await upstream.untilBytes(20);
      if (answer !== '') await client.untilText('abc');
      client.reset();
      await upstream.connections[0]!.untilOver();
      upstream.connections[0]!.destroy();
      await until('nothing to be left', () => proxy.plane.stats().downstream === 0);
      t.strictSame(proxy.plane.stats(), { downstream: 0, upstreamActive: 0, upstreamIdle: 0, exchanges: 0 });
    });
  }
});

t.test('a client that sent FIN', async (t) => {
  await t.test('gets an answer that comes in time', async (t) => {
    const upstream = await RawUpstream.start(t, silent);
    const clock = new FakeClock();
    const proxy = await startProxy(t, { upstream, clock });
    const client = await proxy.send(get('/'));
    client.fin();
    await upstream.untilRequests(1);
    await turns(5);
    clock.advance(800);
    upstream.connections[0]!.write(OK);
    t.equal((await client.answer()).body, 'ok');
    await client.untilOver();
  });
  await t.test('gets every answer to what it had pipelined before', async (t) => {
    const upstream = await RawUpstream.start(
      t,
      answering((request) => response(200, request.target)),
    );
    const proxy = await startProxy(t, { upstream });
    const client = await proxy.send(get('/1') + get('/2') + get('/3'));
    client.fin();
    await client.untilOver();
    t.strictSame(
      client.transcript().answers.map((answer) => answer.body),
      ['/1', '/2', '/3'],
    );
  });
  await t.test('gets nothing later: the upstream is aborted', async (t) => {
    const upstream = await RawUpstream.start(t, silent);
    const clock = new FakeClock();
    const proxy = await startProxy(t, { upstream, clock });
    const client = await proxy.send(get('/'));
    client.fin();
    await upstream.untilRequests(1);
    await turns(5);
    t.notOk(upstream.connections[0]!.over);
    clock.advance(1500);
    await upstream.connections[0]!.untilOver();
    await client.untilOver();
    t.equal(client.text, '');
  });
  await t.test('in the middle of a request body aborts the upstream', async (t) => {
    const upstream = await RawUpstream.start(t, silent);
    const proxy = await startProxy(t, { upstream });
    const client = await proxy.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nabc');
    await upstream.untilBytes(20);
    client.fin();
    await upstream.connections[0]!.untilOver();
    await client.untilOver();
    t.equal(upstream.requests.length, 0);
  });
  await t.test('on an idle connection is answered with FIN', async (t) => {
    const upstream = await RawUpstream.start(t, answering());
    const proxy = await startProxy(t, { upstream });
    const client = await proxy.send(get('/'));
    await client.answer();
    client.fin();
    await client.untilOver();
    t.equal(client.error, null);
  });
  await t.test('in the middle of a head is answered with FIN or a 400', async (t) => {
    const upstream = await RawUpstream.start(t, answering());
    const proxy = await startProxy(t, { upstream });
    const client = await proxy.send('GET / HTTP/1.1\r\nHost');
    client.fin();
    await client.untilOver();
    t.ok(client.transcript().answers.every((answer) => answer.status === 400));
    t.equal(upstream.bytes, 0);
  });
});

t.test('an upstream that dies in the middle of a body', async (t) => {
  const heads = {
    'Content-Length': 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc',
    chunked: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
    'until close': 'HTTP/1.1 200 OK\r\n\r\nabc',
  };
  for (const [name, head] of Object.entries(heads)) {
    for (const death of ['fin', 'reset'] as const) {
      // FIN is how a body until close ends well; only a reset cuts it.
      if (name === 'until close' && death === 'fin') continue;
      await t.test(`${name}, ${death}: the client is cut without an end`, async (t) => {
        const upstream = await RawUpstream.start(t, async (connection) => {
          await connection.request();
          connection.write(head);
        });
        const proxy = await startProxy(t, { upstream });
        const client = await proxy.send(get('/'));
        await client.untilText('abc');
        upstream.connections[0]![death]();
        await client.untilOver();
        const read = client.transcript();
        t.strictSame([read.cut, read.answers.length, read.bad], [true, 0, null], client.describe());
        t.notMatch(client.text, /\r\n0\r\n/);
      });
    }
  }
});

t.test('an HTTP/1.0 client whose upstream dies is cut with a reset, since FIN would end the body well', async (t) => {
  const upstream = await RawUpstream.start(t, async (connection) => {
    await connection.request();
    connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
  });
  const proxy = await startProxy(t, { upstream });
  const client = await proxy.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
  await client.untilText('abc');
  upstream.connections[0]!.reset();
  await client.untilClosed();
  t.notOk(client.ended, 'no FIN');
});

t.test('a pooled connection that ends just as a request is sent on it', async (t) => {
  for (const death of ['fin', 'reset'] as const) {
    for (const method of ['GET', 'POST']) {
      const again = method === 'GET';
      await t.test(`${method}, ${death}: ${again ? 'sent again once' : '502, not sent again'}`, async (t) => {
        const upstream = await RawUpstream.start(t, async (connection) => {
          await connection.request();
          connection.write(OK);
          if (connection.index > 0) return;
          await connection.request();
          connection[death]();
        });
        const proxy = await startProxy(t, { upstream });
        const client = await proxy.send(get('/first'));
        await client.answer();
        client.write(again ? get('/second') : 'POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi');
        const answer = (await client.answers(2))[1]!;
        t.equal(answer.status, again ? 200 : 502);
        t.equal(upstream.connections.length, again ? 2 : 1);
        if (!again) t.match(answer.body, /\(UC\)/);
      });
    }
  }
  const bodies = {
    'Content-Length': { framed: 'Content-Length: 5\r\n\r\nhello', body: 'hello', trailers: [] },
    chunked: {
      framed: 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\nX-T: 1\r\n\r\n',
      body: 'hello!',
      trailers: [['X-T', '1']],
    },
  };
  for (const [name, { framed, body, trailers }] of Object.entries(bodies)) {
    await t.test(`PUT with a small body, ${name}: sent again whole`, async (t) => {
      const upstream = await RawUpstream.start(t, async (connection) => {
        await connection.request();
        connection.write(OK);
        if (connection.index > 0) return;
        await connection.request();
        connection.reset();
      });
      const proxy = await startProxy(t, { upstream });
      const client = await proxy.send(get('/first'));
      await client.answer();
      client.write(`PUT /second HTTP/1.1\r\nHost: a\r\n${framed}`);
      t.equal((await client.answers(2))[1]!.status, 200);
      const [, once, again] = upstream.requests;
      t.strictSame([once!.body, again!.body], [body, body]);
      t.strictSame(again!.trailers, trailers);
    });
  }
  await t.test('GET that fails on the fresh connection too: 502, no third time', async (t) => {
    const upstream = await RawUpstream.start(t, async (connection) => {
      await connection.request();
      if (connection.index === 0) {
        connection.write(OK);
        await connection.request();
      }
      connection.fin();
    });
    const proxy = await startProxy(t, { upstream });
    const client = await proxy.send(get('/first'));
    await client.answer();
    client.write(get('/second'));
    t.equal((await client.answers(2))[1]!.status, 502);
    t.equal(upstream.connections.length, 2);
  });
  await t.test('FIN while it is idle is seen before it is used', async (t) => {
    const upstream = await RawUpstream.start(t, async (connection) => {
      await connection.request();
      connection.write(OK);
    });
    const proxy = await startProxy(t, { upstream });
    const client = await proxy.send(get('/first'));
    await client.answer();
    upstream.connections[0]!.fin();
    await upstream.connections[0]!.untilOver();
    await until('an empty pool', () => proxy.plane.stats().upstreamIdle === 0);
    client.write('POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi');
    t.equal((await client.answers(2))[1]!.status, 200, 'even a POST is safe on a fresh connection');
  });
});

t.test('a held chunked body goes upstream after a short while or 16 KiB, whole or not', async (t) => {
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
  const upstream = await RawUpstream.start(t, answering());
  const clock = new FakeClock();
  const proxy = await startProxy(t, { upstream, clock });
  const client = await proxy.send(`${head}5\r\nhello\r\n`);
  await turns(10);
  t.equal(upstream.bytes, 0, 'held');
  clock.advance(400);
  await upstream.untilBytes(20);
  client.write('0\r\n\r\n');
  t.equal((await client.answer()).status, 200);
  t.equal(upstream.requests[0]!.body, 'hello');
  const other = await proxy.send(`${head}8000\r\n${'x'.repeat(0x8000)}\r\n`);
  await upstream.untilBytes(upstream.bytes + 0x4000);
  other.write('0\r\n\r\n');
  t.equal((await other.answer()).status, 200);
  t.equal(upstream.requests[1]!.body.length, 0x8000);
});
