/** Which version a request reaches: what goes before what, and the split strategies. */
import t, { type Test } from 'tap';
import { FakeClock } from '../../src/runtime/clock.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { answering, response } from '../kit/behaviours.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { startProxy, type TestProxy } from '../kit/proxy.ts';
import { RawUpstream } from '../kit/raw-upstream.ts';
import { get, startNamed, tally, whoAnswers } from '../kit/who-answers.ts';

expectNoSockets(t);

type Part = Readonly<Record<string, unknown>>;

const versionsOf = (upstreams: Readonly<Record<string, RawUpstream>>) =>
  Object.fromEntries(Object.entries(upstreams).map(([name, { url }]) => [name, { endpoints: [url] }]));

/** A service whose stable is v1; each version is one upstream that answers with the version's name. */
async function startSplit(t: Test, names: string[], service: Part, config: Part = {}): Promise<TestProxy> {
  const upstreams = await startNamed(t, ...names);
  const whole = { versions: versionsOf(upstreams), lanes: { stable: names[0] }, ...service };
  return startProxy(t, { upstream: [], service: whole, config, random: new SeededRandom(1) });
}

t.test('precedence: each decider against every combination of the ones behind it', async (t) => {
  const upstreams = await startNamed(t, 'none', 'route', 'header', 'cookie', 'experiment', 'session', 'split');
  const service = {
    versions: versionsOf(upstreams),
    lanes: { stable: 'none' },
    override: { header: 'X-Pick', cookie: 'pick' },
    experiments: [{ name: 'test', key: { header: 'X-User' }, weights: { experiment: 100 } }],
    affinity: { header: 'X-Session' },
    split: { strategy: 'header', header: 'X-Split', values: { split: 'split', session: 'session' } },
  };
  const routes = [
    { match: {}, service: 'web' },
    { match: { pathPrefix: '/route' }, service: 'web', version: 'route' },
  ];
  const proxy = await startProxy(t, { upstream: [], service, config: { routes } });
  const deciders = ['route', 'header', 'cookie', 'experiment', 'session', 'split'] as const;
  const fields: Readonly<Record<string, string>> = {
    header: 'X-Pick: header',
    cookie: 'Cookie: a=b; pick=cookie',
    experiment: 'X-User: somebody',
    split: 'X-Split: split',
  };
  const requests: string[] = [];
  const expected: string[] = [];
  for (let set = 0; set < 2 ** deciders.length; set++) {
    const present = deciders.filter((_, i) => (set & (1 << i)) !== 0);
    const session = `X-Session: s${set}`;
    if (present.includes('session')) {
      requests.push(get('/', session, 'X-Split: session'));
      expected.push('session');
    }
    const lines = present.flatMap((name) => (name === 'session' ? [session] : (fields[name] ?? [])));
    requests.push(get(present.includes('route') ? '/route' : '/', ...lines));
    expected.push(present[0] ?? 'none');
    if (present.includes('session')) {
      requests.push(get('/', session, 'X-Split: split'));
      expected.push('session');
    }
  }
  const got = await whoAnswers(proxy, requests);
  for (const [i, request] of requests.entries()) t.equal(got[i], expected[i], request.replaceAll('\r\n', ' '));
});

t.test('an override that names nothing decides nothing: the next decider does', async (t) => {
  const proxy = await startSplit(t, ['v1', 'v2', 'v3'], {
    lanes: { stable: 'v1', canary: 'v2' },
    override: { header: 'X-Pick', cookie: 'pick' },
  });
  const got = await whoAnswers(proxy, [
    get('/', 'X-Pick: nobody', 'Cookie: pick=canary'),
    get('/', 'X-Pick: candidate', 'Cookie: pick=v3'),
    get('/', 'X-Pick:', 'Cookie: pick=v2'),
    get('/', 'X-Pick: nobody', 'Cookie: pick=nobody'),
    get('/', 'X-Pick: v3', 'Cookie: pick=v2'),
    get('/', 'X-Pick: stable', 'Cookie: pick=v2'),
    get('/', 'Cookie: pick="v3"'),
    get('/', 'Cookie: xpick=v3; pickx=v2'),
    get('/', 'Cookie: a=pick=v2'),
  ]);
  t.strictSame(got, ['v2', 'v3', 'v2', 'v1', 'v3', 'v1', 'v3', 'v1', 'v1']);
});

