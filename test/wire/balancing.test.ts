/** Which endpoint of a version a request reaches: the policies over real endpoints that fill, fail, come and go. */
import t, { type Test } from 'tap';
import { clearFlag, DISABLED, DRAINING, EJECTED, setFlag, UNHEALTHY } from '../../src/model/endpoint-table.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { answering, response, silent } from '../kit/behaviours.ts';
import { wrongLocalReply } from '../kit/expect.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { type ProxyOptions, startProxy, type TestProxy } from '../kit/proxy.ts';
import { type Behaviour, RawUpstream } from '../kit/raw-upstream.ts';
import { until } from '../kit/signal.ts';
import { ask, endpointOf, get, sharesOf, snapshotOf, startNamed, tally, whoAnswers } from '../kit/who-answers.ts';

expectNoSockets(t);

type Part = Readonly<Record<string, unknown>>;
type Endpoints = readonly (string | Part)[];

const KEYED = ['ring_hash', 'maglev'];
const POLICIES = ['round_robin', 'weighted_round_robin', 'random', 'least_request', 'peak_ewma', ...KEYED];

const options = (endpoints: Endpoints, service: Part = {}): ProxyOptions => ({
  upstream: [],
  service: { versions: { v1: { endpoints } }, ...service },
  random: new SeededRandom(7),
});

/** Requests of many users, for policies with a key. */
const users = (count: number) => Array.from({ length: count }, (_, i) => get('/', `X-User: user-${i}`));

const balanced = (policy: string): Part => ({
  balance: KEYED.includes(policy) ? { policy, key: { header: 'X-User' } } : policy,
});

const rowOf = (proxy: TestProxy, upstream: RawUpstream): number => endpointOf(proxy.plane.snapshot, upstream).id;

t.test('every policy: equal endpoints have equal shares, heavy ones more', async (t) => {
  const { a, b, c } = await startNamed(t, 'a', 'b', 'c');
  for (const policy of POLICIES) {
    const clock = new FakeClock();
    const equal = await startProxy(t, { ...options([a.url, b.url, c.url], balanced(policy)), clock });
    const shares = tally(await whoAnswers(equal, users(300)));
    const slack = policy.endsWith('round_robin') ? 1 : 50;
    for (const name of ['a', 'b', 'c']) {
      t.ok(Math.abs((shares[name] ?? 0) - 100) <= slack, `${policy}: ${JSON.stringify(shares)}`);
    }
    if (policy === 'round_robin') continue;
    const weighted = [a.url, { url: b.url, weight: 2 }, { url: c.url, weight: 3 }];
    const heavy = await startProxy(t, { ...options(weighted, balanced(policy)), clock });
    const { a: one = 0, b: two = 0, c: three = 0 } = tally(await whoAnswers(heavy, users(600)));
    const near = policy === 'weighted_round_robin' ? 1 : 90;
    if (policy === 'peak_ewma') {
      // Of two idle endpoints that are equally quick, the heavier one always costs less.
      t.ok(one < two && two < three, `${policy}, weighed: ${one} : ${two} : ${three}`);
      continue;
    }
    const wanted = Math.max(Math.abs(one - 100), Math.abs(two - 200), Math.abs(three - 300));
    t.ok(wanted <= near, `${policy}, weighed: ${one} : ${two} : ${three}`);
  }
});

t.test('the keyed policies: a key sticks, on every worker; a key that is missing is no error', async (t) => {
  const { a, b, c } = await startNamed(t, 'a', 'b', 'c');
  for (const policy of KEYED) {
    for (const [key, request] of [
      [{ header: 'X-User' }, (i: number) => get('/', `X-User: ${i}`)],
      [{ query: 'u' }, (i: number) => get(`/?u=${i}`)],
      [{ cookie: 'u' }, (i: number) => get('/', `Cookie: u=${i}`)],
    ] as const) {
      const requests = Array.from({ length: 100 }, (_, i) => request(i));
      const one = await startProxy(t, options([a.url, b.url, c.url], { balance: { policy, key } }));
      const other = await startProxy(t, options([c.url, a.url, b.url], { balance: { policy, key } }));
      const got = await whoAnswers(one, requests);
      t.equal(Object.keys(tally(got)).length, 3);
      t.strictSame(await whoAnswers(one, requests.toReversed()), got.toReversed(), `${policy} ${JSON.stringify(key)}`);
      t.strictSame(await whoAnswers(other, requests), got, 'on another worker');
      const without = await sharesOf(one, 90);
      for (const name of ['a', 'b', 'c']) t.ok((without[name] ?? 0) > 10, JSON.stringify(without));
    }
    const byAddress = await startProxy(t, options([a.url, b.url, c.url], { balance: policy }));
    t.equal(Object.keys(await sharesOf(byAddress, 20)).length, 1, 'by address, if nothing else is said');
  }
});

