// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to the environment are hostile values too
/**
 * Random configurations over the whole schema: valid ones, and ones that are nearly valid.
 *
 * A valid one is put together by hand-written rules, because a value drawn from the schema alone is hardly ever accepted as a whole. A
 * nearly valid one is such a configuration with a few of its parts replaced, taken out or given another name; what it is replaced by are
 * the values that loaders stumble over.
 */
import type { Dice } from '../fuzz/dice.ts';
import { randomStrategy } from './strategy-dice.ts';

type Part = Readonly<Record<string, unknown>>;

/** Names that every JavaScript object seems to have, and ordinary ones. */
const VERSION_NAMES = ['v1', 'v2', 'constructor', 'toString', 'valueOf', '1', '1.10', '0x1', 'hasOwnProperty'];
const SERVICE_NAMES = ['shop', 'constructor', 'toString', '7'];
const HEADER_NAMES = [
  'X-User',
  'x-tenant',
  'Cookie',
  'X-Forwarded-For',
  'Forwarded',
  'X-Beta',
  '__PROTO__',
  "!#$%&'*+.^_`|~",
];
const COOKIES = ['uid', '__proto__', 'constructor'];
const PARAMETERS = ['user', '__proto__', 'toString', 'ü', 'a b', '&='];
const TEXTS = ['1', '', '__proto__', 'constructor', 'é', ' a ', '\u{1f600}', 'a'.repeat(300)];
const HOSTS = ['shop.example.com', '*.example.com', 'EXAMPLE.com', '127.0.0.1', '[::1]', 'a_b.example'];
const PATHS = ['/', '/a', '/a/', '//', '/a/b', '/%2e%2e', '/__proto__', '/*', '/a.b'];
const PATTERNS = [
  '/a',
  '/(\\d+)',
  '/a|/b',
  '/[a/b]+',
  '^/x$',
  '/(?<name>\\w*)/?',
  '.*',
  '/a{2,3}',
  '/\\x61?',
  '()',
  '(?:/a)*',
];
const DURATIONS = ['10ms', '100ms', '1.5s', '1m', '24h'];
const ENVIRONMENTS = ['production', 'constructor', '1.10'];
const POLICIES = ['round_robin', 'weighted_round_robin', 'random', 'least_request', 'peak_ewma', 'ring_hash', 'maglev'];
const FAILURES = ['connect-failure', 'reset', 'timeout', '5xx', 'gateway-error', 404, 599];
const HOSTILE = [
  null,
  true,
  false,
  0,
  -1,
  0.001,
  1e21,
  2 ** 53,
  '',
  ' ',
  '0',
  '-1',
  '1e3',
  '100%',
  '5s',
  '9999999999h',
  '1KiB',
  '999999999999999GiB',
  [],
  {},
  [[]],
  [null],
  { __proto__: null },
  'constructor',
  'stable',
  'canary',
  '${NOT_SET}',
  '${A:-1}',
  '$$',
  '\0',
  '\r\nX: y',
  '\ud800',
  '*',
  '(',
  '(a',
  '/',
  '//',
  'http://127.0.0.1:1',
  'http://',
  'https://a',
  '[::1]',
  '::1',
  'none',
  'auto',
  'a'.repeat(5_000),
] as const;

const some = (dice: Dice, parts: Readonly<Record<string, () => unknown>>, share = 0.4): Part =>
  Object.fromEntries(
    Object.entries(parts)
      .filter(() => dice.chance(share))
      .map(([key, make]) => [key, make()]),
  );

const several = <T>(dice: Dice, from: readonly T[], least = 1, most = 3): T[] => {
  const left = [...from];
  const count = Math.min(left.length, least + dice.below(most - least + 1));
  return Array.from({ length: count }, () => left.splice(dice.below(left.length), 1)[0]!);
};

const key = (dice: Dice): Part =>
  dice.one<Part>([
    { header: dice.one(HEADER_NAMES) },
    { cookie: dice.one(COOKIES) },
    { query: dice.one(PARAMETERS) },
    { ip: true },
  ]);

