/**
 * The two services behind `sluice demo`; the file of a worker thread, which listens on the address and
 * ports that it is told.
 *
 *     /               hello from v1
 *     /slow?ms=N      the same after N milliseconds, at most 60,000
 *     /stream         ten server-sent events, two a second
 *     /echo           the request as it arrived, body included
 *     /status/N       an empty answer with that status
 *     /bug            what v2 has broken: 500 there, fine on v1
 *     /fail?percent=N by POST: from now on this version fails so many of its requests; by the override header it reaches one version
 *     /health         what / says, whatever fails: it is users' requests that find out
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { parentPort, workerData } from 'node:worker_threads';
import type { DemoOrder, DemoPorts } from './demo.ts';

const { host, ports } = workerData as DemoOrder;

const EVENTS = 10;
const EVENT_INTERVAL_MS = 500;
const LONGEST_WAIT_MS = 60_000;

/** Fails that share of its requests, spread evenly: a demonstration has no use for luck. */
class Failing {
  percent = 0;
  #due = 0;

  isNext(): boolean {
    this.#due += this.percent;
    if (this.#due < 100) return false;
    this.#due -= 100;
    return true;
  }
}

async function startVersion(version: string, port: number, failing: Failing): Promise<number> {
  const server = createServer((request, response) => answer(version, failing, request, response));
  server.listen(port, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function answer(version: string, failing: Failing, request: IncomingMessage, response: ServerResponse): void {
  const target = request.url ?? '/';
  const [path = '/', query = ''] = target.split('?');
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  if (path === '/echo') {
    echo(request, response);
    return;
  }
  request.resume();
  if (path === '/fail' && request.method === 'POST') fail(version, failing, query, response);
  else if (path !== '/health' && failing.isNext()) broken(version, response);
  else if (path === '/slow') slow(version, query, response);
  else if (path === '/stream') stream(version, response);
  else if (path === '/bug' && version === 'v2') broken(version, response);
  else if (path.startsWith('/status/')) status(path, response);
  else response.end(`hello from ${version}\n`);
}

function slow(version: string, query: string, response: ServerResponse): void {
  const wanted = Number(new URLSearchParams(query).get('ms') ?? 1000);
  const wait = Number.isFinite(wanted) ? Math.min(Math.max(wanted, 0), LONGEST_WAIT_MS) : 0;
  const timer = setTimeout(() => response.end(`hello from ${version} after ${wait} ms\n`), wait);
  response.once('close', () => clearTimeout(timer));
}

function stream(version: string, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  let sent = 0;
  const send = (): void => {
    sent += 1;
    response.write(`data: ${sent} from ${version}\n\n`);
    if (sent === EVENTS) response.end();
  };
  send();
  const timer = setInterval(send, EVENT_INTERVAL_MS);
  response.once('close', () => clearInterval(timer));
}

function echo(request: IncomingMessage, response: ServerResponse): void {
  response.write(`${request.method} ${request.url} HTTP/${request.httpVersion}\n`);
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    response.write(`${request.rawHeaders[index]}: ${request.rawHeaders[index + 1]}\n`);
  }
  response.write('\n');
  // A client that goes away ends both; there is nobody left to tell.
  pipeline(request, response, () => {});
}

function status(path: string, response: ServerResponse): void {
  const code = Number(path.slice('/status/'.length));
  response.statusCode = Number.isInteger(code) && code >= 200 && code <= 599 ? code : 404;
  response.end();
}

function fail(version: string, failing: Failing, query: string, response: ServerResponse): void {
  const percent = Number(new URLSearchParams(query).get('percent') ?? 50);
  if (percent >= 0 && percent <= 100) failing.percent = percent;
  else response.statusCode = 400;
  response.end(response.statusCode === 400 ? 'percent must be 0 to 100\n' : `${version} fails ${percent} %\n`);
}

function broken(version: string, response: ServerResponse): void {
  response.statusCode = 500;
  response.end(`${version} has a bug\n`);
}

const startAll = (version: string, wanted: readonly number[]): Promise<number[]> => {
  const failing = new Failing();
  return Promise.all(wanted.map((port) => startVersion(version, port, failing)));
};
const listening: DemoPorts = { v1: await startAll('v1', ports.v1), v2: await startAll('v2', ports.v2) };
parentPort?.postMessage(listening);