t.test('the keyed policies: a key of their own decides for a new session, without one the session does', async (t) => {
  const { a, b, c } = await startNamed(t, 'a', 'b', 'c');
  const requests = Array.from({ length: 100 }, (_, i) => get('/', `X-Shard: ${i % 50}`, `Cookie: sid=${i}`));
  for (const policy of KEYED) {
    const start = (key: Part) =>
      startProxy(t, options([a.url, b.url, c.url], { affinity: { cookie: 'sid' }, balance: { policy, ...key } }));
    const own = await start({ key: { header: 'X-Shard' } });
    const got = await whoAnswers(own, requests);
    t.ok(
      got.every((name, i) => name === got[i % 50]),
      `${policy}: who shares the key shares the endpoint`,
    );
    t.equal(Object.keys(tally(got)).length, 3);
    const moved = requests.map((_, i) => get('/', 'X-Shard: other', `Cookie: sid=${i}`));
    t.strictSame(await whoAnswers(own, moved), got, 'the session then stays, whatever the key is');
    const shared = await start({});
    const bySession = await whoAnswers(shared, requests);
    t.notOk(bySession.every((name, i) => name === bySession[i % 50]));
    t.strictSame(await whoAnswers(shared, requests), bySession);
  }
});

t.test('the keyed policies: who loses its endpoint moves, the others stay', async (t) => {
  const { a, b, c } = await startNamed(t, 'a', 'b', 'c');
  for (const policy of KEYED) {
    const proxy = await startProxy(t, options([a.url, b.url, c.url], balanced(policy)));
    const before = await whoAnswers(proxy, users(200));
    setFlag(proxy.plane.memory.endpoints, rowOf(proxy, b), UNHEALTHY);
    const during = await whoAnswers(proxy, users(200));
    t.notOk(during.includes('b'));
    const others = before.filter((name, i) => name !== 'b' && name !== during[i]).length;
    t.ok(others <= (policy === 'ring_hash' ? 0 : 10), `${policy}: ${others} moved that need not`);
    clearFlag(proxy.plane.memory.endpoints, rowOf(proxy, b), UNHEALTHY);
    t.strictSame(await whoAnswers(proxy, users(200)), before, 'and back');
    proxy.plane.apply(snapshotOf(options([a.url, b.url, c.url], balanced(policy)), 2));
    t.strictSame(await whoAnswers(proxy, users(200)), before, 'a new generation changes nothing');
  }
});

t.test('every policy: who may not be used gets nothing', async (t) => {
  const { a, b, c } = await startNamed(t, 'a', 'b', 'c');
  for (const policy of POLICIES) {
    for (const [name, flag] of Object.entries({ UNHEALTHY, EJECTED, DISABLED, DRAINING })) {
      const clock = new FakeClock();
      const proxy = await startProxy(t, { ...options([a.url, b.url, c.url], balanced(policy)), clock });
      const table = proxy.plane.memory.endpoints;
      await whoAnswers(proxy, users(3));
      setFlag(table, rowOf(proxy, b), flag);
      const one = tally(await whoAnswers(proxy, users(60)));
      t.ok(one.b === undefined && one.a! > 10 && one.c! > 10, `${policy}, ${name}: ${JSON.stringify(one)}`);
      setFlag(table, rowOf(proxy, a), flag);
      t.strictSame(tally(await whoAnswers(proxy, users(20))), { c: 20 });
      setFlag(table, rowOf(proxy, c), flag);
      const [none] = await ask(proxy, users(1));
      t.equal(wrongLocalReply(none!, 503, 'UH', false), null);
      clearFlag(table, rowOf(proxy, b), flag);
      t.strictSame(tally(await whoAnswers(proxy, users(20))), { b: 20 });
    }
  }
});

