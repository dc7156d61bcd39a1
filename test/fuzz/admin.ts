/**
 * Requests that nobody would write, against the admin API of a `sluice run` with tokens, state and an access log.
 *
 * Most are mutations of what the list of calls gives as examples, so that they get past the first check; the rest is strange in its head, its
 * path or its bytes. Whatever comes, an answer has to come, and it must not be the one for exceptions that nobody expected. In the end the process has to
 * live, forward requests, have a whole audit, keep its memory, and have shown nobody a token.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { AnyCall } from '../../src/control/admin/call.ts';
import { CALLS } from '../../src/control/admin/call-list.ts';
import { SluiceProcess } from '../cli/sluice-process.ts';
import { mangled, pathFor, queryFor, rawHead } from './admin-requests.ts';
import { Dice } from './dice.ts';

const TOKENS = {
  BOSS: 'boss-boss-boss-boss-boss-1',
  OPS: 'ops-ops-ops-ops-ops-ops-2',
  LOOK: 'look-look-look-look-look-3',
};
/** A configuration that waits for others to be checked is answered after 22 s at the latest. */
const PATIENCE = 30_000;
const MOST_MEMORY_KIB = 600 * 1024;
/** The one call that may end the process. */
const TRIED: readonly AnyCall[] = CALLS.filter(({ id }) => id !== 'drainServer');
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'];
const TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'application/yaml',
  'text/plain',
  'application/x',
  '',
];

const config = (upstream: number, admin: number): string => `
listen: 127.0.0.1:0
workers: 1
data: ./data
accessLog: { path: ./access.log }
admin:
  listen: 127.0.0.1:${admin}
  tokens:
    - { name: boss, role: admin, env: BOSS }
    - { name: ops, role: operator, env: OPS }
    - { name: look, role: viewer, env: LOOK }
flags: { new-checkout: { default: off, key: { header: X-User-Id } } }
services:
  demo:
    versions:
      v1: { endpoints: [ "http://127.0.0.1:${upstream}" ] }
      v2: { endpoints: [ "http://127.0.0.1:${upstream}" ] }
    lanes: { stable: v1, canary: v2 }
    split: { weights: { v1: 90, v2: 10 } }
`;

interface Reply {
  readonly status: number;
  readonly text: string;
}

type ForEach = (count: number, width: number, play: (iteration: number) => Promise<void>) => Promise<void>;

export async function runAdmin(seed: number, count: number, forEach: ForEach) {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-fuzz-'));
  const upstream = createServer((_, answer) => answer.end('good'));
  const admin = await freePort();
  const port = await portOf(upstream);
  writeFileSync(join(directory, 'sluice.yaml'), config(port, admin));
  const server = new SluiceProcess(['run', '-c', join(directory, 'sluice.yaml')], TOKENS);
  const fuzz = new AdminFuzz(seed, { admin, proxy: await proxyPort(server), upstream: port });
  try {
    await forEach(count, 8, (iteration) => fuzz.play(iteration));
    await fuzz.judge();
  } finally {
    fuzz.close();
    server.signal('SIGTERM');
    const code = await server.exited;
    if (code !== 0) fuzz.failures.push(`admin: sluice ended with ${code}: ${server.err.slice(-2000)}`);
    const faults = server.out.split('\n').filter((line) => line.includes('"admin_fault"'));
    fuzz.failures.push(...new Set(faults.map((line) => `admin: ${JSON.parse(line).stack ?? line}`)));
    if (Object.values(TOKENS).some((token) => server.out.includes(token)))
      fuzz.failures.push('admin: a token is in the log');
    upstream.close();
    rmSync(directory, { recursive: true, force: true });
  }
  return fuzz;
}

interface Addresses {
  readonly admin: number;
  readonly proxy: number;
  readonly upstream: number;
}

const proxyPort = async (server: SluiceProcess): Promise<number> =>
  Number((await server.printed(/"host":"127\.0\.0\.1","port":(\d+).*"listening"/))[1]);

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** One that was free a moment ago: the process does not print where its admin API is. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

class AdminFuzz {
  readonly outcomes = new Map<string, number>();
  readonly failures: string[] = [];
  readonly #seed: number;
  readonly #addresses: Addresses;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });

  constructor(seed: number, addresses: Addresses) {
    this.#seed = seed;
    this.#addresses = addresses;
  }

  async play(iteration: number): Promise<void> {
    const dice = new Dice(this.#seed, iteration);
    if (dice.chance(0.1)) return this.#playRaw(dice, iteration);
    const call = dice.one(TRIED);
    const method = dice.chance(0.9) ? call.method : dice.one(METHODS);
    const body = bodyFor(call, dice);
    const token = dice.chance(0.9) ? TOKENS.BOSS : dice.one([TOKENS.OPS, TOKENS.LOOK]);
    const headers: Record<string, string> = { accept: 'application/json', authorization: `Bearer ${token}` };
    if (dice.chance(0.1)) delete headers.authorization;
    if (dice.chance(0.1)) headers['if-match'] = dice.one(['*', '""', '"a", W/"b"', '"', 'x'.repeat(5000), ',,,']);
    if (dice.chance(0.05)) headers['last-event-id'] = dice.one(['-1', '9'.repeat(15), '9'.repeat(30), 'NaN']);
    if (dice.chance(0.03))
      headers.accept = dice.one(['text/event-stream', '*/*;q=NaN', ',,;;', 'application/openmetrics-text']);
    if (dice.chance(0.03)) headers.origin = dice.one(['null', 'http://evil.test', 'http://127.0.0.1']);
    const type = dice.chance(0.9) ? TYPES[0]! : dice.one(TYPES);
    if (body !== null && type !== '') headers['content-type'] = type;
    const path = pathFor(call.path, dice) + queryFor(call, dice);
    const reply = await this.#send({ method, path, headers, body, port: this.#addresses.admin });
    this.#note(reply, `${method} ${path} ${body?.slice(0, 500) ?? ''}`, iteration);
  }

  async #playRaw(dice: Dice, iteration: number): Promise<void> {
    const head = rawHead(dice, this.#addresses.admin, TOKENS.OPS);
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(this.#addresses.admin, '127.0.0.1');
      const timer = setTimeout(() => socket.destroy(), 300);
      socket.on('data', (bytes) => {
        text += bytes.toString('latin1');
        socket.end();
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        clearTimeout(timer);
        resolve(text);
      });
      socket.write(head);
    });
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
    this.#note({ status, text: answer }, head.toString('latin1').slice(0, 500), iteration, 'raw ');
  }

