/** What strategies mean: each kind of step, defaults, evidence, and strategies that build on others. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parseConfig } from '../../src/control/config/load.ts';
import { PRESETS } from '../../src/control/config/presets.ts';
import { isPreset, isPresetName, presetStrategies } from '../../src/control/config/resolve-strategies.ts';
import type { EvidenceConfig, RolloutsConfig, StepConfig, StrategyConfig } from '../../src/model/rollout-config.ts';
import { oneService } from './fault-cases.ts';

const rolloutsOf = (rest: string, env = {}): RolloutsConfig =>
  parseConfig(oneService(rest), 'sluice.yaml', env).rollouts;

/** The strategy called `own` of a file that says `rest` below its name. */
function strategyOf(rest: string, env = {}): StrategyConfig {
  const { strategies } = rolloutsOf(`strategies:\n  own:\n${rest.replace(/^/gm, '    ')}\n`, env);
  return strategies.find(({ name }) => name === 'own')!;
}

const stepsOf = (steps: string, env = {}): readonly StepConfig[] => strategyOf(`steps:\n${steps}`, env).steps;
const evidenceOf = (text: string): EvidenceConfig => strategyOf(`steps: [ { weight: 5 } ]\nevidence: ${text}`).evidence;

t.test('the smallest strategy has every default', async (t) => {
  t.strictSame(strategyOf('steps: [ { weight: 5% } ]'), {
    name: 'own',
    steps: [{ name: 'step-1', kind: 'weight', weight: 5, for: 0, pass: [] }],
    evidence: {
      alpha: 0.001,
      shares: { errors: 0.5, slo: 0, latency: 0.25, ratio: 0.25 },
      tolerance: 1,
      maxFailures: 0,
      earlyPass: false,
      slo: null,
      proof: 0.05,
      latency: { percentile: 95, floor: 10, tolerance: 2 },
    },
    minRequests: 20,
    rollbackWhen: [],
    gradual: { by: 20, every: 60_000 },
    unavailableFor: 5000,
    stepDeadline: 0,
    hooks: { start: [], step: [], rollback: [], success: [] },
    approvals: null,
    approveAboveRisk: null,
    whenBusy: 'refuse',
    freeze: [],
    healthScore: { success: 0.5714, latency: 0.4286, metric: null, latencyLimit: 500 },
  });
});

t.test('the defaults are those that the comments of the model name', async (t) => {
  const model = readFileSync(new URL('../../src/model/rollout-config.ts', import.meta.url), 'utf8');
  const commented = [...model.matchAll(/Default ([\w.]+(?: [a-z]+)?)\. \*\/\s+readonly (\w+)/g)];
  t.strictSame(
    commented.map(([, words = '', key = '']) => `${key}: ${words}`).toSorted(),
    [
      'alpha: 0.001',
      'expires: 1 h',
      'floor: 10',
      'minRequests: 20',
      'proof: 0.05',
      'severity: warning',
      'stepDeadline: 0',
      'timeZone: UTC',
      'tolerance: 1',
      'tolerance: 2',
      'unavailableFor: 5 s',
    ],
    'they are held above and in rollout-parts.test.ts',
  );
});

t.test('steps', async (t) => {
  const [weight, ramp, hold, wait, rest, check, ask, look, on, off] = stepsOf(
    `
- { name: try, preflight: { timeout: 2m, warmUp: {}, smoke: [ { path: "/a?b=1" } ] } }
- { name: hidden, override: off }
- { name: shown, override: true }
- { name: first, weight: 0.5%, for: 10m, pass: [ "error_rate < 1%", "p95 <= baseline * 1.2 over 5m" ] }
- { ramp: { to: 50, by: 12.5, every: 90s }, pass: [ "error_rate < 1%" ] }
- pause: approval
- pause: manual
- pause: 1h
- webhook: { url: "https://gate.example.com/ask?x=1", secret: env:GATE }
- analysis: { for: 5m, pass: [ "task_rate > 98%" ] }
`,
    { GATE: 'a-secret' },
  ).toSorted((a, b) => rank(a) - rank(b));
  t.match(weight, { name: 'first', kind: 'weight', weight: 0.5, for: 600_000 });
  t.match(weight, {
    pass: [
      { metric: 'error_rate', window: null },
      { metric: 'p95', window: 300_000 },
    ],
  });
  t.match(ramp, { name: 'step-5', kind: 'ramp', to: 50, by: 12.5, every: 90_000, pass: [{ metric: 'error_rate' }] });
  t.strictSame(hold, { name: 'step-6', kind: 'pause', until: 'approval' });
  t.strictSame(wait, { name: 'step-7', kind: 'pause', until: 'manual' });
  t.strictSame(rest, { name: 'step-8', kind: 'pause', until: { ms: 3_600_000 } });
  t.strictSame(check, {
    name: 'try',
    kind: 'preflight',
    health: true,
    warmUp: { path: '/', requests: 50, concurrency: 4 },
    smoke: [
      {
        name: 'check-1',
        method: 'GET',
        path: '/a?b=1',
        headers: {},
        body: null,
        expect: { status: [200], body: null, latency: 0 },
        timeout: 5000,
        retries: 0,
      },
    ],
    timeout: 120_000,
  });
  t.strictSame(ask, {
    name: 'step-9',
    kind: 'webhook',
    url: 'https://gate.example.com/ask?x=1',
    timeout: 5000,
    retries: 2,
    every: 30_000,
    deadline: 3_600_000,
    secret: 'env:GATE',
  });
  t.match(look, { name: 'step-10', kind: 'analysis', for: 300_000, pass: [{ metric: 'task_rate' }] });
  t.strictSame(on, { name: 'shown', kind: 'override', on: true });
  t.strictSame(off, { name: 'hidden', kind: 'override', on: false });
});

