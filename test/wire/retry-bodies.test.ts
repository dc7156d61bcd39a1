/** Retries of requests with a body: what is kept of it, what is sent again, and what is too large for either. */
import t, { type Test } from 'tap';
import { response } from '../kit/behaviours.ts';
import { versionCounts } from '../kit/counts.ts';
import { pass } from '../kit/fake-time.ts';
import { type LaneOptions, REFUSED, startLanes } from '../kit/lanes.ts';
import { value } from '../kit/message.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { bytes, chunked, chunkedUpload, GET, head, upload } from '../kit/requests.ts';
import { turns, until } from '../kit/signal.ts';
import { answers, inTurn, resets, says } from '../kit/steps.ts';

expectNoSockets(t);

const SECOND = answers(200, 'second');
const RETRY = { on: ['connect-failure', 'reset', 503], methods: 'all' };
/** What chunked bodies are held for at most, and the least that is kept of any. */
const HOLD = 16_384;
const HOLD_TIME = 200;

const start = (t: Test, options: LaneOptions) =>
  startLanes(t, { ...options, service: { retry: RETRY, ...options.service } });

t.test('a body is sent again byte for byte', async (t) => {
  const { proxy, stable } = await start(t, { stable: [inTurn(resets, SECOND, resets, SECOND, answers(503), SECOND)] });
  for (const size of [0, 1, HOLD - 1, HOLD, HOLD + 1, 65_535, 65_536]) {
    const body = bytes(size);
    for (const make of [upload, chunkedUpload]) {
      const upstream = stable[0]!;
      upstream.behaviour = inTurn(resets, SECOND);
      for (const connection of upstream.connections) connection.destroy();
      await upstream.untilDeserted();
      upstream.forget();
      const client = await proxy.send(make(body));
      t.equal((await client.answer()).body, 'second', `${make.name} ${size}`);
      t.equal(upstream.requests.length, 2);
      t.ok(
        upstream.requests.every((request) => request.body === body),
        'both times the same',
      );
      t.strictSame(upstream.requests[0], upstream.requests[1]);
      client.write(GET);
      t.equal((await client.answers(2))[1]!.status, 200, 'the connection goes on');
      client.destroy();
    }
  }
});

t.test('a body over maxBody streams through and is not sent again', async (t) => {
  const size = 65_537;
  for (const make of [upload, chunkedUpload]) {
    const { proxy, stable } = await start(t, { stable: [inTurn(answers(503, 'own'), SECOND)] });
    const answer = await (await proxy.send(make(bytes(size)))).answer();
    t.equal(answer.body, 'own', make.name);
    t.strictSame(versionCounts(proxy), { requests: 1, status5xx: 1 });
    t.equal(stable[0]!.requests[0]!.body, bytes(size));
  }
});

t.test('maxBody counts what it says, also below what is kept anyway', async (t) => {
  for (const [size, repeated] of [
    [100, true],
    [101, false],
  ] as const) {
    for (const make of [upload, chunkedUpload]) {
      const service = { retry: { ...RETRY, maxBody: 100 } };
      const { proxy } = await start(t, { stable: [inTurn(resets, SECOND)], service });
      t.equal((await (await proxy.send(make(bytes(size)))).answer()).status, repeated ? 200 : 502, `${size}`);
    }
  }
});

t.test('the first attempt fails while the body is still arriving', async (t) => {
  const failures = {
    'a reset': (connection: { reset(): void }) => connection.reset(),
    'an answer': (connection: { write(text: string): void }) => connection.write(response(503, 'own')),
  };
  for (const [name, fail] of Object.entries(failures)) {
    for (const size of [200, HOLD + 500, 60_000]) {
      for (const coding of ['length', 'chunked']) {
        for (const pausing of [false, true]) {
          await t.test(`${name}, ${size} bytes by ${coding}${pausing ? ', with a pause' : ''}`, async (t) => {
            const { proxy, clock, stable } = await start(t, { stable: [() => {}], dice: pausing ? 0.9 : 0 });
            const upstream = stable[0]!;
            upstream.behaviour = async (connection) => {
              await connection.head();
              if (connection.index === 0) fail(connection);
              else await inTurn(SECOND)(connection);
            };
            const body = bytes(size);
            const message =
              coding === 'length'
                ? head('POST', { 'Content-Length': `${size}` }) + body
                : head('POST', { 'Transfer-Encoding': 'chunked' }) + chunked(body, 150);
            const half = message.length - Math.floor(size / 2);
            const client = await proxy.send(message.slice(0, half));
            await turns(3);
            await pass(clock, HOLD_TIME);
            await until('the setback', () => versionCounts(proxy).retries === 1);
            client.write(message.slice(half, half + 40));
            await turns(4);
            await pass(clock, pausing ? 100 : 0);
            await upstream.untilConnections(2);
            client.write(message.slice(half + 40));
            t.equal((await client.answer()).body, 'second');
            t.equal(upstream.requests.at(-1)!.body === body, true, 'the whole body');
            client.write(GET);
            t.equal((await client.answers(2))[1]!.status, 200, 'the connection goes on');
          });
        }
      }
    }
  }
});

