// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to the environment are what is tested
/** What a good configuration means: defaults, units, addresses, the environment. */
import { availableParallelism } from 'node:os';
import t from 'tap';
import { expandEnvironment } from '../../src/control/config/environment.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import { presetStrategies } from '../../src/control/config/resolve-strategies.ts';
import { formatDuration, parseDuration, parsePercent, parseRate, parseSize } from '../../src/control/config/units.ts';
import { faultsOf, oneService, threeVersions } from './fault-cases.ts';

const parse = (text: string, env = {}) => parseConfig(text, 'sluice.yaml', env);

t.test('the smallest file has every default', async (t) => {
  t.strictSame(parse(oneService('')), {
    listen: [{ host: '0.0.0.0', port: 8080 }],
    workers: Math.min(availableParallelism(), 256),
    limits: {
      headSize: 16384,
      headerCount: 100,
      targetLength: 8192,
      bodySize: 0,
      connections: 20000,
      connectionsPerAddress: 5000,
    },
    timeouts: { head: 10_000, bodyIdle: 30_000, keepAlive: 60_000, halfClose: 1000, drain: 30_000 },
    trustedProxies: [],
    headers: { forwarded: false, via: 'sluice' },
    services: [
      {
        name: 'shop',
        versions: [{ name: 'v1', endpoints: [{ url: 'http://a:1', weight: 1, maxRequests: 0 }] }],
        lanes: { stable: 'v1' },
        weights: { v1: 100 },
        split: { strategy: 'weighted', floor: 5 },
        experiments: [],
        balance: {
          policy: 'weighted_round_robin',
          key: { from: 'address' },
          slowStart: 0,
          maxLoad: 125,
          decay: 10_000,
          panicThreshold: 0,
        },
        retryBudget: { percent: 20, minimum: 10 },
        circuit: { maxRequests: 0, maxConnections: 0, maxPending: 0, maxRetries: 0 },
        timeouts: { connect: 1000, request: 30_000, response: 30_000, idle: 60_000, tunnel: 3_600_000 },
        pool: { maxIdle: 1_024, idle: 30_000, maxAge: 0 },
        exposeVersion: false,
      },
    ],
    monitor: { window: 60_000, history: 3_600_000, alerts: [], webhooks: [] },
    routes: [],
    environment: 'default',
    data: null,
    admin: null,
    flags: [],
    events: { retention: 7_776_000_000, webhooks: [] },
    accessLog: null,
    tracing: null,
    rollouts: { strategies: presetStrategies(), metrics: [], approvers: [], notifications: [] },
  });
});

