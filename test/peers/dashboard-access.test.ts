/** Who may press what on the dashboard, and that pages of others cannot. What others write is in `dashboard-text.test.ts`. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { NO_BROWSER, newVisitor, startBrowser, type Visitor } from './browser.ts';
import { newSite, type Running, type Site, startControl } from './control-process.ts';
import { STEPPED, stageConfig, stageService, stageVersion } from './dashboard-stage.ts';

const TOKENS = {
  LOOKER_TOKEN: 'looker-0123456789abcdef0123456789',
  RUNNER_TOKEN: 'runner-0123456789abcdef0123456789',
  JUDGE_TOKEN: 'judge-0123456789abcdef01234567890',
  CHIEF_TOKEN: 'chief-0123456789abcdef01234567890',
};
const LOOKER = { name: 'looker', role: 'viewer', env: 'LOOKER_TOKEN' };
const RUNNER = { name: 'runner', role: 'operator', env: 'RUNNER_TOKEN' };
const JUDGE = { name: 'judge', role: 'approver', env: 'JUDGE_TOKEN' };
const CHIEF = { name: 'chief', role: 'admin', env: 'CHIEF_TOKEN' };

const asChief = { authorization: `Bearer ${TOKENS.CHIEF_TOKEN}` };

/** The weights of shop are free; the rollout pay-1 waits for an approval, and pay-2 failed before anybody got it. */
async function guarded(
  t: Test,
): Promise<{ site: Site; running: Running; text: (tokens: readonly object[]) => string }> {
  const site = await newSite(t);
  const shop = [await stageVersion(t, 'v1'), await stageVersion(t, 'v2')];
  const pay = [await stageVersion(t, 'v1'), await stageVersion(t, 'v2')];
  const services = { shop: stageService(shop, { lanes: { stable: 'v1', canary: 'v2' } }), pay: stageService(pay) };
  const text = (tokens: readonly object[]): string =>
    stageConfig(site, services, {
      admin: { listen: `127.0.0.1:${site.adminPort}`, tokens },
      strategies: {
        stepped: STEPPED,
        asking: {
          steps: [
            { name: 'agree', pause: 'approval' },
            { name: 'most', weight: 90, for: '10m' },
          ],
        },
        doomed: {
          whenBusy: 'supersede',
          steps: [{ preflight: { smoke: [{ path: '/', expect: { status: 204 } }] } }, { weight: 5 }],
        },
      },
    });
  const running = await startControl(t, site, text([LOOKER, RUNNER, JUDGE, CHIEF]), { env: TOKENS });
  return { site, running, text };
}

async function enter({ page }: Visitor, token: string): Promise<void> {
  await page.getByRole('dialog', { name: 'Token' }).waitFor();
  await page.locator('input[name=token]').fill(token);
  await page.getByLabel('Remember it').check();
  await page.getByRole('button', { name: 'Enter' }).click();
}

