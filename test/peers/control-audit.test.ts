/** The audit of a real process: whole, then tampered with; and a second process that wants the same state. */

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { notShared } from '../kit/store.ts';
import { configFor, newSite, sluice, startControl, threeUpstreams, whoAnswers } from './control-process.ts';

t.test('the audit, verified and tampered with', async (t) => {
  const site = await newSite(t);
  const urls = await threeUpstreams(t);
  const running = await startControl(t, site, configFor(site, urls));
  for (const v2 of [10, 20, 30, 40]) await running.calls.setWeights('shop', { v1: 100 - v2, v2 });

  await t.test('a second process on the same state does not start', async (t) => {
    const other = configFor({ ...site, proxyPort: 0, adminPort: 0 }, urls);
    const error: Error = await startControl(t, { ...site, file: join(site.folder, 'other.yaml') }, other).then(
      () => new Error('it started'),
      (reason) => reason,
    );
    t.match(error.message, /^ended with 1:\n/);
    t.ok(error.message.includes(`${running.child.pid}`) && error.message.includes(site.data), error.message);
    t.match(await whoAnswers(site), /^[abc]$/, 'and the first goes on');
    t.match(await running.calls.setWeights('shop', { v1: 50, v2: 50 }), { status: 200 });
  });

  const asked = await sluice('audit', 'verify', '--admin', site.admin);
  t.match({ status: asked.status, text: asked.output.toString() }, { status: 0, text: /whole.*5 rows/ });
  const tamper = (change: string): void => {
    const database = new DatabaseSync(join(site.data, 'state.db'));
    database.exec(change);
    database.close();
  };
  await t.test('while it runs', { skip: notShared }, async (t) => {
    tamper(`UPDATE audit SET reason = 'as agreed' WHERE seq = 4`);
    t.match(await running.calls.call('GET', '/api/v1/audit/verify'), { body: { ok: false, fault: { seq: 4 } } });
    t.match(await running.calls.setWeights('shop', { v1: 90, v2: 10 }), { status: 200 }, 'it is used all the same');
    const found = await sluice('audit', 'verify', '--admin', site.admin, '--json');
    t.match(
      { status: found.status, verdict: JSON.parse(found.output.toString()) },
      { status: 1, verdict: { ok: false } },
    );
  });
  await running.stop();
  tamper(`UPDATE audit SET actor = 'somebody else' WHERE seq = 3`);
  const found = await sluice('audit', 'verify', '--data', site.data);
  const expected = { status: 1, text: /does not fit together: row 3: / };
  t.match({ status: found.status, text: found.output.toString() }, expected, 'the first one that was tampered with');
});
