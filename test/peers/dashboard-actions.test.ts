/** Every button of the dashboard, pressed in Chromium while users go on: what it does on the page, at the wire, in the API and in the audit. */
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { ServiceView } from '../../src/control/operations.ts';
import { NO_BROWSER, newVisitor, startBrowser, type Visitor } from './browser.ts';
import { eventually, newSite, type Running, startControl } from './control-process.ts';
import { STEPPED, stageConfig, stageService, stageVersion } from './dashboard-stage.ts';
import { auditRows, phaseOf, rollout, Users, until } from './rollout-site.ts';

interface Scene {
  readonly running: Running;
  readonly visitor: Visitor;
  /** What users of the service got of the next answers, in percent of them. */
  readonly shares: (service: 'shop' | 'pay', count: number) => Promise<Readonly<Record<string, number>>>;
}

t.test('every button, under load', { skip: NO_BROWSER }, async (t) => {
  const site = await newSite(t);
  const browser = await startBrowser(t);
  const [a, b, c] = [await stageVersion(t, 'v1a'), await stageVersion(t, 'v1b'), await stageVersion(t, 'v2')];
  const [one, two] = [await stageVersion(t, 'v1'), await stageVersion(t, 'v2')];
  const shop = {
    versions: { v1: { endpoints: [a.url, b.url] }, v2: { endpoints: [c.url] } },
    lanes: { stable: 'v1', canary: 'v2' },
    split: { weights: { v1: 90, v2: 10 } },
  };
  const strategies = { stepped: STEPPED, later: { ...STEPPED, whenBusy: 'queue' } };
  const text = stageConfig(site, { shop, pay: stageService([one, two]) }, { strategies });
  const running = await startControl(t, site, text);
  const users = { shop: new Users(t, site, 3, 12, '/shop/'), pay: new Users(t, site, 3, 12, '/pay/') };
  const visitor = await newVisitor(browser, site.admin);
  const scene: Scene = {
    ...{ running, visitor },
    async shares(service, count) {
      // Those that were under way may still be answered as it was before.
      await users[service].more(6);
      const answers = await users[service].answersOfNext(count);
      const all = Object.values(answers).reduce((sum, each) => sum + each, 0);
      return Object.fromEntries(Object.entries(answers).map(([who, each]) => [who, (100 * each) / all]));
    },
  };
  await t.test('weights: typed, applied, undone', (t) => typed(t, scene));
  await t.test('weights: by keys and by the mouse', (t) => moved(t, scene));
  await t.test('weights: changed by somebody else meanwhile', (t) => meanwhile(t, scene));
  await t.test('weights: back to the file, back to stable', (t) => back(t, scene));
  await t.test('endpoints: drained, disabled, enabled', (t) => endpoints(t, scene, [a.url, b.url]));
  await t.test('a rollout from its start to its end, and undone', (t) => succeeds(t, scene));
  await t.test('a rollout retried, promoted, taken back', (t) => takenBack(t, scene));
  await t.test('a rollout that waits for its turn is ended', (t) => aborted(t, scene));
  await t.test('notification, audit, report', (t) => records(t, scene));
  t.same(visitor.faults, []);
  for (const [service, { faults, cut }] of Object.entries(users))
    t.same({ faults, cut }, { faults: {}, cut: 0 }, service);
});

async function typed(t: Test, { running, visitor: { page, visit, picture }, shares }: Scene): Promise<void> {
  await visit('#/services/shop');
  const field = page.getByRole('spinbutton', { name: 'Weight of v2, percent' });
  t.equal(await field.inputValue(), '10');
  await field.fill('40');
  t.equal(await page.getByRole('spinbutton', { name: 'Weight of v1, percent' }).inputValue(), '60');
  await page.getByText('+30 points').waitFor();
  t.same(await weights(running), { v1: 90, v2: 10 }, 'nothing has happened yet');
  await page.getByRole('button', { name: 'Apply …' }).click();
  const dialog = page.getByRole('dialog', { name: 'Other weights for shop?' });
  await dialog
    .getByRole('listitem')
    .filter({ hasText: /v2 10 % →\s*to 40 %/ })
    .waitFor();
  await picture('weights-question');
  await dialog.getByLabel(/^Reason/).fill('more of v2');
  await dialog.getByRole('button', { name: 'Apply' }).click();
  await page.getByText(/shop: v1 60 %, v2 40 % – every worker after [\d.]+ ms/).waitFor();
  t.same(await weights(running), { v1: 60, v2: 40 });
  const { v2 = 0 } = await shares('shop', 300);
  t.ok(v2 > 28 && v2 < 52, `v2 answers ${v2} %`);
  t.match(await lastRow(running), { action: 'weights.set', actor: 'local', reason: 'more of v2' });
  await page.getByText('changed at run time').waitFor();

  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('shop: v1 90 %, v2 10 % again.').waitFor();
  t.same(await weights(running), { v1: 90, v2: 10 });
  t.match(await lastRow(running), { action: 'weights.reset', reason: 'undone in the dashboard' });
  await page.getByText('changed at run time').waitFor({ state: 'detached' });
}

