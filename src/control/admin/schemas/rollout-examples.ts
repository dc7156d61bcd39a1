/**
 * Examples of rollouts for the OpenAPI document: v2 of the demo passes its first step and begins to fail in the second.
 *
 * The rollout is written down as it would be kept, and report and decision record are made of it by the code that makes them in production:
 * so the documentation shows what is answered, and docs/reports.md is held to the same.
 */
import type { EvidenceReading, SideTotals, TestReading } from '../../analysis/verdict.ts';
import type { NotificationView, StrategyView } from '../../operations.ts';
import { type Reported, reportOf } from '../../rollout/report.ts';
import type { Decision, FailedRequestRecord, Risk, StepRecord } from '../../rollout/rollout.ts';
import { summaryOf } from '../../rollout/summary.ts';
import type { RollbackPackView, RolloutReport, RolloutView, RolloutWhy } from '../../rollout/view.ts';
import { type Explained, whyOf } from '../../rollout/why.ts';

const NOON = Date.UTC(2026, 0, 1, 12);
const MINUTE = 60_000;
const ln = (value: number): number => Number(Math.log(value).toFixed(5));
const FAILED_AT = NOON + 12 * MINUTE + 30_012;

const strategy: (Reported & Explained)['strategy'] = {
  name: 'careful',
  gradual: { by: 20, every: MINUTE },
  steps: [
    {
      ...{ name: 'first', kind: 'weight', weight: 5, for: 10 * MINUTE },
      pass: [
        {
          ...{ text: 'error_rate < 1%', metric: 'error_rate', operator: '<', window: null },
          operand: { kind: 'value', value: 1 },
        },
      ],
    },
    { name: 'more', kind: 'weight', weight: 20, for: 15 * MINUTE, pass: [] },
    { name: 'everyone', kind: 'ramp', to: 100, by: 20, every: 5 * MINUTE, pass: [] },
  ],
};

export const riskExample: Risk = {
  score: 12,
  items: [
    { name: 'first step', points: 4, message: 'the first step gives v2 5 % of the requests' },
    { name: 'preflight', points: 8, message: 'nothing checks v2 before users get it' },
  ],
};

const totals = (trials: number, failed: number, slow: number): SideTotals => ({
  ...{ trials, failed, counted: failed, slow, ended: trials, aborted: 0, userErrors: 0 },
});

function evidence(canary: SideTotals, stable: SideTotals, errors: Partial<TestReading>): EvidenceReading {
  const test: TestReading = {
    ...{ test: 'errors', state: 'watching', logE: 0, threshold: ln(2000), message: 'no failures so far' },
    ...errors,
  };
  return {
    tests: [
      test,
      { test: 'slo', state: 'off', logE: 0, threshold: null, message: 'not asked for' },
      {
        ...{ test: 'latency', state: 'watching', logE: -3.41, threshold: ln(4000) },
        message:
          "77 of 1,560 requests slower than 31 ms were the canary's, which had 5 % of the requests: e-value 0.033 of 4,000 needed",
      },
      {
        ...{ test: 'ratio', state: 'watching', logE: 0, threshold: ln(4000) },
        message: 'no requests that clients gave up so far',
      },
    ],
    verdict: test.state === 'crossed' ? test : null,
    mismatch: null,
    proof: null,
    budget: { used: canary.failed, max: 50, spent: false },
    bothFail: false,
    canary,
    stable,
  };
}

const before = evidence(totals(1498, 0, 77), totals(28_502, 21, 1483), {
  logE: -2.07,
  message: "0 of 21 failures were the canary's, which had 5 % of the requests: e-value 0.13 of 2,000 needed",
});

const then = evidence(totals(2998, 15, 158), totals(34_502, 24, 1790), {
  ...{ state: 'crossed', logE: ln(2742.3) },
  message: "15 of 39 failures were the canary's, which had 5 to 20 % of the requests: e-value 2,742 of 2,000 needed",
});

const steps: readonly StepRecord[] = [
  {
    ...{ index: 0, name: 'first', kind: 'weight', weight: 5, result: 'passed' },
    ...{ startedAt: NOON + 120, endedAt: NOON + 10 * MINUTE + 120 },
    canary: {
      version: 'v2',
      requests: 1498,
      errors: 0,
      p50: 4.1,
      p95: 11.2,
      p99: 31.5,
      p999: 48,
      userErrors: 0,
      shielded: 0,
    },
    stable: {
      ...{ version: 'v1', requests: 28_502, errors: 21, p50: 4, p95: 11.4, p99: 30.9, p999: 52 },
      ...{ userErrors: 21, shielded: 0 },
    },
    conditions: [
      {
        ...{ condition: 'error_rate < 1%', metric: 'error_rate', status: 'pass', value: 0, limit: 1 },
        ...{ baseline: null, samples: 1498, message: 'error_rate is 0 % of 1,498 requests, must be < 1 %' },
      },
    ],
    evidence: before,
  },
  {
    ...{ index: 1, name: 'more', kind: 'weight', weight: 20, result: 'failed' },
    ...{ startedAt: NOON + 10 * MINUTE + 120, endedAt: FAILED_AT + 270 },
    canary: {
      ...{ version: 'v2', requests: 1500, errors: 15, p50: 4.2, p95: 11.9, p99: 33, p999: 51 },
      ...{ userErrors: 0, shielded: 15 },
    },
    stable: {
      version: 'v1',
      requests: 6000,
      errors: 3,
      p50: 4,
      p95: 11.1,
      p99: 30.2,
      p999: 49,
      userErrors: 3,
      shielded: 0,
    },
    conditions: [],
    evidence: then,
  },
];

