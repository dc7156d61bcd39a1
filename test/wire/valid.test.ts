/**
 * The corpus of valid messages, in every way in which packets can cut them.
 *
 * Each message is sent whole first and judged against its table entry; every other delivery must then give exactly what the whole
 * one gave. The clock stands still, so no timer can take part in the result.
 */
import t from 'tap';
import { FakeClock } from '../../src/runtime/clock.ts';
import { answering, OK, response } from '../kit/behaviours.ts';
import { type Delivery, deliveries } from '../kit/deliveries.ts';
import { wrongField, wrongTrailer } from '../kit/expect.ts';
import type { RequestMessage } from '../kit/message.ts';
import { normalAnswer, normalRequest } from '../kit/normal.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { openProxy, type TestProxy } from '../kit/proxy.ts';
import type { Answer } from '../kit/raw-client.ts';
import { RawUpstream } from '../kit/raw-upstream.ts';
import { show, until } from '../kit/signal.ts';
import { type Seen, type ValidRequest, validRequests } from './corpus/valid-requests.ts';
import { type ValidResponse, validResponses } from './corpus/valid-responses.ts';

expectNoSockets(t);

function wrongSeen(request: RequestMessage, seen: Seen): string | null {
  if (request.version !== '1.1') return `forwarded as HTTP/${request.version}`;
  const line = `${request.method} ${request.target}`;
  if (line !== `${seen.method} ${seen.target}`) return `forwarded as ${line}`;
  if (seen.body !== undefined && request.body !== seen.body) return `body ${show(request.body)}`;
  return wrongField(request, { te: null, 'keep-alive': null, ...seen.fields }) ?? wrongTrailer(request, seen.trailers);
}

/** Sends one delivery; gives what the upstream and the client saw, normalised, or throws with the bytes. */
async function exchange(proxy: TestProxy, upstream: RawUpstream, entry: ValidRequest, delivery: Delivery) {
  upstream.requests.length = 0;
  const client = await proxy.connect();
  await client.writeParts(delivery.parts);
  const count = entry.seen.length;
  const methods = entry.seen.map((seen) => seen.method);
  const answers = await client.answers(count, methods);
  if (entry.closes) await client.untilOver();
  else await client.nothingMore();
  if (!entry.closes && client.over) throw new Error(`the connection was ended; ${client.describe()}`);
  if (client.transcript(methods).rest !== '') throw new Error(`more than the answers; ${client.describe()}`);
  const broken = upstream.connections.find((connection) => connection.bad !== null);
  if (broken) throw new Error(`upstream got no valid request: ${broken.bad}`);
  const requests = upstream.requests.slice();
  if (requests.length !== count) throw new Error(`upstream saw ${requests.length} requests, not ${count}`);
  client.destroy();
  return { requests, answers };
}

function normal(result: { requests: readonly RequestMessage[]; answers: readonly Answer[] }): string {
  return JSON.stringify([result.requests.map(normalRequest), result.answers.map(normalAnswer)], null, 1);
}

t.test('valid requests', async (t) => {
  const upstream = await RawUpstream.start(t, answering(OK));
  const proxy = await openProxy({ upstream, clock: new FakeClock() });
  t.teardown(() => proxy.close());
  for (const entry of validRequests) {
    await t.test(entry.name, async (t) => {
      let first = '';
      for (const delivery of deliveries(entry.send)) {
        const result = await exchange(proxy, upstream, entry, delivery).catch((error: Error) => error);
        if (result instanceof Error) return t.fail(`${delivery.how}: ${result.message}; sent ${show(entry.send)}`);
        if (first === '') {
          for (const [i, seen] of entry.seen.entries())
            t.equal(wrongSeen(result.requests[i]!, seen), null, `request ${i + 1}`);
          for (const answer of result.answers) t.equal(answer.status, 200);
          first = normal(result);
        } else if (normal(result) !== first) {
          return t.equal(normal(result), first, `${delivery.how} gives the same as whole; sent ${show(entry.send)}`);
        }
        upstream.forget();
      }
      return undefined;
    });
  }
  t.equal(proxy.plane.stats().exchanges, 0, 'no exchange is left');
});

