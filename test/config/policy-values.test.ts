/** What a good configuration of services' policies and of the monitor means. */
import t from 'tap';
import { parseConfig } from '../../src/control/config/load.ts';
import type { ServiceConfig } from '../../src/model/config.ts';
import { oneService, threeVersions } from './fault-cases.ts';

const service = (text: string): ServiceConfig => parseConfig(text, 'sluice.yaml', {}).services[0]!;
const shop = (rest: string): ServiceConfig => service(oneService(rest));
const split = (rest: string): ServiceConfig =>
  service(threeVersions(`    lanes: { stable: v1, canary: v2, candidate: v3 }\n${rest}`));
const monitor = (rest: string) => parseConfig(oneService(rest), 'sluice.yaml', {}).monitor;

t.test('split strategies', async (t) => {
  const strategy = (rest: string) => {
    const { split: config, weights } = split(`    split: ${rest}\n`);
    return { ...config, weights };
  };
  const v1Only = { v1: 100, v2: 0, v3: 0 };
  t.strictSame(strategy('{ weights: { v1: 99.5%, v2: 0.5 } }'), {
    strategy: 'weighted',
    floor: 5,
    weights: { v1: 99.5, v2: 0.5, v3: 0 },
  });
  t.strictSame(strategy('{ strategy: hash, weights: { v1: 100 }, key: { header: X-User-Id } }'), {
    strategy: 'hash',
    floor: 5,
    key: { from: 'header', name: 'x-user-id' },
    weights: v1Only,
  });
  t.strictSame(strategy('{ strategy: header, header: X-Tenant, values: { acme: v2, constructor: v3 } }'), {
    strategy: 'header',
    floor: 5,
    header: { name: 'x-tenant', values: { acme: 'v2', constructor: 'v3' } },
    weights: v1Only,
  });
  t.strictSame(strategy('{ strategy: latency, floor: 10% }'), {
    strategy: 'latency',
    floor: 10,
    weights: { v1: 50, v2: 50, v3: 0 },
  });
  t.strictSame(strategy('{ strategy: round_robin, weights: { v1: 100, v2: 0 } }'), {
    strategy: 'round_robin',
    floor: 5,
    weights: v1Only,
  });
});

t.test('equal weights that do not divide', async (t) => {
  const text = threeVersions('    lanes: { stable: v2 }\n    split: { strategy: round_robin }\n');
  t.strictSame(service(text).weights, { v1: 33.33, v2: 33.34, v3: 33.33 });
});

t.test('keys', async (t) => {
  const key = (written: string) => shop(`    balance: { policy: maglev, key: ${written} }\n`).balance.key;
  t.strictSame(key('{ header: X-User }'), { from: 'header', name: 'x-user' });
  t.strictSame(key('{ cookie: Uid }'), { from: 'cookie', name: 'Uid' });
  t.strictSame(key('{ query: User }'), { from: 'query', name: 'User' });
  t.strictSame(key('{ ip: true }'), { from: 'address' });
});

t.test('experiments and override', async (t) => {
  const { experiments, override } = split(`    experiments:
      - { name: blue, key: { cookie: uid }, weights: { v1: 50, v2: 50% } }
      - { name: red, key: { ip: true }, salt: s, traffic: 10%, weights: { v2: 100 } }
    override: { cookie: canary }
`);
  t.strictSame(experiments, [
    { name: 'blue', key: { from: 'cookie', name: 'uid' }, salt: 'blue', traffic: 100, weights: { v1: 50, v2: 50 } },
    { name: 'red', key: { from: 'address' }, salt: 's', traffic: 10, weights: { v2: 100 } },
  ]);
  t.strictSame(override, { cookie: 'canary' });
});

t.test('affinity', async (t) => {
  t.equal(shop('').affinity, undefined);
  t.equal(shop('    affinity: none\n').affinity, undefined);
  t.strictSame(shop('    affinity: { header: X-User }\n').affinity, {
    key: { from: 'header', name: 'x-user' },
    ttl: 3_600_000,
    max: 100_000,
  });
  t.strictSame(shop('    affinity: { ip: true, ttl: 1m, max: 10 }\n').affinity, {
    key: { from: 'address' },
    ttl: 60_000,
    max: 10,
  });
});

