// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to the environment are what is tested
/** What YAML, JavaScript and URLs make of odd input, and what the loader makes of that. */
import t from 'tap';
import { parseConfig } from '../../src/control/config/load.ts';
import { faultsOf, oneService } from './fault-cases.ts';

const service = (parts: string): string => `listen: :1\nservices:\n  shop: { ${parts} }\n`;
const endpoints = '{ endpoints: [ "http://a:1" ] }';

t.test('a key is the text that was written, not the number that YAML makes of it', async (t) => {
  const versions = `versions: { 1.1: ${endpoints}, 1.10: ${endpoints}, 0x1: ${endpoints} }`;
  const good = service(`${versions}, lanes: { stable: "1.10" }, split: { weights: { 1.10: 60, 1.1: 40 } }`);
  const [shop] = parseConfig(good, 'sluice.yaml', {}).services;
  t.strictSame(shop?.weights, { '1.1': 40, '1.10': 60, '0x1': 0 });

  t.strictSame(faultsOf(service(`versions: { 1.10: ${endpoints} }, lanes: { stable: 1.10 }`)), [
    '3:81: services.shop.lanes.stable: must be a name of 1 to 63 letters, digits, ".", "_" or "-", the first a letter or a digit, ' +
      'not 1.1; put quotes around it',
  ]);
  t.strictSame(faultsOf(service(`versions: { 1.1: ${endpoints}, "1.1": ${endpoints} }`)), [
    '3:61: services.shop.versions["1.1"]: this key is there twice; keep one of the two',
  ]);
  t.strictSame(faultsOf(`%YAML 1.1\n---\n${oneService('    retry: { on: [503] }\n')}`), [], 'on is no flag');
});

t.test('names that every object inherits are names like others', async (t) => {
  const text = `
listen: :1
services:
  constructor:
    versions: { toString: ${endpoints}, valueOf: ${endpoints} }
    lanes: { stable: toString }
    split: { strategy: header, header: X-A, values: { __proto__: valueOf, constructor: toString } }
routes:
  - { match: { query: { __proto__: "1", constructor: "2" } }, service: constructor, version: valueOf }
`;
  const { services, routes } = parseConfig(text, 'sluice.yaml', {});
  t.strictSame(services[0]?.weights, { toString: 100, valueOf: 0 });
  t.strictSame(Object.entries(services[0]?.split.header?.values ?? {}), [
    ['__proto__', 'valueOf'],
    ['constructor', 'toString'],
  ]);
  t.strictSame(
    routes[0]?.match.query.map(({ name }) => name),
    ['__proto__', 'constructor'],
  );
  t.match(faultsOf(oneService('__proto__: { workers: 3 }\n')), [/^5:1: __proto__: unknown key/]);
  t.match(faultsOf(service('__proto__: { x: 1 }')), [
    /versions is missing/,
    /^3:11: services.shop.__proto__: unknown key/,
  ]);
  t.strictSame(faultsOf(service(`versions: { v1: ${endpoints} }, lanes: { stable: constructor }`)), [
    '3:79: services.shop.lanes.stable: no version constructor in this service; there are: v1',
  ]);
  t.strictSame(faultsOf(oneService('    health: { host: "${constructor}" }\n'), {}), [
    '5:21: services.shop.health.host: environment variable constructor is not set; set it or write ${constructor:-default}',
  ]);
});

t.test('what cannot be the name of a host is refused', async (t) => {
  const faulty = (host: string): readonly string[] =>
    faultsOf(service(`versions: { v1: { endpoints: [ "http://${host}" ] } }`));
  for (const host of ['a..b:1', '*:1', '{x}', '$HOST:3', '-a', "a'b", 'ex!a']) {
    const [fault, ...more] = faulty(host);
    t.match(fault, /^3:42: services.shop.versions.v1.endpoints\[0\]: ".*" cannot be the name of a host; write/, host);
    t.same(more, [], host);
  }
  for (const host of ['a', 'a.example.:1', '[::1]:3', '127.1:1', 'a_b', 'münchen.example'])
    t.same(faulty(host), [], host);
  t.match(faultsOf(oneService('monitor: { webhooks: [ "https://a..b/x" ] }\n')), [
    /"a\.\.b" cannot be the name of a host/,
  ]);
});

t.test('a text that no parser gets to the end of is a fault, not a crash', async (t) => {
  const deep = (open: string, close: string): string => `x:\n  ${open.repeat(5_000)}1${close.repeat(5_000)}\n`;
  t.match(faultsOf(deep('[', ']')), [/^2:\d+: nested too deeply to be read$/]);
  t.match(faultsOf(deep('{a: ', '}')), [/^2:\d+: nested too deeply to be read$/]);
  t.match(faultsOf(`x:\n  ${'? '.repeat(300)}1\n`).at(-2), /a key must be a plain name$/, 'keys within keys');
  t.match(faultsOf('a: &a { <<: *a }'), [/^1:1: /], 'an alias of itself');
});

t.test('a tag does not smuggle in what is no plain value', async (t) => {
  for (const value of ['!!omap [ a: 1 ]', '!!set { a }', '!!binary aGk=', '!mine x']) {
    t.match(faultsOf(oneService(`limits: ${value}\n`)), [/^5:9: not valid YAML: Unresolved tag/], value);
  }
});

t.test('what is no number is called by its name', async (t) => {
  t.match(faultsOf(oneService('    split: { weights: { v1: .nan } }\n')), [/from 0 to 100, not NaN$/]);
  t.match(faultsOf(oneService('    split: { weights: { v1: .inf } }\n')), [/from 0 to 100, not Infinity$/]);
});

t.test('a text that no probe could find is refused', async (t) => {
  t.same(faultsOf(oneService(`    health: { body: "${'a'.repeat(65_536)}" }\n`)), []);
  t.match(faultsOf(oneService(`    health: { body: "${'é'.repeat(32_769)}" }\n`)), [
    /^5:21: services.shop.health.body: is longer than the 64KiB of a body that are looked at; write a part of it$/,
  ]);
});