t.test('buttons, by role', { skip: NO_BROWSER }, async (t) => {
  const { site, running, text } = await guarded(t);
  const browser = await startBrowser(t);
  const call = (method: 'GET' | 'PUT' | 'POST', path: string, body?: object) =>
    running.calls.call<Record<string, unknown>>(method, `/api/v1/${path}`, body, asChief);
  t.equal((await call('POST', 'services/pay/rollouts', { version: 'v2', strategy: 'asking' })).status, 201);
  const someone = async (token: string, at: string): Promise<Visitor> => {
    const visitor = await newVisitor(browser, site.admin);
    await visitor.page.goto(`${site.admin}/${at}`);
    await enter(visitor, token);
    await visitor.page.getByRole('status', { name: 'Connection: live' }).waitFor();
    return visitor;
  };

  await t.test('a viewer changes nothing', async (t) => {
    const visitor = await someone(TOKENS.LOOKER_TOKEN, '#/services/shop');
    const { page, visit } = visitor;
    const mayNot = async (permitted: string, ...names: readonly (string | RegExp)[]): Promise<void> => {
      for (const name of names) {
        const button = page.getByRole('button', { name }).first();
        await button.waitFor();
        t.ok(await button.isDisabled(), `${name}`);
        t.equal(await button.getAttribute('title'), `This needs the role ${permitted}; you are viewer.`);
      }
    };
    await mayNot(
      'operator or admin',
      'Apply …',
      'Reset to the file’s',
      'Roll back now …',
      /^Drain/,
      /^Disable/,
      /^Start/,
    );
    await visitor.picture('viewer');
    const before = await call('GET', 'services/shop/weights');
    const forged = await page.evaluate(`fetch('api/v1/services/shop/weights', {
      method: 'PUT', headers: { 'content-type': 'application/json', authorization: 'Bearer ${TOKENS.LOOKER_TOKEN}' },
      body: '{"v1": 0, "v2": 100}' }).then(async (answer) => [answer.status, (await answer.json()).code])`);
    t.same(forged, [403, 'forbidden']);
    // As somebody would who has found the inspector of the browser.
    await page.evaluate('for (const button of document.querySelectorAll("button")) button.disabled = false');
    await page
      .getByRole('button', { name: /^Drain/ })
      .first()
      .click();
    await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
    await page
      .getByText(/operator or admin|may not|role viewer/i)
      .and(page.locator('.notice-failed *'))
      .waitFor();
    t.same((await call('GET', 'services/shop/weights')).body, before.body, 'nothing has changed');

    await visit('#/rollouts/pay-1');
    await mayNot('operator or admin', 'Roll back');
    await mayNot('approver, operator or admin', 'Approve');
    t.ok(await page.getByRole('button', { name: 'Markdown' }).isEnabled(), 'reading is free');
    t.same(visitor.faults, []);
  });

  await t.test('an operator approves nothing, an approver nothing else', async (t) => {
    const operator = await someone(TOKENS.RUNNER_TOKEN, '#/rollouts/pay-1');
    const approve = operator.page.getByRole('button', { name: 'Approve' });
    t.match(await approve.getAttribute('title'), /signed/);
    t.ok(await approve.isDisabled());
    t.ok(await operator.page.getByRole('button', { name: 'Roll back' }).isEnabled());
    const approver = await someone(TOKENS.JUDGE_TOKEN, '#/rollouts/pay-1');
    t.ok(await approver.page.getByRole('button', { name: 'Roll back' }).isDisabled());
    await approver.page.getByRole('button', { name: 'Approve' }).click();
    await approver.page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
    await approver.page.getByText('pay-1 is approved by you.').waitFor();
    await operator.page
      .getByText(/90 % for 10m/)
      .first()
      .waitFor();
    t.match((await call('GET', 'rollouts/pay-1')).body, {
      approvals: { given: [{ approver: 'judge', signed: false }] },
    });
    t.same([operator.faults, approver.faults], [[], []]);
  });

  await t.test('what is critical waits for an operator', async (t) => {
    await call('POST', 'services/pay/rollouts', { version: 'v2', strategy: 'doomed' });
    const viewer = await someone(TOKENS.LOOKER_TOKEN, '#/');
    const acknowledge = viewer.page.getByRole('button', { name: 'Acknowledge' }).first();
    await acknowledge.waitFor();
    t.ok(await acknowledge.isDisabled());
  });

  await t.test('a token that is taken away', async (t) => {
    const { page } = await someone(TOKENS.RUNNER_TOKEN, '#/services/shop');
    await page.getByText('runner · operator').waitFor();
    writeFileSync(site.file, text([CHIEF]));
    t.equal((await call('POST', 'config/reload')).status, 200);
    await page.getByRole('dialog', { name: 'Token' }).waitFor();
    t.equal(await page.getByText('runner · operator').count(), 0);
    t.same(await page.evaluate('({ ...sessionStorage })'), {}, 'nothing of it is kept');
    await enter({ page } as Visitor, TOKENS.CHIEF_TOKEN);
    await page.getByText('chief · admin').waitFor();
    t.ok(await page.getByRole('button', { name: 'Roll back now …' }).isVisible());
  });
});

t.test('pages of others', { skip: NO_BROWSER }, async (t) => {
  const site = await newSite(t);
  const versions = [await stageVersion(t, 'v1'), await stageVersion(t, 'v2')];
  await startControl(t, site, stageConfig(site, { shop: stageService(versions) }));
  const other = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end(`<h1>Other</h1><iframe src="${site.admin}/"></iframe>`),
  );
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.teardown(() => other.close());
  const page = await (await startBrowser(t)).newPage();
  for (const host of ['127.0.0.1', 'localhost']) {
    await page.goto(`http://${host}:${(other.address() as AddressInfo).port}/`);
    const framed = page.frames()[1];
    t.not(framed?.url(), `${site.admin}/`, `not framed by ${host}`);
    t.equal(await framed?.locator('#app').count(), 0);
    for (const mode of ['cors', 'no-cors']) {
      const read = await page.evaluate(
        `fetch('${site.admin}/api/v1/live', { mode: '${mode}' }).then((answer) => answer.status, (error) => error.name)`,
      );
      t.equal(read, 'TypeError', `${host}: nothing is read by ${mode}`);
    }
    const changed = await page.evaluate(`fetch('${site.admin}/api/v1/services/shop/rollback', { method: 'POST',
      headers: { 'content-type': 'application/json' }, body: '{}' }).then((answer) => answer.status, (error) => error.name)`);
    t.equal(changed, 'TypeError', 'nor changed');
  }
});
