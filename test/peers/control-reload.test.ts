/** The configuration is broken, mended, edited in every way that editors and Kubernetes know, while requests go on. */
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { ConfigView } from '../../src/control/operations.ts';
import {
  configFor,
  eventsOf,
  eventually,
  newSite,
  type Running,
  type Site,
  startControl,
  threeUpstreams,
  whoAnswers,
} from './control-process.ts';

/** Asks without a pause until it is stopped. */
function traffic(site: Site): { stop(): Promise<Readonly<Record<string, number>>> } {
  const counts: Record<string, number> = {};
  let stopped = false;
  const done = (async () => {
    while (!stopped) {
      const name = await whoAnswers(site).catch(String);
      counts[name] = (counts[name] ?? 0) + 1;
    }
  })();
  return {
    async stop() {
      stopped = true;
      await done;
      return counts;
    },
  };
}

const weightOf = async ({ calls }: Running): Promise<number> => (await calls.weights('shop')).body.weights.v2!;

t.test('a broken file, a mended one, a signal', async (t) => {
  const site = await newSite(t);
  const urls = await threeUpstreams(t);
  const config = (weights: object, more: object = {}): string => configFor(site, urls, more, { split: { weights } });
  const running = await startControl(t, site, config({ v1: 50, v2: 50 }));
  const { calls } = running;
  const load = traffic(site);

  const broken = config({ v1: 50, v2: 40 }, { wokers: 2 });
  writeFileSync(site.file, broken);
  const answer = await calls.call<{ errors: object[] }>('POST', '/api/v1/config/reload');
  t.equal(answer.status, 422);
  const line = broken.split('\n').findIndex((text) => text.includes('"wokers"')) + 1;
  t.match(answer.body, {
    ...{ code: 'config_invalid', title: 'The configuration has faults' },
    detail: /has 2 faults; what ran before goes on/,
    errors: [
      { field: 'services.shop.split.weights', message: /weights sum to 90, must be 100/, file: site.file },
      { field: 'wokers', message: /unknown.*workers/, file: site.file, line, column: 3 },
    ],
  });
  t.equal(await weightOf(running), 50, 'what ran goes on');
  const { body: view } = await calls.call<ConfigView>('GET', '/api/v1/config');
  t.match(view.rejected, { problems: [{}, { line }] });
  t.ok((await eventsOf(running)).some(({ type }) => type === 'config.rejected'));
  t.ok((await calls.metric('sluice_config_reloads_total{result="rejected"}')) >= 1);
  t.match(
    (await calls.call<object>('POST', '/api/v1/config/validate')).body,
    { status: 422 },
    'checking says the same',
  );

  writeFileSync(site.file, config({ v1: 20, v2: 80 }));
  running.child.kill('SIGHUP');
  await eventually('the reload', async () => (await weightOf(running)) === 80);
  t.equal((await calls.call<ConfigView>('GET', '/api/v1/config')).body.rejected, null);
  t.match(await calls.call('POST', '/api/v1/config/reload'), { status: 200, body: { changed: false } });

  const counts = await load.stop();
  t.strictSame(Object.keys(counts).sort(), ['a', 'b', 'c'], `nothing but answers: ${JSON.stringify(counts)}`);
  const audited = await calls.call<{ rows: { actor: string }[] }>('GET', '/api/v1/audit?action=config.reload');
  t.match(audited.body.rows[0]!.actor, /^(signal|file)$/, 'whichever was first');
  t.equal(audited.body.rows.length, 1);

  t.test('edited by a rename, in place, and with a runtime change on top', async (t) => {
    const next = join(site.folder, 'config', '.sluice.yaml.swp');
    writeFileSync(next, config({ v1: 30, v2: 70 }));
    renameSync(next, site.file);
    await eventually('the renamed file', async () => (await weightOf(running)) === 70);
    writeFileSync(site.file, config({ v1: 40, v2: 60 }));
    await eventually('the file edited in place', async () => (await weightOf(running)) === 60);

    await calls.setWeights('shop', { v1: 90, v2: 10 });
    const { generation } = await calls.status();
    writeFileSync(site.file, config({ v1: 45, v2: 55 }, { timeouts: { drain: '7s' } }));
    await eventually('the next generation', async () => (await calls.status()).generation > generation);
    t.match((await calls.weights('shop')).body, { weights: { v1: 90, v2: 10 }, file: { v1: 45, v2: 55 } });
    const { body } = await calls.call<ConfigView>('GET', '/api/v1/config');
    t.match(body.differences, [
      { key: 'services.shop.weights.v1', file: 45, effective: 90 },
      { key: 'services.shop.weights.v2', file: 55, effective: 10 },
    ]);
    const back = await calls.call('DELETE', '/api/v1/services/shop/weights');
    t.match(back, { status: 200, body: { weights: { v1: 45, v2: 55 } } });
  });

  t.test('what needs a restart is refused', async (t) => {
    writeFileSync(site.file, config({ v1: 45, v2: 55 }, { workers: 3 }));
    t.match(await calls.call('POST', '/api/v1/config/reload'), {
      status: 422,
      body: { errors: [{ field: 'workers', message: /cannot change while Sluice runs/ }] },
    });
  });
});

t.test('a ConfigMap, whose links Kubernetes swaps', async (t) => {
  const site = await newSite(t);
  const urls = await threeUpstreams(t);
  const folder = join(site.folder, 'config');
  const publish = (name: string, v2: number): void => {
    mkdirSync(join(folder, name));
    const weights = { v1: 100 - v2, v2 };
    writeFileSync(join(folder, name, 'sluice.yaml'), configFor(site, urls, {}, { split: { weights } }));
    symlinkSync(name, join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  };
  publish('..first', 10);
  symlinkSync('..data/sluice.yaml', site.file);
  const running = await startControl(t, site, null);
  t.equal(await weightOf(running), 10);
  publish('..second', 20);
  await eventually('the second', async () => (await weightOf(running)) === 20);
  publish('..third', 30);
  await eventually('the third', async () => (await weightOf(running)) === 30);
  const reloads = (await eventsOf(running)).filter(({ type }) => type === 'config.reloaded');
  t.equal(reloads.length, 2, 'once each');
});
