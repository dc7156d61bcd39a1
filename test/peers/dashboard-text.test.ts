/**
 * What others write is text on the dashboard and never becomes part of the page: reasons, paths of requests, what hooks and gates say, addresses; and, because a page
 * should not rely on what a server refuses, every name as well.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { Pool } from 'undici';
import { NO_BROWSER, newVisitor, PHONE, startBrowser, type Visitor } from './browser.ts';
import { eventually, newSite, type Running, startControl } from './control-process.ts';
import { STEPPED, stageConfig, stageService, stageVersion } from './dashboard-stage.ts';
import { phaseOf, say, started, until } from './rollout-site.ts';

const EVIL = `"><img src=x onerror="window.hacked=1"><script>window.hacked=2</script><a href="javascript:window.hacked=3">z</a>`;
const PATH = '/shop/<script>window.hacked=4</script><img/src=x/onerror=window.hacked=5>';

const VIEWS = [
  '#/',
  '#/services/shop',
  '#/rollouts',
  '#/rollouts/shop-1',
  '#/rollouts/shop-1/report',
  '#/events',
  '#/audit',
];

/** What reaches beyond the page and does not scroll by itself. */
const WIDE = `document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('body *')]
  .filter((each) => each.getBoundingClientRect().right > innerWidth && !each.closest('.table-scroll, pre, .visually-hidden, .flow-label'))
  .map((each) => each.outerHTML.slice(0, 150))`;

/** A page that notices when a text has become more than that. */
async function watched(t: Test, visitor: Visitor): Promise<() => Promise<void>> {
  const { page } = visitor;
  const dialogs: string[] = [];
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  await page.addInitScript(
    'window.broken = []; addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => broken.push(violatedDirective + blockedURI));',
  );
  return async () => {
    const found = await page.evaluate(`({
      hacked: window.hacked ?? null,
      broken: window.broken,
      scripts: [...document.scripts].filter(({ src }) => !src.endsWith('/dashboard/app.js')).length,
      images: [...document.images].filter(({ src }) => !src.endsWith('/dashboard/icon.svg')).length,
      links: [...document.links].map(({ href }) => href).filter((href) => !href.startsWith(location.origin + '/#/')),
    })`);
    t.same(found, { hacked: null, broken: [], scripts: 0, images: 0, links: [] }, page.url().slice(0, 120));
    t.same(dialogs, []);
  };
}

/** Answers what a gate that waits would. */
async function startGate(t: Test): Promise<string> {
  const gate = createServer((_request, response) => {
    response.statusCode = 409;
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ message: `gate ${EVIL}` }));
  });
  await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
  t.teardown(() => gate.close());
  return `http://127.0.0.1:${(gate.address() as AddressInfo).port}/`;
}

t.test('texts of others', { skip: NO_BROWSER }, async (t) => {
  const site = await newSite(t);
  const browser = await startBrowser(t);
  const [v1, v2, v3] = [await stageVersion(t, 'v1'), await stageVersion(t, 'v2'), await stageVersion(t, 'v3')];
  const said = { name: 'say', command: ['/bin/echo', `hook ${EVIL}`], onFailure: 'ignore' };
  const strategies = {
    stepped: { ...STEPPED, hooks: { start: [said], rollback: [said] } },
    gated: { steps: [{ name: 'ask', webhook: { url: await startGate(t), every: '1h' } }, ...STEPPED.steps] },
  };
  const shop = stageService([v1, v2, v3]);
  const running = await startControl(t, site, stageConfig(site, { shop }, { strategies }));
  await wellMeant(running, v2, site.proxy);

  await t.test('are texts in every view', async (t) => {
    const visitor = await newVisitor(browser, site.admin);
    const isSound = await watched(t, visitor);
    const { page } = visitor;
    const shows = async (...texts: readonly string[]): Promise<void> => {
      for (const text of texts) await page.getByRole('main').getByText(text).first().waitFor();
    };
    const seen: Readonly<Record<string, readonly string[]>> = {
      '#/rollouts/shop-1': [`start ${EVIL}`, PATH],
      '#/rollouts/shop-1/report': [PATH],
      '#/events': ['hook \\"><img src=x onerror='],
      '#/rollouts/shop-2': [`gate ${EVIL}`],
      '#/audit': [`weights ${EVIL}`, `start ${EVIL}`],
    };
    for (const at of [...VIEWS, '#/rollouts/shop-2']) {
      await visitor.visit(at);
      await page.getByRole('heading', { level: 1 }).waitFor({ state: 'attached' });
      for (const more of await page.getByRole('button', { name: /^(Data of event|All of row)/ }).all())
        await more.click();
      await shows(...(seen[at] ?? []));
      await isSound();
    }
    await visitor.picture('hostile-texts');
    t.same(visitor.faults, []);
  });

  await t.test('in addresses', async (t) => {
    const visitor = await newVisitor(browser, site.admin);
    const isSound = await watched(t, visitor);
    const { page } = visitor;
    const addresses: Readonly<Record<string, string | RegExp>> = {
      [`#/services/${EVIL.replaceAll('/', '')}`]: 'There is no service "><img src=x onerror="window.hacked=1">',
      [`#/services/${encodeURIComponent(EVIL)}`]: `There is no service ${EVIL}.`,
      [`#/rollouts/${encodeURIComponent(EVIL)}`]: 'To all rollouts',
      '#/rollouts/%3Cscript%3Ewindow.hacked=6%3C%2Fscript%3E/report': /./,
      '#/rollouts/..%2F..%2Fevents': 'To all rollouts',
      '#/services/__proto__': 'There is no service __proto__.',
      '#/services/%ZZ': 'There is no service %ZZ.',
      '#javascript:window.hacked=7': 'There is no such page.',
    };
    for (const [at, text] of Object.entries(addresses)) {
      await visitor.visit(at);
      await page.getByRole('main').getByText(text).first().waitFor();
      await isSound();
    }
    t.same(visitor.faults, []);
  });

  await t.test('what Sluice lets nobody be called', async (t) => {
    const put = async (path: string, body: object): Promise<number> =>
      (await running.calls.call('PUT', `/api/v1/services/${path}`, body)).status;
    const endpoints = [v1.url];
    t.equal(await put(`shop/versions/${encodeURIComponent(EVIL)}`, { endpoints }), 400);
    t.equal(await put('shop/versions/v9', { endpoints: ['http://<img>:80'] }), 400);
    t.equal(await put('shop/versions/v9', { endpoints: ['http://127.0.0.1:1/<img>'] }), 400);
    t.equal(await put('shop/versions/v9', { endpoints: ['javascript:1'] }), 400);
    t.equal((await running.calls.call('POST', '/api/v1/services/shop/versions/v2/metrics', { [EVIL]: 1 })).status, 400);
  });

  await t.test('even where everything is called so', async (t) => {
    const visitor = await newVisitor(browser, site.admin, { size: PHONE });
    const isSound = await watched(t, visitor);
    const { page } = visitor;
    await renamed(page);
    for (const view of VIEWS) {
      const at = view.replace(/shop(-1)?/, (name) => encodeURIComponent(`${name}${EVIL}`));
      await page.goto(`${site.admin}/${at}`);
      await page.getByRole('main').getByText(EVIL).locator('visible=true').first().waitFor();
      await page.getByRole('heading', { level: 1 }).waitFor({ state: 'attached' });
      await isSound();
      t.same(await page.evaluate(WIDE), [], 'and the page is no wider by it');
    }
    await visitor.picture('hostile-names-phone');
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    t.same(visitor.faults, []);
  });
});