/** Shares that sum to 100, `candidate` left out. */
function weights(dice: Dice, names: readonly string[], candidate: string | undefined): Part {
  const sharing = names.filter((name) => name !== candidate);
  let left = 10_000;
  return Object.fromEntries(
    sharing.map((name, index) => {
      const share = index === sharing.length - 1 ? left : dice.below(left + 1);
      left -= share;
      return [name, dice.chance(0.5) ? share / 100 : `${share / 100}%`];
    }),
  );
}

function endpoint(dice: Dice, port: number): unknown {
  const url = `http://${dice.one(['127.0.0.1', 'LOCALHOST', '[::1]', 'shop.internal', 'a_b'])}:${port}`;
  if (dice.chance(0.5)) return url;
  return { url, ...some(dice, { weight: () => dice.one([1, 2, 999, 1_000]), maxRequests: () => dice.below(3) }) };
}

function split(dice: Dice, names: readonly string[], candidate: string | undefined): Part {
  const share = weights(dice, names, candidate);
  switch (dice.one(['weighted', 'hash', 'latency', 'header', 'round_robin'])) {
    case 'hash':
      return { strategy: 'hash', weights: share, key: key(dice) };
    case 'latency':
      return { strategy: 'latency', floor: dice.one([0, 5, '33.33%']) };
    case 'header': {
      const values = several(dice, TEXTS).map((text) => [text, dice.one(names)]);
      return { strategy: 'header', header: dice.one(HEADER_NAMES), values: Object.fromEntries(values) };
    }
    case 'round_robin':
      return { strategy: 'round_robin', ...some(dice, { weights: () => share }) };
    default:
      return { weights: share };
  }
}

function balance(dice: Dice): unknown {
  const policy = dice.one(POLICIES);
  if (dice.chance(0.3)) return policy;
  const keyed = policy === 'ring_hash' || policy === 'maglev';
  const numbers = {
    slowStart: () => dice.one(DURATIONS),
    decay: () => '10ms',
    panicThreshold: () => dice.one([0, 50, 100]),
  };
  return {
    policy,
    ...some(dice, numbers),
    ...some(dice, keyed ? { key: () => key(dice) } : {}),
    ...some(dice, policy === 'ring_hash' ? { maxLoad: () => dice.one([0, 100, 1_000]) } : {}),
  };
}

function service(dice: Dice): Part {
  const names = several(dice, VERSION_NAMES, 1, 4);
  const endpoints = (): unknown[] => Array.from({ length: 1 + dice.below(3) }, (_, i) => endpoint(dice, 1 + i));
  const [stable, canary, candidate] = several(dice, names, 1, 3);
  const replay = (): Part =>
    some(dice, {
      on: () => several(dice, FAILURES),
      methods: () => dice.one<unknown>(['safe', 'idempotent', 'all', ['GET', 'PURGE']]),
      maxBody: () => dice.one([0, 1, '10MiB']),
    });
  return {
    versions: Object.fromEntries(names.map((name) => [name, { endpoints: endpoints() }])),
    lanes: { stable, ...(canary === undefined ? {} : { canary }), ...(candidate === undefined ? {} : { candidate }) },
    ...some(dice, {
      split: () => split(dice, names, candidate),
      experiments: () => [
        {
          name: 'constructor',
          key: key(dice),
          weights: weights(dice, names, candidate),
          ...some(dice, { salt: () => dice.one(['s', '__proto__']), traffic: () => dice.one([0, 0.01, 100]) }),
        },
      ],
      override: () => ({ header: dice.one(HEADER_NAMES), cookie: dice.one(COOKIES) }),
      affinity: () => ({ ...key(dice), ...some(dice, { ttl: () => '1s', max: () => dice.one([1, 2, 1_000]) }) }),
      balance: () => balance(dice),
      health: () =>
        dice.one<unknown>([{}, { tcp: true }, { path: dice.one(PATHS), status: [200, '204-299'], body: 'é' }]),
      outlier: () => ({
        ...some(dice, { consecutive5xx: () => dice.below(2), maxEjectionPercent: () => dice.one([0, 1, 100]) }),
      }),
      retry: () => ({
        ...replay(),
        ...some(dice, { attempts: () => dice.below(3), budget: () => dice.one<unknown>([0, '100%', { minimum: 0 }]) }),
      }),
      shield: () => ({ ...replay(), ...some(dice, { forced: () => true }) }),
      hedge: () => ({ after: dice.one(['1ms', '1h']) }),
      circuit: () =>
        some(dice, { maxRequests: () => 1, maxConnections: () => 1, maxPending: () => 1, maxRetries: () => 1 }),
      rateLimit: () => rateLimit(dice),
      timeouts: () => some(dice, { connect: () => dice.one(DURATIONS), tunnel: () => '168h' }),
      pool: () => some(dice, { maxIdle: () => dice.below(2), maxAge: () => '8760h' }),
      exposeVersion: () => true,
    }),
  };
}