/** In the order of the test above. */
function rank(step: StepConfig): number {
  if (step.kind === 'pause') return step.until === 'approval' ? 2 : step.until === 'manual' ? 3 : 4;
  if (step.kind === 'override') return step.on ? 8 : 9;
  return { weight: 0, ramp: 1, preflight: 5, webhook: 6, analysis: 7 }[step.kind];
}

t.test('a smoke test, written out', async (t) => {
  const [step] = stepsOf(`
- preflight:
    health: false
    warmUp: { path: /warm, requests: 10, concurrency: 2 }
    smoke:
      - name: login
        method: POST
        path: /login
        headers: { Content-Type: application/json }
        body: '{"a":1}'
        expect: { status: [200, 204], body: ok, latency: 200ms }
        timeout: 1s
        retries: 3
- weight: 1
`);
  t.strictSame(step, {
    name: 'step-1',
    kind: 'preflight',
    health: false,
    warmUp: { path: '/warm', requests: 10, concurrency: 2 },
    smoke: [
      {
        name: 'login',
        method: 'POST',
        path: '/login',
        headers: { 'Content-Type': 'application/json' },
        body: '{"a":1}',
        expect: { status: [200, 204], body: 'ok', latency: 200 },
        timeout: 1000,
        retries: 3,
      },
    ],
    timeout: 60_000,
  });
});

t.test('evidence', async (t) => {
  const off = evidenceOf('off');
  t.strictSame(off, evidenceOf('false'));
  t.match(off, {
    alpha: 0,
    shares: { errors: 0, slo: 0, latency: 0, ratio: 0 },
    maxFailures: 0,
    slo: null,
    latency: null,
  });
  t.strictSame(evidenceOf('on'), evidenceOf('{}'));
  t.strictSame(evidenceOf('{ slo: 0.005% }').slo, 0.005);
  t.strictSame(evidenceOf('{ slo: 1 }').shares, { errors: 0.4, slo: 0.3, latency: 0.15, ratio: 0.15 });
  t.strictSame(evidenceOf('{ latency: off }').shares, { errors: 0.75, slo: 0, latency: 0, ratio: 0.25 });
  t.strictSame(evidenceOf('{ slo: 1, latency: false }').shares, { errors: 0.55, slo: 0.3, latency: 0, ratio: 0.15 });
  t.strictSame(evidenceOf('{ shares: { errors: 0.9, ratio: 0.1 } }').shares, {
    errors: 0.9,
    slo: 0,
    latency: 0,
    ratio: 0.1,
  });
  t.strictSame(evidenceOf('{ latency: on }').latency, { percentile: 95, floor: 10, tolerance: 2 });
  t.strictSame(evidenceOf('{ latency: { percentile: p99, floor: 0ms, tolerance: 1.5 } }').latency, {
    percentile: 99,
    floor: 0,
    tolerance: 1.5,
  });
  t.match(evidenceOf('{ alpha: 0.00001, maxFailures: 20, earlyPass: true, slo: 1%, proof: 0.01, tolerance: 1.5 }'), {
    alpha: 0.00001,
    maxFailures: 20,
    earlyPass: true,
    slo: 1,
    proof: 0.01,
    tolerance: 1.5,
  });
});