const failure = (after: number, path: string, requestId: string): FailedRequestRecord => ({
  ...{ at: FAILED_AT + after, method: 'POST', path, route: 'checkout', status: 500, flag: '', duration: 3.2 },
  ...{ requestId, endpoint: 'http://127.0.0.1:3003' },
});

const decision: Decision = {
  ...{ at: FAILED_AT + 263, cause: 'evidence', reason: then.verdict?.message ?? '', by: 'sluice' },
  ...{ step: 1, weight: 20, evidence: then, conditions: [], rules: [] },
  failures: [failure(221, '/checkout/4711', 'b3c1-118'), failure(258, '/checkout/4702', 'b3c1-131')],
  ...{ firstFailureAt: FAILED_AT, closedAt: FAILED_AT + 258, acknowledgedAt: FAILED_AT + 270 },
};

/** As it is kept. */
export const takenBack: Reported & Explained = {
  ...{ id: 'demo-7', service: 'demo', version: 'v2', stable: 'v1', strategy, phase: 'RolledBack' },
  ...{ createdAt: NOON, startedAt: NOON + 20, endedAt: FAILED_AT + 4270 },
  ...{ startedBy: { name: 'ci', role: 'operator' }, step: 1, weight: 0, waiting: null, pause: null },
  rollback: { nextAt: FAILED_AT + 263 },
  ...{ risk: riskExample, approvals: [], decision, steps },
  timeline: [
    { at: NOON, kind: 'verb', message: 'ci: start (release 4711)' },
    { at: NOON + 20, kind: 'started', message: 'v2 of demo begins, against v1, by careful' },
    { at: NOON + 120, kind: 'step', message: 'step 1 of 3, first: 5 % for 10m', data: { step: 'first', weight: 5 } },
    {
      ...{ at: NOON + 10 * MINUTE + 120, kind: 'step', message: 'step 2 of 3, more: 20 % for 15m' },
      data: { step: 'more', weight: 20 },
    },
    {
      ...{ at: FAILED_AT + 263, kind: 'rolling-back', message: `v2 is taken back to v1 at once: ${decision.reason}` },
      data: { cause: 'evidence', mode: 'immediate', weight: 0, by: 'sluice' },
    },
    { at: FAILED_AT + 4270, kind: 'drained', message: '0 in flight on v2' },
    { at: FAILED_AT + 4270, kind: 'rolled-back', message: 'v2 is taken back; all traffic is on v1' },
  ],
};

const wayBack: RolloutView['rollback'] = {
  ...{ mode: 'immediate', drained: true, inFlight: 0 },
  verified: { ok: true, differences: [] },
};

export const reportExample: RolloutReport = reportOf(takenBack, wayBack, FAILED_AT);

const present = { conditions: [], rules: [], evidence: then, waiting: null, rollback: wayBack };

export const whyExample: RolloutWhy = whyOf(takenBack, present, { now: FAILED_AT + 5000, unwritten: null });

export const summaryExample = summaryOf(takenBack);

/** The same rollout, in its second step. */
export const rolloutExample: RolloutView = {
  ...summaryOf({ ...takenBack, phase: 'Progressing', endedAt: null, weight: 20, decision: null }),
  ...{
    reason: 'release 4711',
    digest: '6a1f0c7d1d1a9e6f0a4b8f5d7b3e2c1a0f9e8d7c6b5a4938271605040302010f',
    risk: riskExample,
  },
  steps: [
    { index: 0, name: 'first', kind: 'weight', summary: '5 % for 10m', state: 'done' },
    { index: 1, name: 'more', kind: 'weight', summary: '20 % for 15m', state: 'current' },
    { index: 2, name: 'everyone', kind: 'ramp', summary: 'to 100 % by 20 % every 5m', state: 'pending' },
  ],
  soak: { soaked: 2 * MINUTE, for: 15 * MINUTE, left: 13 * MINUTE },
  pause: null,
  ...{ conditions: [], rules: [], evidence: before, needs: null },
  canary: {
    ...{ version: 'v2', weight: 20, inFlight: 1, requests: 2698, failed: 0, throughput: 10, errorRate: 0 },
    ...{ p50: 4.2, p95: 11.9, p99: 33, userErrors: 0, shielded: 0 },
  },
  baseline: {
    ...{ version: 'v1', weight: 80, inFlight: 2, requests: 33_302, failed: 24, throughput: 40, errorRate: 0.05 },
    ...{ p50: 4, p95: 11.1, p99: 30.2, userErrors: 24, shielded: 0 },
  },
  approvals: { required: 0, given: [], missing: null },
  pack: 'pack-demo-7',
  rollback: null,
  timeline: reportExample.timeline.slice(0, 4),
  retryOf: null,
};

export const packExample: RollbackPackView = {
  ...{ id: 'pack-demo-7', rollout: 'demo-7', service: 'demo', createdAt: reportExample.createdAt },
  manifest: [
    { part: 'lanes', sha256: '8a54e5f3f8d0c1b7a6958473625140f1e2d3c4b5a69788796a5b4c3d2e1f0a1b', bytes: 31 },
    { part: 'weights', sha256: '44c1a0f9e8d7c6b5a49382716050403020100f1e2d3c4b5a69788796a5b4c3d2', bytes: 17 },
  ],
  checksum: '0c9d8e7f6a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0a1b2c3d4e5f',
  intact: true,
};

export const strategyExample: StrategyView = {
  ...{ name: 'careful', preset: false, definition: strategy },
  steps: rolloutExample.steps.map(({ name, kind, summary }) => ({ name, kind, summary })),
};

export const notificationExample: NotificationView = {
  ...{ id: '118', at: new Date(decision.at).toISOString(), type: 'rollout.rolling-back', severity: 'critical' },
  ...{ service: 'demo', message: `demo-7: v2 is taken back to v1 at once: ${decision.reason}` },
  ...{ acknowledged: null, escalatedAt: null },
};
