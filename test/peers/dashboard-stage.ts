/**
 * A Sluice with enough going on for every view of the dashboard to have something to show.
 *
 *     shop    v1, v2, v3      a rollout of v2 stands at 20 % for ten minutes, watched
 *     pay     v1, v2          v2 failed on its users' requests and was taken back; the shield answered for it
 *     mail    v1              one request in five fails: an alert fires
 *     search  v1, v2          nobody asks for it
 *
 * The first two are there from the start, the others come by a reload: a page shows a few services whole and many as rows. Upstreams answer after a few milliseconds,
 * not all the same, so that charts have something to draw.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { eventually, newSite, type Running, type Site, startControl } from './control-process.ts';
import { phaseOf, started, Users, until } from './rollout-site.ts';

export interface StageVersion {
  readonly name: string;
  readonly url: string;
  /** Every so many-th request gets a 500: 1 is all of them, 0 none. */
  failEvery: number;
}

/** Answers with its name, late by up to five milliseconds. */
export async function stageVersion(t: Test, name: string, failEvery = 0): Promise<StageVersion> {
  const version = { name, url: '', failEvery };
  let asked = 0;
  const server = createServer((request, response) => {
    request.resume();
    asked += 1;
    if (version.failEvery > 0 && asked % version.failEvery === 0) response.statusCode = 500;
    setTimeout(() => response.end(name), asked % 6);
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

/** Steps that a person takes: nothing goes on by itself. */
export const STEPPED = {
  evidence: { maxFailures: 20 },
  steps: [
    { name: 'few', weight: 20, for: '10m', pass: ['error_rate <= baseline + 1%', 'p95 < 2s'] },
    { name: 'half', weight: 50, for: '10m' },
    { name: 'agree', pause: 'approval' },
    { name: 'most', weight: 90, for: '10m' },
  ],
  rollbackWhen: [{ when: 'error_rate > baseline + 5%', window: '1m', level: 'warning' }],
};

/** One service; a failed first attempt on the canary is answered by stable. */
export const stageService = (versions: readonly StageVersion[], more: object = {}): object => ({
  versions: Object.fromEntries(versions.map(({ name, url }) => [name, { endpoints: [url] }])),
  lanes: { stable: versions[0]?.name },
  shield: { on: ['connect-failure', 'reset', 'timeout', '5xx'] },
  ...more,
});

/** @param services by name; the requests of each have its name as the first part of their path. */
export const stageConfig = (site: Site, services: Readonly<Record<string, object>>, more: object = {}): string =>
  JSON.stringify({
    listen: `127.0.0.1:${site.proxyPort}`,
    workers: 2,
    data: site.data,
    admin: { listen: `127.0.0.1:${site.adminPort}` },
    services,
    routes: Object.keys(services).map((service) => ({ match: { pathPrefix: `/${service}` }, service })),
    strategies: { stepped: STEPPED },
    ...more,
  });

export interface BusyStage {
  readonly site: Site;
  readonly running: Running;
  /** Two services become four. */
  grow(): Promise<void>;
}

/** Resolves when shop-1 is watched, and pay-1 has been taken back. */
export async function busyStage(t: Test): Promise<BusyStage> {
  const site = await newSite(t);
  const all = async (...names: readonly string[]): Promise<StageVersion[]> =>
    Promise.all(names.map((name) => stageVersion(t, name)));
  const [shop, pay, search] = await Promise.all([all('v1', 'v2', 'v3'), all('v1', 'v2'), all('v1', 'v2')]);
  const mail = await stageVersion(t, 'v1', 5);
  const two = { shop: stageService(shop), pay: stageService(pay) };
  const four = { ...two, mail: stageService([mail]), search: stageService(search) };
  const more = {
    environment: 'staging',
    monitor: { alerts: [{ name: 'errors', when: 'error_rate > 10%' }] },
  };
  const running = await startControl(t, site, stageConfig(site, two, more));
  const buying = new Users(t, site, 3, 15, '/shop/cart');
  const paying = new Users(t, site, 3, 15, '/pay/checkout');
  await Promise.all([buying.more(30), paying.more(30)]);
  await started(running, 'v2', { strategy: 'stepped', reason: 'release 2.0' });
  pay[1]!.failEvery = 1;
  const { calls } = running;
  await calls.call('POST', '/api/v1/services/pay/rollouts', {
    version: 'v2',
    strategy: 'stepped',
    reason: 'new cards',
  });
  await until(running, 'pay-1', 'is taken back', phaseOf('RolledBack'));
  await until(running, 'shop-1', 'is watched', ({ canary }) => canary.requests > 50);
  return {
    ...{ site, running },
    async grow() {
      writeFileSync(site.file, stageConfig(site, four, more));
      const { status, text } = await calls.call('POST', '/api/v1/config/reload');
      if (status !== 200) throw new Error(text);
      new Users(t, site, 2, 20, '/mail/inbox');
      await eventually('an alert', async () => {
        const { body } = await calls.call<{ alerts: readonly { state: string }[] }>('GET', '/api/v1/services/mail');
        return body.alerts.some(({ state }) => state === 'firing');
      });
    },
  };
}
