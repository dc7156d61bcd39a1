/**
 * A program: one version of a service, in a process of its own, whose behaviour is switched while it runs.
 *
 *     node upstream.ts NAME PORT SEED       PORT 0 asks for a free one; the parent is told which
 *
 *     none      200 after `latency`, give or take 30 %
 *     error     500, as late as a good answer
 *     slow      200 after three times as long
 *     hang      nothing at all
 *     reset     the connection is reset
 *     garbage   what is not HTTP
 *
 * A user whose name begins with `bad-` gets a 500 for whatever it asks: a client that sends something that no version can answer. It is not
 * counted as spoilt. `/health` is well as long as the process runs. When a request comes in is noted before anything else is done with
 * it: the time of a failure here is that of the request which was to fail, not that of its answer. The process ends with its parent.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SeededRandom } from '../../src/runtime/random.ts';
import { type Behaviour, type UpstreamNews, type UpstreamOrder, WELL, wall } from './messages.ts';

const SPREAD = 0.3;
const SLOW = 3;

const [, , name = '', port = '0', seed = '1'] = process.argv;
const random = new SeededRandom(Number(seed));
let behaviour: Behaviour = WELL;
let counts = { requests: 0, spoilt: 0, firstSpoiltAt: 0, lastAt: 0 };

function answer(response: ServerResponse, status: number, factor = 1): void {
  const latency = behaviour.latency * factor * (1 - SPREAD + 2 * SPREAD * random.next());
  setTimeout(() => {
    response.statusCode = status;
    response.end(`${name} `);
  }, latency);
}

function isSpoilt(url: string): boolean {
  const { fault, share, path } = behaviour;
  return fault !== 'none' && (path === '' || url.endsWith(path)) && random.next() < share;
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? '/';
  if (url.endsWith('/health')) return void response.end('well');
  const now = wall();
  counts.requests++;
  counts.lastAt = now;
  if (String(request.headers['x-user-id'] ?? '').startsWith('bad-')) return answer(response, 500);
  if (!isSpoilt(url)) return answer(response, 200);
  counts.spoilt++;
  if (counts.firstSpoiltAt === 0) counts.firstSpoiltAt = now;
  switch (behaviour.fault) {
    case 'error':
      return answer(response, 500);
    case 'slow':
      return answer(response, 200, SLOW);
    case 'reset':
      return void request.socket.resetAndDestroy();
    case 'garbage':
      return void request.socket.end('\x00\x16\xffnot HTTP at all\n\n\r\n\r\n');
    case 'none':
    case 'hang':
      return;
  }
}

const tell = (news: UpstreamNews): void => void process.send?.(news);
const server = createServer((request, response) => {
  request.resume();
  request.on('error', () => {});
  serve(request, response);
});
server.keepAliveTimeout = 300_000;
server.requestTimeout = 0;
server.on('error', (error: NodeJS.ErrnoException) => tell({ type: 'failed', code: error.code ?? error.message }));
server.listen(Number(port), '127.0.0.1', () =>
  tell({ type: 'listening', port: (server.address() as AddressInfo).port }),
);
process.on('message', (order: UpstreamOrder) => {
  if (order.type === 'behave') {
    behaviour = order.behaviour;
    counts = { requests: 0, spoilt: 0, firstSpoiltAt: 0, lastAt: 0 };
  }
  tell({ type: 'counts', ...counts });
});
process.on('disconnect', () => process.exit());
