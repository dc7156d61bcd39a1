/** A file that uses every key is good; with any of its values replaced by one of another type it is refused, not a crash. */
import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { configSchema } from '../../src/control/config/schema.ts';
import { CERTIFICATE, PRIVATE_KEY } from './certificate.ts';
import { faultsOf as faultsIn } from './fault-cases.ts';
import { schemaKeys } from './reference-table.ts';

const { publicKey } = generateKeyPairSync('ed25519', { publicKeyEncoding: { type: 'spki', format: 'pem' } });
const directory = t.testdir({
  'cert.pem': CERTIFICATE,
  'key.pem': PRIVATE_KEY,
  'lead.pub': String(publicKey),
  token: 'a-token-in-a-file',
});

const faultsOf = (text: string): readonly string[] => faultsIn(text, { TOKEN: 'a-token-in-a-variable' });

const key = { header: 'X-User' };
const failures = { on: ['5xx', 503], methods: ['GET'], maxBody: '1KiB' };
const version = (port: number) => ({ endpoints: [{ url: `http://127.0.0.1:${port}`, weight: 2, maxRequests: 5 }] });

const shop = {
  versions: { v1: version(1), v2: version(2), v3: version(3) },
  lanes: { stable: 'v1', canary: 'v2', candidate: 'v3' },
  split: { strategy: 'hash', weights: { v1: '90%', v2: 10 }, key },
  experiments: [{ name: 'blue', key: { cookie: 'uid' }, salt: 's', traffic: '50%', weights: { v1: 50, v2: 50 } }],
  override: { header: 'X-Canary-Deploy', cookie: 'canary' },
  affinity: { cookie: 'sluice_session', ttl: '1h', max: 10 },
  balance: {
    policy: 'ring_hash',
    key: { query: 'u' },
    slowStart: '30s',
    maxLoad: 125,
    decay: '5s',
    panicThreshold: 50,
  },
  health: {
    path: '/health',
    host: 'shop.internal',
    status: [200, '201-204'],
    body: 'ok',
    interval: '2s',
    unhealthyInterval: '1s',
    jitter: '10%',
    timeout: '1s',
    healthy: 2,
    unhealthy: 3,
  },
  outlier: {
    consecutive5xx: 5,
    consecutiveGateway: 5,
    consecutiveLocal: 5,
    baseEjection: '30s',
    maxEjection: '5m',
    maxEjectionPercent: 50,
    interval: '10s',
    successRate: { minimumHosts: 3, minimumRequests: 100, stdevFactor: 1.9 },
  },
  retry: {
    ...failures,
    attempts: 2,
    perTryTimeout: '1s',
    backoff: '1ms',
    maxBackoff: '1s',
    budget: { percent: 20, minimum: 1 },
  },
  shield: { ...failures, forced: true },
  hedge: { after: '50ms', methods: 'safe' },
  circuit: { maxRequests: 1, maxConnections: 1, maxPending: 1, maxRetries: 1 },
  rateLimit: { rate: '100/s', burst: 1, key: { ip: true } },
  timeouts: { connect: '1s', request: '1s', response: '1s', idle: '1s', tunnel: '1s' },
  pool: { maxIdle: 1, idle: '1s', maxAge: '1s' },
  exposeVersion: true,
};

const cart = {
  versions: { v1: version(4), v2: version(5) },
  lanes: { stable: 'v1' },
  split: { strategy: 'header', header: 'X-Tenant', values: { acme: 'v2' } },
  affinity: { query: 's' },
  health: { tcp: true },
};

const cash = {
  versions: { v1: version(6) },
  split: { strategy: 'latency', floor: 5 },
  affinity: { header: 'X-Session' },
};

const cellar = { versions: { v1: version(7) }, affinity: { ip: true } };

const inVariable = { env: 'TOKEN' };
const inFile = { file: `${directory}/token` };
const receiver = (secret: unknown) => ({ url: 'https://hooks.example.com/x', secret });
const hooks = (onFailure: string) => [
  { name: 'a', webhook: receiver(inVariable), timeout: '5s', onFailure },
  { name: 'b', webhook: receiver(inFile) },
  { name: 'c', command: ['/bin/true', '-v'], env: { TEAM: 'red' } },
];