t.test('every key outside policies can be set', async (t) => {
  const config = parse(`
listen: [ "127.0.0.1:80", 81, { address: "[::1]:82" }, { address: 83 }, "localhost:0" ]
workers: 3
limits: { headSize: 2KiB, headerCount: 7, bodySize: 10MB, connections: 5, connectionsPerAddress: 0 }
timeouts: { head: 1.5s, bodyIdle: 20ms, keepAlive: 1h, halfClose: 0s, drain: 0ms }
trustedProxies: [ 10.0.0.0/8, "::1" ]
headers: { forwarded: true, via: edge-1 }
services:
  shop:
    versions:
      v1: { endpoints: [ "HTTP://Shop.Example:80/", { url: "http://[::1]:3001", weight: 3 } ] }
      v2: { endpoints: [ "http://b" ] }
      v3: { endpoints: [ "http://c" ] }
    lanes: { stable: v1, canary: v2, candidate: v3 }
    split: { strategy: weighted, weights: { v1: 66.67, v2: 33.33, v3: 0 } }
    override: { header: X-Canary-Deploy }
    timeouts: { connect: 10ms, request: 1m, response: 2m, idle: 3m, tunnel: 100h }
    pool: { maxIdle: 0, idle: 1s, maxAge: 1h }
    exposeVersion: true
routes:
  - { match: { host: "*.Shop.Example", pathPrefix: /a }, service: shop }
  - { match: { host: "[::1]" }, service: shop }
  - { service: shop }
`);
  t.match(config, {
    listen: [
      { host: '127.0.0.1', port: 80 },
      { host: '0.0.0.0', port: 81 },
      { host: '::1', port: 82 },
      { host: '0.0.0.0', port: 83 },
      { host: 'localhost', port: 0 },
    ],
    workers: 3,
    limits: {
      headSize: 2048,
      headerCount: 7,
      targetLength: 2048,
      bodySize: 10_000_000,
      connections: 5,
      connectionsPerAddress: 0,
    },
    timeouts: { head: 1500, bodyIdle: 20, keepAlive: 3_600_000, halfClose: 0, drain: 0 },
    trustedProxies: ['10.0.0.0/8', '::1'],
    headers: { forwarded: true, via: 'edge-1' },
    services: [
      {
        name: 'shop',
        versions: [
          {
            name: 'v1',
            endpoints: [
              { url: 'http://shop.example', weight: 1 },
              { url: 'http://[::1]:3001', weight: 3 },
            ],
          },
          { name: 'v2', endpoints: [{ url: 'http://b', weight: 1 }] },
          { name: 'v3', endpoints: [{ url: 'http://c', weight: 1 }] },
        ],
        lanes: { stable: 'v1', canary: 'v2', candidate: 'v3' },
        weights: { v1: 66.67, v2: 33.33, v3: 0 },
        override: { header: 'X-Canary-Deploy' },
        timeouts: { connect: 10, request: 60_000, response: 120_000, idle: 180_000, tunnel: 360_000_000 },
        pool: { maxIdle: 0, idle: 1000, maxAge: 3_600_000 },
        exposeVersion: true,
      },
    ],
    routes: [
      { match: { host: '*.shop.example', pathPrefix: '/a' }, service: 'shop' },
      { match: { host: '[::1]', pathPrefix: '/' }, service: 'shop' },
      { match: { pathPrefix: '/' }, service: 'shop' },
    ],
  });
});

t.test('weights', async (t) => {
  const weights = (rest: string) => parse(threeVersions(`    lanes: { stable: v2 }\n${rest}`)).services[0]?.weights;
  t.strictSame(weights(''), { v1: 0, v2: 100, v3: 0 }, 'without split, stable has all');
  t.strictSame(weights('    split: { weights: { v1: 100 } }\n'), { v1: 100, v2: 0, v3: 0 }, 'not named is 0');
  // In binary 33.33 + 33.33 + 33.34 is not 100, nor is 0.07 * 100 = 7.
  t.strictSame(weights('    split: { weights: { v1: 33.33, v2: 33.33, v3: 33.34 } }\n'), {
    v1: 33.33,
    v2: 33.33,
    v3: 33.34,
  });
  t.strictSame(weights('    split: { weights: { v1: 0.07, v2: 99.92, v3: 0.01 } }\n'), {
    v1: 0.07,
    v2: 99.92,
    v3: 0.01,
  });
});

t.test('names that objects have by themselves are names like others', async (t) => {
  const config = parse(
    'listen: :1\nservices:\n  constructor:\n    versions: { toString: { endpoints: ["http://a"] }, valueOf: { endpoints: ["http://b"] } }\n    lanes: { stable: toString }\n    split: { weights: { toString: 100 } }\n',
  );
  t.strictSame(config.services[0]?.weights, { toString: 100, valueOf: 0 });
  t.match(faultsOf(oneService('__proto__: { listen: 1 }\n')), ['5:1: __proto__: unknown key']);
});

t.test('anchors, aliases and merges', async (t) => {
  const text = `listen: :1
services:
  a:
    versions: &v { v1: { endpoints: ["http://a"] } }
    timeouts: &t { connect: 2s, idle: 5s }
  b:
    versions: *v
    timeouts: { <<: *t, idle: 9s }
routes: [ { service: a }, { match: { host: b }, service: b } ]
`;
  const [a, b] = parse(text).services;
  t.match(a?.timeouts, { connect: 2000, idle: 5000 });
  t.match(b?.timeouts, { connect: 2000, idle: 9000 });
  const faults = faultsOf(text.replace('connect: 2s', 'connect: 2'));
  const message =
    'must be a duration such as 250ms, 10s, 5m or 1h, not 2: write 2s for seconds or 2ms for milliseconds';
  t.strictSame(
    faults,
    [`5:29: services.a.timeouts.connect: ${message}`, `5:29: services.b.timeouts.connect: ${message}`],
    'a merged value is at fault where it was written',
  );
});

