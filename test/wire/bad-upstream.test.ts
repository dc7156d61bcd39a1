/**
 * Malformed or ambiguous upstream responses: a 502 for the client, the end for the upstream connection.
 *
 * A fault that shows only after the head was passed on cannot be a 502 any more; then the client connection is cut, so that a
 * truncated answer is never taken for a whole one.
 */
import t from 'tap';
import { FakeClock } from '../../src/runtime/clock.ts';
import { answerOnce, OK, response } from '../kit/behaviours.ts';
import { type Delivery, deliveries } from '../kit/deliveries.ts';
import { wrongLocalReply } from '../kit/expect.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { startProxy, type TestProxy } from '../kit/proxy.ts';
import { RawUpstream } from '../kit/raw-upstream.ts';
import { show, turns, until } from '../kit/signal.ts';
import { type MalformedResponse, malformedBodies, malformedResponses } from './corpus/malformed-responses.ts';

expectNoSockets(t);

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const NOTHING = { downstream: 0, upstreamActive: 0, upstreamIdle: 0, exchanges: 0 };

/** One request to an upstream that sends the delivery. Null, or what is wrong apart from the answer itself. */
async function provoke(
  proxy: TestProxy,
  upstream: RawUpstream,
  entry: MalformedResponse,
  delivery: Delivery,
  judge: (client: Awaited<ReturnType<TestProxy['send']>>) => Promise<string | null>,
): Promise<string | null> {
  upstream.behaviour = answerOnce(delivery.parts, entry.fin ? 'fin' : 'keep');
  const client = await proxy.send(GET);
  try {
    const wrong = await judge(client);
    if (wrong !== null) return `${wrong}; ${client.describe()}`;
    const used = upstream.connections.length;
    await upstream.connections.at(-1)!.untilOver();
    await turns(2);
    return used === 1 ? null : `the request was sent ${used} times`;
  } catch (error) {
    return (error as Error).message;
  } finally {
    client.destroy();
    for (const connection of upstream.connections) connection.destroy();
    await upstream.untilDeserted();
    upstream.forget();
  }
}

t.test('malformed heads', async (t) => {
  const upstream = await RawUpstream.start(t, () => {});
  const proxy = await startProxy(t, { upstream, clock: new FakeClock() });
  for (const entry of malformedResponses) {
    await t.test(entry.name, async (t) => {
      for (const delivery of deliveries(entry.answer, entry.answer.length > 200 ? 23 : 1)) {
        const wrong = await provoke(proxy, upstream, entry, delivery, async (client) => {
          const answer = await client.answer();
          return wrongLocalReply(answer, 502, 'UPE|UC', false);
        });
        if (wrong !== null) return t.fail(`${delivery.how}: ${wrong}; upstream sent ${show(entry.answer)}`);
      }
      return t.pass('502 in every delivery');
    });
  }
  await until('nothing to be left', () => proxy.plane.stats().downstream === 0);
  t.strictSame(proxy.plane.stats(), NOTHING);
});

t.test('malformed bodies', async (t) => {
  const upstream = await RawUpstream.start(t, () => {});
  const proxy = await startProxy(t, { upstream, clock: new FakeClock() });
  for (const entry of malformedBodies) {
    await t.test(entry.name, async (t) => {
      for (const delivery of deliveries(entry.answer)) {
        const wrong = await provoke(proxy, upstream, entry, delivery, async (client) => {
          await until('a 502 or a cut', () => client.over || client.transcript().answers.length > 0);
          const read = client.transcript();
          if (read.bad !== null) return `no valid response: ${read.bad}`;
          // Where head and fault came in one packet, a 502 in place of the whole response is as good as a cut one.
          const [answer] = read.answers;
          if (answer !== undefined) return wrongLocalReply(answer, 502, 'UPE|UC', false);
          return read.cut || client.text === '' ? null : 'the response was not cut';
        });
        if (wrong !== null) return t.fail(`${delivery.how}: ${wrong}; upstream sent ${show(entry.answer)}`);
      }
      return t.pass('told or cut in every delivery');
    });
  }
  await until('nothing to be left', () => proxy.plane.stats().downstream === 0);
  t.strictSame(proxy.plane.stats(), NOTHING);
});

t.test('an upstream that ends at once, before any byte', async (t) => {
  for (const death of ['fin', 'reset'] as const) {
    await t.test(death, async (t) => {
      const upstream = await RawUpstream.start(t, async (connection) => {
        await connection.request();
        connection[death]();
      });
      const proxy = await startProxy(t, { upstream });
      const client = await proxy.send(GET);
      t.equal(wrongLocalReply(await client.answer(), 502, 'UC', false), null);
      t.equal(upstream.connections.length, 1, 'a fresh connection is not tried again');
      client.write(GET);
      t.equal((await client.answers(2))[1]!.status, 502, 'the client connection goes on');
    });
  }
});

t.test('an upstream that resets on accept', async (t) => {
  const upstream = await RawUpstream.start(t, (connection) => connection.reset());
  const proxy = await startProxy(t, { upstream });
  const client = await proxy.send(GET);
  const answer = await client.answer();
  t.ok([502, 503].includes(answer.status), `status ${answer.status}`);
});

