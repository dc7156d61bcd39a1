/** Faults of meaning: what has its shape and still cannot be served. */
import t from 'tap';
import { type FaultCase, faultsOf, oneService, threeVersions } from './fault-cases.ts';

const VERSIONS: readonly FaultCase[] = [
  {
    name: 'weights that do not sum to 100',
    text: threeVersions('    lanes: { stable: v1 }\n    split:\n      weights: { v1: 60, v2: 30 }\n'),
    faults: ['10:7: services.shop.split.weights: weights sum to 90, must be 100; raise one by 10'],
  },
  {
    name: 'weights that sum to a little more',
    text: threeVersions('    lanes: { stable: v1 }\n    split:\n      weights: { v1: 60, v2: 40.01 }\n'),
    faults: ['10:7: services.shop.split.weights: weights sum to 100.01, must be 100; lower one by 0.01'],
  },
  {
    name: 'a weight finer than 0.01',
    text: threeVersions('    lanes: { stable: v1 }\n    split:\n      weights: { v1: 66.667, v2: 33.33 }\n'),
    faults: ['10:22: services.shop.split.weights.v1: 66.667 is finer than 0.01; write 66.67'],
  },
  {
    name: 'a negative weight',
    text: threeVersions('    lanes: { stable: v1 }\n    split:\n      weights: { v1: 101, v2: -1 }\n'),
    faults: [
      '10:22: services.shop.split.weights.v1: must be a percentage from 0 to 100, not 101',
      '10:31: services.shop.split.weights.v2: must be a percentage from 0 to 100, not -1',
    ],
  },
  {
    name: 'weights of unknown versions and of lanes',
    text: threeVersions(
      '    lanes: { stable: v1, canary: v2 }\n    split:\n      weights: { v1: 50, v9: 20, canary: 30 }\n',
    ),
    faults: [
      '10:26: services.shop.split.weights.v9: no version v9 in this service; did you mean v1?',
      '10:34: services.shop.split.weights.canary: must be a version, and canary is a lane; write v2',
    ],
  },
  {
    name: 'a candidate with a weight',
    text: threeVersions('    lanes: { stable: v1, candidate: v3 }\n    split:\n      weights: { v1: 90, v3: 10 }\n'),
    faults: [
      '10:30: services.shop.split.weights.v3: v3 is in the candidate lane, which gets no weight; set 0, or make it the canary',
    ],
  },
  {
    name: 'lanes of unknown versions, two lanes for one',
    text: threeVersions('    lanes: { stable: one, canary: v2, candidate: v2 }\n'),
    faults: [
      '8:22: services.shop.lanes.stable: no version one in this service; there are: v1, v2, v3',
      '8:50: services.shop.lanes.candidate: v2 is in the canary lane already; a version has one lane',
    ],
  },
  {
    name: 'several versions without lanes',
    text: threeVersions(''),
    faults: [
      '3:3: services.shop: lanes is missing; with several versions say which is stable, such as lanes: {stable: v1}',
    ],
  },
  {
    name: 'lanes without stable',
    text: threeVersions('    lanes: { canary: v2 }\n'),
    faults: ['8:5: services.shop.lanes: stable is missing; add it'],
  },
  {
    name: 'a version named like a lane',
    text: 'listen: :1\nservices:\n  s:\n    versions:\n      stable: { endpoints: ["http://a"] }\n',
    faults: [
      '5:7: services.s.versions.stable: stable is the name of a lane; give the version another name, such as v1',
    ],
  },
  {
    name: 'a header that HTTP needs',
    text: oneService('    override: { header: Host }\n'),
    faults: [
      '5:25: services.shop.override.header: Host has a meaning of its own in HTTP; use another, such as X-Canary-Deploy',
    ],
  },
];

const ENDPOINTS: readonly (readonly [endpoint: string, fault: string])[] = [
  ['https://a:1', 'https is not supported yet; use an http:// endpoint'],
  ['a:1', 'must be a URL such as http://127.0.0.1:3000, not "a:1"'],
  ['http://a:1/x', 'must not have a path, a query or a fragment; write http://a:1'],
  ['http://a:1?x', 'must not have a path, a query or a fragment; write http://a:1'],
  ['http://a:1#', 'must not have a path, a query or a fragment; write http://a:1'],
  ['http://u:p@a:1', 'must not have a user or a password; remove what stands before the "@"'],
  ['http://a:0', 'port 0 cannot be connected to; write the port of the endpoint'],
  ['http://a:70000', 'cannot be read as a URL: "http://a:70000"'],
  ['http://a b', 'cannot be read as a URL: "http://a b"'],
];

const LISTEN: readonly (readonly [listen: string, fault: string])[] = [
  ['nowhere', 'must be an address such as 127.0.0.1:8080, :8080 or [::1]:8080, not "nowhere"'],
  ['"::1:8080"', 'must be an address such as 127.0.0.1:8080, :8080 or [::1]:8080, not "::1:8080"'],
  ['256.0.0.1:80', 'must be an address such as 127.0.0.1:8080, :8080 or [::1]:8080, not "256.0.0.1:80"'],
  ['"[::g]:80"', 'must be an address such as 127.0.0.1:8080, :8080 or [::1]:8080, not "[::g]:80"'],
  [':65536', 'port 65536 is too high; a port is at most 65535'],
];