function requestFor(entry: ValidResponse): string {
  return `${entry.method ?? 'GET'} / HTTP/${entry.version ?? '1.1'}\r\nHost: a\r\n\r\n`;
}

function wrongAnswer(answer: Answer, entry: ValidResponse): string | null {
  if (answer.status !== entry.status) return `status ${answer.status}`;
  if (entry.body !== undefined && answer.body !== entry.body) return `body ${show(answer.body)}`;
  if (entry.framing !== undefined && answer.framing !== entry.framing) return `framing ${answer.framing}`;
  const interim = answer.interim.map((message) => message.status);
  if (entry.interim && JSON.stringify(interim) !== JSON.stringify(entry.interim)) return `interim ${interim}`;
  return wrongField(answer, entry.fields) ?? wrongTrailer(answer, entry.trailers);
}

t.test('valid responses', async (t) => {
  const upstream = await RawUpstream.start(t, () => {});
  const proxy = await openProxy({ upstream, clock: new FakeClock() });
  t.teardown(() => proxy.close());
  for (const entry of validResponses) {
    await t.test(entry.name, async (t) => {
      let first = '';
      for (const delivery of deliveries(entry.answer)) {
        // The first request on a connection is answered by the entry, the second by a plain response.
        upstream.behaviour = async (connection) => {
          await connection.request();
          await connection.writeParts(delivery.parts);
          if (entry.fin) return connection.fin();
          await connection.request();
          return connection.write(response(200, 'again', { 'Content-Length': '5', Connection: 'close' }));
        };
        const result = await answered(proxy, upstream, entry).catch((error: Error) => error);
        if (result instanceof Error)
          return t.fail(`${delivery.how}: ${result.message}; upstream sent ${show(entry.answer)}`);
        const text = JSON.stringify(normalAnswer(result), null, 1);
        if (first === '') {
          t.equal(wrongAnswer(result, entry), null, 'as the table says');
          first = text;
        } else if (text !== first) {
          return t.equal(text, first, `${delivery.how} gives the same as whole; upstream sent ${show(entry.answer)}`);
        }
        upstream.forget();
      }
      return undefined;
    });
  }
  t.equal(proxy.plane.stats().exchanges, 0, 'no exchange is left');
});

/** One request for the entry's answer, a second one for the question whether the upstream connection is used again. */
async function answered(proxy: TestProxy, upstream: RawUpstream, entry: ValidResponse): Promise<Answer> {
  // Whatever a delivery before this one left behind would be taken for this one's.
  for (const connection of upstream.connections) connection.destroy();
  await upstream.untilDeserted();
  await until('an empty pool', () => proxy.plane.stats().upstreamIdle === 0);
  upstream.forget();
  const method = entry.method ?? 'GET';
  const client = await proxy.send(requestFor(entry));
  const answer = await client.answer(method);
  if (entry.closes) {
    await client.untilOver();
    client.destroy();
  }
  const connection = upstream.connections[0]!;
  if (entry.reused === false) {
    await connection.untilOver();
    connection.destroy();
    client.destroy();
    return answer;
  }
  await client.nothingMore();
  if (client.transcript([method]).rest !== '') throw new Error(`more than the answer; ${client.describe()}`);
  const second = entry.closes ? await proxy.connect() : client;
  second.write('GET /again HTTP/1.1\r\nHost: a\r\n\r\n');
  const again = await second.answers(entry.closes ? 1 : 2, entry.closes ? [] : [method]);
  second.destroy();
  if (again.at(-1)!.body !== 'again') throw new Error('the connection was not used again');
  connection.fin();
  return answer;
}
