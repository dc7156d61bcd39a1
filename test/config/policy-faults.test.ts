/** Faults in services' policies and in the monitor: each with its place and its words. */
import t from 'tap';
import { type FaultCase, faultsOf, oneService, threeVersions } from './fault-cases.ts';

const LANES = '    lanes: { stable: v1, canary: v2, candidate: v3 }\n';
/** Line 9 is the first of `rest`. */
const shopOf = (rest: string): string => threeVersions(LANES + rest);
/** One key of the only service, on line 5. */
const shop = (rest: string): string => oneService(`    ${rest}\n`);

const CHOICE: readonly FaultCase[] = [
  {
    name: 'strategies without what they need',
    text: `${shopOf('    split: { strategy: hash }\n')}  cart:
    versions: { v1: { endpoints: ["http://c:1"] } }
    split: { strategy: header, weights: { v1: 100 } }
  cash:
    versions: { v1: { endpoints: ["http://d:1"] } }
    split: {}
routes: [{ service: shop }, { match: { host: c }, service: cart }, { match: { host: d }, service: cash }]
`,
    faults: [
      '9:5: services.shop.split: weights is missing; strategy hash needs it, such as weights: {v1: 100}',
      '9:5: services.shop.split: key is missing; strategy hash needs it, such as key: {header: X-User-Id}',
      '12:5: services.cart.split: header is missing; strategy header needs it, such as header: X-Tenant',
      '12:5: services.cart.split: values is missing; strategy header needs it, such as values: {acme: v1}',
      '15:5: services.cash.split: weights is missing; strategy weighted needs it, such as weights: {v1: 100}',
    ],
  },
  {
    name: 'parts of a split that its strategy does not look at',
    text: shopOf('    split: { weights: { v1: 100 }, key: { ip: true }, header: X-T, values: { a: v1 }, floor: 5% }\n'),
    faults: [
      '9:36: services.shop.split.key: is not used by strategy weighted; remove it, or write strategy: hash',
      '9:55: services.shop.split.header: is not used by strategy weighted; remove it, or write strategy: header',
      '9:68: services.shop.split.values: is not used by strategy weighted; remove it, or write strategy: header',
      '9:87: services.shop.split.floor: is not used by strategy weighted; remove it, or write strategy: latency',
    ],
  },
  {
    name: 'header values that name no version',
    text: shopOf('    split: { strategy: header, header: Host, values: { a: v4, b: canary, c: "x y" , d: v3 } }\n'),
    faults: [
      '9:77: services.shop.split.values.c: must be a name of 1 to 63 letters, digits, ".", "_" or "-", the first a letter or a digit, not "x y"',
    ],
  },
  {
    name: 'header values that name an unknown version or a lane',
    text: shopOf('    split: { strategy: header, header: Host, values: { a: v4, b: canary, d: v3 } }\n'),
    faults: [
      '9:40: services.shop.split.header: Host has a meaning of its own in HTTP; use another, such as X-Canary-Deploy',
      '9:59: services.shop.split.values.a: no version v4 in this service; did you mean v1?',
      '9:66: services.shop.split.values.b: must be a version, and canary is a lane; write v2',
    ],
  },
  {
    name: 'a floor for more than there is',
    text: threeVersions('    lanes: { stable: v1 }\n    split: { strategy: latency, floor: 33.34% }\n'),
    faults: ['9:40: services.shop.split.floor: 3 versions cannot have 33.34% each; lower it'],
  },
  {
    name: 'percentages as text',
    text: shopOf('    split: { weights: { v1: 99.995%, v2: 101%, v3: 5 percent } }\n'),
    faults: ['9:52: services.shop.split.weights.v3: must be a percentage from 0 to 100, not "5 percent"'],
  },
  {
    name: 'percentages as text, too fine and too many',
    text: shopOf('    split: { weights: { v1: 0.995%, v2: 101% } }\n'),
    faults: [
      '9:14: services.shop.split.weights: weights sum to 102, must be 100; lower one by 2',
      '9:29: services.shop.split.weights.v1: 0.995 is finer than 0.01; write 1',
      '9:41: services.shop.split.weights.v2: must be a percentage from 0 to 100, not "101%"',
    ],
  },
  {
    name: 'keys of none, two and no sense',
    text: shopOf(`    experiments:
      - { name: a, key: {}, weights: { v1: 100 } }
      - { name: b, key: { header: A, ip: true }, weights: { v1: 100 } }
      - { name: c, key: { heder: A }, weights: { v1: 100 } }
      - { name: d, key: { ip: false }, weights: { v1: 100 } }
      - { name: e, key: { cookie: "a b" }, weights: { v1: 100 } }
      - { name: f, key: { query: "" }, weights: { v1: 100 } }
      - { name: g, key: { header: Connection }, weights: { v1: 100 } }
`),
    faults: [
      '10:20: services.shop.experiments[0].key: must have exactly one of header, cookie, query and ip, not none',
      '11:20: services.shop.experiments[1].key: must have exactly one of header, cookie, query and ip, not header and ip',
      '12:27: services.shop.experiments[2].key.heder: unknown key; did you mean header?',
      '13:31: services.shop.experiments[3].key.ip: must be true, not false',
      '14:35: services.shop.experiments[4].key.cookie: must be a cookie name such as canary, not "a b"',
      '15:27: services.shop.experiments[5].key.query: must be the name of a query parameter such as user, not ""',
      '16:35: services.shop.experiments[6].key.header: Connection has a meaning of its own in HTTP; use another, such as X-Canary-Deploy',
    ],
  },
  {
    name: 'experiments',
    text: shopOf(`    experiments:
      - { name: a, key: { ip: true }, weights: { v1: 50, v9: 40 } }
      - { name: a, key: { ip: true }, traffic: 101%, weights: { v1: 90, v3: 10 } }
      - { name: b, traffic: 0.001%, weights: { v1: 100 } }
      - { name: c, key: { ip: true }, traffic: 0.001%, weights: { v1: 100 } }
`),
    faults: [
      '10:39: services.shop.experiments[0].weights: weights sum to 90, must be 100; raise one by 10',
      '10:58: services.shop.experiments[0].weights.v9: no version v9 in this service; did you mean v1?',
      '11:17: services.shop.experiments[1].name: a is there twice; give each experiment its own name',
      '11:48: services.shop.experiments[1].traffic: must be from 0 to 100, not "101%"',
      '11:77: services.shop.experiments[1].weights.v3: v3 is in the candidate lane, which gets no weight; set 0, or make it the canary',
      '12:9: services.shop.experiments[2]: key is missing; add it',
      '13:48: services.shop.experiments[3].traffic: 0.001 is finer than 0.01; write 0',
    ],
  },
  {
    name: 'affinity',
    text: shop('affinity: { cookie: s, header: t, ttl: 10ms, max: 0 }'),
    faults: [
      '5:44: services.shop.affinity.ttl: must be from 1s to 8760h, not "10ms"',
      '5:55: services.shop.affinity.max: must be a whole number from 1 to 10000000, not 0',
    ],
  },
  {
    name: 'affinity by two keys',
    text: shop('affinity: { cookie: s, header: t }'),
    faults: [
      '5:5: services.shop.affinity: must have exactly one of header, cookie, query and ip, not header and cookie',
    ],
  },
  {
    name: 'affinity by none',
    text: shop('affinity: { ttl: 1h }'),
    faults: ['5:5: services.shop.affinity: must have exactly one of header, cookie, query and ip, not none'],
  },
  {
    name: 'affinity by a word',
    text: shop('affinity: sticky'),
    faults: ['5:15: services.shop.affinity: must be none, or a key such as {cookie: sluice_session}, not "sticky"'],
  },
  {
    name: 'balance',
    text: shop('balance: { policy: peak_ewma, key: { ip: true }, maxLoad: 50%, panicThreshold: 101 }'),
    faults: ['5:84: services.shop.balance.panicThreshold: must be a percentage from 0 to 100, not 101'],
  },
  {
    name: 'parts of balance that its policy does not look at',
    text: shop('balance: { policy: peak_ewma, key: { ip: true }, maxLoad: 150% }'),
    faults: [
      '5:35: services.shop.balance.key: is not used by peak_ewma; remove it, or write policy: ring_hash or maglev',
      '5:54: services.shop.balance.maxLoad: is not used by peak_ewma; remove it, or write policy: ring_hash',
    ],
  },
  {
    name: 'less load than the mean',
    text: shop('balance: { policy: ring_hash, maxLoad: 50% }'),
    faults: [
      '5:44: services.shop.balance.maxLoad: no endpoint can have less than the mean for its most; write 0, or a percentage from 100',
    ],
  },
  {
    name: 'bounds of endpoints',
    text: 'listen: :1\nservices:\n  s: { versions: { v: { endpoints: [{ url: "http://a", weight: 0, maxRequests: -1 }] } } }\n',
    faults: [
      '3:64: services.s.versions.v.endpoints[0].weight: must be a whole number from 1 to 1000, not 0',
      '3:80: services.s.versions.v.endpoints[0].maxRequests: must be a whole number from 0 to 1000000, not -1',
    ],
  },
];