t.test('balance', async (t) => {
  t.equal(shop('    balance: random\n').balance.policy, 'random');
  t.equal(shop('    balance: { slowStart: 30s }\n').balance.policy, 'weighted_round_robin');
  t.strictSame(
    shop(
      '    balance: { policy: ring_hash, key: { query: u }, slowStart: 30s, maxLoad: 150%, decay: 5s, panicThreshold: 50 }\n',
    ).balance,
    {
      policy: 'ring_hash',
      key: { from: 'query', name: 'u' },
      slowStart: 30_000,
      maxLoad: 150,
      decay: 5000,
      panicThreshold: 50,
    },
  );
  const hashed = '    split: { strategy: hash, weights: { v1: 100 }, key: { header: a } }\n    balance: maglev\n';
  t.strictSame(shop(hashed).balance.key, { from: 'header', name: 'a' }, "the split's key");
  t.strictSame(
    shop(`${hashed}    affinity: { cookie: s }\n`).balance.key,
    { from: 'cookie', name: 's' },
    "the affinity's",
  );
});

t.test('health', async (t) => {
  const defaults = {
    type: 'http',
    path: '/',
    status: [[200, 299]],
    interval: 2000,
    unhealthyInterval: 500,
    jitter: 10,
    timeout: 1000,
    healthy: 2,
    unhealthy: 3,
  };
  t.equal(shop('').health, undefined);
  t.strictSame(shop('    health: {}\n').health, defaults);
  t.strictSame(shop('    health: { tcp: true }\n').health, { ...defaults, type: 'tcp' });
  t.strictSame(
    shop(`    health:
      path: /health?full=1
      host: "shop.internal:8080"
      status: [200, 300-399, 204]
      body: ok
      interval: 1s
      unhealthyInterval: 20ms
      jitter: 0%
      timeout: 2s
      healthy: 1
      unhealthy: 1
`).health,
    {
      type: 'http',
      path: '/health?full=1',
      host: 'shop.internal:8080',
      status: [
        [200, 200],
        [300, 399],
        [204, 204],
      ],
      body: 'ok',
      interval: 1000,
      unhealthyInterval: 20,
      jitter: 0,
      timeout: 2000,
      healthy: 1,
      unhealthy: 1,
    },
  );
  t.strictSame(shop('    health: { status: 204 }\n').health?.status, [[204, 204]]);
  t.equal(shop('    health: { interval: 200ms }\n').health?.unhealthyInterval, 100, 'a quarter, at least 100 ms');
  t.equal(shop('    health: { interval: 50ms }\n').health?.unhealthyInterval, 50, 'never slower than the interval');
});

t.test('outlier', async (t) => {
  const defaults = {
    consecutive5xx: 5,
    consecutiveGateway: 5,
    consecutiveLocal: 5,
    baseEjection: 30_000,
    maxEjection: 300_000,
    maxEjectionPercent: 50,
    interval: 10_000,
    successRateMinimumHosts: 3,
    successRateMinimumRequests: 100,
    successRateStdevFactor: 1900,
  };
  t.equal(shop('').outlier, undefined);
  t.strictSame(shop('    outlier: {}\n').outlier, defaults);
  t.strictSame(
    shop(
      '    outlier: { consecutive5xx: 0, maxEjectionPercent: 100%, successRate: { minimumHosts: 5, stdevFactor: 2.25 } }\n',
    ).outlier,
    {
      ...defaults,
      consecutive5xx: 0,
      maxEjectionPercent: 100,
      successRateMinimumHosts: 5,
      successRateStdevFactor: 2250,
    },
  );
  t.equal(shop('    outlier: { baseEjection: 10m }\n').outlier?.maxEjection, 600_000, 'the default gives way');
});