const rateLimit = (dice: Dice): Part => ({
  rate: dice.one<unknown>(['1/h', '1000000/s', 0.5, '0.001/s', 100]),
  ...some(dice, { burst: () => dice.one([1, 1_000_000]), key: () => key(dice) }),
});

const valueMatch = (dice: Dice): unknown =>
  dice.one<unknown>([
    dice.one(TEXTS),
    { regex: dice.one(['^1', '(a|b)', '', '\\d']) || '.' },
    { present: dice.chance(0.5) },
  ]);

const FLAG_NAMES = ['new-checkout', 'constructor', 'toString', '1.10'];

function flags(dice: Dice): Part {
  const share = (): unknown => dice.one<unknown>(['on', 'off', true, false, 0, 100, '0.01%', 99.99]);
  const flag = (): unknown =>
    dice.chance(0.3)
      ? dice.one<unknown>([true, 'off', 100])
      : {
          key: key(dice),
          ...some(dice, {
            default: share,
            environments: () => ({ default: share(), constructor: share() }),
            header: () => dice.one(['X-Flag-A', 'X-Flag-B', 'X-Flag-C']),
          }),
        };
  return Object.fromEntries(several(dice, FLAG_NAMES).map((name) => [name, flag()]));
}

function match(dice: Dice, flagNames: readonly string[]): Part {
  const path = dice.one<Part>([
    {},
    { path: dice.one(PATHS) },
    { pathPrefix: dice.one(PATHS) },
    { pathRegex: dice.one(PATTERNS) },
  ]);
  return {
    ...path,
    ...some(dice, {
      host: () => dice.one(HOSTS),
      methods: () => several(dice, ['GET', 'HEAD', 'PURGE']),
      headers: () => Object.fromEntries(several(dice, HEADER_NAMES).map((name) => [name, valueMatch(dice)])),
      query: () => Object.fromEntries(several(dice, PARAMETERS).map((name) => [name, valueMatch(dice)])),
      flags: () => Object.fromEntries(flagNames.map((name) => [name, dice.one<unknown>([true, false, 'on', 'off'])])),
    }),
  };
}

const edits = (dice: Dice): Part =>
  some(dice, {
    set: () => ({ [dice.one(['X-Set', '__proto__', 'Server'])]: dice.one(['1', '']) }),
    add: () => ({ 'X-Add': ['a', 'b'] }),
    remove: () => [dice.one(['Cookie', '__proto__', 'X-Add'])],
  });

function route(dice: Dice, services: Part, flagNames: readonly string[]): Part {
  const target = dice.one(Object.keys(services));
  const versions = Object.keys((services[target] as { versions: Part }).versions);
  const action = dice.one<Part>([
    {
      service: target,
      requestHeaders: edits(dice),
      ...some(dice, {
        version: () => dice.one([...versions, 'stable', 'canary', 'candidate']),
        rewrite: () => ({ path: '/z', host: 'b.internal:81' }),
      }),
    },
    { redirect: { scheme: 'https', ...some(dice, { host: () => '[::1]', port: () => 443, path: () => '/$&' }) } },
    { reply: { status: dice.one([200, 204, 205, 304, 599]), contentType: 'text/plain' } },
  ]);
  return {
    match: match(dice, flagNames),
    ...action,
    ...some(dice, {
      responseHeaders: () => edits(dice),
      rateLimit: () => rateLimit(dice),
      fault: () => ({ header: dice.one(HEADER_NAMES), abort: { status: 503, percent: dice.one([0, 0.01, 100]) } }),
    }),
  };
}

const alert = (dice: Dice): Part => ({
  name: dice.one(['a', 'constructor']),
  when: dice.one(['error_rate > 5%', 'p99>1ms', 'throughput < 0.5', 'availability < 100']),
  ...some(dice, { for: () => '1s', forecast: () => '24h' }),
});

