/** What is shown of a configuration, and how two of them differ. */
import t from 'tap';
import { parseConfig } from '../../src/control/config/load.ts';
import { differences, redactedConfig, shownStrategy } from '../../src/control/config/redacted.ts';
import { strategyViews } from '../../src/control/rollout/strategy-views.ts';
import type { SluiceConfig } from '../../src/model/config.ts';
import { threeVersions } from './fault-cases.ts';

const TOKEN = 'correct-horse-battery';

const parse = (rest: string): SluiceConfig =>
  parseConfig(threeVersions(`    lanes: { stable: v1, canary: v2 }\n${rest}`), 'sluice.yaml', { CI: TOKEN });

const FULL = `    split: { weights: { v1: 90, v2: 10 } }
monitor: { webhooks: [ "https://hooks.example.com/T0/${TOKEN}", "https://hooks.example.com/" ] }
admin: { tokens: [ { name: ci, role: operator, env: CI } ] }
events:
  webhooks:
    - { name: chat, url: "https://hooks.example.com:444/?key=${TOKEN}", secret: env:CI }
flags: { banner: true, checkout: { default: 5%, key: { cookie: uid }, header: X-Checkout } }
`;

t.test('secrets and addresses that may be secrets are not shown', async (t) => {
  const view = redactedConfig(parse(FULL));
  t.notMatch(JSON.stringify(view), TOKEN);
  t.match(view, {
    admin: { tokens: [{ name: 'ci', role: 'operator', secret: 'env:CI' }] },
    monitor: { webhooks: ['https://hooks.example.com/…', 'https://hooks.example.com'] },
    events: { webhooks: [{ name: 'chat', url: 'https://hooks.example.com:444/…', secret: 'env:CI' }] },
  });
});

t.test('headers that carry credentials to a service are shown without their values', async (t) => {
  const edits = `requestHeaders: { set: { Authorization: "Bearer \${CI}", X-Team: red }, add: { X-Api-Key: "\${CI}" } }`;
  const view = redactedConfig(parse(`routes: [ { match: { pathPrefix: / }, service: shop, ${edits} } ]\n`));
  t.notMatch(JSON.stringify(view), TOKEN);
  const set = [
    ['Authorization', '…'],
    ['X-Team', 'red'],
  ];
  t.match(view, { routes: [{ requestHeaders: { set, add: [['X-Api-Key', '…']] } }] });
});

t.test('rollouts: addresses, headers and variables that may be secrets are not shown', async (t) => {
  const config = parse(`strategies:
  own:
    steps:
      - preflight: { smoke: [ { path: /, headers: { Authorization: "Bearer \${CI}", X-Team: red } } ] }
      - { weight: 5 }
      - { webhook: { url: "https://gate.example.com/\${CI}", secret: env:CI } }
    hooks:
      start:
        - { name: a, webhook: { url: "https://hooks.example.com/?\${CI}" } }
        - { name: b, command: [ /bin/deploy, prod ], env: { WHATEVER: "\${CI}" } }
metrics:
  sales: { http: { url: "https://bi.example.com/\${CI}/{{version}}", path: v, headers: { X-Any: "\${CI}" } }, token: env:CI }
  cpu: { prometheus: { url: "http://127.0.0.1:9090", query: up } }
notifications: [ { name: chat, kind: slack, url: "https://hooks.example.com/\${CI}" } ]
`);
  const view = redactedConfig(config);
  t.notMatch(JSON.stringify(view), TOKEN);
  t.match(view, {
    strategies: {
      standard: { evidence: { alpha: 0.001 } },
      own: {
        steps: [
          { smoke: [{ headers: { Authorization: '…', 'X-Team': 'red' } }] },
          { weight: 5 },
          { url: 'https://gate.example.com/…', secret: 'env:CI' },
        ],
        hooks: {
          start: [
            { run: { url: 'https://hooks.example.com/…' } },
            { run: { command: ['/bin/deploy', 'prod'], env: { WHATEVER: '…' } } },
          ],
        },
      },
    },
    metrics: {
      sales: { source: { url: 'https://bi.example.com/…', path: 'v', headers: { 'X-Any': '…' } }, token: 'env:CI' },
      cpu: { source: { url: 'http://127.0.0.1:9090', query: 'up' } },
    },
    notifications: { chat: { kind: 'slack', url: 'https://hooks.example.com/…' } },
  });
  t.notOk('rollouts' in (view as object), 'as in the file');
  const own = config.rollouts.strategies.find(({ name }) => name === 'own')!;
  const shown = shownStrategy(own);
  t.notMatch(JSON.stringify(shown), TOKEN);
  t.match(shown, { name: 'own', steps: [{}, { weight: 5 }, { secret: 'env:CI' }] });
  const listed = strategyViews(config).find(({ name }) => name === 'own')!.definition;
  t.notMatch(JSON.stringify(listed), TOKEN, 'nor in the list of strategies');
  t.match(
    listed,
    { hooks: { start: [{}, { command: ['/bin/deploy', 'prod'], env: { WHATEVER: '…' } }] } },
    'as in a file',
  );
  t.match(JSON.stringify(own), TOKEN, 'what runs is what was written');
});