t.test('retry, shield and hedge', async (t) => {
  const bare = shop('');
  t.strictSame([bare.retry, bare.shield, bare.hedge], [undefined, undefined, undefined]);
  t.strictSame(shop('    retry: {}\n').retry, {
    attempts: 1,
    perTryTimeout: 0,
    backoff: 25,
    maxBackoff: 250,
    maxBody: 65_536,
    on: ['connect-failure', 'reset', 502, 503, 504],
    methods: 'idempotent',
  });
  const full =
    shop(`    retry: { attempts: 3, on: [5xx, 429], methods: [GET, POST], perTryTimeout: 2s, backoff: 1s, maxBody: 10MiB, budget: 30% }
    shield: { on: [timeout], methods: all, maxBody: 0, forced: true }
    hedge: { after: 50ms, methods: idempotent }
`);
  t.strictSame(full.retry, {
    attempts: 3,
    perTryTimeout: 2000,
    backoff: 1000,
    maxBackoff: 1000,
    maxBody: 10_485_760,
    on: ['5xx', 429],
    methods: ['GET', 'POST'],
  });
  t.strictSame(full.retryBudget, { percent: 30, minimum: 10 });
  t.strictSame(full.shield, { maxBody: 0, on: ['timeout'], methods: 'all', forced: true });
  t.strictSame(full.hedge, { after: 50, methods: 'idempotent' });
  t.strictSame(shop('    shield: {}\n').shield, {
    maxBody: 65_536,
    on: ['connect-failure', 'reset', 'timeout', '5xx'],
    methods: 'idempotent',
    forced: false,
  });
  t.strictSame(shop('    hedge: { after: 1s }\n').hedge, { after: 1000, methods: 'safe' });
  const budget = (written: string) => shop(`    retry: { budget: ${written} }\n`).retryBudget;
  t.strictSame(budget('0'), { percent: 0, minimum: 10 });
  t.strictSame(budget('{ minimum: 3 }'), { percent: 20, minimum: 3 });
  t.strictSame(budget('{ percent: 5%, minimum: 0 }'), { percent: 5, minimum: 0 });
});

t.test('circuit, rate limit, endpoints', async (t) => {
  t.strictSame(shop('    circuit: { maxRequests: 1, maxConnections: 2, maxPending: 3, maxRetries: 4 }\n').circuit, {
    maxRequests: 1,
    maxConnections: 2,
    maxPending: 3,
    maxRetries: 4,
  });
  const limit = (written: string) => shop(`    rateLimit: { ${written} }\n`).rateLimit;
  t.strictSame(limit('rate: 100'), { rate: 100, burst: 100 });
  t.strictSame(limit('rate: 2.5/s'), { rate: 2.5, burst: 3 });
  t.strictSame(limit('rate: 1/h, key: { ip: true }'), { rate: 1 / 3600, burst: 1, key: { from: 'address' } });
  t.strictSame(limit('rate: 6000/m, burst: 20'), { rate: 100, burst: 20 });
  const text =
    'listen: :1\nservices: { s: { versions: { v: { endpoints: [{ url: "http://a", weight: 9, maxRequests: 5 }] } } } }\n';
  t.strictSame(service(text).versions[0]?.endpoints, [{ url: 'http://a', weight: 9, maxRequests: 5 }]);
});

t.test('monitor', async (t) => {
  const { alerts, ...rest } = monitor(`monitor:
  window: 30s
  history: 2h
  webhooks: [ "https://Hooks.example.com/x?y=1", "http://127.0.0.1:9000" ]
  alerts:
    - { name: errors, when: error_rate > 5%, clear: 4%, for: 30s, forecast: 10m }
    - { name: slow, when: "p95>250ms" }
    - { name: down, when: availability < 99 }
    - { name: quiet, when: throughput < 60/m, clear: 1.5 }
    - { name: any, when: error_rate > 0, clear: 0 }
    - { name: odd, when: p50 < 1.5s }
`);
  t.strictSame(rest, {
    window: 30_000,
    history: 7_200_000,
    webhooks: ['https://hooks.example.com/x?y=1', 'http://127.0.0.1:9000/'],
  });
  const alert = (name: string, metric: string, when: string, threshold: number, clear: number, more = {}) => ({
    name,
    metric,
    when,
    threshold,
    clear,
    for: 0,
    minimum: 20,
    forecast: 0,
    ...more,
  });
  t.strictSame(alerts, [
    alert('errors', 'error_rate', 'above', 5, 4, { for: 30_000, forecast: 600_000 }),
    alert('slow', 'p95', 'above', 250, 225),
    alert('down', 'availability', 'below', 99, 99.1),
    alert('quiet', 'throughput', 'below', 1, 1.5),
    alert('any', 'error_rate', 'above', 0, 0),
    alert('odd', 'p50', 'below', 1500, 1650),
  ]);
});