/** Sends each on its own connection, waits for none. */
async function pile(proxy: TestProxy, requests: readonly string[]): Promise<void> {
  for (const request of requests) await proxy.send(request);
}

t.test('least_request and peak_ewma keep away from an endpoint that does not answer', async (t) => {
  for (const policy of ['least_request', 'peak_ewma']) {
    const stuck = await RawUpstream.start(t, silent);
    const { b, c } = await startNamed(t, 'b', 'c');
    const proxy = await startProxy(t, options([stuck.url, b.url, c.url], balanced(policy)));
    const total = () => stuck.requests.length + b.requests.length + c.requests.length;
    for (let i = 1; i <= 60; i++) {
      await pile(proxy, [get()]);
      await until(`request ${i}`, () => total() >= i);
    }
    t.ok(stuck.requests.length < 12, `${policy}: ${stuck.requests.length} of 60`);
  }
});

t.test('peak_ewma keeps away from an endpoint that is slow, and comes back', async (t) => {
  const clock = new FakeClock();
  const delays = { a: 5, b: 200, c: 5 };
  const urls: string[] = [];
  for (const name of ['a', 'b', 'c'] as const) {
    const slow = answering(() => {
      clock.advance(delays[name]);
      return response(200, name);
    });
    urls.push((await RawUpstream.start(t, slow)).url);
  }
  const proxy = await startProxy(t, { ...options(urls, { balance: { policy: 'peak_ewma', decay: '1s' } }), clock });
  await sharesOf(proxy, 30);
  const slow = await sharesOf(proxy, 200);
  t.ok((slow.b ?? 0) < 20, JSON.stringify(slow));
  delays.b = 5;
  await sharesOf(proxy, 800);
  const well = await sharesOf(proxy, 200);
  t.ok((well.b ?? 0) > 40, JSON.stringify(well));
});

/** Answers when it may. */
const held =
  (name: string, gate: Promise<void>): Behaviour =>
  async (connection) => {
    for (;;) {
      await connection.request();
      await gate;
      connection.write(response(200, name));
    }
  };

t.test('an endpoint that is full is passed over; where all are, the request is refused', async (t) => {
  for (const policy of POLICIES) {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const one = await RawUpstream.start(t, held('one', gates[0].promise));
    const two = await RawUpstream.start(t, held('two', gates[1].promise));
    const endpoints = [
      { url: one.url, maxRequests: 2 },
      { url: two.url, maxRequests: 1 },
    ];
    const proxy = await startProxy(t, options(endpoints, balanced(policy)));
    for (let i = 0; i < 3; i++) {
      await pile(proxy, users(1));
      await until('the request', () => one.requests.length + two.requests.length === i + 1);
    }
    t.strictSame([one.requests.length, two.requests.length], [2, 1], policy);
    const [refused] = await ask(proxy, users(1));
    t.equal(wrongLocalReply(refused!, 503, 'UO', false), null);
    gates[0].resolve();
    await until('room', () => proxy.plane.stats().exchanges === 1);
    t.strictSame(tally(await whoAnswers(proxy, users(5))), { one: 5 }, 'and served when there is room');
    gates[1].resolve();
  }
});

t.test('panic: where too few are left, health is ignored, what is taken out by hand is not', async (t) => {
  const { a, b, c } = await startNamed(t, 'a', 'b', 'c');
  const balance = { policy: 'round_robin', panicThreshold: 50 };
  const proxy = await startProxy(t, options([a.url, b.url, c.url], { balance }));
  const table = proxy.plane.memory.endpoints;
  setFlag(table, rowOf(proxy, a), UNHEALTHY);
  t.equal((await sharesOf(proxy, 30)).a, undefined, 'two of three are enough');
  setFlag(table, rowOf(proxy, b), EJECTED);
  t.strictSame(await sharesOf(proxy, 30), { a: 10, b: 10, c: 10 });
  setFlag(table, rowOf(proxy, c), DISABLED);
  t.strictSame(await sharesOf(proxy, 30), { a: 15, b: 15 });
});

