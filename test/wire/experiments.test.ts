/** Experiments: who sees which version, however the rollout stands. */
import t, { type Test } from 'tap';
import { clearFlag, DISABLED, setFlag } from '../../src/model/endpoint-table.ts';
import { value } from '../kit/message.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { startProxy, type TestProxy } from '../kit/proxy.ts';
import type { RawUpstream } from '../kit/raw-upstream.ts';
import { ask, counted, get, snapshotOf, startNamed, tally, whoAnswers } from '../kit/who-answers.ts';

expectNoSockets(t);

type Part = Readonly<Record<string, unknown>>;
type Upstreams = Readonly<Record<'v1' | 'v2' | 'v3', RawUpstream>>;

const USERS = Array.from({ length: 400 }, (_, i) => `user-${i}`);
const requests = USERS.map((user) => get('/', `Cookie: uid=${user}`));

const KEY = { cookie: 'uid' };
const BUTTON = { name: 'button', key: KEY, weights: { v1: 50, v2: 50 } };

function options(upstreams: Upstreams, experiments: readonly Part[], weights: Part, more: Part = {}) {
  const { v1, v2, v3 } = upstreams;
  const versions = { v1: { endpoints: [v1.url] }, v2: { endpoints: [v2.url] }, v3: { endpoints: [v3.url] } };
  const service = { versions, lanes: { stable: 'v1', canary: 'v3' }, split: { weights }, experiments, ...more };
  return { upstream: [], service };
}

async function start(t: Test, upstreams: Upstreams, experiments: readonly Part[], weights: Part): Promise<TestProxy> {
  return startProxy(t, options(upstreams, experiments, weights));
}

t.test('the same user sees the same version: again, on another worker, at other weights', async (t) => {
  const upstreams = await startNamed(t, 'v1', 'v2', 'v3');
  const proxy = await start(t, upstreams, [BUTTON], { v1: 100 });
  const got = await whoAnswers(proxy, requests);
  t.strictSame(await whoAnswers(proxy, requests), got);
  const shares = tally(got);
  t.ok(Math.abs(shares.v2! - 200) < 40 && shares.v3 === undefined, JSON.stringify(shares));
  const other = await start(t, upstreams, [BUTTON], { v3: 100 });
  t.strictSame(await whoAnswers(other, requests), got, 'on another worker');
  for (const [i, weights] of [{ v1: 50, v3: 50 }, { v3: 100 }, { v2: 100 }, { v1: 100 }].entries()) {
    proxy.plane.apply(snapshotOf(options(upstreams, [BUTTON], weights), i + 2));
    t.strictSame(await whoAnswers(proxy, requests), got, JSON.stringify(weights));
  }
});

t.test('who has no key takes no part', async (t) => {
  const upstreams = await startNamed(t, 'v1', 'v2', 'v3');
  const proxy = await start(t, upstreams, [BUTTON], { v3: 100 });
  for (const line of ['Cookie: other=user-1', 'Cookie: uid=', 'X-A: 1']) {
    t.strictSame(tally(await whoAnswers(proxy, Array(40).fill(get('/', line)))), { v3: 40 }, line);
  }
});

t.test('traffic bounds who takes part; raising it adds users and moves none', async (t) => {
  const upstreams = await startNamed(t, 'v1', 'v2', 'v3');
  let before: string[] | null = null;
  for (const traffic of [0, 10, 50, 100]) {
    const proxy = await start(t, upstreams, [{ ...BUTTON, traffic }], { v3: 100 });
    const got = await whoAnswers(proxy, requests);
    const part = got.filter((name) => name !== 'v3').length;
    const sigma = Math.sqrt((USERS.length * traffic * (100 - traffic)) / 10_000);
    t.ok(Math.abs(part - (USERS.length * traffic) / 100) <= 4 * sigma, `${part} of ${USERS.length} at ${traffic} %`);
    if (before !== null) t.ok(before.every((name, i) => name === 'v3' || name === got[i]));
    before = got;
  }
});

t.test('the first experiment that a request takes part in decides', async (t) => {
  const upstreams = await startNamed(t, 'v1', 'v2', 'v3');
  const first = { name: 'first', key: { header: 'X-User' }, traffic: 50, weights: { v2: 100 } };
  const second = { name: 'second', key: { header: 'X-User' }, weights: { v3: 100 } };
  const proxy = await start(t, upstreams, [first, second], { v1: 100 });
  const got = tally(
    await whoAnswers(
      proxy,
      USERS.map((user) => get('/', `X-User: ${user}`)),
    ),
  );
  t.ok(Math.abs(got.v2! - 200) < 40 && got.v2! + got.v3! === 400, JSON.stringify(got));
});

t.test('two salts have nothing to do with each other, one salt is one division', async (t) => {
  const upstreams = await startNamed(t, 'v1', 'v2', 'v3');
  const groups = async (more: Part) => {
    const proxy = await start(t, upstreams, [{ ...BUTTON, ...more }], { v3: 100 });
    return whoAnswers(proxy, requests);
  };
  const button = await groups({});
  t.strictSame(await groups({ name: 'other', salt: 'button' }), button);
  const salted = await groups({ salt: 'other' });
  const same = salted.filter((name, i) => name === button[i]).length;
  t.ok(Math.abs(same - 200) < 40, `${same} of 400 in the same group, as by chance`);
});

t.test('an experiment goes before a session and leaves it where it was', async (t) => {
  const upstreams = await startNamed(t, 'v1', 'v2', 'v3');
  const experiments = [{ name: 'all', key: { header: 'X-User' }, weights: { v2: 100 } }];
  const proxy = await startProxy(t, options(upstreams, experiments, { v3: 100 }, { affinity: { cookie: 'sid' } }));
  const [first] = await ask(proxy, [get()]);
  t.equal(first!.body, 'v3');
  const cookie = value(first!, 'set-cookie')!.split(';')[0];
  const session = `Cookie: ${cookie}`;
  const got = await whoAnswers(proxy, [
    get('/', session, 'X-User: a'),
    get('/', session),
    get('/', session, 'X-User: b'),
  ]);
  t.strictSame(got, ['v2', 'v3', 'v2']);
  t.equal(counted(proxy, 'v3', 'affinityHits'), 1);
});

t.test('an experiment whose version has no endpoint left shows stable', async (t) => {
  const upstreams = await startNamed(t, 'v1', 'v2', 'v3');
  const proxy = await start(t, upstreams, [{ ...BUTTON, weights: { v2: 100 } }], { v3: 100 });

  const { id } = proxy.plane.snapshot.services[0]!.versions[1]!.endpoints[0]!;
  t.equal(setFlag(proxy.plane.memory.endpoints, id, DISABLED), true);
  t.strictSame(tally(await whoAnswers(proxy, requests.slice(0, 20))), { v1: 20 });
  t.equal(counted(proxy, 'v2', 'failovers'), 20);
  clearFlag(proxy.plane.memory.endpoints, id, DISABLED);
  t.strictSame(tally(await whoAnswers(proxy, requests.slice(0, 20))), { v2: 20 });
});
