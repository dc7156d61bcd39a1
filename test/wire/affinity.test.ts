/** Session affinity: the cookie, where sessions stay, and what moves them. */
import t, { type Test } from 'tap';
import { clearFlag, DISABLED, DRAINING, EJECTED, setFlag, UNHEALTHY } from '../../src/model/endpoint-table.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { value, values } from '../kit/message.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { type ProxyOptions, startProxy, type TestProxy } from '../kit/proxy.ts';
import type { RawUpstream } from '../kit/raw-upstream.ts';
import { ask, counted, endpointOf, get, snapshotOf, startNamed, tally, whoAnswers } from '../kit/who-answers.ts';

expectNoSockets(t);

type Part = Readonly<Record<string, unknown>>;
type Name = 'v1a' | 'v1b' | 'v2a' | 'v2b';
type Four = Readonly<Record<Name, RawUpstream>>;

const startFour = (t: Test): Promise<Four> => startNamed(t, 'v1a', 'v1b', 'v2a', 'v2b');

/** Two versions of two endpoints each, split in halves, with sessions by the cookie `sid`. */
function options(four: Four, service: Part = {}, without: readonly Name[] = []): ProxyOptions {
  const urls = (...names: Name[]) => names.filter((name) => !without.includes(name)).map((name) => four[name].url);
  return {
    upstream: [],
    service: {
      versions: { v1: { endpoints: urls('v1a', 'v1b') }, v2: { endpoints: urls('v2a', 'v2b') } },
      lanes: { stable: 'v1', canary: 'v2' },
      split: { weights: { v1: 50, v2: 50 } },
      affinity: { cookie: 'sid', ttl: '1h' },
      override: { header: 'X-Pick' },
      ...service,
    },
  };
}

const SESSIONS = Array.from({ length: 200 }, (_, i) => `session-${i}`);
const inSession = (session: string, ...fields: string[]) => get('/', `Cookie: sid=${session}`, ...fields);
const everybody = SESSIONS.map((session) => inSession(session));

const versions = (names: readonly string[]): string[] => names.map((name) => name.slice(0, 2));

/** How many of the first have another answer in the second. */
const moved = (before: readonly string[], after: readonly string[]): number =>
  before.filter((name, i) => name !== after[i]).length;

const flag = (proxy: TestProxy, upstream: RawUpstream, which: number): boolean =>
  setFlag(proxy.plane.memory.endpoints, endpointOf(proxy.plane.snapshot, upstream).id, which);

const unflag = (proxy: TestProxy, upstream: RawUpstream, which: number): boolean =>
  clearFlag(proxy.plane.memory.endpoints, endpointOf(proxy.plane.snapshot, upstream).id, which);

t.test('the cookie', async (t) => {
  const four = await startFour(t);
  await t.test('is given once, with its attributes', async (t) => {
    const proxy = await startProxy(t, options(four));
    const client = await proxy.send(get());
    const first = await client.answer();
    const [cookie] = values(first, 'set-cookie');
    const match = /^sid=([0-9a-f]{32}); Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/.exec(cookie ?? '');
    t.ok(match, String(cookie));
    client.write(inSession(match![1]!).repeat(3));
    for (const answer of (await client.answers(4)).slice(1)) {
      t.strictSame([answer.body, value(answer, 'set-cookie')], [first.body, null]);
    }
    const [other] = await ask(proxy, [inSession(match![1]!)]);
    t.strictSame([other!.body, value(other!, 'set-cookie')], [first.body, null], 'on another connection');
    const [stranger] = await ask(proxy, [get()]);
    t.not(value(stranger!, 'set-cookie'), cookie, 'everybody has his own');
  });
  await t.test('goes with every kind of answer, and beside the cookies of the service', async (t) => {
    const proxy = await startProxy(t, options(four));
    const answers = await ask(proxy, [
      get().replace('GET', 'HEAD'),
      get('/', 'Cookie: other=1'),
      get('/', 'Cookie: sid='),
    ]);
    for (const answer of answers) t.match(value(answer, 'set-cookie'), /^sid=[0-9a-f]{32};/);
  });
  await t.test('is Secure where a trusted proxy says that the client speaks TLS', async (t) => {
    const trusting = await startProxy(t, { ...options(four), config: { trustedProxies: ['127.0.0.1'] } });
    const [secure, plain] = await ask(trusting, [get('/', 'X-Forwarded-Proto: https'), get()]);
    t.match(value(secure!, 'set-cookie'), /; Secure$/);
    t.notMatch(value(plain!, 'set-cookie'), /Secure/);
    const [stranger] = await ask(await startProxy(t, options(four)), [get('/', 'X-Forwarded-Proto: https')]);
    t.notMatch(value(stranger!, 'set-cookie'), /Secure/);
  });
  await t.test('is sent again when half of its time is over', async (t) => {
    const clock = new FakeClock();
    const proxy = await startProxy(t, { ...options(four, { affinity: { cookie: 'sid', ttl: '100s' } }), clock });
    const sent: boolean[] = [];
    for (const wait of [0, 30_000, 19_000, 1_000, 49_000, 1_000]) {
      clock.advance(wait);
      const [answer] = await ask(proxy, [inSession('mine')]);
      const cookie = value(answer!, 'set-cookie');
      sent.push(cookie !== null);
      if (cookie !== null) t.match(cookie, /^sid=mine; Path=\/; Max-Age=100;/);
    }
    t.strictSame(sent, [true, false, false, true, false, true]);
  });
  await t.test('is not given with an answer of Sluice itself', async (t) => {
    const proxy = await startProxy(t, options(four));
    for (const upstream of Object.values(four)) flag(proxy, upstream, DISABLED);
    const [answer] = await ask(proxy, [get()]);
    t.strictSame([answer!.status, value(answer!, 'set-cookie')], [503, null]);
  });
});