const HOSTS: readonly (readonly [host: string, fault: string])[] = [
  ['a.example:80', 'must be a host without a port; write a.example'],
  ['"*"', 'leave host out to match every host'],
  ['a.*.example', 'a wildcard stands only at the front: *.example.com'],
  ['"*.1.2.3.4"', 'a wildcard stands before a domain, not before an address'],
  ['"a b"', 'must be a host such as shop.example.com or *.example.com, not "a b"'],
];

const ROUTES: readonly FaultCase[] = [
  {
    name: 'several services without routes',
    text: 'listen: :1\nservices:\n  a: &s { versions: { v1: { endpoints: ["http://a"] } } }\n  b: *s\n',
    faults: ['1:1: routes is missing; with several services say which requests go to which'],
  },
  {
    name: 'a route to an unknown service',
    text: oneService('routes:\n  - service: shpo\n'),
    faults: ['6:14: routes[0].service: no service shpo; did you mean shop?'],
  },
  {
    name: 'the same requests twice',
    text: oneService(
      'routes:\n  - match: { host: A.x }\n    service: shop\n  - match: { host: a.x, pathPrefix: / }\n    service: shop\n',
    ),
    faults: ['8:5: routes[1]: matches the same requests as routes[0]; remove one of the two'],
  },
  {
    name: 'prefixes that no path begins with',
    text: oneService(
      'routes:\n  - { match: { pathPrefix: api }, service: shop }\n  - { match: { pathPrefix: /a?b }, service: shop }\n',
    ),
    faults: [
      '6:28: routes[0].match.pathPrefix: must begin with "/"; write "/api"',
      '7:28: routes[1].match.pathPrefix: must be a path as it is sent: no query, fragment, spaces or unescaped characters',
    ],
  },
];

const REST: readonly FaultCase[] = [
  {
    name: 'an endpoint twice',
    text: 'listen: :1\nservices:\n  s:\n    versions:\n      v1:\n        endpoints:\n          - http://a:80\n          - url: http://A/\n',
    faults: [
      '8:18: services.s.versions.v1.endpoints[1].url: http://a is there twice; remove one, or give one entry a higher weight',
    ],
  },
  {
    name: 'an address twice',
    text: 'listen: [8080, {address: "0.0.0.0:8080"}, ":0", ":0"]\nservices: { s: { versions: { v: { endpoints: ["http://a"] } } } }\n',
    faults: ['1:26: listen[1].address: is there twice; remove one of the two'],
  },
  {
    name: 'bounds of sizes and durations',
    text: oneService('limits: { headSize: 512 }\ntimeouts: { head: 1ms, keepAlive: 25h }\n'),
    faults: [
      '5:21: limits.headSize: must be from 1KiB to 1MiB, not 512',
      '6:19: timeouts.head: must be from 10ms to 24h, not "1ms"',
      '6:35: timeouts.keepAlive: must be from 10ms to 24h, not "25h"',
    ],
  },
  {
    name: 'a target longer than the head',
    text: oneService('limits: { headSize: 4KiB, targetLength: 8KiB }\n'),
    faults: ['5:41: limits.targetLength: "8KiB" is more than limits.headSize; lower it, or raise limits.headSize'],
  },
  {
    name: 'trusted proxies',
    text: oneService('trustedProxies: [10.0.0.0/33, "::1/129", proxy.local, 10.0.0.1, "fd00::/8", 10.0.0.0/08]\n'),
    faults: ['10.0.0.0/33', '::1/129', 'proxy.local', '10.0.0.0/08'].map((block, index) => {
      const place = [
        '5:18: trustedProxies[0]',
        '5:31: trustedProxies[1]',
        '5:42: trustedProxies[2]',
        '5:77: trustedProxies[5]',
      ];
      return `${place[index]}: must be an address or a CIDR block such as 10.0.0.0/8 or ::1, not "${block}"`;
    }),
  },
  {
    name: 'a fault of one part does not hide those of others',
    text: oneService('    timeouts: { connect: 5 }\n    split: { weights: { v1: 5 } }\nworkers: many\n'),
    faults: [
      '5:26: services.shop.timeouts.connect: must be a duration such as 250ms, 10s, 5m or 1h, not 5: write 5s for seconds or 5ms for milliseconds',
      '6:14: services.shop.split.weights: weights sum to 5, must be 100; raise one by 95',
      '7:10: workers: must be auto or a whole number from 1 to 256, not "many"',
    ],
  },
];

for (const { name, text, env, faults } of [...VERSIONS, ...ROUTES, ...REST]) {
  t.test(name, async (t) => t.strictSame(faultsOf(text, env), faults));
}

t.test('endpoints', async (t) => {
  for (const [endpoint, fault] of ENDPOINTS) {
    const text = `listen: :1\nservices: { s: { versions: { v: { endpoints: ["${endpoint}"] } } } }\n`;
    t.strictSame(faultsOf(text), [`2:47: services.s.versions.v.endpoints[0]: ${fault}`], endpoint);
  }
});

t.test('listen', async (t) => {
  for (const [listen, fault] of LISTEN) {
    const text = `services: { s: { versions: { v: { endpoints: ["http://a"] } } } }\nlisten: ${listen}\n`;
    t.strictSame(faultsOf(text), [`2:9: listen: ${fault}`], listen);
  }
});

t.test('hosts of routes', async (t) => {
  for (const [host, fault] of HOSTS) {
    const text = oneService(`routes:\n  - service: shop\n    match:\n      host: ${host}\n`);
    t.strictSame(faultsOf(text), [`8:13: routes[0].match.host: ${fault}`], host);
  }
});