async function moved(t: Test, { running, visitor: { page } }: Scene): Promise<void> {
  const slider = page.getByRole('slider', { name: 'Weight of v2' });
  const field = page.getByRole('spinbutton', { name: 'Weight of v2, percent' });
  await slider.focus();
  for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowRight');
  t.equal(await field.inputValue(), '15');
  await page.keyboard.press('Home');
  t.equal(await field.inputValue(), '0');
  await page.getByRole('button', { name: 'Discard' }).click();
  t.equal(await field.inputValue(), '10');

  const box = (await slider.boundingBox())!;
  const at = (part: number): [number, number] => [box.x + 8 + (box.width - 16) * part, box.y + box.height / 2];
  await page.mouse.move(...at(0.1));
  await page.mouse.down();
  await page.mouse.move(...at(0.3), { steps: 5 });
  await page.mouse.move(...at(0.5), { steps: 5 });
  await page.mouse.up();
  const dragged = Number(await field.inputValue());
  t.ok(dragged > 45 && dragged < 55, `dragged to ${dragged}`);
  await page.getByRole('button', { name: 'v2 to 25 %' }).click();
  t.equal(await field.inputValue(), '25');
  await page.getByRole('button', { name: 'Apply …' }).click();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  t.same(await weights(running), { v1: 90, v2: 10 }, 'Esc changes nothing');
  await confirmed(page, 'Apply …', 'Apply');
  await page.getByText(/shop: v1 75 %, v2 25 % – every worker/).waitFor();
  t.same(await weights(running), { v1: 75, v2: 25 });
}

async function meanwhile(t: Test, { running, visitor: { page } }: Scene): Promise<void> {
  const field = page.getByRole('spinbutton', { name: 'Weight of v2, percent' });
  const apply = page.getByRole('button', { name: 'Apply …' });
  const told = page.getByRole('alert').filter({ hasText: 'Changed meanwhile.' });
  await field.fill('30');
  await running.calls.setWeights('shop', { v1: 80, v2: 20 });
  await told.filter({ hasText: 'now v1 80 %, v2 20 % runs' }).waitFor();
  t.equal(await field.inputValue(), '30', 'what was typed stays');
  t.match(await apply.getAttribute('title'), /changed meanwhile/);
  t.ok(await apply.isDisabled());
  await page.getByRole('button', { name: 'Keep mine' }).click();
  await apply.click();
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  await running.calls.setWeights('shop', { v1: 65, v2: 35 });
  await dialog.getByRole('button', { name: 'Apply' }).click();
  await page.getByText(/Somebody has changed lanes or weights meanwhile\. Nothing was applied/).waitFor();
  t.same(await weights(running), { v1: 65, v2: 35 }, 'nothing was overwritten');
  await told.waitFor();
  await page.getByRole('button', { name: 'Begin from these' }).click();
  t.equal(await field.inputValue(), '35');
}

async function back(t: Test, { running, visitor: { page }, shares }: Scene): Promise<void> {
  await confirmed(page, 'Reset to the file’s', 'Reset', 'tried enough');
  await page.getByText(/shop: v1 90 %, v2 10 % – every worker/).waitFor();
  t.same(await weights(running), { v1: 90, v2: 10 });
  t.match(await lastRow(running), { action: 'weights.reset', reason: 'tried enough' });
  await page.getByRole('button', { name: 'Roll back now …' }).click();
  const dialog = page.getByRole('dialog', { name: 'Take all traffic of shop back to v1?' });
  const confirm = dialog.getByRole('button', { name: 'Roll back' });
  t.ok(await confirm.isDisabled(), 'not without a reason');
  await dialog.getByLabel('Reason').fill('v2 smells');
  await confirm.click();
  await page.getByText(/shop: v1 100 %.* – every worker/).waitFor();
  t.match(await weights(running), { v1: 100 });
  t.same(Object.keys(await shares('shop', 60)).sort(), ['v1a', 'v1b'], 'nobody gets v2');
  t.match(await lastRow(running), { actor: 'local', reason: 'v2 smells' });
}