  #note({ status, text }: Reply, what: string, iteration: number, kind = ''): void {
    const outcome = `${kind}${status === 0 ? 'closed' : status}`;
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    const fails = (why: string) => this.failures.push(`admin #${iteration}: ${why}: ${what}`);
    if (status === 500) fails('an unexpected error');
    // Nobody but the client itself said it, and nothing repeats that part of a request.
    if (Object.values(TOKENS).some((token) => text.includes(token))) fails('a token is in the answer');
  }

  /** What must be true in the end. */
  async judge(): Promise<void> {
    const headers = { accept: 'application/json', authorization: `Bearer ${TOKENS.BOSS}` };
    const get = (path: string) => this.#send({ method: 'GET', path, headers, body: null, port: this.#addresses.admin });
    const verdict = await get('/api/v1/audit/verify');
    if (!verdict.text.includes('"ok":true')) this.failures.push(`admin: the audit: ${verdict.text}`);
    const status = JSON.parse((await get('/api/v1/status')).text);
    if (status.workers.listening !== 1) this.failures.push('admin: the worker is gone');
    await this.#bringBack(headers);
    const through = await this.#send({
      method: 'GET',
      path: '/',
      headers: {},
      body: null,
      port: this.#addresses.proxy,
    });
    if (through.text !== 'good') this.failures.push(`admin: traffic got ${through.status} ${through.text}`);
    const memory = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${status.pid}/status`, 'latin1'))?.[1] ?? 0);
    console.log(`memory of the fuzzed process: ${Math.round(memory / 1024)} MiB; ${verdict.text.trim()}`);
    if (memory > MOST_MEMORY_KIB) this.failures.push(`admin: ${memory} KiB of memory`);
  }

  /** Endpoints that mutants replaced or took out, as the file has them. */
  async #bringBack(headers: Record<string, string>): Promise<void> {
    const port = this.#addresses.admin;
    const send = (method: string, path: string, body: string | null) =>
      this.#send({ method, path, body, port, headers: { ...headers, ...(body && { 'content-type': TYPES[0]! }) } });
    await this.#endRollouts(async (method, path) => (await send(method, path, null)).text);
    const demo = '/api/v1/services/demo';
    await send('DELETE', `${demo}/weights`, null);
    await send('PUT', `${demo}/lanes`, '{"stable":"v1","canary":"v2"}');
    await send('PUT', `${demo}/weights`, '{"v1":100}');
    const url = `http://127.0.0.1:${this.#addresses.upstream}`;
    await send('PUT', `${demo}/versions/v1`, JSON.stringify({ endpoints: [url] }));
    await send('PUT', `${demo}/endpoints/state`, JSON.stringify({ url, state: 'enabled' }));
  }

  /** One that has the traffic in hand would refuse what comes next. */
  async #endRollouts(send: (method: string, path: string) => Promise<string>): Promise<void> {
    for (const end = performance.now() + PATIENCE; performance.now() < end; await pause(100)) {
      const { rollouts } = JSON.parse(await send('GET', '/api/v1/rollouts'));
      const open = rollouts.filter(({ endedAt }: { endedAt: string | null }) => endedAt === null);
      if (open.length === 0) return;
      for (const { id } of open) await send('POST', `/api/v1/rollouts/${id}/abort`);
    }
    this.failures.push('admin: a rollout does not end');
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(options: { method: string; path: string; headers: object; body: string | null; port: number }): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const { body, ...rest } = options;
      // By itself, node sends the body of a HEAD or a GET without saying how long it is.
      const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const started = request({
        ...rest,
        headers: { ...rest.headers, ...length },
        host: '127.0.0.1',
        agent: this.#agent,
      });
      const timer = setTimeout(() => started.destroy(new Error(`no answer to ${rest.method} ${rest.path}`)), PATIENCE);
      started.on('response', (answer: IncomingMessage) => {
        let text = '';
        const done = () => {
          clearTimeout(timer);
          resolve({ status: answer.statusCode ?? 0, text });
        };
        answer.setEncoding('utf8').on('data', (more: string) => {
          text += more;
          // A stream goes on for ever.
          if (answer.headers['content-type']?.startsWith('text/event-stream')) answer.destroy();
        });
        answer.on('close', done).on('error', done);
      });
      started.on('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve({ status: 0, text: '' });
        else reject(new Error(`${rest.method} ${rest.path} ${body?.slice(0, 300)}: ${error.message}`));
      });
      started.end(body ?? undefined);
    });
  }
}

function bodyFor(call: AnyCall, dice: Dice): string | null {
  if (call.body === null) return dice.chance(0.05) ? '{}' : null;
  const text = JSON.stringify(dice.chance(0.2) ? call.body.example : mangled(call.body.example, dice));
  return dice.chance(0.05) ? text.slice(0, dice.below(text.length)) : text;
}
