/** From configuration to snapshot. */
import t from 'tap';
import { compileSnapshot } from '../../src/control/config/compile.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import { ENDPOINT_ROWS, MAX_ENDPOINTS, MAX_VERSIONS, VERSION_ROWS } from '../../src/model/capacity.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';

const config = parseConfig(
  `
listen: :0
services:
  shop:
    versions:
      v1: { endpoints: [ "http://127.0.0.1:3001", { url: "http://[::1]:80", weight: 2, maxRequests: 9 } ] }
      v2: { endpoints: [ "http://Shop.Internal" ] }
      v3: { endpoints: [ "http://c:8080" ] }
    lanes: { stable: v2, canary: v1 }
    split: { weights: { v1: 0.29, v2: 99.7, v3: 0.01 } }
    override: { header: X-Canary-Deploy, cookie: Canary }
    experiments: [ { name: blue, key: { header: X-User }, weights: { v1: 50, v2: 50 } } ]
    affinity: { cookie: sluice_session }
    balance: peak_ewma
    health: {}
    outlier: {}
    retry: { budget: 5% }
    shield: {}
    hedge: { after: 50ms }
    circuit: { maxRequests: 3 }
    rateLimit: { rate: 10 }
  cart:
    versions: { v1: { endpoints: [ "http://d:1" ] } }
    exposeVersion: true
monitor: { webhooks: [ "http://127.0.0.1:1/" ] }
routes:
  - { match: { host: Shop.example, pathPrefix: /a }, service: shop }
  - { service: cart }
`,
  'sluice.yaml',
  {},
);

t.test('indices are dense, weights are whole, addresses are taken apart', async (t) => {
  const [shop, cart] = config.services;
  const { timeouts, pool, circuit } = cart!;
  t.strictSame(compileSnapshot(config, 7), {
    generation: 7,
    limits: config.limits,
    timeouts: config.timeouts,
    trustedProxies: [],
    headers: config.headers,
    flags: [],
    accessLog: null,
    tracing: null,
    services: [
      {
        id: 0,
        name: 'shop',
        versions: [
          {
            id: 0,
            name: 'v1',
            lane: 'canary',
            weight: 29,
            endpoints: [
              {
                id: 0,
                url: 'http://127.0.0.1:3001',
                host: '127.0.0.1',
                port: 3001,
                authority: '127.0.0.1:3001',
                weight: 1,
                maxRequests: 0,
              },
              { id: 1, url: 'http://[::1]', host: '::1', port: 80, authority: '[::1]', weight: 2, maxRequests: 9 },
            ],
          },
          {
            id: 1,
            name: 'v2',
            lane: 'stable',
            weight: 9970,
            endpoints: [
              {
                id: 2,
                url: 'http://shop.internal',
                host: 'shop.internal',
                port: 80,
                authority: 'shop.internal',
                weight: 1,
                maxRequests: 0,
              },
            ],
          },
          {
            id: 2,
            name: 'v3',
            lane: null,
            weight: 1,
            endpoints: [
              { id: 3, url: 'http://c:8080', host: 'c', port: 8080, authority: 'c:8080', weight: 1, maxRequests: 0 },
            ],
          },
        ],
        stable: 1,
        split: { strategy: 'weighted', floor: 5 },
        experiments: [
          {
            name: 'blue',
            key: { from: 'header', name: 'x-user' },
            salt: 'blue',
            traffic: 100,
            weights: { v1: 50, v2: 50 },
          },
        ],
        overrideHeader: 'x-canary-deploy',
        overrideCookie: 'Canary',
        affinity: { key: { from: 'cookie', name: 'sluice_session' }, ttl: 3_600_000, max: 100_000 },
        balance: { ...cart!.balance, policy: 'peak_ewma', key: { from: 'cookie', name: 'sluice_session' } },
        outlier: shop!.outlier!,
        retry: shop!.retry!,
        retryBudget: { percent: 5, minimum: 10 },
        shield: shop!.shield!,
        hedge: { after: 50, methods: 'safe' },
        circuit: { ...circuit, maxRequests: 3 },
        rateLimit: { rate: 10, burst: 10 },
        timeouts,
        pool,
        exposeVersion: false,
      },
      {
        id: 1,
        name: 'cart',
        versions: [
          {
            id: 3,
            name: 'v1',
            lane: 'stable',
            weight: 10_000,
            endpoints: [{ id: 4, url: 'http://d:1', host: 'd', port: 1, authority: 'd:1', weight: 1, maxRequests: 0 }],
          },
        ],
        stable: 0,
        split: { strategy: 'weighted', floor: 5 },
        experiments: [],
        overrideHeader: null,
        overrideCookie: null,
        affinity: null,
        balance: cart!.balance,
        outlier: null,
        retry: null,
        retryBudget: { percent: 20, minimum: 10 },
        shield: null,
        hedge: null,
        circuit,
        rateLimit: null,
        timeouts,
        pool,
        exposeVersion: true,
      },
    ],
    routes: config.routes,
  });
});