const FAILURES: readonly FaultCase[] = [
  {
    name: 'health of the wrong shape',
    text: shop('health: { interval: 0s, timeout: 0ms, jitter: 51%, status: 199, healthy: 0 }'),
    faults: [
      '5:25: services.shop.health.interval: must be from 10ms to 24h, not "0s"',
      '5:38: services.shop.health.timeout: must be from 10ms to 24h, not "0ms"',
      '5:51: services.shop.health.jitter: must be from 0 to 50, not "51%"',
      '5:64: services.shop.health.status: must be a status from 200 to 599, a range such as 200-299, or a list of both, not 199',
      '5:78: services.shop.health.healthy: must be a whole number from 1 to 1000, not 0',
    ],
  },
  {
    name: 'a range of statuses beyond the last one',
    text: shop('health: { path: health, status: [299-200, 500-600], host: "http://a" }'),
    faults: [
      '5:47: services.shop.health.status[1]: must be a status from 200 to 599, or a range such as 200-299, not "500-600"',
    ],
  },
  {
    name: 'a TCP check with a path',
    text: shop('health: { tcp: true, path: /x, body: ok }'),
    faults: [
      '5:26: services.shop.health.path: a TCP check only connects; remove this, or tcp',
      '5:36: services.shop.health.body: a TCP check only connects; remove this, or tcp',
    ],
  },
  {
    name: 'outlier detection',
    text: shop(
      'outlier: { maxEjectionPercent: 101, baseEjection: 1m, maxEjection: 10s, successRate: { stdevFactor: 0 } }',
    ),
    faults: [
      '5:36: services.shop.outlier.maxEjectionPercent: must be a percentage from 0 to 100, not 101',
      '5:105: services.shop.outlier.successRate.stdevFactor: must be a number from 0.1 to 100, not 0',
    ],
  },
  {
    name: 'an ejection that ends before it begins',
    text: shop('outlier: { maxEjectionPercent: 150%, baseEjection: 1m, maxEjection: 10s }'),
    faults: [
      '5:36: services.shop.outlier.maxEjectionPercent: must be from 0 to 100, not "150%"',
      '5:73: services.shop.outlier.maxEjection: "10s" is less than baseEjection; raise it, or lower baseEjection',
    ],
  },
  {
    name: 'what is retried',
    text: shop('retry: { on: [tiemout, "503", 399, 600], methods: [get], attempts: 11, budget: many }'),
    faults: [
      '5:19: services.shop.retry.on[0]: no failure tiemout; did you mean timeout?',
      '5:28: services.shop.retry.on[1]: no failure 503; there are: connect-failure, reset, timeout, 5xx, gateway-error',
      '5:35: services.shop.retry.on[2]: must be a failure: connect-failure, reset, timeout, 5xx, gateway-error, or a status from 400 to 599, not 399',
      '5:40: services.shop.retry.on[3]: must be a failure: connect-failure, reset, timeout, 5xx, gateway-error, or a status from 400 to 599, not 600',
      '5:56: services.shop.retry.methods[0]: must be a method in upper case such as GET, not "get"',
      '5:72: services.shop.retry.attempts: must be a whole number from 0 to 10, not 11',
      '5:84: services.shop.retry.budget: must be a percentage such as 20%, or {percent, minimum}, not "many"',
    ],
  },
  {
    name: 'memory for bodies',
    text: oneService(
      '    retry: { maxBody: 11MiB, backoff: 1s, maxBackoff: 10ms, budget: 101% }\n    shield: { maxBody: 10485761 }\n',
    ),
    faults: [
      '5:23: services.shop.retry.maxBody: must be from 0 to 10MiB, not "11MiB"',
      '5:55: services.shop.retry.maxBackoff: "10ms" is less than backoff; raise it, or lower backoff',
      '5:69: services.shop.retry.budget: must be from 0 to 100, not "101%"',
      '6:24: services.shop.shield.maxBody: must be from 0 to 10MiB, not 10485761',
    ],
  },
  {
    name: 'methods and an empty list',
    text: oneService('    shield: { methods: GET, on: [] }\n    hedge: { methods: safe }\n'),
    faults: [
      '5:24: services.shop.shield.methods: must be safe, idempotent, all, or a list such as [GET, POST], not "GET"',
      '5:29: services.shop.shield.on: is empty; add at least one entry',
      '6:5: services.shop.hedge: after is missing; add it',
    ],
  },
  {
    name: 'sections without a value',
    text: oneService('    retry:\n    balance:\n    affinity:\n    split:\n    health:\n    hedge:\n'),
    faults: [
      '5:5: services.shop.retry: has no value; it must be a mapping of keys to values, or be left out',
      '6:5: services.shop.balance: has no value; it must be a policy: round_robin, weighted_round_robin, random, least_request, peak_ewma, ring_hash, maglev, or be left out',
      '7:5: services.shop.affinity: has no value; it must be none, or a key such as {cookie: sluice_session}, or be left out',
      '8:5: services.shop.split: has no value; it must be a mapping of keys to values, or be left out',
      '9:5: services.shop.health: has no value; it must be a mapping of keys to values, or be left out',
      '10:5: services.shop.hedge: has no value; it must be a mapping of keys to values, or be left out',
    ],
  },
  {
    name: 'circuit and rate limit',
    text: oneService('    circuit: { maxRequest: 5, maxPending: -1 }\n    rateLimit: { burst: 0 }\n'),
    faults: [
      '5:16: services.shop.circuit.maxRequest: unknown key; did you mean maxRequests?',
      '5:43: services.shop.circuit.maxPending: must be a whole number from 0 to 1000000, not -1',
      '6:5: services.shop.rateLimit: rate is missing; add it',
      '6:25: services.shop.rateLimit.burst: must be a whole number from 1 to 1000000, not 0',
    ],
  },
];