t.test('it is plain, by name and in order', async (t) => {
  const view = redactedConfig(parse(FULL)) as Record<string, Record<string, Record<string, unknown>>>;
  t.match(view, {
    services: {
      shop: {
        weights: { v1: 90, v2: 10, v3: 0 },
        versions: { v2: { endpoints: [{ url: 'http://v2:1', weight: 1 }] } },
      },
    },
    flags: { banner: { default: 100 }, checkout: { default: 5, header: 'X-Checkout' } },
  });
  t.strictSame(JSON.parse(JSON.stringify(view)), view);
  t.notOk('name' in view.services!.shop!);
  const keys = Object.keys(view);
  t.strictSame(keys, keys.toSorted());
  const other = parse(FULL.replace('{ v1: 90, v2: 10 }', '{ v2: 10, v1: 90 }'));
  t.equal(JSON.stringify(redactedConfig(other)), JSON.stringify(view), 'the order of the file does not matter');
});

t.test('names that every object inherits are names like others', async (t) => {
  const text = `listen: :1
services:
  constructor:
    versions: { toString: { endpoints: [ "http://a" ] }, v2: { endpoints: [ "http://b" ] } }
    lanes: { stable: toString }
    split: { strategy: header, header: X-A, values: { __proto__: v2 } }
`;
  const before = redactedConfig(parseConfig(text, 'sluice.yaml', {}));
  const after = redactedConfig(parseConfig(text.replace('__proto__', 'b'), 'sluice.yaml', {}));
  t.match(JSON.stringify(before), '"values":{"__proto__":"v2"}');
  t.strictSame(differences(before, after), [
    { key: 'services.constructor.split.header.values.__proto__', file: 'v2', override: null, effective: null },
    { key: 'services.constructor.split.header.values.b', file: null, override: 'v2', effective: 'v2' },
  ]);
});

t.test('differences', async (t) => {
  const config = parse(FULL);
  const file = redactedConfig(config);
  t.strictSame(differences(file, redactedConfig(structuredCloneOf(config))), []);
  const [shop] = config.services;
  const v4 = { name: 'v4.1', endpoints: [{ url: 'http://d', weight: 1, maxRequests: 0 }] };
  const effective = redactedConfig({
    ...config,
    services: [
      {
        ...shop!,
        lanes: { stable: 'v1' },
        weights: { v1: 80, v2: 20, v3: 0 },
        versions: [...shop!.versions.slice(0, 2), v4],
      },
    ],
  });
  const endpoints = (url: string) => ({ endpoints: [{ maxRequests: 0, url, weight: 1 }] });
  t.strictSame(differences(file, effective), [
    { key: 'services.shop.lanes.canary', file: 'v2', override: null, effective: null },
    { key: 'services.shop.versions.v3', file: endpoints('http://v3:1'), override: null, effective: null },
    {
      key: 'services.shop.versions["v4.1"]',
      file: null,
      override: endpoints('http://d'),
      effective: endpoints('http://d'),
    },
    { key: 'services.shop.weights.v1', file: 90, override: 80, effective: 80 },
    { key: 'services.shop.weights.v2', file: 10, override: 20, effective: 20 },
  ]);
});

/** Another object for each part that is not a secret. */
const structuredCloneOf = (config: SluiceConfig): SluiceConfig => ({
  ...config,
  services: structuredClone(config.services),
});
