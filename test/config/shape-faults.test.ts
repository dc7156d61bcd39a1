// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to the environment are what is tested
/** Faults of syntax and shape: YAML, unknown and missing keys, types, patterns; each with its place and its words. */
import t from 'tap';
import { type FaultCase, faultsOf, oneService } from './fault-cases.ts';

const SYNTAX: readonly FaultCase[] = [
  { name: 'an empty file', text: '', faults: ['1:1: is empty; it needs at least listen and services'] },
  { name: 'only comments', text: '# nothing\n', faults: ['1:1: is empty; it needs at least listen and services'] },
  { name: 'a list at the top', text: '- a\n', faults: ['1:1: must be a mapping of keys to values, not a list'] },
  {
    name: 'bad indentation',
    text: 'listen: :1\nservices:\n    shop: 1\n  other: 2\n',
    faults: ['4:1: not valid YAML: All mapping items must start at the same column'],
  },
  {
    name: 'a tab as indentation',
    text: 'services:\n\tshop: 1\n',
    faults: ['2:1: tabs cannot indent YAML; use spaces'],
  },
  {
    name: 'an unclosed quote',
    text: 'listen: "x\n',
    faults: ['2:1: not valid YAML: Missing closing "quote'],
  },
  {
    name: 'a second document',
    text: 'listen: :1\n---\na: 1\n',
    faults: ['2:1: a second YAML document begins here; a configuration is one document'],
  },
  { name: 'an unknown tag', text: 'listen: !x 1\n', faults: ['1:9: not valid YAML: Unresolved tag: !x'] },
  {
    name: 'an unquoted reference in a flow list',
    text: 'listen: [ ${A} ]\n',
    faults: ['1:12: Missing , or : between flow sequence items; inside [ ] or { } put quotes around a value with ${…}'],
  },
  {
    name: 'a repeated key, and what else is wrong',
    text: oneService('listen: :1\nworkers: 0\n'),
    faults: [
      '5:1: listen: this key is there twice; keep one of the two',
      '6:10: workers: must be auto or a whole number from 1 to 256, not 0',
    ],
  },
  {
    name: 'a repeated version',
    text: 'listen: :1\nservices:\n  s:\n    versions:\n      v1: { endpoints: ["http://a"] }\n      v1: { endpoints: ["http://a"] }\n',
    faults: ['6:7: services.s.versions.v1: this key is there twice; keep one of the two'],
  },
  {
    name: 'an alias without an anchor',
    text: oneService('    pool: *p\n'),
    faults: ['5:11: services.shop.pool: no anchor &p before this alias; define it further up'],
  },
  {
    name: 'a mapping as a key',
    text: oneService('? { a: 1 }\n: 2\n'),
    faults: ['5:3: a key must be a plain name'],
  },
];

