import t from 'tap';
import { NO_BROWSER, newVisitor, startBrowser } from './browser.ts';
import { configFor, newSite, startControl, threeUpstreams } from './control-process.ts';

const TOKENS = {
  LOOKER_TOKEN: 'looker-0123456789abcdef0123456789',
  RUNNER_TOKEN: 'runner-0123456789abcdef0123456789',
};

t.test('the page goes on by itself when Sluice comes back', { skip: NO_BROWSER }, async (t) => {
  const site = await newSite(t);
  const urls = await threeUpstreams(t);
  const text = configFor(site, urls);
  const first = await startControl(t, site, text);
  const visitor = await newVisitor(await startBrowser(t), site.admin, { breaks: true });
  const { page } = visitor;
  await visitor.visit();
  await page.getByRole('link', { name: 'shop' }).waitFor();
  await first.kill();
  await page.getByRole('status', { name: 'Connection: reconnecting' }).waitFor();
  await page.getByRole('alert').filter({ hasText: 'What you see is' }).waitFor();
  t.ok(await page.getByRole('link', { name: 'shop' }).isVisible(), 'what was seen last stays, marked as old');
  await visitor.picture('connection-lost');

  const second = await startControl(t, site, text);
  await page.getByRole('status', { name: 'Connection: live' }).waitFor();
  t.equal(await page.getByRole('alert').count(), 0);
  await second.calls.call('PUT', '/api/v1/services/shop/weights', { stable: 60, canary: 40 });
  await page.getByRole('article', { name: 'v2, canary' }).getByText('40 %').waitFor();
  await page.getByText('shop: v1 60 %, v2 40 %').waitFor();
  t.same(visitor.faults, []);
});

t.test('a token is asked for, kept in this tab only, and forgotten', { skip: NO_BROWSER }, async (t) => {
  const site = await newSite(t);
  const admin = {
    listen: `127.0.0.1:${site.adminPort}`,
    tokens: [
      { name: 'looker', role: 'viewer', env: 'LOOKER_TOKEN' },
      { name: 'runner', role: 'operator', env: 'RUNNER_TOKEN' },
    ],
  };
  await startControl(t, site, configFor(site, await threeUpstreams(t), { admin }), { env: TOKENS });
  const visitor = await newVisitor(await startBrowser(t), site.admin);
  const { page } = visitor;
  const enter = async (token: string, keep: boolean): Promise<void> => {
    await page.locator('input[name=token]').fill(token);
    if (keep) await page.getByLabel('Remember it').check();
    await page.getByRole('button', { name: 'Enter' }).click();
  };
  const stored = async (): Promise<unknown> =>
    page.evaluate(
      '({ local: { ...localStorage }, session: { ...sessionStorage }, cookie: document.cookie, at: location.href })',
    );

  await page.goto(`${site.admin}/`);
  await page.getByRole('dialog', { name: 'Token' }).waitFor();
  t.equal(await page.getByText('shop').count(), 0, 'nothing is told without one');
  await page.keyboard.press('Escape');
  t.ok(await page.getByRole('dialog', { name: 'Token' }).isVisible(), 'and there is no way around');
  await enter('wrong-0123456789abcdef0123456789', false);
  await page.getByText('This token is not known.').waitFor();
  await visitor.picture('token');

  await enter(TOKENS.LOOKER_TOKEN, false);
  await page.getByText('looker · viewer').waitFor();
  await page.getByRole('link', { name: 'shop' }).waitFor();
  t.same(await stored(), { local: {}, session: {}, cookie: '', at: `${site.admin}/` });
  await page.reload();
  await page.getByRole('dialog', { name: 'Token' }).waitFor();

  await enter(TOKENS.RUNNER_TOKEN, true);
  await page.getByText('runner · operator').waitFor();
  t.same(await stored(), {
    ...{ local: {}, session: { 'sluice.token': TOKENS.RUNNER_TOKEN }, cookie: '', at: `${site.admin}/` },
  });
  await page.reload();
  await page.getByText('runner · operator').waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('dialog', { name: 'Token' }).waitFor();
  t.same(await stored(), { local: {}, session: {}, cookie: '', at: `${site.admin}/` });
  t.same(visitor.faults, []);
});
