/**
 * A program: all upstreams of a storm, each on a port of its own.
 *
 *     node storm-upstream.ts NAME...        tells its parent the ports
 *
 *     GET /download?ms=N    seeded bytes, PIECE at a time, spread over N ms
 *     any other GET         its name and a space, as chaos-client.ts wants it
 *     PUT                   its name and the SHA-256 of what came
 *     Upgrade               a WebSocket that greets with its name and echoes
 *
 * Asked for `counts` it tells how many connections each upstream has ever accepted, since a proxy that loses its pools makes many, and how many
 * requests have reached it. It ends with its parent.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { downloadBytes, PIECE, type UpstreamCounts } from './storm-messages.ts';

const PAUSE = 50;
const accepted: Record<string, number> = {};
const begun: Record<string, number> = {};

function download(response: ServerResponse, ms: number): void {
  const bytes = downloadBytes(ms);
  response.writeHead(200, { 'content-length': bytes.length });
  let sent = 0;
  const timer = setInterval(() => {
    response.write(bytes.subarray(sent, sent + PIECE));
    sent += PIECE;
    if (sent >= bytes.length) response.end();
    if (sent >= bytes.length || response.destroyed) clearInterval(timer);
  }, PAUSE);
}

function answer(name: string, request: IncomingMessage, response: ServerResponse): void {
  begun[name]!++;
  if (request.method === 'GET') {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://upstream');
    if (pathname.endsWith('/download')) return download(response, Number(searchParams.get('ms')));
    return void response.end(`${name} `);
  }
  const hash = createHash('sha256');
  request.on('data', (chunk: Buffer) => hash.update(chunk));
  request.on('end', () => response.end(`${name} ${hash.digest('hex')}`));
}

async function start(name: string): Promise<number> {
  accepted[name] = 0;
  begun[name] = 0;
  const server: Server = createServer((request, response) => answer(name, request, response));
  server.keepAliveTimeout = 300_000;
  server.requestTimeout = 0;
  server.on('connection', () => accepted[name]!++);
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on('connection', (socket) => {
    socket.send(name);
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const ports: Record<string, number> = {};
for (const name of process.argv.slice(2)) ports[name] = await start(name);
process.on('message', () => process.send?.({ accepted, begun } satisfies UpstreamCounts));
process.on('disconnect', () => process.exit());
process.send?.(ports);