t.test('sessions stay: request after request, on other connections, on other workers', async (t) => {
  const four = await startFour(t);
  for (const balance of ['round_robin', 'random', 'least_request', 'peak_ewma', 'ring_hash', 'maglev']) {
    const proxy = await startProxy(t, options(four, { balance }));
    const got = await whoAnswers(proxy, everybody);
    t.strictSame(await whoAnswers(proxy, everybody.toReversed()), got.toReversed(), balance);
    const other = await startProxy(t, options(four, { balance }));
    t.strictSame(await whoAnswers(other, everybody.toReversed()), got.toReversed(), `${balance}: another worker`);
    const shares = tally(got);
    for (const name of Object.keys(four)) t.ok(shares[name]! > 20 && shares[name]! < 90, JSON.stringify(shares));
    t.strictSame(
      [counted(proxy, 'v1', 'affinityMisses') + counted(proxy, 'v2', 'affinityMisses')],
      [SESSIONS.length],
      'each misses once',
    );
    const inVersion = versions(got).filter((name) => name === 'v2').length;
    t.equal(counted(proxy, 'v2', 'affinityHits'), inVersion);
    t.equal(counted(proxy, 'v2', 'affinityMisses'), inVersion);
  }
});

t.test('the other keys: header, query, address', async (t) => {
  const four = await startFour(t);
  const keys: [key: Part, request: (who: number) => string, without: string][] = [
    [{ header: 'X-User' }, (who) => get('/', `X-User: ${who}`), get('/', 'X-User:')],
    [{ query: 'user' }, (who) => get(`/?a&user=${who}`), get('/?user')],
    [{ ip: true }, (who) => get('/', `X-Forwarded-For: 198.51.100.${who}`), ''],
  ];
  for (const [affinity, request, without] of keys) {
    const proxy = await startProxy(t, {
      ...options(four, { affinity, split: { strategy: 'round_robin' }, balance: 'round_robin' }),
      config: { trustedProxies: ['127.0.0.1'] },
    });
    const requests = Array.from({ length: 40 }, (_, who) => request(who));
    const got = await whoAnswers(proxy, requests);
    t.equal(Object.keys(tally(got)).length, 4, 'everywhere at first');
    t.strictSame(await whoAnswers(proxy, requests), got, `${JSON.stringify(affinity)} stays, whatever the strategy`);
    const [answer] = await ask(proxy, [request(1)]);
    t.equal(value(answer!, 'set-cookie'), null, 'no cookie');
    if (without === '') continue;
    const split = tally(versions(await whoAnswers(proxy, Array(20).fill(without))));
    t.strictSame(split, { v1: 10, v2: 10 }, 'without the key there is no session');
    const hits = counted(proxy, 'v1', 'affinityHits') + counted(proxy, 'v2', 'affinityHits');
    t.equal(hits, 41);
  }
});

t.test('a session ends when its time is over since its last request', async (t) => {
  const four = await startFour(t);
  const clock = new FakeClock();
  const proxy = await startProxy(t, { ...options(four, { affinity: { header: 'X-User', ttl: '60s' } }), clock });
  const misses: number[] = [];
  for (const wait of [0, 59_000, 59_000, 61_000, 1_000]) {
    clock.advance(wait);
    await ask(proxy, [get('/', 'X-User: me')]);
    misses.push(counted(proxy, 'v1', 'affinityMisses') + counted(proxy, 'v2', 'affinityMisses'));
  }
  t.strictSame(misses, [1, 1, 1, 2, 2]);
});