/** shop-1 is taken back because of requests with hostile paths, shop-2 waits for what its gate says. */
async function wellMeant(running: Running, v2: { failEvery: number }, proxy: string): Promise<void> {
  const { calls } = running;
  const asking = new Pool(proxy, { connections: 4 });
  const ask = async (): Promise<void> => {
    const answers = Array.from({ length: 40 }, () =>
      asking.request({ method: 'GET', path: PATH, headers: { 'x-request-id': EVIL, referer: EVIL } }),
    );
    for (const { body } of await Promise.all(answers)) await body.dump();
  };
  await ask();
  await calls.call('PUT', `/api/v1/services/shop/weights?reason=${encodeURIComponent(`weights ${EVIL}`)}`, {
    v1: 100,
    v2: 0,
    v3: 0,
  });
  await started(running, 'v2', { strategy: 'stepped', reason: `start ${EVIL}` });
  await until(running, 'shop-1', 'has begun', phaseOf('Progressing'));
  await say(running, 'shop-1', 'pause', { reason: `pause ${EVIL}` });
  await say(running, 'shop-1', 'resume', { reason: `resume ${EVIL}` });
  v2.failEvery = 1;
  await eventually('failures are enough', async () => {
    await ask();
    return (await calls.call<{ phase: string }>('GET', '/api/v1/rollouts/shop-1')).body.phase === 'RolledBack';
  });
  await asking.destroy();
  await started(running, 'v2', { strategy: 'gated' });
  await until(running, 'shop-2', 'waits', ({ waiting }) => waiting?.includes('gate') === true);
}

/** What is a word of Sluice's own, and no name. */
const CLOSED =
  /^(lane|phase|state|status|kind|level|type|mode|by|until|role|permissions|at|test|severity|result|cause|.*At|since|etag|preset|strategy)$/;

/** Everything that the page is answered gets the hostile text behind every name and every sentence. */
async function renamed(page: Visitor['page']): Promise<void> {
  const worse = (value: unknown, key: string): unknown => {
    if (typeof value === 'string') return CLOSED.test(key) ? value : `${value}${EVIL}`;
    if (Array.isArray(value)) return value.map((each) => worse(each, key));
    if (typeof value !== 'object' || value === null) return value;
    const named = key === 'weights' || key === 'file';
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [named ? `${name}${EVIL}` : name, worse(each, name)]),
    );
  };
  await page.route('**/api/v1/**', async (route) => {
    const url = route.request().url().replaceAll(encodeURIComponent(EVIL), '');
    const live = url.endsWith('/live');
    const answer = await route.fetch({ url, headers: { ...route.request().headers(), accept: 'application/json' } });
    const body = JSON.stringify(worse(await answer.json(), ''));
    await route.fulfill(
      live ? { contentType: 'text/event-stream', body: `event: state\ndata: ${body}\n\n` } : { response: answer, body },
    );
  });
}
