/** From configuration to snapshot. */
import t from 'tap';
import { compileSnapshot } from '../../src/control/config/compile.ts';
import { parseConfig } from '../../src/control/config/load.ts';

const config = parseConfig(
  `
listen: :0
services:
  shop:
    versions:
      v1: { endpoints: [ "http://127.0.0.1:3001", { url: "http://[::1]:80", weight: 2 } ] }
      v2: { endpoints: [ "http://Shop.Internal" ] }
      v3: { endpoints: [ "http://c:8080" ] }
    lanes: { stable: v2, canary: v1 }
    split: { weights: { v1: 0.29, v2: 99.7, v3: 0.01 } }
    override: { header: X-Canary-Deploy }
  cart:
    versions: { v1: { endpoints: [ "http://d:1" ] } }
    exposeVersion: true
routes:
  - { match: { host: Shop.example, pathPrefix: /a }, service: shop }
  - { service: cart }
`,
  'sluice.yaml',
  {},
);

t.test('indices are dense, weights are whole, addresses are taken apart', async (t) => {
  const { timeouts, pool } = config.services[0]!;
  t.strictSame(compileSnapshot(config, 7), {
    generation: 7,
    limits: config.limits,
    timeouts: config.timeouts,
    trustedProxies: [],
    headers: config.headers,
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
              },
              { id: 1, url: 'http://[::1]', host: '::1', port: 80, authority: '[::1]', weight: 2 },
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
              },
            ],
          },
          {
            id: 2,
            name: 'v3',
            lane: null,
            weight: 1,
            endpoints: [{ id: 3, url: 'http://c:8080', host: 'c', port: 8080, authority: 'c:8080', weight: 1 }],
          },
        ],
        stable: 1,
        overrideHeader: 'x-canary-deploy',
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
            endpoints: [{ id: 4, url: 'http://d:1', host: 'd', port: 1, authority: 'd:1', weight: 1 }],
          },
        ],
        stable: 0,
        overrideHeader: null,
        timeouts,
        pool,
        exposeVersion: true,
      },
    ],
    routes: [
      { match: { host: 'shop.example', pathPrefix: '/a' }, service: 'shop' },
      { match: { pathPrefix: '/' }, service: 'cart' },
    ],
  });
});

t.test('a snapshot is frozen, crosses to another thread, and leaves the configuration alone', async (t) => {
  const snapshot = compileSnapshot(config, 1);
  t.ok(Object.isFrozen(snapshot.services[0]?.versions[0]?.endpoints[0]));
  t.notOk(Object.isFrozen(config.limits));
  t.notOk(Object.isFrozen(config.services[0]?.timeouts));
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
