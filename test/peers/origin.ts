/**
 * An upstream made of Node's own HTTP server, and seeded bytes to send through the proxy.
 *
 * It notes what it was asked and over how many connections. Handlers are given per path; `/seen` paths answer with what came, so that a
 * client that is a program can be judged by what it prints.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Test } from 'tap';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  /** Of the body, once it has come. */
  readonly bytes: number;
  readonly sha256: string;
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface Origin {
  readonly server: Server;
  readonly url: string;
  /** All connections ever accepted. */
  readonly connections: readonly Socket[];
}

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** The same bytes for the same seed; a linear congruential generator, so that no byte repeats at chunk or buffer sizes. */
export function seededBytes(length: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = seed >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Reads the whole request and answers with what was seen, as JSON. */
export const answerSeen: Handler = (request, response) => {
  const hash = createHash('sha256');
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    hash.update(chunk);
  });
  request.on('end', () => {
    const seen: Seen = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      bytes,
      sha256: hash.digest('hex'),
    };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(seen));
  });
};

/** `handlers` by path, query left off; every other path answers with what was seen. */
export async function startOrigin(t: Test, handlers: Readonly<Record<string, Handler>> = {}): Promise<Origin> {
  const connections: Socket[] = [];
  const server = createServer((request, response) => {
    const handler = handlers[(request.url ?? '').split('?')[0] ?? ''] ?? answerSeen;
    handler(request, response);
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket) => connections.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    // Upgraded sockets are no longer the server's.
    for (const socket of connections) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections };
}
