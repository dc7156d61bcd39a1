/**
 * The processes of a rollback run: two versions, `sluice run` with two workers, admin API and state on the disk, and users who come at a steady rate.
 *
 * Every service of the configuration has the same two upstreams, so one program serves all faults, rollout after rollout:
 *
 *     shop      shield on; no answer for a second is a timeout           bare     the same without a shield
 *     checked   as shop, with health checks                           sticky   as shop, sessions by `X-User-Id`, no shield
 *
 * Nothing here judges. Whoever opens a stage closes it; that kills what is left and waits until it has gone.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { RolloutReport, RolloutView } from '../../src/control/rollout/view.ts';
import { AdminCalls } from '../../test/peers/admin-calls.ts';
import { eventually } from '../../test/peers/chaos-stage.ts';
import { plainEnvironment } from '../../test/peers/commands.ts';
import { freePort } from '../../test/peers/free-port.ts';
import type {
  Aim,
  Behaviour,
  ClientOrder,
  ClientReport,
  Load,
  UpstreamCounts,
  UpstreamNews,
  UpstreamOrder,
} from './messages.ts';

const KEPT_LINES = 200;
const MAIN = join(import.meta.dirname, '../../src/main.ts');
const file = (name: string): string => join(import.meta.dirname, name);

async function gone(child: ChildProcess | null): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** Sends an order and resolves with the news that answers it; orders to one process are given one after the other. */
async function ask<T>(child: ChildProcess | null, order: object): Promise<T> {
  if (child === null) throw new Error('the process does not run');
  const answer = once(child, 'message');
  child.send(order);
  return (await answer)[0] as T;
}

export class Upstream {
  readonly name: string;
  readonly #seed: number;
  #child: ChildProcess | null = null;
  #port = 0;

