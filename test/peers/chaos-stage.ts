/**
 * The processes of a chaos test: upstreams, `sluice run` with two workers, and a client, each its own, all on free ports.
 *
 * Nothing here judges. A stage can be asked what the client saw and what the proxy counted, and its upstreams can be killed, stopped, continued, spoilt
 * and brought back on their port. Whoever opens a stage closes it; that kills what is left, and waits until it has gone. Waiting is for
 * facts that are polled, with a limit that only a failing test reaches.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { ClientOrder, ClientReport, Latency, Load, Manner, ProxyCounts, UpstreamNews } from './chaos-messages.ts';
import { plainEnvironment } from './commands.ts';

const PATIENCE = 20_000;
const POLL = 20;

const file = (name: string): string => join(import.meta.dirname, name);
const main = join(import.meta.dirname, '../../src/main.ts');

/** Polls `fact` until it is neither null nor false. */
export async function eventually<T>(what: string, fact: () => Promise<T | null | false>): Promise<T> {
  for (const end = performance.now() + PATIENCE; performance.now() < end; ) {
    const found = await fact();
    if (found !== null && found !== false) return found;
    await pause(POLL);
  }
  throw new Error(`waited in vain for ${what}`);
}

async function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

export class Upstream {
  readonly name: string;
  #child: ChildProcess | null = null;
  #port = 0;

  constructor(name: string) {
    this.name = name;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts it, on the port that it had before if there was one. */
  async start(): Promise<void> {
    await eventually(`${this.name} to listen`, async () => {
      const args = [this.name, String(this.#port)];
      const child = fork(file('chaos-upstream.ts'), args, { execArgv: [], env: plainEnvironment() });
      this.#child = child;
      const [news] = (await once(child, 'message')) as [UpstreamNews];
      if (news.type === 'listening') this.#port = news.port;
      // A connection that somebody makes may have got the port meanwhile.
      else await gone(child);
      return news.type === 'listening';
    });
  }

  async kill(): Promise<void> {
    if (this.#child !== null) await gone(this.#child);
    this.#child = null;
  }

  /** SIGSTOP: the kernel still accepts connections for it, and nobody answers. */
  stop(): void {
    this.#child?.kill('SIGSTOP');
  }

  continue(): void {
    this.#child?.kill('SIGCONT');
  }

  async behave(manner: Manner): Promise<void> {
    const child = this.#child;
    if (child === null) throw new Error(`${this.name} does not run`);
    const told = once(child, 'message');
    child.send(manner);
    await told;
  }
}

export interface StagePlan {
  readonly stable: readonly string[];
  readonly canary?: string;
  /** Names of upstreams that do not run yet; their ports are known. */
  readonly absent?: readonly string[];
  /** Configuration of each service by name, without versions; a request for `/NAME` goes there. All have the same endpoints. */
  readonly services: Readonly<Record<string, object>>;
  readonly load: Omit<Load, 'port'>;
}

export const LANES = { stable: 'v1', canary: 'v2' };
export const SPLIT = { weights: { v1: 90, v2: 10 } };

function configOf(plan: StagePlan, urlOf: (name: string) => string): object {
  const v1 = { endpoints: plan.stable.map(urlOf) };
  const versions =
    plan.canary === undefined
      ? { versions: { v1 } }
      : {
          versions: { v1, v2: { endpoints: [urlOf(plan.canary)] } },
          lanes: LANES,
          split: SPLIT,
        };
  const services = Object.entries(plan.services).map(([name, more]) => [name, { ...versions, ...more }]);
  const routes = Object.keys(plan.services).map((name) => ({ match: { pathPrefix: `/${name}` }, service: name }));
  return { listen: '127.0.0.1:0', workers: 2, services: Object.fromEntries(services), routes };
}

export class Stage {
  /** What the proxy printed. */
  readonly log: string[] = [];
  readonly #upstreams = new Map<string, Upstream>();
  readonly #folder = mkdtempSync(join(tmpdir(), 'sluice-chaos-'));
  #sluice: ChildProcess | null = null;
  #client: ChildProcess | null = null;

  static async open(plan: StagePlan): Promise<Stage> {
    const stage = new Stage();
    try {
      await stage.#start(plan);
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  async #start(plan: StagePlan): Promise<void> {
    const names = plan.canary === undefined ? plan.stable : [...plan.stable, plan.canary];
    for (const name of names) this.#upstreams.set(name, new Upstream(name));
    await Promise.all(names.map((name) => this.upstream(name).start()));
    for (const name of plan.absent ?? []) await this.upstream(name).kill();
    const port = await this.#startSluice(configOf(plan, (name) => this.upstream(name).url));
    this.#client = fork(file('chaos-client.ts'), [], { execArgv: [], env: plainEnvironment() });
    this.#client.send({ type: 'start', load: { ...plan.load, port } } satisfies ClientOrder);
  }

  async #startSluice(config: object): Promise<number> {
    const path = join(this.#folder, 'sluice.yaml');
    writeFileSync(path, JSON.stringify(config, null, 2));
    const child = spawn(process.execPath, ['--import', file('chaos-counters.ts'), main, 'run', '-c', path], {
      cwd: this.#folder,
      env: plainEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#sluice = child;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream! }).on('line', (line) => this.log.push(line));
    }
    return eventually('sluice to listen', async () => {
      if (child.exitCode !== null) throw new Error(`sluice ended:\n${this.log.join('\n')}`);
      const line = this.log.find((line) => line.startsWith('{') && JSON.parse(line).event === 'listening');
      return line === undefined ? null : (JSON.parse(line).addresses[0].port as number);
    });
  }

  upstream(name: string): Upstream {
    const found = this.#upstreams.get(name);
    if (found === undefined) throw new Error(`no upstream ${name}`);
    return found;
  }

  /** What the client has seen so far. */
  async seen(): Promise<ClientReport> {
    const answer = once(this.#client!, 'message');
    this.#client!.send({ type: 'report' } satisfies ClientOrder);
    return (await answer)[0] as ClientReport;
  }

  /** What its requests took since it was last asked. */
  async latency(): Promise<Latency> {
    const answer = once(this.#client!, 'message');
    this.#client!.send({ type: 'latency' } satisfies ClientOrder);
    return (await answer)[0] as Latency;
  }

  /** What the proxy has counted so far. */
  async counted(): Promise<ProxyCounts> {
    const answer = once(this.#sluice!, 'message');
    this.#sluice!.send('counts');
    return (await answer)[0] as ProxyCounts;
  }

  /** Waits until the client has made `count` more requests. */
  async requests(count: number): Promise<void> {
    const { made } = await this.seen();
    await eventually(`${count} requests`, async () => (await this.seen()).made >= made + count);
  }

  /** Waits until `name` has given `count` more right answers. */
  async answersOf(name: string, count: number): Promise<void> {
    const before = (await this.seen()).answers[name] ?? 0;
    await eventually(`${name} to answer`, async () => ((await this.seen()).answers[name] ?? 0) >= before + count);
  }

  /** No more requests; resolves when all that were made are over. */
  async finish(): Promise<ClientReport> {
    this.#client!.send({ type: 'stop' } satisfies ClientOrder);
    return eventually('the last answers', async () => {
      const report = await this.seen();
      return report.inFlight === 0 && report;
    });
  }

  async close(): Promise<void> {
    if (this.#client !== null) await gone(this.#client);
    if (this.#sluice !== null) await gone(this.#sluice);
    for (const upstream of this.#upstreams.values()) await upstream.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
