/**
 * Sluice with its admin API as an operator runs it: in a folder that outlives the process, on ports that stay, so that it can be killed and
 * started again on what it left.
 *
 * The upstreams answer with their name. What a test waits for is asked for again and again until it is so; the limit is only reached by a
 * test that fails, and says what was awaited.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import { request } from 'undici';
import type { SluiceEvent } from '../../src/control/events/event.ts';
import { AdminCalls } from './admin-calls.ts';
import { type Finished, plainEnvironment, run } from './commands.ts';
import type { Exit } from './sluice-process.ts';

/** Milliseconds; reached only by a test that fails. */
const LIMIT = 20_000;

const MAIN = join(import.meta.dirname, '../../src/main.ts');
/** Half of what a start costs is reading the sources; these processes start often. */
const COMPILED = join(import.meta.dirname, '../../node_modules/.cache/compiled');

export interface Site {
  readonly folder: string;
  readonly file: string;
  /** Where its state lies. */
  readonly data: string;
  readonly proxyPort: number;
  readonly adminPort: number;
  readonly proxy: string;
  readonly admin: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly exit: Promise<Exit>;
  /** Every line that it printed. */
  readonly log: readonly string[];
  readonly calls: AdminCalls;
  /** Ends it like a power cut. */
  kill(): Promise<void>;
  /** Ends it like an operator. */
  stop(): Promise<Exit>;
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

export async function newSite(t: Test, scheme = 'http'): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-control-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const [proxyPort, adminPort] = [await freePort(), await freePort()];
  mkdirSync(join(folder, 'config'));
  return {
    ...{ folder, file: join(folder, 'config', 'sluice.yaml'), data: join(folder, 'data'), proxyPort, adminPort },
    proxy: `http://127.0.0.1:${proxyPort}`,
    admin: `${scheme}://127.0.0.1:${adminPort}`,
  };
}

/** A service with v1 (stable, the endpoints a and b) and v2 (canary, c), 90 to 10; `more` is merged over the top level, `shop` over the service. */
export function configFor(
  site: Site,
  urls: Readonly<Record<'a' | 'b' | 'c', string>>,
  more: object = {},
  shop: object = {},
): string {
  const service = {
    versions: { v1: { endpoints: [urls.a, urls.b] }, v2: { endpoints: [urls.c] } },
    lanes: { stable: 'v1', canary: 'v2' },
    split: { weights: { v1: 90, v2: 10 } },
    ...shop,
  };
  return JSON.stringify(
    {
      listen: `127.0.0.1:${site.proxyPort}`,
      workers: 2,
      data: site.data,
      admin: { listen: `127.0.0.1:${site.adminPort}` },
      services: { shop: service },
      ...more,
    },
    null,
    2,
  );
}

/** Answers every request with `name`. @returns its URL. */
export async function startUpstream(t: Test, name: string): Promise<string> {
  const server = createServer((_request, response) => response.end(name));
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function threeUpstreams(t: Test): Promise<Readonly<Record<'a' | 'b' | 'c', string>>> {
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => startUpstream(t, name)));
  return { a: a!, b: b!, c: c! };
}

interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A shell script that is to end in `exec "$@"`, in a mount namespace of its own. */
  readonly mount?: string;
}

/** Resolves when every worker listens. @param text of the configuration; left out, the file is as it is. */
export async function startControl(
  t: Test,
  site: Site,
  text: string | null,
  options: StartOptions = {},
): Promise<Running> {
  if (text !== null) writeFileSync(site.file, text);
  const program = [process.execPath, MAIN, 'run', '-c', site.file];
  const [command = '', ...args] =
    options.mount === undefined ? program : ['unshare', '-rm', 'sh', '-c', options.mount, 'sh', ...program];
  const child = spawn(command, args, {
    cwd: site.folder,
    env: { ...plainEnvironment(), NODE_COMPILE_CACHE: COMPILED, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise<Exit>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  const calls = new AdminCalls(site.admin);
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exit;
    await calls.close();
  });
  const log: string[] = [];
  const ready = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      log.push(line);
      if (line.includes('"event":"listening"')) ready.resolve();
    });
  }
  const late = setTimeout(() => ready.reject(new Error(`does not listen:\n${log.join('\n')}`)), LIMIT);
  void exit.then(({ code }) => ready.reject(new Error(`ended with ${code}:\n${log.join('\n')}`)));
  await ready.promise.finally(() => clearTimeout(late));
  const end = (signal: NodeJS.Signals): Promise<Exit> => {
    child.kill(signal);
    return exit;
  };
  return { child, exit, log, calls, kill: async () => void (await end('SIGKILL')), stop: () => end('SIGTERM') };
}

/** A command of Sluice to its end. */
export const sluice = (...args: readonly string[]): Promise<Finished> => run(process.execPath, [MAIN, ...args]);

/** Asks until it is so. */
export async function eventually(what: string, ask: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + LIMIT;
  while (!(await ask())) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await pause(10);
  }
}

/** Who answers a request, `502` and the like where it is Sluice itself. */
export async function whoAnswers(site: Site, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const { statusCode, body } = await request(`${site.proxy}/`, { headers });
  const text = await body.text();
  return statusCode === 200 ? text : String(statusCode);
}

/** How often each answered `count` requests. */
export async function answersOf(site: Site, count: number): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < count; i++) {
    const name = await whoAnswers(site);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** Events later than `since`, as a list. */
export async function eventsOf({ calls }: Running, since = 0, token?: string): Promise<readonly SluiceEvent[]> {
  const headers = { accept: 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  const { body } = await calls.call<readonly SluiceEvent[]>(
    'GET',
    `/api/v1/events?since=${since}&limit=1000`,
    undefined,
    headers,
  );
  return body;
}