/** Meant to be valid; a few are refused for parts that do not go together. */
export function randomConfig(dice: Dice): Part {
  const services = Object.fromEntries(several(dice, SERVICE_NAMES, 1, 2).map((name) => [name, service(dice)]));
  const isOne = Object.keys(services).length === 1;
  const named = dice.chance(0.5) ? flags(dice) : {};
  const flagNames = Object.keys(named);
  const routes = Array.from({ length: isOne ? dice.below(4) : 1 + dice.below(4) }, () =>
    route(dice, services, flagNames),
  );
  return {
    listen: dice.one<unknown>([0, ':0', '127.0.0.1:0', ['[::1]:0', { address: 'localhost:0' }]]),
    services,
    routes,
    ...(flagNames.length === 0 ? {} : { flags: named }),
    ...some(dice, {
      workers: () => dice.one<unknown>(['auto', 1, 256]),
      limits: () => some(dice, { headSize: () => '1KiB', headerCount: () => 10_000, bodySize: () => '1000000GiB' }),
      timeouts: () => some(dice, { drain: () => '0ms', head: () => '10ms' }),
      trustedProxies: () => several(dice, ['10.0.0.0/8', '::1', '::ffff:10.0.0.0/104', '0.0.0.0/0', 'fd00::/8']),
      headers: () => ({ forwarded: true, via: dice.one(['sluice', '__proto__']) }),
      monitor: () => ({ window: dice.one(['1s', '1h']), history: '168h', alerts: [alert(dice)] }),
      strategies: () => ({
        constructor: randomStrategy(dice),
        ...some(dice, { standard: () => ({ extends: dice.one(['constructor', 'standard']), minRequests: 5 }) }),
      }),
      metrics: () => ({ cpu: { prometheus: { url: 'http://h/', query: 'up' } } }),
      notifications: () => [
        { name: 'a', kind: 'slack', url: 'http://h/x', escalate: { after: '1m', to: 'b' } },
        { name: 'b', kind: 'alertmanager', url: 'http://h/', types: ['rollout.*'] },
      ],
      environment: () => dice.one(ENVIRONMENTS),
      data: () => dice.one(['./data', '/var/lib/sluice']),
      admin: () => dice.one<unknown>(['[::1]:0', { listen: 'localhost:0', hosts: HOSTS.slice(2) }, {}]),
      events: () => ({ retention: '24h', webhooks: [{ name: 'a', url: 'http://h/x', types: ['endpoint.*'] }] }),
      tracing: () => ({
        endpoint: dice.one(['http://[::1]:4318', 'https://c.example.com/v1/traces?k=1']),
        ...some(dice, {
          headers: () => ({ constructor: 'x', 'X-Tenant': dice.one(['', 'env', 'a: b']) }),
          sample: () => dice.one([0, '0.001%', 100]),
          parent: () => dice.one(['respect', 'ignore']),
          maxPerSecond: () => dice.one([0, 1_000_000]),
          environment: () => dice.one(ENVIRONMENTS),
        }),
      }),
      accessLog: () =>
        dice.one<unknown>(['/dev/null', { path: '/dev/null', format: 'combined', sample: dice.one([0, 0.01, 100]) }]),
    }),
  };
}

interface Place {
  readonly parent: Record<string | number, unknown>;
  readonly key: string | number;
}

/** Breaks, or does not, up to three parts of it. */
export function nearlyValid(dice: Dice, config: Part): unknown {
  const copy = structuredClone(config) as Record<string, unknown>;
  for (let left = 1 + dice.below(3); left > 0; left--) {
    const places = placesOf(copy);
    if (places.length === 0) return copy;
    const { parent, key: at } = dice.one(places);
    const what = dice.below(5);
    if (what === 0) delete parent[at];
    else if (what === 1) parent[`${at}${dice.one(['x', '.', '', ' '])}`] = parent[at];
    else if (what === 2) parent[at] = structuredClone(dice.one(places).parent);
    else parent[at] = dice.one(HOSTILE);
  }
  return copy;
}

function placesOf(value: unknown): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  const parent = value as Record<string, unknown>;
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(parent);
  return keys.flatMap((name) => [{ parent, key: name }, ...placesOf(parent[name])]);
}