const RATES: readonly (readonly [rate: string, fault: string])[] = [
  ['0', 'must be a rate such as 100 (per second), 100/s, 6000/m or 1/h, not 0'],
  ['fast', 'must be a rate such as 100 (per second), 100/s, 6000/m or 1/h, not "fast"'],
  ['100/d', 'must be a rate such as 100 (per second), 100/s, 6000/m or 1/h, not "100/d"'],
  ['0/s', 'must be from 1/h to 1000000/s, not "0/s"'],
  ['0.5/h', 'must be from 1/h to 1000000/s, not "0.5/h"'],
  ['1000001', 'must be from 1/h to 1000000/s, not 1000001'],
];

const CONDITIONS: readonly (readonly [when: string, fault: string])[] = [
  ['error_rate', 'must be a condition such as error_rate > 5% or p95 > 250ms, not "error_rate"'],
  ['error_rate >', 'must be a condition such as error_rate > 5% or p95 > 250ms, not "error_rate >"'],
  ['eror_rate > 5%', 'no metric eror_rate; did you mean error_rate?'],
  ['cpu > 5%', 'no metric cpu; there are: availability, error_rate, p50, p95, p99, throughput'],
  ['p95 >= 5ms', 'cannot compare with >=; write > or <'],
  ['p95 > 250', 'p95 is compared with a duration such as 250ms, not with "250"'],
  ['p95 > 5%', 'p95 is compared with a duration such as 250ms, not with "5%"'],
  ['availability < 101%', 'availability is compared with a percentage from 0 to 100 such as 5%, not with "101%"'],
  ['error_rate > 1s', 'error_rate is compared with a percentage from 0 to 100 such as 5%, not with "1s"'],
  ['throughput < 1/d', 'throughput is compared with requests per second such as 100, not with "1/d"'],
];

