/** Random strategies, as they are written; all of them are good. */
import { BUILT_IN_METRICS, isBuiltIn as isMeasured } from '../../src/model/built-in-metrics.ts';
import type { Dice } from '../fuzz/dice.ts';

type Part = Readonly<Record<string, unknown>>;

const DURATIONS = ['1s', '90s', '1.5s', '10m', '1h', '24h'];
const NAMES = ['constructor', 'toString', '1.10', 'a_b', '__proto__x'];

const some = (dice: Dice, parts: Readonly<Record<string, () => unknown>>, share = 0.4): Part =>
  Object.fromEntries(
    Object.entries(parts)
      .filter(() => dice.chance(share))
      .map(([key, make]) => [key, make()]),
  );

const times = <T>(dice: Dice, most: number, make: (index: number) => T): T[] =>
  Array.from({ length: dice.below(most + 1) }, (_, index) => make(index));

const VALUES: Readonly<Record<string, readonly string[]>> = {
  p50: ['0', '20ms', '1.5s'],
  p95: ['250ms', '0'],
  p99: ['1h'],
  p999: ['1ms'],
  throughput: ['0.5', '100/s', '6000/m'],
};

export function randomCondition(dice: Dice): string {
  const metric = dice.one([...Object.keys(BUILT_IN_METRICS), 'task_rate', 'tostring', 'constructor']);
  const isBuiltIn = isMeasured(metric);
  const shares = isBuiltIn ? ['0', '1%', '99.95%', '0.001'] : ['-1', '98%', '1e3', '0.5'];
  const value = dice.one(Object.hasOwn(VALUES, metric) ? VALUES[metric]! : shares);
  const operator = dice.one(isBuiltIn ? ['<', '<=', '>', '>='] : ['<', '==', '!=']);
  const operand = dice.one([value, 'baseline', `baseline + ${value}`, `baseline-${value}`, 'baseline * 1.25']);
  const over = dice.one(['', '', ` over ${dice.one(DURATIONS)}`]);
  return `${metric}${dice.one(['', ' '])}${operator} ${operand}${over}`;
}

const pass = (dice: Dice): Part =>
  some(dice, { pass: () => [randomCondition(dice), ...times(dice, 2, () => randomCondition(dice))] });

const hook = (dice: Dice, name: string, onFailure: readonly string[]): Part => ({
  name,
  ...dice.one<Part>([
    { webhook: { url: 'https://h.example.com/x?y=1' } },
    { command: ['/bin/x', '', '-v'] },
    { command: ['x'], env: { A: 'b', __proto__: 'c', TOSTRING: '' } },
  ]),
  ...some(dice, { timeout: () => '10ms', onFailure: () => dice.one(onFailure) }),
});

function steps(dice: Dice): Part[] {
  const list: Part[] = [];
  if (dice.chance(0.4)) {
    list.push({
      preflight: {
        ...some(dice, {
          warmUp: () => some(dice, { path: () => '/a?b', requests: () => 1, concurrency: () => 256 }),
          smoke: () => [
            {
              path: '/',
              ...some(dice, {
                method: () => 'PURGE',
                headers: () => ({ 'X-A': '1', __proto__: 'x' }),
                body: () => '',
                expect: () =>
                  some(dice, {
                    status: () => dice.one<unknown>([204, [200, 503]]),
                    latency: () => '1ms',
                    body: () => 'é',
                  }),
                retries: () => 100,
              }),
            },
          ],
          timeout: () => '1m',
        }),
      },
    });
  }
  let weight = 0;
  while (weight < 100 && list.length < 12) {
    const to = Math.min(100, weight + dice.one([1, 5, 12.5, 50]));
    list.push(
      dice.one<Part>([
        { pause: dice.one(['manual', 'approval', ...DURATIONS]) },
        { override: dice.one<unknown>([true, false, 'on', 'off']) },
        {
          webhook: { url: 'http://h/', ...some(dice, { every: () => '1m', deadline: () => '24h', retries: () => 0 }) },
        },
        { analysis: { for: dice.one(DURATIONS), pass: [randomCondition(dice)] } },
        { weight: to, ...some(dice, { for: () => dice.one(DURATIONS) }), ...pass(dice) },
        { ramp: { to, by: dice.one([2, 20, '33.33%']), every: dice.one(DURATIONS) }, ...pass(dice) },
      ]),
    );
    const { weight: fixed, ramp } = list.at(-1)! as { weight?: number; ramp?: { to: number } };
    weight = fixed ?? ramp?.to ?? weight;
  }
  if (weight === 0) list.push({ weight: 5 });
  return list.map((step, index) =>
    dice.chance(0.3) ? { name: `${dice.one(NAMES.slice(0, 4))}-${index}`, ...step } : step,
  );
}

const evidence = (dice: Dice): unknown =>
  dice.one<unknown>([
    'off',
    false,
    true,
    {
      ...some(dice, {
        alpha: () => dice.one([0, 1e-6, 0.5]),
        tolerance: () => 1.5,
        maxFailures: () => 20,
        proof: () => 0.01,
        latency: () => dice.one<unknown>(['off', true, { percentile: 'p99', floor: '0ms' }, { tolerance: 3 }]),
      }),
      ...dice.one<Part>([{}, { slo: '0.1%', earlyPass: true }, { slo: 1 }, { shares: { errors: 0.3, ratio: 0.7 } }]),
    },
  ]);

export const randomStrategy = (dice: Dice): Part => ({
  steps: steps(dice),
  ...some(dice, {
    evidence: () => evidence(dice),
    rollbackWhen: () =>
      times(dice, 3, () => ({
        when: randomCondition(dice).replace(/ over .*/, ''),
        ...dice.one<Part>([{}, { window: '5m' }, { action: 'gradual' }, { level: 'warning' }]),
      })),
    gradual: () => some(dice, { by: () => 50, every: () => '30s' }),
    minRequests: () => 1,
    unavailableFor: () => '1.5s',
    stepDeadline: () => '1h',
    hooks: () =>
      some(dice, {
        start: () => times(dice, 2, (n) => hook(dice, `h${n}`, ['rollback', 'ignore'])),
        step: () => times(dice, 2, (n) => hook(dice, `h${n}`, ['rollback', 'ignore'])),
        rollback: () => times(dice, 2, (n) => hook(dice, `h${n}`, ['ignore'])),
        success: () => times(dice, 2, (n) => hook(dice, `h${n}`, ['ignore'])),
      }),
    approvals: () => some(dice, { required: () => 3, expires: () => '10m' }),
    approveAboveRisk: () => dice.below(101),
    whenBusy: () => dice.one(['refuse', 'queue', 'supersede']),
    freeze: () => [
      { name: 'a', ...dice.one<Part>([{ days: ['sat', 'sun'] }, { from: '22:00', to: '06:00' }, { from: '12:01' }]) },
      ...times(dice, 1, () => ({ name: 'b', days: ['mon'], timeZone: 'America/New_York' })),
    ],
    healthScore: () =>
      dice.one<Part>([
        {},
        { success: 1 },
        { metric: { name: 'task_rate' } },
        { success: 0.1, metric: { name: 'constructor', weight: 0.7 }, latencyLimit: '1s' },
        { metric: { name: 'x', weight: 1 / 3 } },
      ]),
  }),
});