t.test('weighted: after any number of requests each version is within one of its share', async (t) => {
  for (const weights of [
    { v1: 90, v2: 7, v3: 3 },
    { v1: 33.33, v2: 33.33, v3: 33.34 },
    { v1: 0, v2: 99.5, v3: 0.5 },
  ]) {
    const proxy = await startSplit(t, ['v1', 'v2', 'v3'], { split: { weights } });
    const got = await whoAnswers(proxy, Array(400).fill(get()));
    let worst = 0;
    for (const [name, percent] of Object.entries(weights)) {
      let count = 0;
      for (const [i, who] of got.entries()) {
        if (who === name) count++;
        worst = Math.max(worst, Math.abs(count - ((i + 1) * percent) / 100));
      }
      if (percent === 0) t.equal(count, 0);
    }
    t.ok(worst < 1 + 1e-9, `${JSON.stringify(weights)}: off by ${worst}`);
  }
});

t.test('hash: a user stays, on every worker; the shares are those of the weights', async (t) => {
  const upstreams = await startNamed(t, 'v1', 'v2', 'v3');
  const versions = versionsOf(upstreams);
  const weights = { v1: 60, v2: 30, v3: 10 };
  const sources: [key: Part, request: (user: number) => string][] = [
    [{ header: 'X-User' }, (user) => get('/', `x-user: u${user}`)],
    [{ cookie: 'uid' }, (user) => get('/', `Cookie: theme=dark; uid=u${user}`)],
    [{ query: 'user' }, (user) => get(`/?a=b&us%65r=u${user}`)],
    [{ ip: true }, (user) => get('/', `X-Forwarded-For: 6.6.6.6, 198.51.${user >> 8}.${user & 255}, 10.0.0.1`)],
  ];
  const users = Array.from({ length: 400 }, (_, user) => user);
  for (const [key, request] of sources) {
    await t.test(JSON.stringify(key), async (t) => {
      const split = { strategy: 'hash', key, weights };
      const config = { trustedProxies: ['127.0.0.1', '10.0.0.0/8'] };
      const start = (versions: Part, seed: number) =>
        startProxy(t, {
          upstream: [],
          service: { versions, lanes: { stable: 'v1' }, split },
          config,
          random: new SeededRandom(seed),
        });
      const one = await start(versions, 1);
      const other = await start({ v3: versions.v3, v1: versions.v1, v2: versions.v2 }, 2);
      const requests = users.map(request);
      const got = await whoAnswers(one, requests);
      t.strictSame(await whoAnswers(one, requests), got, 'again');
      t.strictSame(await whoAnswers(other, requests), got, 'on another worker, with its versions in another order');
      const shares = tally(got);
      for (const [name, percent] of Object.entries(weights)) {
        const sigma = Math.sqrt((users.length * percent * (100 - percent)) / 10_000);
        const off = Math.abs((shares[name] ?? 0) - (users.length * percent) / 100);
        t.ok(off < 4 * sigma, `${name}: ${shares[name]} of ${users.length}`);
      }
    });
  }
});

t.test('hash by address: what a stranger says about its address does not count', async (t) => {
  const proxy = await startSplit(t, ['v1', 'v2'], {
    split: { strategy: 'hash', key: { ip: true }, weights: { v1: 50, v2: 50 } },
  });
  const requests = Array.from({ length: 50 }, (_, i) => get('/', `X-Forwarded-For: 198.51.100.${i}`));
  t.equal(Object.keys(tally(await whoAnswers(proxy, requests))).length, 1, 'they are all 127.0.0.1');
});

t.test('hash: requests without the key are split by weight, exactly', async (t) => {
  const proxy = await startSplit(t, ['v1', 'v2'], {
    split: { strategy: 'hash', key: { header: 'X-User' }, weights: { v1: 80, v2: 20 } },
  });
  const got = tally(await whoAnswers(proxy, Array(100).fill(get('/', 'X-User:'))));
  t.ok(Math.abs((got.v2 ?? 0) - 20) <= 1, JSON.stringify(got));
});

t.test('round_robin: equal turns for all that have a weight', async (t) => {
  const proxy = await startSplit(t, ['v1', 'v2', 'v3', 'v4'], {
    split: { strategy: 'round_robin', weights: { v1: 98, v2: 1, v3: 1, v4: 0 } },
  });
  const got = tally(await whoAnswers(proxy, Array(300).fill(get())));
  t.equal(got.v4, undefined);
  for (const name of ['v1', 'v2', 'v3']) t.ok(Math.abs(got[name]! - 100) <= 1, JSON.stringify(got));
});

