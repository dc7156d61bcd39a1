/** Every view of the dashboard, seen in Chromium: light, dark and on a phone. The pictures are kept. */
import t, { type Test } from 'tap';
import type { ServiceView } from '../../src/control/operations.ts';
import { DESKTOP, NO_BROWSER, newVisitor, PHONE, startBrowser, type Visitor } from './browser.ts';
import { eventually } from './control-process.ts';
import { type BusyStage, busyStage } from './dashboard-stage.ts';

type Look = (visitor: Visitor) => Promise<unknown>;
const sees =
  (...texts: readonly (string | RegExp)[]): Look =>
  ({ page }) =>
    Promise.all(texts.map((text) => page.getByRole('main').getByText(text).first().waitFor()));

const VIEWS: Readonly<Record<string, { readonly at: string; readonly sees: Look }>> = {
  service: { at: '#/services/shop', sees: sees('The last five minutes', 'Weights', 'Endpoints', /Watch it, promote/) },
  rollouts: { at: '#/rollouts', sees: sees('2 rollouts', 'shop-1', 'pay-1', /0 in flight|taken back at 20 %/) },
  running: {
    at: '#/rollouts/shop-1',
    sees: sees('On its way', 'Fails more than stable', 'error_rate <= baseline + 1%', 'release 2.0', /of 10 min left/),
  },
  ended: {
    at: '#/rollouts/pay-1',
    sees: sees('v2 was taken back', 'First failed request', 'GET /pay/checkout', /Traffic was off/, 'verified'),
  },
  report: { at: '#/rollouts/pay-1/report', sees: sees('Rollout of pay v2', 'Steps', 'Timeline', /Traffic was off/) },
  events: { at: '#/events', sees: sees('rollout.rolled-back', 'These are all that are kept.') },
  audit: { at: '#/audit', sees: sees('rollout.start', 'release 2.0', 'Verify the chain') },
  'unknown address': { at: '#/nowhere/at/all', sees: sees('There is no such page.') },
  'unknown service': { at: '#/services/nowhere', sees: sees('There is no service nowhere.') },
  'unknown rollout': { at: '#/rollouts/shop-99', sees: sees(/no rollout/i, 'To all rollouts') },
};

t.test('every view', { skip: NO_BROWSER }, async (t) => {
  const [browser, stage] = await Promise.all([startBrowser(t), busyStage(t)]);
  const visitors: Readonly<Record<string, Visitor>> = {
    light: await newVisitor(browser, stage.site.admin, { size: DESKTOP, scheme: 'light' }),
    dark: await newVisitor(browser, stage.site.admin, { size: DESKTOP, scheme: 'dark' }),
    phone: await newVisitor(browser, stage.site.admin, { size: PHONE, scheme: 'dark' }),
  };
  const looks = Object.entries(visitors);

  await t.test('a few services are shown whole', async (t) => {
    await Promise.all(looks.map(([look, visitor]) => shows(t, visitor, look, 'overview', '#/', whole)));
  });
  await stage.grow();
  await t.test('many services are rows, what is wrong first', async (t) => {
    await Promise.all(looks.map(([look, visitor]) => shows(t, visitor, look, 'overview-rows', '#/', rows)));
  });
  for (const [name, { at, sees }] of Object.entries(VIEWS)) {
    await t.test(name, async (t) => {
      const called = name.replaceAll(' ', '-');
      await Promise.all(looks.map(([look, visitor]) => shows(t, visitor, look, called, at, sees)));
    });
  }
  await t.test('the numbers live', (t) => live(t, stage, visitors.light!));
  await t.test('without a mouse', (t) => keyboard(t, visitors.light!));
  for (const [look, { faults }] of looks) t.same(faults, [], look);
});

const whole: Look = async ({ page }) => {
  await page.getByRole('link', { name: 'shop', exact: true }).waitFor();
  await page.getByRole('article', { name: 'v2, canary' }).first().getByText('20 %').waitFor();
  await page
    .getByRole('article', { name: 'v2, canary' })
    .first()
    .getByText(/^\d+(\.\d)?\/s$/)
    .waitFor();
  await page.getByRole('button', { name: 'Acknowledge' }).first().waitFor();
  await page.getByText('staging').waitFor();
};

const rows: Look = async ({ page }) => {
  await page.getByText('4 services').waitFor();
  await page.getByRole('region', { name: 'Needs attention' }).getByText('firing').first().waitFor();
  await page
    .getByRole('img', { name: /^Traffic: v1/ })
    .first()
    .waitFor();
};

async function shows(t: Test, visitor: Visitor, look: string, name: string, at: string, sees: Look): Promise<void> {
  await visitor.visit(at);
  await sees(visitor);
  await visitor.picture(`${name}-${look}`);
  t.same(await visitor.barriers(), [], `${look}: nothing is in anybody's way`);
  const [wide, room] = (await visitor.page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as number[];
  t.ok(wide! <= room!, `${look}: nothing to scroll sideways: ${wide} of ${room}`);
}

async function live(t: Test, { running }: BusyStage, { page, visit }: Visitor): Promise<void> {
  await visit('#/rollouts/shop-1');
  const requests = async (): Promise<string> =>
    (await page.getByRole('article', { name: /v2/ }).locator('dl').last().textContent()) ?? '';
  const before = await requests();
  await eventually('other numbers', async () => (await requests()) !== before);
  await visit('#/events');
  const url = (await running.calls.call<ServiceView>('GET', '/api/v1/services/search')).body.versions[1]!.endpoints[0]!
    .url;
  await running.calls.call('PUT', '/api/v1/services/search/endpoints/state', {
    url,
    state: 'disabled',
    reason: 'seen live',
  });
  await page.getByRole('main').getByText(`${url} of search is disabled`).first().waitFor();
  await visit('#/services/search');
  await page.getByRole('row', { name: url }).getByText('disabled').waitFor();
  t.ok(await page.getByRole('button', { name: `Enable ${url}` }).isEnabled());
}

async function keyboard(t: Test, { page, visit }: Visitor): Promise<void> {
  const focused = (what: string): Promise<unknown> => page.evaluate(`document.activeElement.${what}`);
  await visit('#/rollouts/shop-1');
  await page.reload();
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  await page.keyboard.press('Tab');
  t.equal(await focused('textContent'), 'Skip to the content');
  t.ok(await page.getByRole('button', { name: 'Skip to the content' }).isVisible());
  await page.keyboard.press('Enter');
  t.equal(await focused('id'), 'main');

  const passed: unknown[] = [];
  while (passed.at(-1) !== 'Pause' && passed.length < 10) {
    await page.keyboard.press('Tab');
    passed.push(await focused('textContent'));
  }
  t.equal(passed.at(-1), 'Pause', `the buttons come first: ${passed.join(', ')}`);
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Pause shop-1?' });
  await dialog.waitFor();
  for (let i = 0; i < 8; i++) {
    await page.keyboard.press('Tab');
    // Between the last and the first of a dialog the browser's own bar has its turn.
    t.ok(await focused('matches("dialog *, body")'), 'the focus stays in the dialog');
  }
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  t.equal(await focused('textContent'), 'Pause', 'and comes back');
  await page.keyboard.press('Enter');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'detached' });
  t.equal(await focused('textContent'), 'Pause', 'by the button as well');
  t.equal(await page.getByText('Paused').count(), 0, 'nothing has been done');
}
