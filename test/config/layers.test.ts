// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to the environment are what is tested
/** Several files as one: what is merged, what is replaced, and in which of them a fault is. */
import { join } from 'node:path';
import t from 'tap';
import { ConfigError } from '../../src/control/config/faults.ts';
import { loadConfigFile, loadConfigFiles, parseConfig, parseConfigTexts } from '../../src/control/config/load.ts';
import { redactedConfig } from '../../src/control/config/redacted.ts';
import { Dice } from '../fuzz/dice.ts';
import { randomConfig } from './config-dice.ts';
import { faultsOf, faultsOfTexts, oneService } from './fault-cases.ts';

const BASE = `listen: :8080
workers: 2
services:
  shop:
    versions:
      v1: { endpoints: [ "http://a:1", "http://a:2" ] }
      v2: { endpoints: [ "http://b:1" ] }
    lanes: { stable: v1, canary: v2 }
    split: { weights: { v1: 90, v2: 10 } }
    timeouts: { connect: 2s, request: 9s }
    health: { path: /health }
`;

const layered = (...overlays: string[]) =>
  parseConfigTexts(
    [BASE, ...overlays].map((text, index) => ({ text, file: index === 0 ? 'base.yaml' : `over${index}.yaml` })),
    { PORT: '81' },
  );

const faults = (...overlays: string[]): readonly string[] =>
  faultsOfTexts(
    Object.fromEntries([BASE, ...overlays].map((text, i) => [i === 0 ? 'base.yaml' : `over${i}.yaml`, text])),
  );

t.test('mappings are merged, all else is replaced', async (t) => {
  const { config } = layered(
    'listen: [ ":${PORT}" ]\nservices: { shop: { timeouts: { connect: 3s }, versions: { v1: { endpoints: [ "http://c:1" ] } } } }\n',
    'workers: 5\n',
  );
  const [shop] = config.services;
  t.strictSame(config.listen, [{ host: '0.0.0.0', port: 81 }]);
  t.equal(config.workers, 5);
  t.match(shop?.timeouts, { connect: 3000, request: 9000 });
  t.match(shop?.versions, [
    { name: 'v1', endpoints: [{ url: 'http://c:1' }] },
    { name: 'v2', endpoints: [{ url: 'http://b:1' }] },
  ]);
  t.equal(shop?.versions[0]?.endpoints.length, 1, 'lists are not merged');
  t.equal(shop?.health?.path, '/health');
});

t.test('null takes a key away', async (t) => {
  const [shop] = layered('services: { shop: { health: ~, timeouts: { request: null } } }\n').config.services;
  t.notOk(shop && 'health' in shop);
  t.match(shop?.timeouts, { connect: 2000, request: 30_000 });
  const taken = 'services: { shop: { health: ~ } }\n';
  t.equal(layered(taken, 'services: { shop: { health: { tcp: true } } }\n').config.services[0]?.health?.type, 'tcp');
});

t.test('required keys may be in any of the files', async (t) => {
  const texts = { 'a.yaml': 'listen: :1\n', 'b.yaml': oneService('').replace('listen: :8080\n', '') };
  t.strictSame(faultsOfTexts(texts), []);
  t.strictSame(faultsOfTexts({ 'a.yaml': '', 'b.yaml': oneService('') }), []);
  t.strictSame(faultsOfTexts({ 'a.yaml': oneService(''), 'b.yaml': '# nothing yet\n' }), []);
  t.strictSame(faultsOfTexts({ 'a.yaml': '', 'b.yaml': '# nothing\n' }), [
    'b.yaml:1:1: is empty; it needs at least listen and services',
  ]);
});

t.test('each file keeps its anchors', async (t) => {
  const over =
    'services:\n  shop:\n    timeouts: &t { connect: 5s }\n  cart:\n    versions: { v1: { endpoints: [ "http://d" ] } }\n' +
    '    timeouts: { <<: *t, idle: 7s }\nroutes: [ { service: shop } ]\n';
  const [shop, cart] = layered(over).config.services;
  t.match(shop?.timeouts, { connect: 5000, request: 9000 });
  t.match(cart?.timeouts, { connect: 5000, request: 30_000, idle: 7000 });
});

t.test('a fault is where it was written', async (t) => {
  t.strictSame(faults('workers: 0\n'), [
    'over1.yaml:1:10: workers: must be auto or a whole number from 1 to 256, not 0',
  ]);
  t.strictSame(faults('services: { shop: { lanes: { canary: v3 } } }\n'), [
    'over1.yaml:1:38: services.shop.lanes.canary: no version v3 in this service; did you mean v1?',
  ]);
  t.strictSame(
    faults('services: { shop: { versions: { v2: ~ }, split: ~ } }\n'),
    ['base.yaml:8:34: services.shop.lanes.canary: no version v2 in this service; did you mean v1?'],
    'what an overlay breaks is at its place in the base',
  );
  t.strictSame(
    faults('services: { shop: { split: { weights: { v2: 20 } } } }\n', 'workers: 3\n'),
    ['over1.yaml:1:30: services.shop.split.weights: weights sum to 110, must be 100; lower one by 10'],
    'a merged mapping is at the last file that wrote to it',
  );
  t.strictSame(faults('workrs: 1\n', 'services: { shop: { blance: maglev } }\n'), [
    'over1.yaml:1:1: workrs: unknown key; did you mean workers?',
    'over2.yaml:1:21: services.shop.blance: unknown key; did you mean balance?',
  ]);
  t.strictSame(faults('services: { shpo: { timeouts: { connect: 1s } } }\n'), [
    'over1.yaml:1:1: routes is missing; with several services say which requests go to which',
    'over1.yaml:1:13: services.shpo: versions is missing; add it',
  ]);
  t.strictSame(faults('listen: ~\n'), ['over1.yaml:1:1: listen is missing; add it']);
});