t.test('rules: the window stands in the condition or beside it', async (t) => {
  const { rollbackWhen } = strategyOf(`steps: [ { weight: 5 } ]
rollbackWhen:
  - { when: "error_rate > 1%" }
  - { when: "error_rate > 1%", window: 5m, action: gradual }
  - { when: "error_rate > 1% over 300s", window: 5m }
  - { when: "p95 > 1s over 10m", level: warning }`);
  t.match(rollbackWhen, [
    { condition: { text: 'error_rate > 1%', window: null }, action: 'immediate', level: 'critical' },
    { condition: { text: 'error_rate > 1% over 5m', window: 300_000 }, action: 'gradual' },
    { condition: { text: 'error_rate > 1% over 300s', window: 300_000 }, action: 'immediate' },
    { condition: { text: 'p95 > 1s over 10m', window: 600_000 }, level: 'warning' },
  ]);
});

t.test('hooks', async (t) => {
  const webhook = 'webhook: { url: "https://h.example.com/x" }';
  const { hooks } = strategyOf(
    `steps: [ { weight: 5 } ]
hooks:
  start: [ { name: a, ${webhook} }, { name: b, command: [ /bin/true, -v ], env: { TEAM: red }, timeout: 5s, onFailure: ignore } ]
  step: [ { name: a, ${webhook} } ]
  rollback: [ { name: a, webhook: { url: "https://h.example.com/x", secret: { env: HOOK } } } ]
  success: [ { name: a, ${webhook} }, { name: b, ${webhook}, onFailure: ignore } ]`,
    { HOOK: 'a-secret' },
  );
  const run = { kind: 'webhook', url: 'https://h.example.com/x', secret: null };
  t.strictSame(hooks, {
    start: [
      { name: 'a', run, timeout: 30_000, onFailure: 'rollback' },
      {
        name: 'b',
        run: { kind: 'command', command: ['/bin/true', '-v'], env: { TEAM: 'red' } },
        timeout: 5000,
        onFailure: 'ignore',
      },
    ],
    step: [{ name: 'a', run, timeout: 30_000, onFailure: 'rollback' }],
    rollback: [{ name: 'a', run: { ...run, secret: 'env:HOOK' }, timeout: 30_000, onFailure: 'ignore' }],
    success: [
      { name: 'a', run, timeout: 30_000, onFailure: 'ignore' },
      { name: 'b', run, timeout: 30_000, onFailure: 'ignore' },
    ],
  });
});

t.test('freeze windows', async (t) => {
  const { freeze } = strategyOf(`steps: [ { weight: 5 } ]
freeze:
  - { name: weekend, days: [ sat, sun, sat ], timeZone: Europe/Berlin }
  - { name: night, from: 22:00, to: "06:30" }`);
  t.strictSame(freeze, [
    { name: 'weekend', days: [0, 6], from: 0, to: 1440, timeZone: 'Europe/Berlin' },
    { name: 'night', days: [0, 1, 2, 3, 4, 5, 6], from: 1320, to: 390, timeZone: 'UTC' },
  ]);
});

t.test('weights of the health score', async (t) => {
  const score = (text: string): StrategyConfig['healthScore'] =>
    strategyOf(`steps: [ { weight: 5 } ]\nhealthScore: ${text}`).healthScore;
  t.match(score('{ latencyLimit: 100ms }'), { success: 0.5714, latency: 0.4286, metric: null, latencyLimit: 100 });
  t.match(score('{ metric: { name: tasks } }'), { success: 0.4, latency: 0.3, metric: { name: 'tasks', weight: 0.3 } });
  t.match(score('{ success: 0.6 }'), { success: 0.6, latency: 0.4, metric: null });
  t.match(score('{ success: 1 }'), { success: 1, latency: 0 });
  t.match(score('{ success: 0.5, latency: 0.3, metric: { name: tasks, weight: 0.2 } }'), {
    success: 0.5,
    latency: 0.3,
    metric: { weight: 0.2 },
  });
  const thirds = score('{ metric: { name: tasks, weight: 0.5 } }');
  t.equal(Number((thirds.success + thirds.latency + 0.5).toFixed(9)), 1);
});

t.test('approvals', async (t) => {
  t.strictSame(strategyOf('steps: [ { weight: 5 } ]\napprovals: {}\napproveAboveRisk: 60').approvals, {
    required: 1,
    roles: [],
    expires: 3_600_000,
  });
  t.equal(strategyOf('steps: [ { weight: 5 } ]\napproveAboveRisk: 60').approveAboveRisk, 60);
});