const WEBHOOKS: readonly (readonly [url: string, fault: string])[] = [
  ['hooks.example.com', 'must be a URL such as https://hooks.example.com/sluice, not "hooks.example.com"'],
  ['ftp://a', 'must be a URL such as https://hooks.example.com/sluice, not "ftp://a"'],
  ['http://a:70000', 'cannot be read as a URL: "http://a:70000"'],
  ['http://u:p@a', 'must not have a user or a password; put a secret into the path or the query'],
  ['http://a:0', 'port 0 cannot be connected to; write the port of the receiver'],
];

const MONITOR: readonly FaultCase[] = [
  {
    name: 'alerts',
    text: oneService(`monitor:
  alerts:
    - { name: a, when: error_rate > 5%, clear: 6% }
    - { name: a, when: availability < 99%, clear: 98 }
    - { name: b, when: "p95 > 1s", clear: 4% }
    - { name: c, for: 5 }
`),
    faults: [
      '7:48: monitor.alerts[0].clear: "6%" would clear the alert while it is raised; write a value below the threshold',
      '8:15: monitor.alerts[1].name: a is there twice; give each alert its own name',
      '8:51: monitor.alerts[1].clear: 98 would clear the alert while it is raised; write a value above the threshold',
      '9:43: monitor.alerts[2].clear: p95 is compared with a duration such as 250ms, not with "4%"',
      '10:7: monitor.alerts[3]: when is missing; add it',
      '10:23: monitor.alerts[3].for: must be a duration such as 250ms, 10s, 5m or 1h, not 5: write 5s for seconds or 5ms for milliseconds',
    ],
  },
  {
    name: 'a history shorter than the window',
    text: oneService('monitor: { window: 10m, history: 5m }\n'),
    faults: ['5:34: monitor.history: "5m" makes history shorter than window; history keeps at least one window'],
  },
  {
    name: 'a webhook twice',
    text: oneService('monitor: { webhooks: ["http://a", "http://A/"] }\n'),
    faults: ['5:35: monitor.webhooks[1]: is there twice; remove one of the two'],
  },
];