const careful = {
  extends: 'standard',
  steps: [
    {
      name: 'checks',
      preflight: {
        health: true,
        warmUp: { path: '/warm', requests: 10, concurrency: 2 },
        smoke: [
          {
            name: 'login',
            method: 'POST',
            path: '/login',
            headers: { 'X-Test': '1' },
            body: 'x',
            expect: { status: [200, 204], body: 'ok', latency: '200ms' },
            timeout: '1s',
            retries: 1,
          },
        ],
        timeout: '1m',
      },
    },
    { override: 'on' },
    { weight: 5, for: '10m', pass: ['error_rate < 1%'] },
    { pause: 'approval' },
    { webhook: { ...receiver(inVariable), timeout: '5s', retries: 1, every: '30s', deadline: '1h' } },
    { webhook: receiver(inFile) },
    { analysis: { for: '5m', pass: ['p95 < 1s'] } },
    { ramp: { to: 100, by: 20, every: '5m' }, pass: ['error_rate < 1%'] },
  ],
  evidence: {
    alpha: 0.001,
    tolerance: 1.5,
    maxFailures: 20,
    proof: 0.05,
    shares: { errors: 0.4, slo: 0.3, latency: 0.2, ratio: 0.1 },
    earlyPass: true,
    slo: '1%',
    latency: { percentile: 'p99', floor: '10ms', tolerance: 2 },
  },
  rollbackWhen: [{ when: 'error_rate > 1%', window: '5m', action: 'gradual', level: 'critical' }],
  gradual: { by: 20, every: '1m' },
  minRequests: 20,
  unavailableFor: '5s',
  stepDeadline: '1h',
  hooks: { start: hooks('rollback'), step: hooks('rollback'), rollback: hooks('ignore'), success: hooks('ignore') },
  approvals: { required: 1, expires: '1h', roles: ['human'] },
  approveAboveRisk: 60,
  whenBusy: 'queue',
  freeze: [{ name: 'weekend', days: ['sat', 'sun'], from: '00:00', to: '24:00', timeZone: 'Europe/Berlin' }],
  healthScore: { success: 0.4, latency: 0.3, metric: { name: 'tasks', weight: 0.3 }, latencyLimit: '500ms' },
};

const metrics = {
  cpu: {
    prometheus: { url: 'http://127.0.0.1:9090', query: 'up' },
    timeout: '1s',
    retries: 0,
    every: '15s',
    token: inVariable,
  },
  sales: { http: { url: 'http://127.0.0.1:9000/', path: 'rate', headers: { 'X-Team': 'red' } }, token: inFile },
};

const channel = { name: 'log', kind: 'webhook', url: 'https://hooks.example.com/x', secret: inVariable };
const notifications = [
  {
    ...channel,
    severity: 'info',
    types: ['rollout.*'],
    template: '{{message}}',
    escalate: { after: '10m', to: 'pager' },
  },
  { ...channel, name: 'pager', secret: inFile },
];

const rollouts = {
  strategies: { careful },
  metrics,
  approvers: [{ name: 'lead', role: 'human', publicKey: { file: `${directory}/lead.pub` } }],
  notifications,
};

