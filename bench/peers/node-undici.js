/**
 * What one writes by hand today: node:http in front, undici's dispatch behind, no framework.
 *
 * dispatch is undici's cheapest interface (no promise, no body stream per response). Raw headers are copied in pairs and the
 * hop-by-hop ones left out; back pressure goes both ways, because a proxy without it is not comparable.
 */
import http from 'node:http';
import { Pool } from 'undici';

const [port, upstream] = process.argv.slice(2);
const pool = new Pool(upstream, { connections: 1024, pipelining: 1 });
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
]);

function requestHeaders(request) {
  const raw = request.rawHeaders;
  const headers = [];
  for (let i = 0; i < raw.length; i += 2) {
    if (!hopByHop.has(raw[i].toLowerCase())) headers.push(raw[i], raw[i + 1]);
  }
  headers.push('x-forwarded-for', request.socket.remoteAddress);
  headers.push('x-forwarded-proto', 'http');
  headers.push('x-forwarded-host', request.headers.host);
  return headers;
}

function responseHeaders(raw) {
  const headers = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i].toString('latin1');
    if (!hopByHop.has(name.toLowerCase())) headers.push(name, raw[i + 1].toString('latin1'));
  }
  return headers;
}

const clientGone = new Error('the client went away');

class Exchange {
  constructor(response) {
    this.response = response;
  }
  onRequestStart(controller) {
    // A request that waited for a connection may have lost its client meanwhile: no close event will come any more.
    if (this.response.destroyed) {
      controller.abort(clientGone);
      return;
    }
    this.response.on('close', () => {
      if (!this.response.writableFinished) controller.abort(clientGone);
    });
  }
  onResponseStart(controller, status) {
    this.response.writeHead(status, responseHeaders(controller.rawHeaders));
  }
  onResponseData(controller, chunk) {
    if (this.response.write(chunk)) return;
    controller.pause();
    this.response.once('drain', () => controller.resume());
  }
  onResponseEnd() {
    this.response.end();
  }
  onResponseError() {
    if (this.response.headersSent) this.response.destroy();
    else this.response.writeHead(502).end();
  }
}

const server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const bodyless =
    request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined;
  pool.dispatch(
    {
      path: request.url,
      method: request.method,
      headers: requestHeaders(request),
      body: bodyless ? null : request,
    },
    new Exchange(response),
  );
});
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
