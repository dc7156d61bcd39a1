/** Feature flags in the file: what is written, what it means, what is refused. */
import t from 'tap';
import { compileSnapshot } from '../../src/control/config/compile.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import { type FaultCase, faultsOf, oneService } from './fault-cases.ts';

const parse = (rest: string, env: Readonly<Record<string, string>> = {}) =>
  parseConfig(oneService(rest), 'sluice.yaml', env);

t.test('values', async (t) => {
  const { flags } = parse(
    `flags:
  a: on
  b: off
  c: true
  d: false
  e: 100%
  f: 0
  g: "true"
  h: \${H}
  new-checkout: { default: off, environments: { staging: on, production: 5% }, key: { header: X-User-Id }, header: X-Flag-New-Checkout }
  constructor: { environments: { production: 0.01, constructor: 99.99 }, key: { cookie: __proto__ } }
  silent: { default: 12.5, key: { ip: true } }
`,
    { H: 'off' },
  );
  const plain = (name: string, share: number) => ({ name, default: share, environments: {} });
  t.strictSame(flags, [
    plain('a', 100),
    plain('b', 0),
    plain('c', 100),
    plain('d', 0),
    plain('e', 100),
    plain('f', 0),
    plain('g', 100),
    plain('h', 0),
    {
      name: 'new-checkout',
      default: 0,
      environments: { staging: 100, production: 5 },
      key: { from: 'header', name: 'x-user-id' },
      header: 'X-Flag-New-Checkout',
    },
    {
      name: 'constructor',
      default: 0,
      environments: { production: 0.01, constructor: 99.99 },
      key: { from: 'cookie', name: '__proto__' },
    },
    { name: 'silent', default: 12.5, environments: {}, key: { from: 'address' } },
  ]);
  t.strictSame(parse('').flags, []);
});

t.test('the environment says which share holds', async (t) => {
  const config = parse(
    'flags: { a: { default: 1.15, environments: { staging: on, production: 0.01 }, key: { ip: true }, header: X-A }, b: on }\n',
  );
  const shares = (environment: string) =>
    compileSnapshot({ ...config, environment }, 1).flags.map((flag) => flag.share);
  t.strictSame(shares('default'), [115, 10_000]);
  t.strictSame(shares('staging'), [10_000, 10_000]);
  t.strictSame(shares('production'), [1, 10_000]);
  t.strictSame(shares('constructor'), [115, 10_000], 'a name that every object has');
  t.strictSame(compileSnapshot(config, 1).flags, [
    { name: 'a', share: 115, key: { from: 'address' }, header: 'X-A' },
    { name: 'b', share: 10_000, key: null, header: null },
  ]);
});

t.test('routes ask for flags', async (t) => {
  const { routes } = parse(`flags: { a: on, b: off, c: on, d: on }
routes:
  - { match: { flags: { a: on, b: off, c: true, d: "false" } }, service: shop }
  - { match: { flags: { a: off } }, service: shop }
  - { service: shop }
`);
  t.strictSame(
    routes.map((route) => route.match.flags),
    [
      [
        { name: 'a', on: true },
        { name: 'b', on: false },
        { name: 'c', on: true },
        { name: 'd', on: false },
      ],
      [{ name: 'a', on: false }],
      [],
    ],
  );
});

const KEY = 'need a key to tell them by; add one such as key: {header: X-User-Id}, or write on or off';
const VALUE = 'must be on, off, a percentage from 0 to 100, or a mapping of default, environments, key and header';