  constructor(name: string, seed: number) {
    this.name = name;
    this.#seed = seed;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** On the port that it had before if there was one. */
  async start(): Promise<void> {
    await eventually(`${this.name} to listen`, async () => {
      const args = [this.name, String(this.#port), String(this.#seed)];
      const child = fork(file('upstream.ts'), args, { execArgv: [], env: plainEnvironment() });
      const [news] = (await once(child, 'message')) as [UpstreamNews];
      this.#child = child;
      if (news.type === 'listening') this.#port = news.port;
      else await gone(child);
      return news.type === 'listening';
    });
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await gone(this.#child);
    this.#child = null;
  }

  behave(behaviour: Behaviour): Promise<UpstreamCounts> {
    return ask(this.#child, { type: 'behave', behaviour } satisfies UpstreamOrder);
  }

  counts(): Promise<UpstreamCounts> {
    return ask(this.#child, { type: 'counts' } satisfies UpstreamOrder);
  }
}

export type StagePlan = Omit<Load, 'port'>;

export class RollbackStage {
  admin!: AdminCalls;
  readonly log: string[] = [];
  /** Calls of the admin API that were not answered. */
  readonly lostCalls: string[] = [];
  readonly v1 = new Upstream('v1', 1);
  readonly v2 = new Upstream('v2', 2);
  readonly #folder = mkdtempSync(join(tmpdir(), 'sluice-rollback-'));
  #sluice: ChildProcess | null = null;
  #client: ChildProcess | null = null;

  static async open(plan: StagePlan): Promise<RollbackStage> {
    const stage = new RollbackStage();
    try {
      await stage.#start(plan);
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  async #start(plan: StagePlan): Promise<void> {
    await Promise.all([this.v1.start(), this.v2.start()]);
    const adminPort = await freePort();
    writeFileSync(join(this.#folder, 'sluice.yaml'), JSON.stringify(this.#config(adminPort), null, 2));
    const port = await this.#startSluice();
    this.admin = new AdminCalls(`http://127.0.0.1:${adminPort}`);
    this.#client = fork(file('client.ts'), [], { execArgv: [], env: plainEnvironment() });
    this.#client.send({ type: 'start', load: { ...plan, port } } satisfies ClientOrder);
  }

  #config(adminPort: number): object {
    const plain = {
      versions: { v1: { endpoints: [this.v1.url] }, v2: { endpoints: [this.v2.url] } },
      ...{ lanes: { stable: 'v1' }, exposeVersion: true, timeouts: { response: '1s', request: '4s' } },
    };
    const shop = { ...plain, shield: {} };
    const services = {
      shop,
      bare: plain,
      checked: { ...shop, health: { path: '/health', interval: '250ms', timeout: '200ms', unhealthy: 2, healthy: 1 } },
      sticky: { ...plain, affinity: { header: 'X-User-Id' } },
    };
    return {
      ...{ listen: '127.0.0.1:0', workers: 2, data: join(this.#folder, 'data') },
      admin: { listen: `127.0.0.1:${adminPort}` },
      services,
      routes: Object.keys(services).map((name) => ({ match: { pathPrefix: `/${name}` }, service: name })),
    };
  }

  async #startSluice(): Promise<number> {
    const child = spawn(process.execPath, [MAIN, 'run', '-c', 'sluice.yaml'], {
      ...{ cwd: this.#folder, env: plainEnvironment() },
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

  /** What users ask for from now on. */
  aim(aim: Aim): Promise<ClientReport> {
    return ask(this.#client, { type: 'aim', aim } satisfies ClientOrder);
  }

  seen(): Promise<ClientReport> {
    return ask(this.#client, { type: 'report' } satisfies ClientOrder);
  }

  /** Waits until users have asked `count` times more. */
  async requests(count: number): Promise<void> {
    const { made } = await this.seen();
    await eventually(`${count} requests`, async () => (await this.seen()).made >= made + count);
  }

  /** Waits until everything that was asked until now has come to its end: no answer takes longer than the requests between. */
  async settled(): Promise<ClientReport> {
    const { made } = await this.seen();
    return eventually('answers to what is open', async () => {
      const report = await this.seen();
      return report.made - report.open >= made && report;
    });
  }

  /** @returns id of the rollout. */
  async start(service: string, version: string, strategy: object | string): Promise<string> {
    const { status, body, text } = await this.admin.call<RolloutView>('POST', `/api/v1/services/${service}/rollouts`, {
      ...{ version, strategy },
    });
    if (status !== 201) throw new Error(`no rollout: ${status} ${text}`);
    return body.id;
  }

  /** Asked very often; a call that is not answered is counted and made again. */
  async rollout(id: string): Promise<RolloutView> {
    const ask = () => this.admin.call<RolloutView>('GET', `/api/v1/rollouts/${id}`);
    const { body } = await ask().catch((error: Error) => {
      this.lostCalls.push(error.message);
      return ask();
    });
    return body;
  }

  async report(id: string): Promise<RolloutReport> {
    return (await this.admin.call<RolloutReport>('GET', `/api/v1/rollouts/${id}/report`)).body;
  }

  /** @throws where it is refused */
  async say(id: string, verb: string, body: object = {}): Promise<RolloutView> {
    const answer = await this.admin.call<RolloutView>('POST', `/api/v1/rollouts/${id}/${verb}`, body);
    if (answer.status !== 200) throw new Error(`${verb}: ${answer.status} ${answer.text}`);
    return answer.body;
  }

  /** The present lanes and weights, in one line each. */
  async traffic(service: string): Promise<{ stable: string; weights: Readonly<Record<string, number>> }> {
    const { body } = await this.admin.weights(service);
    return { stable: body.lanes.stable, weights: body.weights };
  }

  get pid(): number {
    return this.#sluice?.pid ?? 0;
  }

  get lives(): boolean {
    return this.#sluice?.exitCode === null && this.#sluice.signalCode === null;
  }

  async close(): Promise<void> {
    await this.admin?.close();
    await gone(this.#client);
    await gone(this.#sluice);
    await this.v1.kill();
    await this.v2.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
