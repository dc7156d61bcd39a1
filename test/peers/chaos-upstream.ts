/**
 * A program: an upstream of the chaos tests, in a process of its own so that it can be killed and stopped.
 *
 *     node chaos-upstream.ts NAME PORT        PORT 0 asks for a free one; the parent is told which
 *
 * It answers every request with its name and, where there was a body, the SHA-256 of what came; a body whose hash is not the one that
 * `x-sha256` announces is a 422, which nobody repeats and everybody sees. `/health` is always well as long as the process runs, so that
 * the bad manners below are for passive health to notice. The parent sets the manner by message:
 *
 *     well      answers
 *     reset     resets the connection once the request is there
 *     error503  answers 503
 *     garbage   answers with what is not HTTP
 *     slow      answers SLOW_SHARE of the requests after SLOW_TIME, the rest at once
 *
 * It ends with its parent.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Manner, UpstreamNews } from './chaos-messages.ts';

/** One in so many requests. */
const SLOW_SHARE = 8;
const SLOW_TIME = 1_500;

const [, , name = '', port = '0'] = process.argv;
let manner: Manner = 'well';
let requests = 0;

function answer(request: IncomingMessage, response: ServerResponse, hash: string): void {
  const announced = request.headers['x-sha256'];
  response.statusCode = announced === undefined || announced === hash ? 200 : 422;
  response.end(`${name} ${announced === undefined ? '' : hash}`);
}

function behave(request: IncomingMessage, response: ServerResponse, hash: string): void {
  const mine = request.url === '/health' ? 'well' : manner;
  switch (mine) {
    case 'well':
      return answer(request, response, hash);
    case 'reset':
      return void request.socket.resetAndDestroy();
    case 'error503':
      response.statusCode = 503;
      return void response.end(`${name} out of order`);
    case 'garbage':
      return void request.socket.end('\x00\x16\xffnot HTTP at all\n\n\r\n\r\n');
    case 'slow':
      if (requests++ % SLOW_SHARE !== 0) return answer(request, response, hash);
      setTimeout(() => answer(request, response, hash), SLOW_TIME);
  }
}

const server = createServer((request, response) => {
  if (request.method === 'GET') return behave(request, response, '');
  const hash = createHash('sha256');
  request.on('data', (chunk: Buffer) => hash.update(chunk));
  request.on('end', () => behave(request, response, hash.digest('hex')));
});
server.keepAliveTimeout = 60_000;
const tell = (news: UpstreamNews): void => void process.send?.(news);
server.on('error', (error: NodeJS.ErrnoException) => tell({ type: 'failed', code: error.code ?? error.message }));
server.listen(Number(port), '127.0.0.1', () =>
  tell({ type: 'listening', port: (server.address() as AddressInfo).port }),
);
process.on('message', (wanted: Manner) => {
  manner = wanted;
  tell({ type: 'manner', manner });
});
process.on('disconnect', () => process.exit());