const KEYS: readonly FaultCase[] = [
  {
    name: 'missing keys',
    text: '{}\n',
    faults: ['1:1: listen is missing; add it', '1:1: services is missing; add it'],
  },
  {
    name: 'a service without versions',
    text: 'listen: :1\nservices:\n  shop: {}\n',
    faults: ['3:3: services.shop: versions is missing; add it'],
  },
  {
    name: 'no service',
    text: 'listen: :1\nservices: {}\n',
    faults: ['2:1: services: is empty; add at least one entry'],
  },
  {
    name: 'a version without endpoints',
    text: 'listen: :1\nservices:\n  s:\n    versions:\n      v1: { endpoints: [] }\n      v2: {}\n',
    faults: [
      '3:3: services.s: lanes is missing; with several versions say which is stable, such as lanes: {stable: v1}',
      '5:13: services.s.versions.v1.endpoints: is empty; add at least one entry',
      '6:7: services.s.versions.v2: endpoints is missing; add it',
    ],
  },
  {
    name: 'a mistyped key',
    text: oneService('workrs: 2\n'),
    faults: ['5:1: workrs: unknown key; did you mean workers?'],
  },
  {
    name: 'two letters swapped, wrong case',
    text: oneService('    timeouts: { conenct: 1s, IDLE: 1s }\n'),
    faults: [
      '5:17: services.shop.timeouts.conenct: unknown key; did you mean connect?',
      '5:30: services.shop.timeouts.IDLE: unknown key; did you mean idle?',
    ],
  },
  {
    name: 'a key like nothing known',
    text: oneService('headers: { banana: 1 }\n'),
    faults: ['5:12: headers.banana: unknown key; known here: forwarded, via'],
  },
  {
    name: 'planned keys of listeners',
    text: 'listen: [{ address: ":1", tls: {}, proxyProtocol: true }]\nservices: { s: { versions: { v: { endpoints: ["http://a"] } } } }\n',
    faults: [
      '1:27: listen[0].tls: not supported yet; remove it',
      '1:36: listen[0].proxyProtocol: not supported yet; remove it',
    ],
  },
  {
    name: 'an unknown split strategy',
    text: oneService('    split: { strategy: wieghted, weights: { v1: 100 } }\n'),
    faults: ['5:24: services.shop.split.strategy: no strategy wieghted; did you mean weighted?'],
  },
  {
    name: 'a split strategy like nothing known',
    text: oneService('    split: { strategy: dice, weights: { v1: 100 } }\n'),
    faults: [
      '5:24: services.shop.split.strategy: no strategy dice; there are: weighted, hash, latency, header, round_robin',
    ],
  },
  {
    name: 'an unknown policy, both ways of writing it',
    text: `${oneService('    balance: peak_ewm\n')}  cart:\n    versions: { v1: { endpoints: ["http://b:1"] } }\n    balance: { policy: Maglev }\nroutes: [{ service: shop }, { match: { host: c }, service: cart }]\n`,
    faults: [
      '5:14: services.shop.balance: no policy peak_ewm; did you mean peak_ewma?',
      '8:24: services.cart.balance.policy: no policy Maglev; did you mean maglev?',
    ],
  },
  {
    name: 'an override by nothing',
    text: oneService('    override: {}\n'),
    faults: ['5:5: services.shop.override: is empty; add at least one entry'],
  },
  {
    name: 'names',
    text: 'listen: :1\nservices:\n  -s: { versions: { "v 1": { endpoints: ["http://a"] } } }\n',
    faults: [
      '3:3: services.-s: must be a name of 1 to 63 letters, digits, ".", "_" or "-", the first a letter or a digit',
      '3:21: services.-s.versions["v 1"]: must be a name of 1 to 63 letters, digits, ".", "_" or "-", the first a letter or a digit',
    ],
  },
];

const VALUES: readonly FaultCase[] = [
  {
    name: 'a duration without a unit',
    text: oneService('timeouts: { head: 10, drain: "5" }\n'),
    faults: [
      '5:19: timeouts.head: must be a duration such as 250ms, 10s, 5m or 1h, not 10: write 10s for seconds or 10ms for milliseconds',
      '5:30: timeouts.drain: must be a duration such as 250ms, 10s, 5m or 1h, not "5"',
    ],
  },
  {
    name: 'sizes',
    text: oneService('limits: { headSize: 16 kb, bodySize: -1, targetLength: 1.5 }\n'),
    faults: [
      '5:21: limits.headSize: must be a size such as 16KiB, 1MiB, 10MB or a number of bytes, not "16 kb"',
      '5:38: limits.bodySize: must be a size such as 16KiB, 1MiB, 10MB or a number of bytes, not -1',
      '5:56: limits.targetLength: must be a size such as 16KiB, 1MiB, 10MB or a number of bytes, not 1.5',
    ],
  },
  {
    name: 'numbers out of bounds',
    text: oneService('workers: 257\nlimits: { headerCount: 0 }\n'),
    faults: [
      '5:10: workers: must be auto or a whole number from 1 to 256, not 257',
      '6:24: limits.headerCount: must be a whole number from 1 to 10000, not 0',
    ],
  },
  {
    name: 'an empty section',
    text: oneService('timeouts:\n'),
    faults: ['5:1: timeouts: has no value; it must be a mapping of keys to values, or be left out'],
  },
  {
    name: 'a string where a list is wanted',
    text: oneService('trustedProxies: 10.0.0.0/8\nroutes: shop\n'),
    faults: [
      '5:17: trustedProxies: must be a list of addresses and CIDR blocks, not "10.0.0.0/8"',
      '6:9: routes: must be a list of routes, not "shop"',
    ],
  },
  {
    name: 'yes is no boolean',
    text: oneService('    exposeVersion: yes\n'),
    faults: ['5:20: services.shop.exposeVersion: must be true or false, not "yes"'],
  },
  {
    name: 'a header that is no token',
    text: oneService('    override: { header: "X Canary" }\nheaders: { via: "a b" }\n'),
    faults: [
      '5:25: services.shop.override.header: must be a header name such as X-Canary-Deploy, not "X Canary"',
      '6:17: headers.via: must be a token such as sluice, not "a b"',
    ],
  },
];

for (const { name, text, env, faults } of [...SYNTAX, ...KEYS, ...VALUES]) {
  t.test(name, async (t) => t.strictSame(faultsOf(text, env), faults));
}