for (const { name, text, env, faults } of [...CHOICE, ...FAILURES, ...MONITOR]) {
  t.test(name, async (t) => t.strictSame(faultsOf(text, env), faults));
}

t.test('statuses, paths and hosts of health', async (t) => {
  const health = (rest: string) =>
    faultsOf(shop(`health: { ${rest} }`)).map((fault) => fault.replace(/^.*health\./, ''));
  t.strictSame(health('status: 300-200'), ['status: ends before it begins; write 200-300']);
  t.strictSame(health('status: [200, 500-400]'), ['status[1]: ends before it begins; write 400-500']);
  t.strictSame(health('path: health'), ['path: must begin with "/"; write "/health"']);
  t.strictSame(health('path: "/a b"'), [
    'path: must be a path as it is sent: no fragment, spaces or unescaped characters',
  ]);
  for (const host of ['http://a', 'a/b', 'a:0', 'a:65536', '1.2.3', '[::g]']) {
    const message = `host: must be a host such as shop.internal or shop.internal:8080, not "${host}"`;
    t.strictSame(health(`host: "${host}"`), [message], host);
  }
  for (const host of ['a', 'a.b:80', '[::1]:8080', '127.0.0.1']) t.strictSame(health(`host: "${host}"`), [], host);
});

t.test('rates', async (t) => {
  for (const [rate, fault] of RATES) {
    t.strictSame(
      faultsOf(shop(`rateLimit: { rate: ${rate} }`)),
      [`5:24: services.shop.rateLimit.rate: ${fault}`],
      rate,
    );
  }
});

t.test('conditions of alerts', async (t) => {
  for (const [when, fault] of CONDITIONS) {
    const text = oneService(`monitor:\n  alerts:\n    - name: a\n      when: "${when}"\n`);
    t.strictSame(faultsOf(text), [`8:13: monitor.alerts[0].when: ${fault}`], when);
  }
});

t.test('webhooks', async (t) => {
  for (const [url, fault] of WEBHOOKS) {
    const text = oneService(`monitor:\n  webhooks: ["${url}"]\n`);
    t.strictSame(faultsOf(text), [`6:14: monitor.webhooks[0]: ${fault}`], url);
  }
});
