/**
 * A service with versions that can be told how to behave, users who never stop asking, and strategies that are through in seconds: the stage
 * of tests that kill Sluice in the middle of a rollout.
 *
 * The users go on while Sluice is down. A request that finds nobody, or whose connection the kill has cut, is counted as `cut` and tried
 * again a little later; what Sluice answered is counted by who answered, or by status.
 */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import { Pool } from 'undici';
import type { ServiceView } from '../../src/control/operations.ts';
import type { RolloutSummary, RolloutView } from '../../src/control/rollout/view.ts';
import type { AuditRow } from '../../src/control/store/store.ts';
import type { AdminAnswer } from './admin-calls.ts';
import { eventually, type Running, type Site, startControl } from './control-process.ts';

export interface SwitchableVersion {
  readonly name: string;
  readonly url: string;
  /** Answers everything with 500. */
  failing: boolean;
  /** Requests for /smoke and for hooks are held until `release`. */
  holding: boolean;
  /** How often /smoke was asked. */
  smoked: number;
  /** Bodies of what was posted to /hook. */
  readonly hooked: string[];
  release(): void;
}

export async function switchableVersion(t: Test, name: string): Promise<SwitchableVersion> {
  const held: ServerResponse[] = [];
  const version = {
    ...{ name, url: '', failing: false, holding: false, smoked: 0, hooked: [] as string[] },
    release(): void {
      version.holding = false;
      for (const response of held.splice(0)) response.end(name);
    },
  };
  const server = createServer((request, response) => {
    response.statusCode = version.failing ? 500 : 200;
    if (request.url === '/smoke') version.smoked++;
    if (request.url !== '/hook') request.resume();
    else {
      request.setEncoding('utf8');
      request.on('data', (text: string) => version.hooked.push(text));
    }
    if (version.holding && (request.url === '/smoke' || request.url === '/hook')) held.push(response);
    else response.end(name);
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  version.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return version;
}

export class Users {
  readonly counts: Record<string, number> = {};
  cut = 0;
  readonly #path: string;
  readonly #pool: Pool;
  readonly #done: Promise<unknown>;
  #ended = false;

  /** @param every milliseconds between two requests of one user. @param path what they ask for. */
  constructor(t: Test, { proxy }: Site, users = 4, every = 5, path = '/') {
    this.#path = path;
    this.#pool = new Pool(proxy, { connections: users, pipelining: 1 });
    this.#done = Promise.all(Array.from({ length: users }, () => this.#ask(every)));
    t.teardown(() => this.end());
  }

  get answered(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  /** Statuses that no user should see, with how often they were seen. */
  get faults(): Readonly<Record<string, number>> {
    return Object.fromEntries(Object.entries(this.counts).filter(([who]) => /^\d+$/.test(who)));
  }

  /** Resolves when so many more requests have been answered. */
  async more(count: number): Promise<void> {
    const target = this.answered + count;
    await eventually(`${count} more answers`, async () => this.answered >= target);
  }

  /** Who answers now, of so many. */
  async answersOfNext(count: number): Promise<Readonly<Record<string, number>>> {
    const before = { ...this.counts };
    await this.more(count);
    const added = Object.entries(this.counts).map(([who, now]) => [who, now - (before[who] ?? 0)] as const);
    return Object.fromEntries(added.filter(([, more]) => more > 0));
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#done;
    await this.#pool.destroy();
  }

  async #ask(every: number): Promise<void> {
    while (!this.#ended) {
      try {
        const { statusCode, body } = await this.#pool.request({ method: 'GET', path: this.#path });
        const text = await body.text();
        const who = statusCode === 200 ? text : String(statusCode);
        this.counts[who] = (this.counts[who] ?? 0) + 1;
      } catch {
        this.cut++;
        await pause(10);
      }
      await pause(every);
    }
  }
}

/** v1 (stable), v2 and v3 of the service shop, and whatever strategies; `more` is merged over the top level, `shop` over the service. */
export const rolloutConfig = (
  site: Site,
  versions: readonly SwitchableVersion[],
  strategies: object,
  more: object = {},
  shop: object = {},
): string =>
  JSON.stringify({
    listen: `127.0.0.1:${site.proxyPort}`,
    workers: 2,
    data: site.data,
    admin: { listen: `127.0.0.1:${site.adminPort}` },
    timeouts: { drain: '200ms' },
    services: {
      shop: {
        versions: Object.fromEntries(versions.map(({ name, url }) => [name, { endpoints: [url] }])),
        lanes: { stable: 'v1' },
        override: { header: 'X-Canary-Deploy' },
        shield: { on: ['connect-failure', 'reset', 'timeout', '5xx'] },
        exposeVersion: true,
        ...shop,
      },
    },
    ...(Object.keys(strategies).length > 0 && { strategies }),
    ...more,
  });

export const startRollout = (
  { calls }: Running,
  version: string,
  given: object = {},
): Promise<AdminAnswer<RolloutView>> => calls.call('POST', '/api/v1/services/shop/rollouts', { version, ...given });

/** @throws where it does not start */
export async function started(running: Running, version: string, given: object = {}): Promise<RolloutView> {
  const { status, body, text } = await startRollout(running, version, given);
  if (status !== 201) throw new Error(`not started: ${text}`);
  return body;
}

export async function rollout({ calls }: Running, id: string): Promise<RolloutView> {
  const { status, body, text } = await calls.call<RolloutView>('GET', `/api/v1/rollouts/${id}`);
  if (status !== 200) throw new Error(text);
  return body;
}

export const rolloutList = async ({ calls }: Running): Promise<readonly RolloutSummary[]> =>
  (await calls.call<{ rollouts: readonly RolloutSummary[] }>('GET', '/api/v1/rollouts')).body.rollouts;

/** @throws where it is refused */
export async function say({ calls }: Running, id: string, verb: string, body: object = {}): Promise<RolloutView> {
  const answer = await calls.call<RolloutView>('POST', `/api/v1/rollouts/${id}/${verb}`, body);
  if (answer.status !== 200) throw new Error(`${verb}: ${answer.text}`);
  return answer.body;
}

/** Looks until it is so. */
export async function until(
  running: Running,
  id: string,
  what: string,
  isSo: (view: RolloutView) => boolean,
): Promise<RolloutView> {
  let view: RolloutView | null = null;
  await eventually(`${id} ${what}`, async () => {
    view = await rollout(running, id);
    return isSo(view);
  }).catch((error: Error) => {
    throw new Error(`${error.message}; it is ${JSON.stringify(view)}\n${running.log.slice(-10).join('\n')}`);
  });
  return view!;
}

export const phaseOf = (phase: string) => (view: RolloutView) => view.phase === phase;

export const shop = async ({ calls }: Running): Promise<ServiceView> =>
  (await calls.call<ServiceView>('GET', '/api/v1/services/shop')).body;

/** Lanes and weights in one line: `stable v1 90, canary v2 10`; versions without either are left out. */
export async function trafficOf(running: Running): Promise<string> {
  const { lanes, weights } = await shop(running);
  return trafficText(lanes, weights);
}

export function trafficText(
  lanes: Readonly<Record<string, string | null | undefined>>,
  weights: Readonly<Record<string, number>>,
): string {
  const named = (['stable', 'canary', 'candidate'] as const).flatMap((lane) => {
    const version = lanes[lane];
    return typeof version === 'string' ? [`${lane} ${version} ${weights[version] ?? 0}`] : [];
  });
  const laneless = Object.entries(weights).filter(
    ([name, weight]) => weight > 0 && !Object.values(lanes).includes(name),
  );
  return [...named, ...laneless.map(([name, weight]) => `no lane ${name} ${weight}`)].join(', ');
}

export async function auditRows({ calls }: Running): Promise<AuditRow[]> {
  const rows: AuditRow[] = [];
  for (let since: number | null = 0; since !== null; ) {
    const answer: AdminAnswer<{ rows: AuditRow[]; next: number | null }> = await calls.call(
      'GET',
      `/api/v1/audit?limit=1000&since=${since}`,
    );
    rows.push(...answer.body.rows);
    since = answer.body.next;
  }
  return rows;
}

/** Starts it again on what it left. */
export const again = (t: Test, site: Site): Promise<Running> => startControl(t, site, null);