t.test('the session that was not used for longest makes room', async (t) => {
  const four = await startFour(t);
  const proxy = await startProxy(t, options(four, { affinity: { header: 'X-User', max: 2 } }));
  const missed = async (who: string) => {
    const misses = () => counted(proxy, 'v1', 'affinityMisses') + counted(proxy, 'v2', 'affinityMisses');
    const before = misses();
    await ask(proxy, [get('/', `X-User: ${who}`)]);
    return misses() > before;
  };
  const seen: [string, boolean][] = [];
  for (const who of ['a', 'b', 'a', 'c', 'a', 'b', 'c']) seen.push([who, await missed(who)]);
  t.strictSame(
    seen.map(([, missing]) => missing),
    [true, true, false, true, false, true, true],
  );
});

t.test('a new generation moves the share that the weights moved, and nobody else, endpoint included', async (t) => {
  const four = await startFour(t);
  const proxy = await startProxy(t, options(four));
  const before = await whoAnswers(proxy, everybody);
  proxy.plane.apply(snapshotOf(options(four), 2));
  t.equal(moved(before, await whoAnswers(proxy, everybody)), 0, 'the same weights');
  proxy.plane.apply(snapshotOf(options(four, { split: { weights: { v1: 60, v2: 40 } } }), 3));
  const after = await whoAnswers(proxy, everybody);
  const changed = moved(before, after);
  t.ok(changed > 5 && changed < 40, `${changed} of 200 moved for 10 %`);
  t.ok(before.every((name, i) => name === after[i] || (name.startsWith('v2') && after[i]!.startsWith('v1'))));
  proxy.plane.apply(snapshotOf(options(four), 4));
  t.equal(moved(before, await whoAnswers(proxy, everybody)), 0, 'and back');
});

t.test('strategies that ignore keys: sessions stay over generations while their version has a weight', async (t) => {
  const four = await startFour(t);
  for (const strategy of ['round_robin', 'latency']) {
    const weighing = (v2: number) => options(four, { split: { strategy, weights: { v1: 100 - v2, v2 } } });
    const proxy = await startProxy(t, weighing(50));
    const before = await whoAnswers(proxy, everybody);
    t.equal(Object.keys(tally(versions(before))).length, 2);
    // In another order, which gives taking turns another result.
    const order = SESSIONS.map((_, i) => (i * 7) % SESSIONS.length).toSorted((a, b) => (a % 4) - (b % 4) || a - b);
    for (const [i, share] of [50, 10, 90].entries()) {
      proxy.plane.apply(snapshotOf(weighing(share), i + 2));
      const after = await whoAnswers(
        proxy,
        order.map((who) => everybody[who]!),
      );
      t.strictSame(
        after,
        order.map((who) => before[who]),
        `${strategy} ${share}`,
      );
    }
    proxy.plane.apply(snapshotOf(weighing(0), 5));
    const after = await whoAnswers(proxy, everybody);
    t.strictSame(tally(versions(after)), { v1: 200 }, 'and a rollback moves them at once');
    t.ok(before.every((name, i) => name.startsWith('v2') || name === after[i]));
  }
});

t.test('a session that was moved to another endpoint stays there, over generations too', async (t) => {
  const four = await startFour(t);
  const proxy = await startProxy(t, options(four));
  const before = await whoAnswers(proxy, everybody);
  flag(proxy, four.v1a, UNHEALTHY);
  const during = await whoAnswers(proxy, everybody);
  t.strictSame(
    during,
    before.map((name) => (name === 'v1a' ? 'v1b' : name)),
    'who was there goes to the other, nobody else moves',
  );
  unflag(proxy, four.v1a, UNHEALTHY);
  t.strictSame(await whoAnswers(proxy, everybody), during, 'and does not go back');
  proxy.plane.apply(snapshotOf(options(four, { split: { weights: { v1: 51, v2: 49 } } }), 2));
  const after = await whoAnswers(proxy, everybody);
  t.ok(after.every((name, i) => name === during[i] || (during[i]!.startsWith('v2') && name.startsWith('v1'))));
});

t.test('an endpoint that may not be used loses its sessions to another of the version', async (t) => {
  const four = await startFour(t);
  for (const [name, which] of Object.entries({ UNHEALTHY, EJECTED, DISABLED })) {
    const proxy = await startProxy(t, options(four));
    const before = await whoAnswers(proxy, everybody);
    flag(proxy, four.v2a, which);
    const after = await whoAnswers(proxy, everybody);
    t.strictSame(
      after,
      before.map((who) => (who === 'v2a' ? 'v2b' : who)),
      name,
    );
    flag(proxy, four.v2b, which);
    t.equal(tally(versions(await whoAnswers(proxy, everybody))).v2, undefined, `${name}: none left, so stable`);
    unflag(proxy, four.v2a, which);
    const back = await whoAnswers(proxy, everybody);
    t.strictSame(versions(back), versions(before), `${name}: and the version has them back`);
  }
});

