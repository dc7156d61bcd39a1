/** What a new user does with curl alone: start, look, shift weights, watch the split, drain an endpoint, push a metric, roll back. */
import t from 'tap';
import { Client } from 'undici';
import type { EndpointView, ServiceView } from '../../src/control/operations.ts';
import { lacking, run } from './commands.ts';
import { configFor, newSite, type Site, startControl, threeUpstreams } from './control-process.ts';

async function curl(...args: readonly string[]): Promise<string> {
  const { status, output, errors } = await run('curl', ['--silent', '--show-error', '--max-time', '20', ...args]);
  if (status !== 0) throw new Error(`curl ${args.join(' ')} ended with ${status}: ${errors.slice(0, 200)}`);
  return output.toString();
}

const put = (url: string, body: object): Promise<string> =>
  curl('-X', 'PUT', '-H', 'Content-Type: application/json', '-d', JSON.stringify(body), url);

/** Who answered `count` requests over one connection: how often each. */
async function answers(site: Site, count: number, ...args: readonly string[]): Promise<Record<string, number>> {
  const letters = await curl(...args, `${site.proxy}/?n=[1-${count}]`);
  const counts: Record<string, number> = { a: 0, b: 0, c: 0 };
  for (const letter of letters) counts[letter] = (counts[letter] ?? 0) + 1;
  return counts;
}

t.test('the first steps', { skip: lacking('curl') }, async (t) => {
  const site = await newSite(t);
  const urls = await threeUpstreams(t);
  const { admin } = site;
  const affinity = { affinity: { header: 'X-User-Id', ttl: '1h' } };
  const running = await startControl(t, site, configFor(site, urls, {}, affinity));
  const serviceUrl = `${admin}/api/v1/services/shop`;
  const endpoint = async (url: string): Promise<EndpointView> => {
    const { versions }: ServiceView = JSON.parse(await curl(serviceUrl));
    return versions.flatMap(({ endpoints }) => endpoints).find((each) => each.url === url)!;
  };

  t.match(JSON.parse(await curl(`${admin}/readyz`)), { ready: true, state: 'serving' });
  t.match(JSON.parse(await curl(`${admin}/api/v1/services`)), {
    services: [{ name: 'shop', lanes: { stable: 'v1', canary: 'v2' }, weights: { v1: 90, v2: 10 }, overrides: [] }],
  });

  await t.test('weights, and the split in /metrics', async (t) => {
    const changed = JSON.parse(await put(`${serviceUrl}/weights`, { stable: 60, canary: 40 }));
    t.match(changed, { weights: { v1: 60, v2: 40 }, file: { v1: 90, v2: 10 }, generation: 2, workers: 2 });
    t.ok(changed.appliedInMs < 5_000, `in ${changed.appliedInMs} ms`);
    const counts = await answers(site, 100);
    t.ok(Math.abs(counts.c! - 40) <= 1, `${counts.c} of 100 to the canary`);
    const metrics = await curl(`${admin}/metrics`);
    for (const line of [
      'sluice_weight{service="shop",version="v1",lane="stable"} 60',
      'sluice_weight{service="shop",version="v2",lane="canary"} 40',
      `sluice_requests_total{service="shop",version="v1",lane="stable",code="200"} ${counts.a! + counts.b!}`,
      `sluice_requests_total{service="shop",version="v2",lane="canary",code="200"} ${counts.c}`,
    ]) {
      t.ok(metrics.includes(`${line}\n`), line);
    }
    const refused = JSON.parse(await put(`${serviceUrl}/weights`, { v1: 60, v2: 30 }));
    t.match(refused, { status: 400, detail: /sum to 90, must be 100; raise one by 10/ });
    const relative = await curl(
      '-H',
      'Content-Type: application/json',
      '-d',
      '{"v1":1,"v2":0}',
      `${admin}/api/traffic-weights`,
    );
    t.match(JSON.parse(relative), { weights: { v1: 100, v2: 0 } });
    t.equal((await answers(site, 50)).c, 0, 'none at all');
  });

  await t.test('draining: new requests elsewhere, sessions until the deadline', async (t) => {
    // One connection, as a browser has: a session is known to the worker that it came to.
    const browser = new Client(site.proxy);
    t.teardown(() => browser.close());
    const ask = async (): Promise<string> => {
      const { body } = await browser.request({ method: 'GET', path: '/', headers: { 'x-user-id': 'alice' } });
      return body.text();
    };
    const home = await ask();
    const [url, other] = home === 'a' ? [urls.a, 'b'] : [urls.b, 'a'];
    const drain = { url, state: 'drain', deadline: '3s', reason: 'new disk' };
    const drained = await put(`${serviceUrl}/endpoints/state`, drain);
    t.match(JSON.parse(drained), { endpoints: [{ url, state: 'draining', available: false }] });
    let kept = 0;
    for (; (await endpoint(url)).state === 'draining'; kept++) {
      const answer = await ask();
      // The deadline may have come between the two questions.
      if (answer !== home && (await endpoint(url)).state === 'draining') t.equal(answer, home, 'the session stays');
      t.equal((await answers(site, 5))[home], 0, 'and nobody else comes');
    }
    t.ok(kept > 0, `${kept} requests before the deadline`);
    t.equal(await ask(), other, 'and then it moves');
    t.match(JSON.parse(await put(`${serviceUrl}/endpoints/state`, { url, state: 'enabled' })), {
      endpoints: [{ state: 'enabled', available: true }],
    });
    const back = await answers(site, 20);
    t.ok(back.a! > 0 && back.b! > 0, JSON.stringify(back));
  });

  await t.test('a new version, in its lane, with a metric of its own', async (t) => {
    const created = JSON.parse(await put(`${serviceUrl}/versions/v3`, { endpoints: [urls.c] }));
    t.match(created, { created: true, version: { name: 'v3', lane: null, weight: 0, source: 'override' } });
    t.match(JSON.parse(await put(`${serviceUrl}/lanes`, { canary: 'v3' })), { lanes: { stable: 'v1', canary: 'v3' } });
    await put(`${serviceUrl}/weights`, { stable: 0, canary: 100 });
    t.equal((await answers(site, 10)).c, 10);
    const pushed = await curl(
      '-H',
      'Content-Type: application/json',
      '-d',
      '{"task_success_rate":0.995}',
      `${serviceUrl}/versions/v3/metrics`,
    );
    t.match(JSON.parse(pushed), { metrics: { task_success_rate: { value: 0.995 } } });
    t.match(await curl(`${admin}/metrics`), /task_success_rate.* 0\.995\n/);
  });

  await t.test('and back', async (t) => {
    const body = '{"reason":"v3 loses orders"}';
    const back = JSON.parse(await curl('-H', 'Content-Type: application/json', '-d', body, `${serviceUrl}/rollback`));
    t.match(back, { mode: 'immediate', weights: { v1: 100, v2: 0, v3: 0 } });
    t.equal((await answers(site, 20)).c, 0);
    const { rows } = JSON.parse(await curl(`${admin}/api/v1/audit?newest=true&limit=1`));
    t.match(rows, [{ actor: 'local', action: 'rollback', reason: 'v3 loses orders', address: '127.0.0.1' }]);
    t.match(JSON.parse(await curl(serviceUrl)), { overrides: ['lanes', 'versions/v3', 'weights'] });
  });
  t.strictSame(await running.stop(), { code: 0, signal: null });
});
