/**
 * The upstream that reads: node:http, because nginx alone answers a POST without looking at the body.
 *
 * /upload is the upload scenario: it counts the body and answers with the count after the last byte, so no proxy gains by an early
 * answer. The other paths serve the correctness checks. Its cost is outside the measured process, on the load's core.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export const downloadBytes = 1024 * 1024;

/** The same bytes in every process, and no two blocks alike: a lost, doubled or swapped block changes the hash. */
export function patternBody(length: number): Buffer {
  const body = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) body[i] = (i * 31 + (i >>> 8) * 17 + (i >>> 16)) & 0xff;
  return body;
}

function upload(request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  request.on('end', () => {
    const body = `${bytes}\n`;
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length }).end(body);
  });
}

/** Answers with what arrived: the client compares it with what it sent. */
function inspect(request: IncomingMessage, response: ServerResponse): void {
  const hash = createHash('sha256');
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    hash.update(chunk);
  });
  request.on('end', () => {
    const seen = {
      method: request.method,
      target: request.url,
      headers: request.headers,
      bytes,
      sha256: hash.digest('hex'),
    };
    response.writeHead(200, { 'content-type': 'application/json', 'x-origin': 'inspect' }).end(JSON.stringify(seen));
  });
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url?.split('?', 1)[0];
  if (path === '/upload') upload(request, response);
  else if (path === '/inspect') inspect(request, response);
  else if (path === '/download') {
    response
      .writeHead(200, { 'content-length': downloadBytes, 'x-origin': 'download' })
      .end(patternBody(downloadBytes));
  } else if (path === '/chunked') {
    response.writeHead(200, { 'x-origin': 'chunked' });
    for (let offset = 0; offset < 5000; offset += 1000)
      response.write(patternBody(5000).subarray(offset, offset + 1000));
    response.end();
  } else response.writeHead(404, { 'content-length': 8 }).end('missing\n');
}

if (import.meta.main) {
  const port = Number(process.argv[2]);
  const server = createServer({ keepAliveTimeout: 600_000 }, answer);
  server.listen({ port, host: '127.0.0.1', backlog: 4096 });
}