t.test('an endpoint or a version that is removed', async (t) => {
  const four = await startFour(t);
  const proxy = await startProxy(t, options(four));
  const before = await whoAnswers(proxy, everybody);
  proxy.plane.apply(snapshotOf(options(four, {}, ['v2b']), 2));
  t.strictSame(
    await whoAnswers(proxy, everybody),
    before.map((name) => (name === 'v2b' ? 'v2a' : name)),
  );
  const alone = { versions: { v1: { endpoints: [four.v1a.url, four.v1b.url] } }, lanes: { stable: 'v1' } };
  proxy.plane.apply(snapshotOf(options(four, { ...alone, split: { weights: { v1: 100 } } }), 3));
  const after = await whoAnswers(proxy, everybody);
  t.equal(tally(versions(after)).v1, 200);
  t.ok(
    before.every((name, i) => name.startsWith('v2') || name === after[i]),
    'who was at the other version stays',
  );
});

t.test('a draining endpoint keeps the sessions it has and takes no new ones', async (t) => {
  const four = await startFour(t);
  const proxy = await startProxy(t, options(four));
  const half = everybody.slice(0, 100);
  const before = await whoAnswers(proxy, half);
  t.ok(before.includes('v1a'));
  flag(proxy, four.v1a, DRAINING);
  t.strictSame(await whoAnswers(proxy, half), before, 'pinned ones stay');
  t.notOk((await whoAnswers(proxy, everybody.slice(100))).includes('v1a'), 'new ones go elsewhere');
  proxy.plane.apply(snapshotOf(options(four), 2));
  t.strictSame(await whoAnswers(proxy, half), before, 'over a new generation too');
  flag(proxy, four.v1b, DRAINING);
  t.strictSame(await whoAnswers(proxy, half), before, 'also where all of them drain');
  flag(proxy, four.v1a, DISABLED);
  t.notOk((await whoAnswers(proxy, half)).includes('v1a'), 'until the deadline');
});

t.test('after a rollback no session is left at the canary', async (t) => {
  const four = await startFour(t);
  const proxy = await startProxy(t, options(four));
  const before = await whoAnswers(proxy, everybody);
  const client = await proxy.send(inSession(SESSIONS[before.findIndex((name) => name.startsWith('v2'))]!));
  t.match((await client.answer()).body, /^v2/);
  proxy.plane.apply(snapshotOf(options(four, { split: { weights: { v1: 100 } } }), 2));
  client.write(everybody.slice(0, 50).join(''));
  t.ok((await client.answers(51)).slice(1).every((answer) => answer.body.startsWith('v1')));
  const after = await whoAnswers(proxy, everybody);
  t.equal(tally(versions(after)).v2, undefined);
  t.ok(
    before.every((name, i) => name.startsWith('v2') || name === after[i]),
    'the others stay at their endpoints',
  );
});

t.test('a forced request leaves no trace', async (t) => {
  const four = await startFour(t);
  const proxy = await startProxy(t, {
    ...options(four),
    config: {
      routes: [
        { match: {}, service: 'web' },
        { match: { pathPrefix: '/new' }, service: 'web', version: 'canary' },
      ],
    },
  });
  const before = await whoAnswers(proxy, everybody);
  const misses = counted(proxy, 'v2', 'affinityMisses');
  const forced = await ask(proxy, [
    get('/', 'X-Pick: canary'),
    get('/new'),
    ...SESSIONS.map((session) => inSession(session, 'X-Pick: canary')),
  ]);
  t.ok(forced.every((answer) => answer.body.startsWith('v2') && value(answer, 'set-cookie') === null));
  t.strictSame([counted(proxy, 'v2', 'affinityHits'), counted(proxy, 'v2', 'affinityMisses')], [0, misses]);
  t.strictSame(await whoAnswers(proxy, everybody), before);
  const again = await ask(
    proxy,
    SESSIONS.map((session) => inSession(session, 'X-Pick: v2')),
  );
  t.strictSame(
    again.map((answer) => answer.body),
    forced.slice(2).map((answer) => answer.body),
    'and stays with its endpoint',
  );
});

t.test('a session moves along with a request that was sent again', async (t) => {
  const four = await startFour(t);
  const proxy = await startProxy(t, options(four, { retry: {}, split: { weights: { v1: 100 } } }));
  const before = await whoAnswers(proxy, everybody.slice(0, 20));
  t.ok(before.includes('v1a'));
  await four.v1a.close();
  t.strictSame(tally(await whoAnswers(proxy, everybody.slice(0, 20))), { v1b: 20 });
  const retries = counted(proxy, 'v1', 'retries');
  t.ok(retries > 0);
  t.strictSame(tally(await whoAnswers(proxy, everybody.slice(0, 20))), { v1b: 20 });
  t.equal(counted(proxy, 'v1', 'retries'), retries, 'once per session');
});
