/**
 * The strategies that are there without being written: how most teams bring a version out, from hasty to careful.
 *
 * They are written as a file would write them and go through the same checks. A strategy of the same name in the file takes the place of a preset;
 * `extends` builds on one.
 *
 * What acts in them is evidence alone: sequential tests with a bounded chance of a false alarm, however often they are looked at. A rule on a measured
 * rate has no such bound: at 5 % a handful of users are on the version, and one of them who fails again and again is a rate. So rules only warn
 * here, and conditions hold a step. A version that is no worse than stable passes, whatever errors both have: conditions compare with stable, with
 * room for chance, and a step that is held by chance goes on when more requests have been counted. No preset has a budget of failures, because how
 * many there are by nature depends on the traffic.
 *
 * `slo` is for the steps at 100 %, where there is nobody left to compare with: 5 % failures are an outage for most. A service whose stable
 * version fails more often than that is in an incident, which holds a rollout and does not take it back.
 */
import type { RawRule, RawStep, RawStrategy } from './raw-rollouts.ts';

const EVIDENCE = { slo: '5%' };

const WARNINGS: readonly RawRule[] = [
  { when: 'error_rate > baseline + 2%', window: '5m', level: 'warning' },
  { when: 'p95 > baseline * 2', window: '5m', level: 'warning' },
];

const HASTY = ['error_rate <= baseline + 1%', 'p95 <= baseline * 1.5'];
const USUAL = ['error_rate <= baseline + 0.5%', 'p95 <= baseline * 1.3'];
const HEALTH = ['availability >= baseline - 0.5%', 'health_score >= baseline - 5%'];

const approve = (before: number): RawStep => ({ name: `approve-${before}`, pause: 'approval' });

export const PRESETS = {
  'fast-track': {
    evidence: EVIDENCE,
    steps: [
      { name: 'tenth', weight: 10, for: '2m', pass: HASTY },
      { name: 'quarter', weight: 25, for: '5m', pass: HASTY },
      { name: 'half', weight: 50, for: '10m', pass: HASTY },
      { name: 'all', weight: 100 },
    ],
    rollbackWhen: WARNINGS,
  },
  standard: {
    evidence: EVIDENCE,
    steps: [
      { name: 'initial', weight: 5, for: '10m', pass: USUAL },
      { name: 'expanded', weight: 20, for: '15m', pass: USUAL },
      { name: 'full', ramp: { to: 100, by: 20, every: '5m' }, pass: USUAL },
    ],
    rollbackWhen: WARNINGS,
  },
  conservative: {
    evidence: EVIDENCE,
    steps: [
      { name: 'one', weight: 1, for: '15m', pass: USUAL },
      approve(5),
      { name: 'five', weight: 5, for: '15m', pass: USUAL },
      approve(10),
      { name: 'tenth', weight: 10, for: '15m', pass: USUAL },
      approve(25),
      { name: 'quarter', weight: 25, for: '15m', pass: USUAL },
      approve(50),
      { name: 'half', weight: 50, for: '15m', pass: USUAL },
      approve(100),
    ],
    rollbackWhen: WARNINGS,
  },
  'one-ten-hundred': {
    evidence: { slo: '1%' },
    steps: [
      { name: 'one', weight: 1, for: '2h', pass: ['error_rate < 1%'] },
      { name: 'ten', weight: 10, for: '4h', pass: ['error_rate < 0.5%'] },
      { name: 'hundred', weight: 100, for: '10m', pass: ['error_rate < 0.1%', 'p99 < 200ms'] },
    ],
    rollbackWhen: WARNINGS,
  },
  'five-twentyfive': {
    evidence: EVIDENCE,
    steps: [
      { name: 'checks', preflight: { health: true } },
      { name: 'five', weight: 5, for: '10m', pass: HEALTH },
      { name: 'quarter', weight: 25, for: '10m', pass: HEALTH },
      { name: 'all', weight: 100, for: '10m', pass: HEALTH },
    ],
    rollbackWhen: WARNINGS,
  },
  'blue-green': {
    evidence: EVIDENCE,
    steps: [
      { name: 'checks', preflight: { health: true } },
      { name: 'switch', weight: 100, for: '5m', pass: ['error_rate < 5%'] },
    ],
    rollbackWhen: WARNINGS,
  },
} as const satisfies Readonly<Record<string, RawStrategy>>;
