/**
 * The processes of a storm: upstreams, `sluice run` with two workers and the admin API, and a client that counts every request's fate.
 *
 * Nothing here judges. Whoever opens a stage closes it; that kills what is left and waits until it has gone.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { AdminCalls } from './admin-calls.ts';
import type { ClientOrder, ClientReport } from './chaos-messages.ts';
import { eventually } from './chaos-stage.ts';
import { plainEnvironment } from './commands.ts';
import { freePort } from './free-port.ts';
import { stormConfig, UPSTREAMS, type UpstreamName, type Whereabouts } from './storm-config.ts';
import type { UpstreamCounts } from './storm-messages.ts';

/** Lines of the proxy's log that are kept; calls of the admin API are many and are left out. */
const KEPT_LINES = 200;
/** Without an answer for so long a request is lost; reached only by a run that fails. */
const PATIENCE = 10_000;
const POLL = 20;

const file = (name: string): string => join(import.meta.dirname, name);
const main = join(import.meta.dirname, '../../src/main.ts');

async function gone(child: ChildProcess | null): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

export interface StagePlan {
  /** Requests per second, and the keep-alive connections that they come over. */
  readonly rate: number;
  readonly connections: number;
}

export class StormStage {
  port = 0;
  admin!: AdminCalls;
  /** What the proxy printed last. */
  readonly log: string[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'sluice-storm-'));
  #whereabouts!: Whereabouts;
  #upstreams: ChildProcess | null = null;
  #sluice: ChildProcess | null = null;
  #client: ChildProcess | null = null;

  static async open(plan: StagePlan): Promise<StormStage> {
    const stage = new StormStage();
    try {
      await stage.#start(plan);
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  async #start(plan: StagePlan): Promise<void> {
    this.#upstreams = fork(file('storm-upstream.ts'), UPSTREAMS, { execArgv: [], env: plainEnvironment() });
    const [ports] = (await once(this.#upstreams, 'message')) as [Record<UpstreamName, number>];
    const adminPort = await freePort();
    this.#whereabouts = { adminPort, urlOf: (name) => `http://127.0.0.1:${ports[name]}` };
    this.write(this.configAt(0));
    this.port = await this.#startSluice();
    this.admin = new AdminCalls(`http://127.0.0.1:${adminPort}`);
    this.#client = fork(file('chaos-client.ts'), [], { execArgv: [], env: plainEnvironment() });
    const targets = ['/shop/a', '/side/a', '/shop/*', '/side/*'];
    const load = { ...plan, port: this.port, method: 'GET' as const, bodyBytes: 0, targets };
    this.#client.send({ type: 'start', load } satisfies ClientOrder);
  }

  async #startSluice(): Promise<number> {
    const child = spawn(process.execPath, [main, 'run', '-c', 'sluice.yaml'], {
      cwd: this.#folder,
      env: plainEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#sluice = child;
    let port: number | null = null;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        if (line.includes('"admin_call"')) return;
        if (line.includes('"listening"')) port = JSON.parse(line).addresses[0].port as number;
        this.log.push(line);
        if (this.log.length > KEPT_LINES) this.log.shift();
      });
    }
    return eventually('sluice to listen', async () => {
      if (child.exitCode !== null) throw new Error(`sluice ended:\n${this.log.join('\n')}`);
      return port;
    });
  }

  get pid(): number {
    return this.#sluice?.pid ?? 0;
  }

  get lives(): boolean {
    return this.#sluice?.exitCode === null && this.#sluice.signalCode === null;
  }

  configAt(
    step: number,
    ...presence: Parameters<typeof stormConfig> extends [number, Whereabouts, ...infer P] ? P : []
  ): string {
    return stormConfig(step, this.#whereabouts, ...presence);
  }

  /** Puts another text in the place of the file, in one go. */
  write(text: string): void {
    const path = join(this.#folder, 'sluice.yaml');
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  }

  signal(signal: NodeJS.Signals): void {
    this.#sluice?.kill(signal);
  }

  /** What the upstreams have counted so far. */
  async counts(): Promise<UpstreamCounts> {
    const answer = once(this.#upstreams!, 'message');
    this.#upstreams!.send('counts');
    return (await answer)[0] as UpstreamCounts;
  }

  /** What the client has seen so far. */
  async seen(): Promise<ClientReport> {
    const answer = once(this.#client!, 'message');
    this.#client!.send({ type: 'report' } satisfies ClientOrder);
    return (await answer)[0] as ClientReport;
  }

  /** Waits until the client has made `count` more requests. */
  async requests(count: number): Promise<void> {
    const { made } = await this.seen();
    await eventually(`${count} requests`, async () => (await this.seen()).made >= made + count);
  }

  /** No more requests; resolves when all that were made are over, or when it is clear that some never will be (`inFlight`). */
  async finish(): Promise<ClientReport> {
    this.#client!.send({ type: 'stop' } satisfies ClientOrder);
    let report = await this.seen();
    for (const end = performance.now() + PATIENCE; report.inFlight > 0 && performance.now() < end; ) {
      await pause(POLL);
      report = await this.seen();
    }
    return report;
  }

  async close(): Promise<void> {
    await this.admin?.close();
    await gone(this.#client);
    await gone(this.#sluice);
    await gone(this.#upstreams);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