async function endpoints(
  t: Test,
  { running, visitor: { page }, shares }: Scene,
  urls: readonly string[],
): Promise<void> {
  const [a = '', b = ''] = urls;
  const row = (url: string) => page.getByRole('row', { name: url });
  await confirmed(page, `Drain ${a}`, 'Drain', 'new kernel');
  await page.getByText(`${a} drains.`).waitFor();
  await row(a).getByText('drained').waitFor();
  t.same(Object.keys(await shares('shop', 60)), ['v1b']);
  t.match(await lastRow(running), { action: /endpoint/, reason: 'new kernel' });
  await page.getByRole('button', { name: `Disable ${b}` }).click();
  await page.getByRole('dialog').getByText('the last available endpoint of v1').waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await confirmed(page, `Enable ${a}`, 'Enable');
  await row(a).getByText('healthy').waitFor();
  await confirmed(page, `Disable ${b}`, 'Disable');
  await row(b).getByText('disabled').waitFor();
  t.same(Object.keys(await shares('shop', 60)), ['v1a']);
  await page.getByRole('button', { name: 'Undo' }).last().click();
  await row(b).getByText('healthy').waitFor();
  t.same(Object.keys(await shares('shop', 60)).sort(), ['v1a', 'v1b']);
}

async function succeeds(t: Test, { running, visitor: { page, visit }, shares }: Scene): Promise<void> {
  await visit('#/services/pay');
  await page.getByRole('combobox', { name: 'Strategy' }).selectOption('stepped');
  await page.getByRole('combobox', { name: 'Version' }).selectOption('v2');
  await page.getByLabel('Reason (optional)').fill('release 2.0');
  await page.getByText('Risk of starting now').waitFor();
  await page.getByRole('button', { name: 'Start v2 by stepped' }).click();
  await page.getByText('pay-1 was started: v2 of pay by stepped.').waitFor();
  await page.getByText('20 % for 10m', { exact: true }).waitFor();
  t.match(await rollout(running, 'pay-1'), { startedBy: 'local', reason: 'release 2.0' });
  await page.getByText('Nothing speaks against v2 so far.').waitFor();
  const { v2: fifth = 0 } = await shares('pay', 300);
  t.ok(fifth > 10 && fifth < 32, `v2 answers ${fifth} %`);

  await confirmed(page, 'Pause', 'Pause', 'lunch');
  await page.getByText('pay-1 is paused; v2 stays at 20 %.').waitFor();
  await page.getByText('Lunch.').or(page.getByText('lunch')).first().waitFor();
  t.match(await rollout(running, 'pay-1'), { phase: 'Paused', pause: { by: 'operator', reason: 'lunch' } });
  await confirmed(page, 'Resume', 'Resume');
  await page.getByText('pay-1 goes on.').waitFor();
  t.match(await rollout(running, 'pay-1'), { phase: 'Progressing' });
  await confirmed(page, 'Skip step', 'Skip step', 'in a hurry');
  await page.getByText('pay-1 is in step 2 of 4; v2 gets 50 %.').waitFor();
  const { v2: half = 0 } = await shares('pay', 300);
  t.ok(half > 38 && half < 62, `v2 answers ${half} %`);
  t.match(await lastRow(running), { action: 'rollout.skip', reason: 'in a hurry', actor: 'local' });

  const full = page.getByRole('button', { name: 'Promote fully' });
  t.ok(await full.isDisabled(), 'an approval cannot be passed over');
  t.match(await full.getAttribute('title'), /agree, asks for approval/);
  await confirmed(page, 'Promote', 'Promote');
  await page.getByText('Waits for approval').first().waitFor();
  await confirmed(page, 'Approve', 'Approve', 'looks good');
  await page.getByText('pay-1 is approved by you.').waitFor();
  await until(running, 'pay-1', 'has most', ({ weight }) => weight === 90);
  await confirmed(page, 'Promote fully', 'Promote fully');
  await page.getByText('v2 is stable', { exact: true }).waitFor();
  await until(running, 'pay-1', 'is over', phaseOf('Succeeded'));
  t.same(Object.keys(await shares('pay', 60)), ['v2']);

  await confirmed(page, 'Undo the promotion', 'Back to v1', 'customers complain');
  await page.getByText('v1 is stable again.').waitFor();
  t.same(Object.keys(await shares('pay', 60)), ['v1']);
  t.match(await rowOf(running, 'rollout.rollback'), { reason: 'customers complain', actor: 'local' });
}