t.test('aliases cannot be made to fill the memory', async (t) => {
  let text = 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n';
  for (let level = 1; level < 9; level++) {
    text += `a${level}: &a${level} [${Array(10)
      .fill(`*a${level - 1}`)
      .join(', ')}]\n`;
  }
  t.match(faultsOf(text), [/^1:1: Excessive alias count/]);
});

t.test('units', async (t) => {
  const sizes = {
    '0': 0,
    '16384': 16384,
    '16KiB': 16384,
    '16 KiB': 16384,
    '1MiB': 1048576,
    '10MB': 1e7,
    '2kB': 2000,
    '3B': 3,
  };
  for (const [text, bytes] of Object.entries(sizes)) t.equal(parseSize(text), bytes, text);
  t.equal(parseSize(5), 5);
  for (const bad of ['', 'KiB', '1 mib', '-1', '1.5KiB', '1e3', -1, 0.5, null, '999999999999999GiB']) {
    t.equal(parseSize(bad), null, String(bad));
  }
  const durations = {
    '0s': 0,
    '250ms': 250,
    '10s': 10_000,
    '5m': 300_000,
    '1h': 3_600_000,
    '1.5s': 1500,
    '0.25m': 15_000,
  };
  for (const [text, ms] of Object.entries(durations)) t.equal(parseDuration(text), ms, text);
  for (const text of ['0s', '250ms', '90s', '15m', '1500ms', '36h']) {
    t.equal(formatDuration(parseDuration(text)!), text);
  }
  for (const bad of ['', '10', 's', '1 s', '-1s', '1d', '1m30s', 10]) t.equal(parseDuration(bad), null, String(bad));
});

t.test('percentages and rates', async (t) => {
  for (const [text, percent] of Object.entries({ '50%': 50, '0.01 %': 0.01, '100%': 100, '0%': 0 })) {
    t.equal(parsePercent(text), percent, text);
  }
  t.equal(parsePercent(12.5), 12.5);
  for (const bad of ['', '%', '50', '-1%', '1e1%', '50%%', null, Number.NaN])
    t.equal(parsePercent(bad), null, String(bad));
  for (const [text, perSecond] of Object.entries({ '100/s': 100, '6000/m': 100, '1/h': 1 / 3600, '0.5/s': 0.5 })) {
    t.equal(parseRate(text), perSecond, text);
  }
  t.equal(parseRate(2.5), 2.5);
  for (const bad of ['', '100', '1/d', '/s', '-1/s', '1 /s', null]) t.equal(parseRate(bad), null, String(bad));
});

t.test('the environment', async (t) => {
  const env = { HOST: 'a', PORT: '3001', EMPTY: '', YES: 'true' };
  const expand = (text: string) => expandEnvironment(text, env);
  const good = {
    'http://${HOST}:${PORT}': 'http://a:3001',
    '${NOPE:-x}': 'x',
    '${EMPTY:-x}': 'x',
    '${EMPTY}': '',
    '${NOPE:-}': '',
    '$${HOST}': '${HOST}',
    'a$b $': 'a$b $',
    $$$$: '$$',
  };
  for (const [text, expected] of Object.entries(good)) t.strictSame(expand(text), { text: expected, faults: [] }, text);
  t.strictSame(expand('${NOPE}').faults, ['environment variable NOPE is not set; set it or write ${NOPE:-default}']);
  for (const bad of ['${}', '${1A}', '${A-b}', '${A']) {
    t.match(expand(bad).faults, [/^cannot read /], bad);
  }

  const text = oneService('    exposeVersion: ${YES}\nworkers: ${N:-2} # not ${HERE}\nheaders: { via: "${PORT}" }\n');
  const config = parse(text, env);
  t.equal(config.workers, 2, 'an unquoted value may become a number');
  t.equal(config.services[0]?.exposeVersion, true, 'or a boolean');
  t.equal(config.headers.via, '3001', 'a quoted one stays a string');
  t.strictSame(
    faultsOf(oneService('workers: ${NOPE}\n')),
    ['5:10: workers: environment variable NOPE is not set; set it or write ${NOPE:-default}'],
    'an unset variable is one fault, not also one of the shape of what stands there',
  );
});