const FAULTS: readonly FaultCase[] = [
  {
    name: 'a share without a key, by default or somewhere',
    text: oneService(`flags:
  a: 5%
  b: { default: 0.01 }
  c: { environments: { staging: on, production: 99.99, test: 5 }, header: X-C }
  d: { default: on, environments: { production: off } }
`),
    faults: [
      `6:6: flags.a: 5% of the users ${KEY}`,
      `7:17: flags.b.default: 0.01% of the users ${KEY}`,
      `8:49: flags.c.environments.production: 99.99% of the users ${KEY}`,
    ],
  },
  {
    name: 'shares that are none',
    text: oneService(`flags:
  a: "yes"
  b: 101
  c: [on]
  d: { default: 101%, key: { ip: true } }
  e: { default: -1, key: { ip: true } }
  f: { environments: { p: 0.005 }, key: { ip: true } }
  g:
`),
    faults: [
      `6:6: flags.a: ${VALUE}, not "yes"`,
      `7:6: flags.b: ${VALUE}, not 101`,
      `8:3: flags.c: ${VALUE}, not a list`,
      '9:17: flags.d.default: must be from 0 to 100, not "101%"',
      '10:17: flags.e.default: must be on, off or a percentage from 0 to 100, not -1',
      '11:27: flags.f.environments.p: 0.005 is finer than 0.01; write 0.01',
      `12:3: flags.g: has no value; it ${VALUE}, or be left out`,
    ],
  },
  {
    name: 'names and keys',
    text: oneService(`flags:
  "a b": on
  c: { defualt: on }
  d: { environments: { "": on }, key: { header: Host } }
  e: { key: { header: X-A, cookie: b } }
`),
    faults: [
      '6:3: flags["a b"]: must be a name of 1 to 63 letters, digits, ".", "_" or "-", the first a letter or a digit',
      '7:8: flags.c.defualt: unknown key; did you mean default?',
      '8:24: flags.d.environments[""]: must be a name of 1 to 63 letters, digits, ".", "_" or "-", the first a letter or a digit',
      '9:8: flags.e.key: must have exactly one of header, cookie, query and ip, not header and cookie',
    ],
  },
  {
    name: 'headers that mean something, or two things',
    text: oneService(`flags:
  a: { header: X-Flag }
  b: { header: x-flag }
  c: { header: Host }
  d: { header: Transfer-Encoding }
  e: { header: X-Request-Id }
  f: { header: X-Forwarded-Flag }
  g: { header: cookie }
  h: { header: "X Flag" }
`),
    faults: [
      '7:16: flags.b.header: x-flag tells of the flag a already; use another',
      ...['8:16: flags.c.header: Host', '9:16: flags.d.header: Transfer-Encoding'],
      ...['10:16: flags.e.header: X-Request-Id', '11:16: flags.f.header: X-Forwarded-Flag'],
      '12:16: flags.g.header: cookie',
      '13:16: flags.h.header: must be a header name such as X-Canary-Deploy, not "X Flag"',
    ].map((fault) =>
      /header: [A-Za-z-]+$/.test(fault) ? `${fault} has a meaning of its own; use another, such as X-Flag-Beta` : fault,
    ),
  },
  {
    name: 'headers that something else reads or changes',
    text: oneService(`    override: { header: x-a }
    affinity: { header: X-B }
    experiments: [ { name: e, key: { header: X-C }, weights: { v1: 100 } } ]
routes:
  - { match: { headers: { X-D: "1" } }, service: shop, requestHeaders: { set: { X-E: "1" } } }
flags:
  a: { header: X-A }
  b: { header: X-B }
  c: { header: X-C }
  d: { header: X-D }
  e: { header: X-E }
  f: { header: X-F, key: { header: X-G } }
  g: { header: X-G }
`),
    faults: [
      [11, 'a', 'X-A'],
      [12, 'b', 'X-B'],
      [13, 'c', 'X-C'],
      [14, 'd', 'X-D'],
      [15, 'e', 'X-E'],
      [17, 'g', 'X-G'],
    ].map(
      ([line, name, header]) =>
        `${line}:16: flags.${name}.header: ${header} is read or changed elsewhere in the file; a flag needs a header of its own`,
    ),
  },
  {
    name: 'routes that ask for flags that are not there, or for too much',
    text: oneService(`flags: { new-checkout: on, banner: off }
routes:
  - { match: { flags: { new-chekout: on } }, service: shop }
  - { match: { flags: { zzz: on } }, service: shop }
  - { match: { flags: { banner: 5% } }, service: shop }
  - { match: { path: /a, flags: { banner: on, new-checkout: off } }, service: shop }
  - { match: { path: /a, flags: { new-checkout: off, banner: true } }, service: shop }
  - { match: { path: /a, flags: { banner: on, new-checkout: on } }, service: shop }
`),
    faults: [
      '7:25: routes[0].match.flags.new-chekout: no flag new-chekout; did you mean new-checkout?',
      '8:25: routes[1].match.flags.zzz: no flag zzz; there are: new-checkout, banner',
      '9:33: routes[2].match.flags.banner: must be on or off, not "5%"',
      '11:5: routes[4]: matches the same requests as routes[3]; remove one of the two',
    ],
  },
  {
    name: 'routes that ask for flags where there are none',
    text: oneService('routes:\n  - { match: { flags: { a: on } }, service: shop }\n'),
    faults: ['6:25: routes[0].match.flags.a: no flag a; there are none; add it to flags'],
  },
  {
    name: 'no mapping: nobody knows which flags there are',
    text: oneService('flags: [ a ]\nroutes:\n  - { match: { flags: { a: on } }, service: shop }\n'),
    faults: ['5:1: flags: must be a mapping of keys to values, not a list'],
  },
  {
    name: 'an empty mapping',
    text: oneService('flags: {}\n'),
    faults: ['5:1: flags: is empty; add at least one entry'],
  },
];

for (const { name, text, faults } of FAULTS) {
  t.test(name, async (t) => {
    t.strictSame(faultsOf(text), faults);
  });
}

t.test('flags take places among the headers that are read', async (t) => {
  const flags = (count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`f${i}`, { header: `X-F${i}`, key: { header: `X-K${i}` } }]),
    );
  t.strictSame(faultsOf(oneService(`flags: ${JSON.stringify(flags(100))}\n`)), []);
  t.match(faultsOf(oneService(`flags: ${JSON.stringify(flags(101))}\n`)), [
    /read or change 202 different headers with routes and flags/,
  ]);
});