t.test('null over nothing is a fault', async (t) => {
  t.strictSame(faults('workrs: ~\nservices: { shop: { hedge: ~ } }\n'), [
    'over1.yaml:1:1: workrs: unknown key; did you mean workers?',
    'over1.yaml:2:28: services.shop.hedge: has no value; it must be a mapping of keys to values, or be left out',
  ]);
});

t.test('faults of reading, file by file', async (t) => {
  t.strictSame(faults('listen: ${NOWHERE}\n', 'listen: :1\nlisten: :2\n'), [
    'over1.yaml:1:9: listen: environment variable NOWHERE is not set; set it or write ${NOWHERE:-default}',
    'over2.yaml:2:1: listen: this key is there twice; keep one of the two',
  ]);
  t.strictSame(faults('- a\n', 'workers: 0\n'), ['over1.yaml:1:1: must be a mapping of keys to values, not a list']);
  t.match(faults('a: "x\n', 'b: [\n'), [/^over1.yaml:2:1: not valid YAML/, /^over2.yaml:2:1: not valid YAML/]);
});

t.test('names that every object inherits are keys like others', async (t) => {
  const text = (values: string): string =>
    oneService(`    split: { strategy: header, header: X-A, values: { ${values} } }\n`);
  const { config } = parseConfigTexts(
    [
      { file: 'a', text: text('__proto__: v1, constructor: v1') },
      {
        file: 'b',
        text: 'services: { shop: { split: { values: { __proto__: v1, toString: v1, constructor: ~ } } } }\n',
      },
    ],
    {},
  );
  t.strictSame(Object.keys(config.services[0]?.split.header?.values ?? {}), ['__proto__', 'toString']);
});

/** The keys of a mapping given to the base, to the overlay, or to both, where the overlay's value wins. */
function dealt(whole: Part, dice: Dice): readonly [base: Part, overlay: Part] {
  const base: Record<string, unknown> = {};
  const overlay: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(whole)) {
    const where = dice.below(3);
    if (where === 0) base[key] = value;
    else if (where === 1) overlay[key] = value;
    else if (isPart(value)) [base[key], overlay[key]] = dealt(value, dice);
    else [base[key], overlay[key]] = [dice.one<unknown>(['another', ['another'], { another: 1 }]), value];
  }
  return [base, overlay];
}

type Part = Readonly<Record<string, unknown>>;

const isPart = (value: unknown): value is Part =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !Object.hasOwn(value, '__proto__');

t.test('random configurations dealt over two files are what they were', async (t) => {
  let compared = 0;
  for (let i = 0; i < 60; i++) {
    const dice = new Dice(1, i);
    const whole = randomConfig(dice);
    if (faultsOf(JSON.stringify(whole)).length > 0) continue;
    const texts = dealt(whole, dice).map((part, index) => ({ text: JSON.stringify(part), file: String(index) }));
    const { config } = parseConfigTexts(texts, {});
    const expected = redactedConfig(parseConfig(JSON.stringify(whole), '0', {}));
    t.equal(JSON.stringify(redactedConfig(config)), JSON.stringify(expected), `configuration ${i}`);
    compared++;
  }
  t.ok(compared > 20, `${compared} were compared`);
});

t.test('files', async (t) => {
  const directory = t.testdir({
    conf: {
      'base.yaml': oneService('admin: { tokens: [ { name: ci, role: viewer, file: ../ci } ] }\naccessLog: a.log\n'),
    },
    over: { 'over.yaml': 'data: state\nworkers: 3\n' },
    ci: 'a token of one word'.replaceAll(' ', '-'),
  });
  const base = join(directory, 'conf', 'base.yaml');
  const over = join(directory, 'over', 'over.yaml');
  const { config, files, dependencies } = loadConfigFiles([base, over], {});
  t.strictSame(files, [base, over]);
  t.strictSame(dependencies, [join(directory, 'ci')]);
  t.equal(config.workers, 3);
  t.equal(config.data, join(directory, 'over', 'state'), 'relative to the file that writes it');
  t.equal(config.accessLog?.path, join(directory, 'conf', 'a.log'));
  t.equal(loadConfigFile(base, {}).data, join(directory, 'conf', 'data'), 'without a word, beside the file');

  const missing = [join(directory, 'no.yaml'), directory];
  const message = `${missing[0]}: no such file; name the configuration with -c FILE\n${directory}: is a directory; name a file`;
  t.throws(() => loadConfigFiles([base, ...missing], {}), { message });
});

t.test('a text in place of a file', async (t) => {
  const directory = t.testdir({ ci: '0123456789abcdef' });
  const text = oneService('admin: { tokens: [ { name: ci, role: viewer, file: ci } ] }\n');
  const { config, dependencies } = parseConfigTexts([{ text, file: 'request', directory }], {});
  t.equal(config.admin?.tokens[0]?.secret.source, `file:${join(directory, 'ci')}`);
  t.strictSame(dependencies, [join(directory, 'ci')]);
  const gone = text.replace('file: ci', 'file: gone');
  try {
    parseConfigTexts([{ text: gone, file: 'request', directory }], {});
    t.fail('a file that is not there');
  } catch (error) {
    t.ok(error instanceof ConfigError);
    t.strictSame((error as ConfigError).dependencies, [join(directory, 'gone')], 'it may come');
  }
});