const traffic = {
  listen: [{ address: ':8080' }],
  workers: 2,
  limits: {
    headSize: '16KiB',
    headerCount: 5,
    targetLength: '8KiB',
    bodySize: 0,
    connections: 5,
    connectionsPerAddress: 5,
  },
  timeouts: { head: '1s', bodyIdle: '1s', keepAlive: '1s', halfClose: '1s', drain: '1s' },
  trustedProxies: ['10.0.0.0/8'],
  headers: { forwarded: true, via: 'edge' },
  services: { shop, cart, cash, cellar },
  monitor: {
    window: '1m',
    history: '1h',
    alerts: [{ name: 'errors', when: 'error_rate > 5%', clear: '4%', for: '30s', minimum: 5, forecast: '10m' }],
    webhooks: ['https://hooks.example.com/x'],
  },
  routes: [
    { name: 'shop', match: { host: 'shop.test', pathPrefix: '/' }, service: 'shop' },
    { match: { host: 'cart.test' }, service: 'cart' },
    { match: { host: 'cash.test' }, service: 'cash' },
    { match: { host: 'cellar.test', flags: { beta: 'on' } }, service: 'cellar' },
  ],
  flags: {
    beta: { default: 'off', environments: { production: '5%' }, key, header: 'X-Flag-Beta' },
  },
  environment: 'production',
  data: directory,
  admin: {
    listen: '127.0.0.1:9901',
    tokens: [
      { name: 'ci', role: 'operator', env: 'TOKEN' },
      { name: 'ops', role: 'admin', file: `${directory}/token` },
    ],
    tls: { cert: `${directory}/cert.pem`, key: `${directory}/key.pem` },
    hosts: ['ops.internal'],
    origins: ['https://ops.example.com'],
    publicMetrics: true,
  },
  events: {
    retention: '24h',
    webhooks: [
      { name: 'chat', url: 'https://hooks.example.com/x', secret: 'env:TOKEN', types: ['alert'] },
      { name: 'pager', url: 'https://pager.example.com/x', secret: { env: 'TOKEN' } },
      { name: 'store', url: 'https://store.example.com/x', secret: { file: `${directory}/token` } },
    ],
  },
  accessLog: { path: '-', format: 'combined', sample: '10%', errors: false, buffer: '64KiB' },
  tracing: {
    endpoint: 'https://collector.example.com/v1/traces',
    headers: {
      Authorization: 'env:TOKEN',
      'X-Key': { file: `${directory}/token` },
      'X-Other': { env: 'TOKEN' },
      'X-Tenant': 'red',
    },
    sample: '0.01%',
    parent: 'ignore',
    maxPerSecond: 10,
    service: 'edge',
    environment: 'staging',
    compression: 'gzip',
    timeout: '5s',
    queue: 4096,
  },
};

const config = { ...traffic, ...rollouts };

/** Two halves that are good by themselves: a file of half the size is read in half the time. */
const HALVES = [traffic, { listen: ':8080', services: { cellar }, ...rollouts }];

const KINDS: readonly unknown[] = [null, -1.5, 'banana', [{ a: 1 }]];

type Step = string | number;

function pathsOf(value: unknown, path: readonly Step[] = []): (readonly Step[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const steps: Step[] = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [path, ...steps.flatMap((step) => pathsOf((value as Record<Step, unknown>)[step], [...path, step]))];
}

function replaced(value: unknown, path: readonly Step[], by: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return by;
  if (Array.isArray(value)) return value.map((entry, index) => (index === step ? replaced(entry, rest, by) : entry));
  const mapping = value as Record<Step, unknown>;
  return { ...mapping, [step]: replaced(mapping[step], rest, by) };
}

t.test('every key but those of routes is used, and the file is good', async (t) => {
  t.strictSame(faultsOf(JSON.stringify(config)), []);
  const used = pathsOf(config).map((path) => path.map((step) => (typeof step === 'number' ? '[]' : step)).join('.'));
  const keys = schemaKeys(configSchema)
    .map(({ path }) => path)
    // Routes have a test of their own; a key is written in one of four ways, which is tested with the values.
    .filter((path) => !path.startsWith('routes') && !/\.key\./.test(path));
  for (const path of keys) {
    const steps = path.replaceAll('[]', '.[]').split('.');
    const matches = (written: string): boolean => {
      const parts = written.split('.');
      return parts.length === steps.length && steps.every((step, i) => step.startsWith('<') || step === parts[i]);
    };
    t.ok(used.some(matches), path);
  }
});

t.test('values of another type', async (t) => {
  let refused = 0;
  for (const half of HALVES) {
    t.strictSame(faultsOf(JSON.stringify(half)), []);
    for (const [index, path] of pathsOf(half).entries()) {
      // Every other kind at every other path: neighbours are alike.
      for (const kind of KINDS.filter((_, which) => (which + index) % 2 === 0)) {
        const text = JSON.stringify(replaced(half, path, kind));
        try {
          if (faultsOf(text).length > 0) refused++;
        } catch (error) {
          t.fail(`${path.join('.')} = ${JSON.stringify(kind)}: ${error}`);
        }
      }
    }
  }
  t.ok(refused > 800, `${refused} refused`);
});
