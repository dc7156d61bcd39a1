/** Steps in one line. */
import t from 'tap';
import { resolveStrategy } from '../../src/control/config/given-strategy.ts';
import { presetStrategies } from '../../src/control/config/resolve-strategies.ts';
import { stepSummary } from '../../src/control/rollout/step-summary.ts';

const NOTHING = { strategies: [], metrics: [], approvers: [] };

const LINES: readonly (readonly [step: unknown, line: string])[] = [
  [{ weight: 20, for: '15m' }, '20 % for 15m'],
  [{ weight: 0.5 }, '0.5 %'],
  [{ ramp: { to: 100, by: 20, every: '5m' } }, 'to 100 % by 20 % every 5m'],
  [{ ramp: { to: 33.33, by: 11.11, every: '90s' } }, 'to 33.33 % by 11.11 % every 90s'],
  [{ pause: 'approval' }, 'pause for approval'],
  [{ pause: 'manual' }, 'pause until resumed'],
  [{ pause: '1.5s' }, 'pause for 1500ms'],
  [{ preflight: {} }, 'preflight: health'],
  [
    { preflight: { warmUp: { requests: 1 }, smoke: [{ path: '/' }, { path: '/a' }] } },
    'preflight: health, 1 warm-up request, 2 smoke tests',
  ],
  [{ preflight: { health: false, warmUp: {} } }, 'preflight: 50 warm-up requests'],
  [{ webhook: { url: 'https://gate.example.com:8443/a-password?b=c' } }, 'ask gate.example.com:8443'],
  [{ analysis: { for: '36h', pass: ['p95 < 1s'] } }, 'analysis for 36h'],
  [{ override: 'on' }, 'override on'],
  [{ override: false }, 'override off'],
];

for (const [step, line] of LINES) {
  t.test(line, async (t) => {
    const { steps } = resolveStrategy('x', { steps: [step, { weight: 100 }] }, NOTHING);
    t.equal(stepSummary(steps[0]!), line);
  });
}

t.test('the standard preset', async (t) => {
  const standard = presetStrategies().find(({ name }) => name === 'standard')!;
  t.strictSame(standard.steps.map(stepSummary), ['5 % for 10m', '20 % for 15m', 'to 100 % by 20 % every 5m']);
});