async function takenBack(t: Test, { running, visitor: { page, visit }, shares }: Scene): Promise<void> {
  await visit('#/rollouts/pay-1');
  await confirmed(page, 'Retry', 'Retry', 'they were wrong');
  await page.getByText('pay-2 was started: the same once more.').waitFor();
  await page.getByText('retry of').waitFor();
  await until(running, 'pay-2', 'has begun', ({ weight }) => weight === 20);
  await confirmed(page, 'Promote', 'Promote', 'goes well');
  await page.getByText('pay-2 is in step 2 of 4; v2 gets 50 %.').waitFor();
  await page.getByRole('button', { name: 'Roll back' }).click();
  const dialog = page.getByRole('dialog', { name: 'Take v2 back?' });
  t.ok(await dialog.getByRole('button', { name: 'Roll back' }).isDisabled(), 'not without a reason');
  await dialog.getByLabel('Reason').fill('wrong prices');
  await dialog.getByRole('button', { name: 'Roll back' }).click();
  await page.getByText('pay-2: all traffic is on v1 again.').waitFor();
  await page.getByText('v2 was taken back', { exact: true }).waitFor();
  t.same(Object.keys(await shares('pay', 60)), ['v1']);
  t.match(await rowOf(running, 'rollout.rollback'), { reason: 'wrong prices', actor: 'local' });
  await page
    .getByText(/wrong prices/)
    .first()
    .waitFor();
}

async function aborted(t: Test, { running, visitor: { page, visit } }: Scene): Promise<void> {
  const call = (version: string, strategy: string): Promise<unknown> =>
    running.calls.call('POST', '/api/v1/services/pay/rollouts', { version, strategy });
  await call('v2', 'stepped');
  await call('v2', 'later');
  await visit('#/rollouts/pay-4');
  await page.getByText('Waits to begin').first().waitFor();
  await confirmed(page, 'Abort', 'Abort', 'one is enough');
  await page.getByText('pay-4 is ended.').waitFor();
  t.match(await rollout(running, 'pay-4'), { phase: 'Failed' });
  t.match(await rowOf(running, 'rollout.abort'), { reason: 'one is enough' });
  t.match(await rollout(running, 'pay-3'), { phase: 'Progressing' }, 'the other one goes on');
}

async function records(t: Test, { running, visitor: { page, visit } }: Scene): Promise<void> {
  await visit('#/');
  const open = page.getByRole('button', { name: 'Acknowledge' });
  await open.first().waitFor();
  const before = await open.count();
  await open.first().click();
  await page.getByText('Acknowledged.').waitFor();
  await eventually('one less', async () => (await open.count()) === before - 1);
  t.match(await lastRow(running), { action: 'notification.acknowledge', actor: 'local' });

  await visit('#/audit');
  await page.getByRole('row').filter({ hasText: 'wrong prices' }).first().waitFor();
  await page.getByRole('button', { name: 'Verify the chain' }).click();
  await page.getByText(/✓ Whole: \d+ rows/).waitFor();

  await visit('#/rollouts/pay-2/report');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Markdown' }).click(),
  ]);
  t.equal(download.suggestedFilename(), 'pay-2.md');
  t.match(readFileSync(await download.path(), 'utf8'), /^# .*wrong prices/s);
}

type Page = Visitor['page'];

/** Presses the button, answers the question. */
async function confirmed(page: Page, button: string, confirm: string, reason?: string): Promise<void> {
  await page.getByRole('button', { name: button, exact: true }).click();
  const dialog = page.getByRole('dialog');
  if (reason !== undefined) await dialog.getByLabel(/^Reason/).fill(reason);
  await dialog.getByRole('button', { name: confirm, exact: true }).click();
}

const weights = async ({ calls }: Running): Promise<ServiceView['weights']> =>
  (await calls.call<ServiceView>('GET', '/api/v1/services/shop')).body.weights;

const lastRow = async (running: Running): Promise<object> => (await auditRows(running)).at(-1) ?? {};

const rowOf = async (running: Running, action: string): Promise<object> =>
  (await auditRows(running)).findLast((row) => row.action === action) ?? {};