t.test('a strategy builds on a preset or on another one', async (t) => {
  const { strategies } = rolloutsOf(`strategies:
  last: { extends: middle, steps: [ { weight: 7 } ] }
  middle: { extends: first, evidence: { maxFailures: 5 }, whenBusy: queue }
  first: { extends: conservative, evidence: { slo: 2%, tolerance: 1.5 }, gradual: { by: 50 } }
  standard: { extends: standard, minRequests: 100 }
`);
  const of = (name: string): StrategyConfig => strategies.find((strategy) => strategy.name === name)!;
  const preset = (name: string): StrategyConfig => presetStrategies().find((strategy) => strategy.name === name)!;
  t.strictSame(of('middle').steps, preset('conservative').steps);
  t.strictSame(of('last').steps, [{ name: 'step-1', kind: 'weight', weight: 7, for: 0, pass: [] }]);
  t.match(of('last'), {
    evidence: { slo: 2, tolerance: 1.5, maxFailures: 5, alpha: 0.001 },
    gradual: { by: 50, every: 60_000 },
    whenBusy: 'queue',
  });
  t.equal(of('first').evidence.maxFailures, 0, 'what is above changes nothing below');
  t.strictSame(of('standard'), { ...preset('standard'), minRequests: 100 });
  t.strictSame(
    strategies.map(({ name }) => name),
    [
      'fast-track',
      'conservative',
      'one-ten-hundred',
      'five-twentyfive',
      'blue-green',
      'last',
      'middle',
      'first',
      'standard',
    ],
    'a preset gives its place to a strategy of the same name',
  );
});

t.test('names that every object inherits are names like others', async (t) => {
  const { strategies } = rolloutsOf(`strategies:
  constructor: { steps: [ { weight: 5 } ] }
  toString: { extends: constructor, hooks: { start: [ { name: a, command: [ x ], env: { __proto__: b } } ] } }
`);
  t.match(strategies.slice(-2), [{ name: 'constructor' }, { name: 'toString', steps: [{ weight: 5 }] }]);
  t.match(JSON.stringify(strategies.at(-1)), '"env":{"__proto__":"b"}');
});

t.test('presets', async (t) => {
  t.strictSame(
    presetStrategies().map(({ name }) => name),
    Object.keys(PRESETS),
  );
  t.ok(isPresetName('blue-green'));
  t.notOk(isPresetName('constructor'));
  t.ok(presetStrategies().every(isPreset));
  const replaced = rolloutsOf('strategies: { standard: { extends: standard, minRequests: 7 } }\n').strategies;
  t.strictSame(
    replaced.filter((strategy) => !isPreset(strategy)).map(({ name }) => name),
    ['standard'],
  );
  for (const { name, steps, evidence, rollbackWhen } of presetStrategies()) {
    t.equal(evidence.maxFailures, 0, `${name}: a budget would depend on the traffic`);
    t.ok(rollbackWhen.length > 0 && rollbackWhen.every(({ level }) => level === 'warning'), `${name}: rules only tell`);
    t.ok(evidence.slo !== null, `${name} is looked at where there is nobody to compare with`);
    t.ok(
      steps.some(({ kind }) => kind === 'weight' || kind === 'ramp'),
      name,
    );
  }
  const absolute = (name: string): string[] =>
    presetStrategies()
      .find((strategy) => strategy.name === name)!
      .steps.flatMap((step) => ('pass' in step ? step.pass : []))
      .filter(({ operand }) => operand.kind === 'value')
      .map(({ text }) => text);
  for (const name of ['fast-track', 'standard', 'conservative', 'five-twentyfive'])
    t.strictSame(absolute(name), [], name);
  t.strictSame(absolute('one-ten-hundred'), [
    'error_rate < 1%',
    'error_rate < 0.5%',
    'error_rate < 0.1%',
    'p99 < 200ms',
  ]);
  t.strictSame(absolute('blue-green'), ['error_rate < 5%'], 'that of its SLO');
});

t.test('a chain of strategies has an end that can be read, whichever end the file begins with', async (t) => {
  const chain = (length: number): string[] =>
    Array.from({ length }, (_, index) => `  s${index}: { extends: s${index + 1} }\n`).concat(
      `  s${length}: { steps: [ { weight: 5 } ] }\n`,
    );
  t.equal(
    rolloutsOf(`strategies:\n${chain(16).join('')}`).strategies.find(({ name }) => name === 's0')!.steps.length,
    1,
  );
  for (const lines of [chain(17), chain(17).toReversed(), chain(5_000), chain(5_000).toReversed()]) {
    t.throws(() => rolloutsOf(`strategies:\n${lines.join('')}`), {
      message: /more than 16 times over; write some of them out/,
    });
  }
});