t.test('a snapshot is frozen, crosses to another thread, and leaves the configuration alone', async (t) => {
  const snapshot = compileSnapshot(config, 1);
  t.ok(Object.isFrozen(snapshot.services[0]?.versions[0]?.endpoints[0]));
  t.notOk(Object.isFrozen(config.limits));
  t.notOk(Object.isFrozen(config.services[0]?.timeouts));
  t.notOk(Object.isFrozen(config.services[0]?.retry));
  t.notOk(Object.isFrozen(config.routes[0]?.match));
  t.strictSame(structuredClone(snapshot), snapshot);
  t.strictSame(compileSnapshot(config, 1), snapshot, 'the same again');
});

t.test('the weights of every service sum to 10,000', async (t) => {
  const sums = new Set<number>();
  for (let canary = 0; canary <= 10_000; canary += 7) {
    const weights = { v1: canary / 100, v2: (10_000 - canary) / 100, v3: 0 };
    const [shop, cart] = config.services;
    const { versions } = compileSnapshot({ ...config, services: [{ ...shop!, weights }, cart!] }, 1).services[0]!;
    sums.add(versions.reduce((total, { weight }) => total + weight, 0));
  }
  t.strictSame([...sums], [10_000]);
});

t.test('versions and endpoints keep their numbers from one snapshot to the next', async (t) => {
  const numbersOf = (versions: object, previous?: Snapshot): { snapshot: Snapshot; ids: Record<string, number> } => {
    const text = JSON.stringify({ listen: 1, services: { web: { versions, lanes: { stable: 'b' } } } });
    const snapshot = compileSnapshot(parseConfig(text, 'x', {}), 1, previous);
    const ids: Record<string, number> = {};
    for (const version of snapshot.services[0]!.versions) {
      ids[version.name] = version.id;
      for (const { url, id } of version.endpoints) ids[url.slice(7)] = id;
    }
    return { snapshot, ids };
  };
  const one = numbersOf({ a: { endpoints: ['http://a1', 'http://a2'] }, b: { endpoints: ['http://b1'] } });
  t.strictSame(one.ids, { a: 0, a1: 0, a2: 1, b: 1, b1: 2 });
  const two = numbersOf(
    { b: { endpoints: ['http://b0', 'http://b1'] }, c: { endpoints: ['http://c1'] } },
    one.snapshot,
  );
  t.strictSame(two.ids, { b: 1, b0: 3, b1: 2, c: 2, c1: 4 }, 'what goes keeps its number for one more snapshot');
  const three = numbersOf(
    { b: { endpoints: ['http://b1'] }, d: { endpoints: ['http://d1', 'http://d2'] } },
    two.snapshot,
  );
  t.strictSame(three.ids, { b: 1, b1: 2, d: 0, d1: 0, d2: 1 }, 'then it is free');
});

t.test('everything is exchanged at once: there is a row for what goes and for what comes', async (t) => {
  const full = (first: number): string => {
    const versions = Object.fromEntries(
      Array.from({ length: MAX_VERSIONS }, (_, i) => [
        `v${first + i}`,
        { endpoints: Array.from({ length: MAX_ENDPOINTS / MAX_VERSIONS }, (_, j) => `http://h${first + i}-${j}`) },
      ]),
    );
    return JSON.stringify({ listen: 1, services: { web: { versions, lanes: { stable: `v${first}` } } } });
  };
  let snapshot = compileSnapshot(parseConfig(full(0), 'x', {}), 1);
  for (const first of [MAX_VERSIONS, 0, MAX_VERSIONS]) {
    snapshot = compileSnapshot(parseConfig(full(first), 'x', {}), 2, snapshot);
    const { versions } = snapshot.services[0]!;
    t.ok(Math.max(...versions.map(({ id }) => id)) < VERSION_ROWS);
    const ids = versions.flatMap(({ endpoints }) => endpoints.map(({ id }) => id));
    t.ok(Math.max(...ids) < ENDPOINT_ROWS);
    t.equal(new Set(ids).size, MAX_ENDPOINTS);
  }
});
