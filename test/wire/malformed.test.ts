/**
 * Every malformed request is refused: the right status, the connection closed, and not one byte upstream.
 *
 * A valid request follows each in the same packet. It is the prize of every smuggling attack, so it must be neither answered nor
 * forwarded. The clock stands still: a chunked body that is held until it is whole is held for ever, unless its fault shows first.
 */
import t from 'tap';
import { FakeClock } from '../../src/runtime/clock.ts';
import { answering } from '../kit/behaviours.ts';
import { type Delivery, deliveries } from '../kit/deliveries.ts';
import { wrongLocalReply } from '../kit/expect.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { startProxy, type TestProxy } from '../kit/proxy.ts';
import type { RawClient } from '../kit/raw-client.ts';
import { RawUpstream } from '../kit/raw-upstream.ts';
import { show, turns } from '../kit/signal.ts';
import { forbiddenTrailers, malformedFraming } from './corpus/malformed-framing.ts';
import {
  type Malformed,
  malformedConnections,
  malformedFields,
  malformedHosts,
  malformedLines,
} from './corpus/malformed-requests.ts';

expectNoSockets(t);

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
const VALID = 'GET /valid HTTP/1.1\r\nHost: a\r\n\r\n';

const limits: readonly Malformed[] = [
  { name: 'target too long', send: `GET /${'a'.repeat(600)} HTTP/1.1\r\nHost: a\r\n\r\n`, status: 414, step: 37 },
  { name: 'target too long, without an end', send: `GET /${'a'.repeat(600)}`, status: 414, step: 37 },
  {
    name: 'absolute-form target too long',
    send: `GET http://a/${'a'.repeat(600)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    status: 414,
    step: 37,
  },
  { name: 'method too long', send: `${'A'.repeat(3000)} / HTTP/1.1\r\nHost: a\r\n\r\n`, status: 501, step: 97 },
  {
    name: 'head too large',
    send: `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(2100)}\r\n\r\n`,
    status: 431,
    step: 97,
  },
  {
    name: 'head too large, without an end',
    send: `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(2100)}`,
    status: 431,
    step: 97,
  },
  {
    name: 'head too large by its fields',
    send: `GET / HTTP/1.1\r\nHost: a\r\n${'X: 0123456789abcdef0123456789abcdef0123456789abcdef\r\n'.repeat(45)}\r\n`,
    status: 431,
    step: 97,
  },
  {
    name: 'field name too long',
    send: `GET / HTTP/1.1\r\nHost: a\r\n${'X'.repeat(2100)}: y\r\n\r\n`,
    status: 431,
    step: 97,
  },
  { name: 'too many fields', send: `GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(50)}\r\n`, status: 431, step: 29 },
  {
    name: 'body too large by Content-Length',
    send: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n',
    status: 413,
  },
  {
    name: 'body too large that waits for 100',
    send: 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n',
    status: 413,
  },
  {
    name: 'body far too large',
    send: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900719925474099\r\n\r\n',
    status: 413,
  },
  {
    name: 'chunked body too large, one chunk',
    send: `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n${'a'.repeat(1001)}\r\n0\r\n\r\n`,
    status: 413,
    step: 41,
  },
  {
    name: 'chunked body too large, many chunks',
    send: `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${'a\r\n0123456789\r\n'.repeat(101)}0\r\n\r\n`,
    status: 413,
    step: 41,
  },
  {
    name: 'trailers too large',
    send: `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ${'a'.repeat(2100)}\r\n\r\n`,
    status: 431,
    step: 97,
  },
  {
    name: 'too many trailers',
    send: `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${'X: y\r\n'.repeat(50)}\r\n`,
    status: 431,
    step: 29,
  },
];

const groups: Readonly<Record<string, readonly Malformed[]>> = {
  'request line': malformedLines,
  fields: malformedFields,
  Host: malformedHosts,
  Connection: malformedConnections,
  framing: malformedFraming,
  limits,
};

/** HEAD has no body to judge, and no corpus entry is a HEAD. */
function wrongRefusal(client: RawClient, status: number): string | null {
  const read = client.transcript();
  if (read.bad !== null) return `no valid answer: ${read.bad}`;
  if (read.answers.length !== 1) return `${read.answers.length} answers${read.cut ? ' and a cut one' : ''}`;
  if (read.interim.length > 0) return 'an interim response without its final one';
  if (read.rest !== '') return `more after the answer: ${show(read.rest)}`;
  return wrongLocalReply(read.answers[0]!, status);
}

/** Null, or what went wrong with one delivery. */
async function refuse(
  proxy: TestProxy,
  upstream: RawUpstream,
  entry: Malformed,
  delivery: Delivery,
): Promise<string | null> {
  const client = await proxy.connect();
  try {
    await client.writeParts(delivery.parts, 3);
    await client.untilOver();
    const wrong = wrongRefusal(client, entry.status);
    if (wrong !== null) return `${wrong}; ${client.describe()}`;
    await turns(2);
    return upstream.bytes === 0 ? null : `upstream got ${show(upstream.connections.map((each) => each.text).join(''))}`;
  } catch (error) {
    return (error as Error).message;
  } finally {
    client.destroy();
  }
}

function* everyDelivery(entry: Malformed): Generator<Delivery> {
  if (!entry.waits) yield { how: 'alone', parts: [entry.send] };
  const step = entry.step ?? 1;
  for (const delivery of deliveries(entry.send + SMUGGLED, step)) yield delivery;
}

for (const [group, entries] of Object.entries(groups)) {
  t.test(`malformed ${group}`, async (t) => {
    const upstream = await RawUpstream.start(t, answering());
    const proxy = await startProxy(t, {
      upstream,
      clock: new FakeClock(),
      service: { override: { header: 'X-Canary' } },
      config: { limits: { headSize: '2KiB', headerCount: 40, targetLength: 512, bodySize: 1000 } },
    });
    for (const entry of entries) {
      await t.test(`${entry.name} → ${entry.status}`, async (t) => {
        for (const delivery of everyDelivery(entry)) {
          const wrong = await refuse(proxy, upstream, entry, delivery);
          upstream.bytes = 0;
          if (wrong !== null) return t.fail(`${delivery.how}: ${wrong}; sent ${show(delivery.parts.join(''))}`);
        }
        return t.pass('refused in every delivery');
      });
    }
    await t.test('a valid request is still answered', async (t) => {
      const client = await proxy.send(VALID);
      t.equal((await client.answer()).status, 200);
      t.equal(upstream.requests.length, 1, 'and is the only one that reached the upstream');
      client.destroy();
    });
    const stats = proxy.plane.stats();
    t.equal(stats.exchanges, 0, 'no exchange is left');
  });
}

t.test('trailers that may not come late are refused or dropped', async (t) => {
  const upstream = await RawUpstream.start(t, answering());
  const proxy = await startProxy(t, {
    upstream,
    clock: new FakeClock(),
    service: { override: { header: 'X-Canary' } },
  });
  for (const trailer of forbiddenTrailers) {
    await t.test(trailer, async (t) => {
      const client = await proxy.send(
        `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n${trailer}\r\n\r\n`,
      );
      const { status } = await client.answer();
      t.ok(status === 400 || status === 200, `status ${status}`);
      const passed = upstream.requests.flatMap((request) => request.trailers.map(([name]) => name.toLowerCase()));
      t.strictSame(passed, [], 'no such trailer went upstream');
      upstream.requests.length = 0;
      client.destroy();
    });
  }
});

t.test('a pipelined request behind valid ones is refused without disturbing them', async (t) => {
  const upstream = await RawUpstream.start(t, answering());
  const proxy = await startProxy(t, { upstream, clock: new FakeClock() });
  const client = await proxy.send(`${VALID}${VALID}GET /bad HTTP/1.1\r\nHost: a b\r\n\r\n${SMUGGLED}`);
  const answers = await client.answers(3);
  t.strictSame(
    answers.map((answer) => answer.status),
    [200, 200, 400],
  );
  await client.untilOver();
  t.equal(client.transcript().rest, '');
  t.strictSame(
    upstream.requests.map((request) => request.target),
    ['/valid', '/valid'],
  );
});

t.test('a fault late in a large chunked body cuts the upstream before its end', async (t) => {
  const upstream = await RawUpstream.start(t, () => {});
  const proxy = await startProxy(t, { upstream, clock: new FakeClock() });
  const chunk = `4000\r\n${'a'.repeat(0x4000)}\r\n`;
  const client = await proxy.send(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(3)}`);
  await upstream.untilBytes(0x4000);
  client.write(`5\r\nhello!\r\n0\r\n\r\n${SMUGGLED}`);
  const answer = await client.answer();
  t.equal(wrongLocalReply(answer, 400), null);
  await client.untilOver();
  await upstream.connections[0]!.untilOver();
  t.equal(upstream.requests.length, 0, 'the upstream never saw a whole request');
  t.equal(upstream.connections.length, 1);
  t.notMatch(upstream.connections[0]!.text, /\r\n0\r\n/, 'and no last chunk');
});

t.test('a client that goes on writing still reads why it was refused', async (t) => {
  const upstream = await RawUpstream.start(t, answering());
  const proxy = await startProxy(t, { upstream, config: { limits: { bodySize: 1000 } } });
  const client = await proxy.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n`);
  for (let i = 0; i < 40; i++) {
    client.write('a'.repeat(16_000));
    await turns(1);
  }
  const answer = await client.answer();
  t.equal(wrongLocalReply(answer, 413), null);
  await client.untilOver();
  client.destroy();
  t.equal(upstream.bytes, 0);
});