t.test('head limits hold for responses too', async (t) => {
  const heads: Readonly<Record<string, string>> = {
    'head too large': `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(17_000)}\r\nContent-Length: 0\r\n\r\n`,
    'head too large, without an end': `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(17_000)}`,
    'status line without an end': `HTTP/1.1 200 ${'a'.repeat(17_000)}`,
    'interim head too large': `HTTP/1.1 103 Early Hints\r\nX: ${'a'.repeat(17_000)}\r\n\r\n${OK}`,
    'too many fields': `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(101)}Content-Length: 0\r\n\r\n`,
  };
  const upstream = await RawUpstream.start(t, () => {});
  const proxy = await startProxy(t, { upstream });
  for (const [name, answer] of Object.entries(heads)) {
    for (const parts of [[answer], answer.match(/[\s\S]{1,1000}/g)!]) {
      const wrong = await provoke(
        proxy,
        upstream,
        { name, answer },
        { how: `${parts.length} parts`, parts },
        async (client) => wrongLocalReply(await client.answer(), 502, 'UPE', false),
      );
      t.equal(wrong, null, `${name}, ${parts.length} parts`);
    }
  }
});

t.test('a flood of interim responses', async (t) => {
  for (const { count, status } of [
    { count: 16, status: 200 },
    { count: 17, status: 502 },
    { count: 1000, status: 502 },
  ]) {
    const upstream = await RawUpstream.start(t, answerOnce(['HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(count) + OK]));
    const proxy = await startProxy(t, { upstream });
    const client = await proxy.send(GET);
    const answer = await client.answer();
    t.equal(answer.status, status, `${count} interim responses`);
    t.ok(answer.interim.length <= 16);
    if (status === 502) await upstream.connections[0]!.untilOver();
  }
});

t.test('bytes after the response: it is delivered, the connection is not used again', async (t) => {
  const extras = ['x', '\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\npoisons'];
  const answers: Readonly<Record<string, string>> = {
    'Content-Length': OK,
    chunked: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    '304 with a body': 'HTTP/1.1 304 Not Modified\r\nETag: "ok"\r\n\r\n',
  };
  for (const [name, answer] of Object.entries(answers)) {
    for (const extra of extras) {
      for (const parts of [[answer + extra], [answer, extra]]) {
        await t.test(`${name}, then ${show(extra)} in ${parts.length} packets`, async (t) => {
          const upstream = await RawUpstream.start(t, answerOnce(parts));
          const proxy = await startProxy(t, { upstream });
          const client = await proxy.send(GET);
          t.match((await client.answer()).status, /^(200|304)$/);
          await upstream.connections[0]!.untilOver();
          await until('an empty pool', () => proxy.plane.stats().upstreamIdle === 0);
          upstream.behaviour = answerOnce([response(200, 'fresh')]);
          client.write(GET);
          t.equal((await client.answers(2))[1]!.body, 'fresh');
          t.equal(upstream.connections.length, 2);
        });
      }
    }
  }
});

t.test('a response to HEAD with a body that must not be there', async (t) => {
  const upstream = await RawUpstream.start(t, answerOnce([OK]));
  const proxy = await startProxy(t, { upstream });
  const client = await proxy.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
  t.equal((await client.answer('HEAD')).status, 200);
  await upstream.connections[0]!.untilOver();
  await client.nothingMore();
  t.equal(client.transcript(['HEAD']).rest, '');
});

t.test('an answer before the request, on a fresh connection', async (t) => {
  // It cannot be told from an early answer; what matters is that the next request does not get the second one.
  const upstream = await RawUpstream.start(t, (connection) => connection.write(OK + response(200, 'poison')));
  const proxy = await startProxy(t, { upstream });
  const client = await proxy.send(GET);
  t.ok([200, 502].includes((await client.answer()).status));
  await upstream.connections[0]!.untilOver();
  upstream.behaviour = answerOnce([response(200, 'fresh')]);
  client.write(GET);
  t.equal((await client.answers(2))[1]!.body, 'fresh');
});

t.test('a malformed response to a POST and to a pooled connection is never sent again', async (t) => {
  const upstream = await RawUpstream.start(t, async (connection) => {
    await connection.request();
    connection.write(OK);
    await connection.request();
    connection.write('nonsense\r\n\r\n');
  });
  const proxy = await startProxy(t, { upstream });
  const client = await proxy.send(GET);
  await client.answer();
  client.write(GET);
  t.equal(wrongLocalReply((await client.answers(2))[1]!, 502, 'UPE', false), null);
  t.equal(upstream.connections.length, 1);
  t.equal(upstream.requests.length, 2);
});

t.test('a 502 in the middle of an upload closes the client connection', async (t) => {
  const upstream = await RawUpstream.start(t, async (connection) => {
    await connection.head();
    connection.write('nonsense\r\n\r\n');
  });
  const proxy = await startProxy(t, { upstream });
  const client = await proxy.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\nabc`);
  t.equal(wrongLocalReply(await client.answer(), 502, 'UPE'), null);
  await client.untilOver();
});

t.test('a fault in the packet of the head is told to the client, who has seen nothing yet', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  const upstream = await RawUpstream.start(t, async (connection) => {
    // The second and the third request come on one connection.
    for (let target = ''; target !== '/bad'; ) {
      ({ target } = await connection.request());
      connection.write(target === '/good' ? response(200, 'good') : `${head}5\r\nhello\r\nx\r\n`);
    }
  });
  const proxy = await startProxy(t, { upstream });
  const client = await proxy.send(
    ['/bad', '/good', '/bad'].map((target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''),
  );
  const answers = await client.answers(3);
  t.strictSame(
    answers.map((answer) => answer.status),
    [502, 200, 502],
  );
  t.match(answers[0]?.body, /malformed or ambiguous upstream response \(UPE\)/);
});