t.test('every policy: a removed endpoint gets nothing more, an added one its share; pools stay', async (t) => {
  const { a, b, c } = await startNamed(t, 'a', 'b', 'c');
  for (const policy of POLICIES) {
    const made = [a, b, c].map((upstream) => upstream.connections.length);
    const clock = new FakeClock();
    const proxy = await startProxy(t, { ...options([a.url, b.url], balanced(policy)), clock });
    const two = tally(await whoAnswers(proxy, users(60)));
    t.equal(two.c, undefined);
    proxy.plane.apply(snapshotOf(options([a.url, b.url, c.url], balanced(policy)), 2));
    const three = tally(await whoAnswers(proxy, users(300)));
    t.ok(three.c! > 50 && three.c! < 150, `${policy}: ${JSON.stringify(three)}`);
    t.equal(proxy.plane.stats().upstreamIdle, 3);
    proxy.plane.apply(snapshotOf(options([a.url, b.url], balanced(policy)), 3));
    t.equal(proxy.plane.stats().upstreamIdle, 2, 'the pool of the endpoint that is gone has been closed');
    t.equal(tally(await whoAnswers(proxy, users(60))).c, undefined);
    const now = [a, b, c].map((upstream, i) => upstream.connections.length - made[i]!);
    t.strictSame(now, [1, 1, 1], 'one connection each, over three generations');
  }
});

t.test('weights of endpoints change with a generation, and their pools stay', async (t) => {
  const { a, b } = await startNamed(t, 'a', 'b');
  const proxy = await startProxy(t, options([a.url, b.url]));
  t.strictSame(await sharesOf(proxy, 40), { a: 20, b: 20 });
  proxy.plane.apply(snapshotOf(options([a.url, { url: b.url, weight: 3 }]), 2));
  t.strictSame(await sharesOf(proxy, 40), { a: 10, b: 30 });
  t.strictSame([a.connections.length, b.connections.length], [1, 1]);
});

async function startSlow(t: Test, policy: string) {
  const { a, b, c } = await startNamed(t, 'a', 'b', 'c');
  const clock = new FakeClock();
  clock.advance(1000);
  const service = { ...balanced(policy), balance: { policy, slowStart: '100s' } };
  if (KEYED.includes(policy)) Object.assign(service.balance, { key: { header: 'X-User' } });
  const proxy = await startProxy(t, { ...options([a.url, b.url], service), clock });
  const share = async () => tally(await whoAnswers(proxy, users(300)));
  return { a, b, c, clock, proxy, share, service };
}

t.test('slow start: an endpoint that is new or back gets a growing share', async (t) => {
  for (const policy of POLICIES) {
    await t.test(policy, async (t) => {
      const { a, b, c, clock, proxy, share, service } = await startSlow(t, policy);
      const first = await share();
      t.ok(Math.min(first.a!, first.b!) > 95, `none at the very beginning: ${JSON.stringify(first)}`);
      proxy.plane.apply(snapshotOf(options([a.url, b.url, c.url], service), 2));
      const shares: number[] = [];
      for (let i = 0; i < 3; i++) {
        shares.push((await share()).c ?? 0);
        clock.advance(50_001);
      }
      t.ok(shares[0]! > 0 && shares[0]! < 30, `new: ${shares}`);
      t.ok(shares[1]! > shares[0]! && shares[1]! < 90, `half way: ${shares}`);
      t.ok(shares[2]! > 55, `at the end: ${shares}`);
      setFlag(proxy.plane.memory.endpoints, rowOf(proxy, a), UNHEALTHY);
      t.equal((await share()).a, undefined);
      clearFlag(proxy.plane.memory.endpoints, rowOf(proxy, a), UNHEALTHY);
      const back = (await share()).a ?? 0;
      t.ok(back > 0 && back < 40, `back: ${back}`);
      clock.advance(100_000);
      t.ok((await share()).a! > 55);
    });
  }
});

t.test('slow start: an endpoint that is alone gets everything', async (t) => {
  const { a, clock, proxy, service } = await startSlow(t, 'round_robin');
  proxy.plane.apply(snapshotOf(options([a.url], service), 2));
  setFlag(proxy.plane.memory.endpoints, rowOf(proxy, a), UNHEALTHY);
  t.strictSame(await sharesOf(proxy, 5), { 503: 5 });
  clearFlag(proxy.plane.memory.endpoints, rowOf(proxy, a), UNHEALTHY);
  t.strictSame(await sharesOf(proxy, 20), { a: 20 });
  clock.advance(1);
});