t.test('header: mapped values go where they are mapped to, others by weight', async (t) => {
  const proxy = await startSplit(t, ['v1', 'v2', 'v3'], {
    split: { strategy: 'header', header: 'X-Tenant', values: { acme: 'v3', '': 'v2' }, weights: { v1: 50, v2: 50 } },
  });
  t.strictSame(
    await whoAnswers(proxy, [get('/', 'X-Tenant: acme'), get('/', 'x-tenant:'), get('/', 'X-TENANT:   acme ')]),
    ['v3', 'v2', 'v3'],
  );
  for (const line of ['X-Tenant: Acme', 'X-Tenant: __proto__', 'X-Other: acme']) {
    const got = tally(await whoAnswers(proxy, Array(20).fill(get('/', line))));
    t.strictSame([got.v1, got.v2, got.v3], [10, 10, undefined], line);
  }
});

t.test('latency: the slow version gets less, the floor holds, and it is noticed when it recovers', async (t) => {
  for (const [floor, least, most] of [
    [2, 5, 18],
    [30, 29, 32],
  ] as const) {
    const clock = new FakeClock();
    const delays: Record<string, number> = { v1: 10, v2: 100, v3: 10 };
    const versions: Record<string, Part> = {};
    for (const name of Object.keys(delays)) {
      const upstream = await RawUpstream.start(
        t,
        answering(() => {
          clock.advance(delays[name]!);
          return response(200, name);
        }),
      );
      versions[name] = { endpoints: [upstream.url] };
    }
    const service = {
      versions,
      lanes: { stable: 'v1' },
      balance: { policy: 'round_robin', decay: '1s' },
      split: { strategy: 'latency', floor, weights: { v1: 50, v2: 50, v3: 0 } },
    };
    const proxy = await startProxy(t, { upstream: [], service, clock, random: new SeededRandom(3) });
    const share = async (count: number) => {
      const got = tally(await whoAnswers(proxy, Array(count).fill(get())));
      t.equal(got.v3, undefined, 'weight 0 is zero, however fast');
      return ((got.v2 ?? 0) * 100) / count;
    };
    await share(100);
    const slow = await share(300);
    t.ok(slow >= least && slow <= most, `floor ${floor}: ${slow} %`);
    delays.v2 = 10;
    await share(600);
    const recovered = await share(200);
    t.ok(recovered > 44 && recovered < 56, `recovered: ${recovered} %`);
  }
});

t.test('a version of weight 0 gets nothing from any strategy', async (t) => {
  const weights = { v1: 100, v2: 0 };
  const users = Array.from({ length: 200 }, (_, i) => get(`/?u=${i}`, `X-User: ${i}`));
  for (const split of [
    { strategy: 'weighted', weights },
    { strategy: 'hash', key: { header: 'X-User' }, weights },
    { strategy: 'round_robin', weights },
    { strategy: 'latency', weights },
    { strategy: 'header', header: 'X-User', values: { 5: 'v1' }, weights },
  ]) {
    for (const affinity of ['none', { header: 'X-User' }]) {
      const proxy = await startSplit(t, ['v1', 'v2'], { split, affinity });
      t.strictSame(tally(await whoAnswers(proxy, users)), { v1: 200 }, JSON.stringify([split.strategy, affinity]));
    }
  }
});

t.test('two services split each for itself', async (t) => {
  const { a1, a2, b1, b2 } = await startNamed(t, 'a1', 'a2', 'b1', 'b2');
  const service = (one: RawUpstream, two: RawUpstream, share: number) => ({
    versions: { v1: { endpoints: [one.url] }, v2: { endpoints: [two.url] } },
    lanes: { stable: 'v1', canary: 'v2' },
    split: { weights: { v1: 100 - share, v2: share } },
  });
  const services = { a: service(a1, a2, 10), b: service(b1, b2, 50) };
  const routes = [
    { match: { pathPrefix: '/a' }, service: 'a' },
    { match: { pathPrefix: '/b' }, service: 'b' },
    { match: { pathPrefix: '/b/new' }, service: 'b', version: 'canary' },
  ];
  const proxy = await startProxy(t, { upstream: [], config: { services, routes } });
  const requests = Array.from({ length: 100 }, () => [get('/a'), get('/b'), get('/b/new')]).flat();
  const got = tally(await whoAnswers(proxy, requests));
  t.ok(Math.abs(got.a2! - 10) <= 1 && Math.abs(got.b2! - 150) <= 1, JSON.stringify(got));
});