t.test('the body outgrows maxBody after a retry: it goes on streaming, and that attempt is the last', async (t) => {
  for (const pausing of [false, true]) {
    const { proxy, clock, stable } = await start(t, { stable: [() => {}], dice: pausing ? 0.9 : 0 });
    const upstream = stable[0]!;
    upstream.behaviour = async (connection) => {
      await connection.head();
      if (connection.index === 0) return connection.reset();
      await connection.request();
      connection.write(response(503, `attempt ${connection.index}`));
    };
    const body = bytes(400_000);
    const client = await proxy.send(head('PUT', { 'Transfer-Encoding': 'chunked' }));
    client.write(chunked(body.slice(0, 30_000)).slice(0, -5));
    await until('the setback', () => versionCounts(proxy).retries === 1);
    client.write(chunked(body.slice(30_000)));
    await turns(30);
    await pass(clock, pausing ? 100 : 0);
    t.equal((await client.answer()).body, 'attempt 1');
    t.equal(upstream.requests.at(-1)!.body === body, true, 'the whole body');
    t.equal(upstream.connections.length, 2);
  }
});

t.test('a large upload to a refused connection is neither lost nor taken for a request', async (t) => {
  const { proxy, stable } = await start(t, { stable: [REFUSED, inTurn(SECOND)] });
  const body = bytes(60_000);
  const client = await proxy.send(upload(body) + GET);
  t.strictSame(
    (await client.answers(2)).map(({ status }) => status),
    [200, 200],
  );
  t.equal(stable[0]!.requests[0]!.body === body, true);
});

t.test('trailers travel with each attempt', async (t) => {
  const { proxy, stable } = await start(t, { stable: [inTurn(resets, SECOND)] });
  const message = head('POST', { 'Transfer-Encoding': 'chunked', Trailer: 'X-Sum' });
  const client = await proxy.send(message + chunked('hello', 5_000, 'X-Sum: 5\r\n'));
  t.equal((await client.answer()).body, 'second');
  for (const request of stable[0]!.requests) t.strictSame(request.trailers, [['X-Sum', '5']]);
  t.equal(stable[0]!.requests.length, 2);
});

t.test('trailers of the answer come from the attempt that answered', async (t) => {
  const text = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 2\r\n\r\n';
  const failed = text.replace('200 OK', '503 No').replace('X-Sum: 2', 'X-Sum: 1');
  const { proxy } = await start(t, { stable: [inTurn(says(failed), says(text))] });
  const client = await proxy.send(head('GET', { TE: 'trailers' }));
  t.strictSame((await client.answer()).trailers, [['X-Sum', '2']]);
});

t.test('Expect: 100-continue', async (t) => {
  const message = head('POST', { 'Content-Length': '5', Expect: '100-continue' });
  await t.test('refused by the first, welcomed by the second', async (t) => {
    const { proxy, stable } = await start(t, { stable: [() => {}] });
    stable[0]!.behaviour = async (connection) => {
      await connection.head();
      if (connection.index === 0) return connection.write(response(503));
      connection.write('HTTP/1.1 100 Continue\r\n\r\n');
      await connection.request();
      connection.write(response(200, 'second'));
    };
    const client = await proxy.send(message);
    await client.untilText('100 Continue');
    client.write('hello');
    const answer = await client.answer();
    t.equal(answer.body, 'second');
    t.equal(answer.interim.length, 1);
    t.equal(stable[0]!.requests.at(-1)!.body, 'hello');
  });
  await t.test('welcomed by the first, which then fails: the second gets the body at once', async (t) => {
    const { proxy, stable } = await start(t, { stable: [() => {}] });
    stable[0]!.behaviour = async (connection) => {
      await connection.head();
      if (connection.index === 0) connection.write('HTTP/1.1 100 Continue\r\n\r\n');
      await connection.request();
      if (connection.index === 0) connection.reset();
      else connection.write(response(200, 'second'));
    };
    const client = await proxy.send(message);
    await client.untilText('100 Continue');
    client.write('hello');
    t.equal((await client.answer()).body, 'second');
    t.equal(stable[0]!.requests.at(-1)!.body, 'hello');
    t.equal(value(stable[0]!.requests.at(-1)!, 'expect'), '100-continue');
  });
});

t.test('an upload that the upstream has refused for good is not sent again', async (t) => {
  const { proxy, stable } = await start(t, { stable: [() => {}], service: { retry: { ...RETRY, on: ['reset'] } } });
  stable[0]!.behaviour = async (connection) => {
    await connection.head();
    connection.write('HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\n');
    await turns(4);
    connection.reset();
  };
  const client = await proxy.send(head('POST', { 'Content-Length': '60000' }));
  await client.untilOver();
  t.equal(stable[0]!.connections.length, 1);
  t.match(client.text, /^HTTP\/1\.1 413/);
});

t.test('a body that outgrew what is kept is not sent again on a stale connection either', async (t) => {
  for (const [size, status] of [
    [HOLD, 200],
    [HOLD + 1, 502],
  ] as const) {
    const script = inTurn(SECOND, resets, SECOND);
    const { proxy } = await startLanes(t, { stable: [script] });
    const client = await proxy.send(GET + chunkedUpload(bytes(size), 'PUT'));
    t.equal((await client.answers(2))[1]!.status, status, `${size} bytes`);
  }
});
