/** Recorded views of rollouts, one for each way in which the page of one can look. */
import type { ConditionResult, EvidenceReading, TestReading } from '../../src/control/analysis/verdict.ts';
import type { RolloutSummary, RolloutView, SideView } from '../../src/control/rollout/view.ts';

const at = (time: string): string => `2026-01-01T${time}.000Z`;

export const testReading = (test: TestReading['test'], part: Partial<TestReading> = {}): TestReading => ({
  ...{ test, state: 'watching', logE: 0, threshold: 8.29, message: `nothing of ${test} so far` },
  ...part,
});

const NO_SIDE = { trials: 0, failed: 0, counted: 0, slow: 0, ended: 0, aborted: 0, userErrors: 0 };

export const EVIDENCE: EvidenceReading = {
  tests: [
    testReading('errors', { logE: 2.1, threshold: 7.6 }),
    testReading('slo', { state: 'off', threshold: null }),
    testReading('latency', { logE: -3.41 }),
    testReading('ratio'),
  ],
  verdict: null,
  mismatch: null,
  proof: null,
  budget: { used: 3, max: 20, spent: false },
  bothFail: false,
  canary: { ...NO_SIDE, trials: 3000, failed: 3 },
  stable: { ...NO_SIDE, trials: 12_000, failed: 9 },
};

export const condition = (text: string, part: Partial<ConditionResult> = {}): ConditionResult => ({
  ...{ condition: text, metric: text.split(' ')[0] ?? '', status: 'pass', value: 0.1, limit: 1, baseline: null },
  ...{ samples: 3000, message: `${text}, it is said` },
  ...part,
});

const side = (version: string, weight: number, part: Partial<SideView> = {}): SideView => ({
  ...{ version, weight, inFlight: 3, requests: 12_000, failed: 9, throughput: 905, errorRate: 0 },
  ...{ p50: 1.234, p95: 3.4, p99: 9.87, userErrors: 0, shielded: 0 },
  ...part,
});

export const PROGRESSING: RolloutView = {
  ...{ id: 'shop-7', service: 'shop', version: 'v2', stable: 'v1', strategy: 'standard', phase: 'Progressing' },
  ...{ createdAt: at('12:00:00'), startedAt: at('12:00:00'), endedAt: null, startedBy: 'ci' },
  ...{ step: 2, stepCount: 3, weight: 20, waiting: null, outcome: null, reason: 'release 4711' },
  digest: '9b1c',
  risk: {
    score: 35,
    items: [
      { name: 'first step', points: 5, message: 'the first step gives v2 5 % of the requests' },
      { name: 'hour', points: 30, message: 'it is Friday afternoon' },
    ],
  },
  steps: [
    { index: 0, name: 'initial_canary', kind: 'weight', summary: '5 % for 10m', state: 'done' },
    { index: 1, name: 'expanded_canary', kind: 'weight', summary: '20 % for 15m', state: 'current' },
    { index: 2, name: 'full_rollout', kind: 'ramp', summary: 'to 100 % by 20 % every 5m', state: 'pending' },
  ],
  soak: { soaked: 362_000, for: 900_000, left: 538_000 },
  pause: null,
  conditions: [
    condition('error_rate <= baseline + 0.1%', { baseline: 0.08 }),
    condition('p95 <= baseline * 1.2', { status: 'inconclusive', value: null, samples: 0, message: 'no request yet' }),
  ],
  rules: [condition('error_rate > 1% over 5m', { status: 'fail' })],
  evidence: EVIDENCE,
  needs: {
    ...{ requests: 1200, at: at('12:31:00') },
    message: '1,200 more requests, about 12:31 at the present rate',
  },
  canary: side('v2', 20, { throughput: 226, errorRate: 0.31, shielded: 2, inFlight: 1 }),
  baseline: side('v1', 80),
  approvals: { required: 0, given: [], missing: null },
  pack: 'pack-shop-7',
  rollback: null,
  timeline: [
    { at: at('12:00:00'), kind: 'verb', message: 'ci: start (release 4711)' },
    { at: at('12:00:01'), kind: 'step', message: 'step 1 of 3, initial_canary: 5 % for 10m' },
    { at: at('12:10:01'), kind: 'step', message: 'step 2 of 3, expanded_canary: 20 % for 15m' },
    { at: at('12:12:00'), kind: 'warning', message: 'p95 could not be read' },
    { at: at('12:12:05'), kind: 'warning', message: 'p95 is read again' },
  ],
  retryOf: null,
};

export const PAUSED: RolloutView = {
  ...PROGRESSING,
  ...{ phase: 'Paused', soak: null, needs: null, conditions: [], waiting: 'needs the approval of one more agent' },
  steps: PROGRESSING.steps.map((step) =>
    step.index === 1 ? { ...step, name: 'sign_off', kind: 'pause', summary: 'pause for approval' } : step,
  ),
  pause: { by: 'step', reason: 'sign_off', since: at('12:10:01'), for: null, until: 'approval' },
  approvals: {
    required: 2,
    given: [{ approver: 'lead', role: 'human', at: at('12:11:00'), expires: at('13:11:00'), signed: true }],
    missing: 'one more, of an agent',
  },
};

export const ROLLING_BACK: RolloutView = {
  ...PROGRESSING,
  ...{ phase: 'RollingBack', weight: 0, soak: null, needs: null, conditions: [] },
  outcome: "v2 is being taken back at 20 %, 41ms after its first failed request: 12 of 14 failures were the canary's.",
  rules: [condition('error_rate > 1% over 5m', { value: 48.1 })],
  evidence: {
    ...EVIDENCE,
    tests: [
      testReading('errors', { state: 'crossed', logE: 9.9, threshold: 7.6 }),
      testReading('slo', { logE: 4.5, threshold: 8.3 }),
      testReading('latency', { state: 'blind', message: 'blind: too few requests of stable' }),
      testReading('ratio'),
    ],
    budget: { used: 20, max: 20, spent: true },
  },
  canary: side('v2', 0, { throughput: 0, errorRate: 48.1, userErrors: 2, shielded: 10, inFlight: 4 }),
  baseline: side('v1', 100),
  rollback: { mode: 'immediate', drained: false, inFlight: 4, verified: null },
  timeline: [
    ...PROGRESSING.timeline.slice(0, 3),
    { at: at('12:14:07'), kind: 'rolling-back', message: 'v2 is taken back to v1 at once' },
  ],
};

const QUIET = { throughput: null, errorRate: null, p50: null, p95: null, p99: null, requests: 0, failed: 0 };

export const QUEUED: RolloutView = {
  ...PROGRESSING,
  ...{ id: 'shop-8', phase: 'Queued', step: 0, weight: 0, startedAt: null, soak: null, needs: null },
  waiting: 'waits for shop-7, which runs',
  steps: PROGRESSING.steps.map((step) => ({ ...step, state: 'pending' })),
  ...{ conditions: [], rules: [], pack: null },
  evidence: { ...EVIDENCE, tests: [], budget: null },
  canary: side('v2', 0, { ...QUIET, inFlight: 0 }),
  baseline: side('v1', 100),
  timeline: [{ at: at('12:20:00'), kind: 'queued', message: 'shop-7 runs; this one waits for its turn' }],
};

export const FAILED: RolloutView = {
  ...QUEUED,
  ...{ id: 'shop-6', phase: 'Failed', startedAt: at('12:00:00'), endedAt: at('12:01:00'), step: 1, waiting: null },
  outcome: 'v2 was given to no user: smoke test home answered 500.',
  steps: [
    { index: 0, name: 'checks', kind: 'preflight', summary: 'health, 1 smoke test', state: 'failed' },
    { index: 1, name: 'initial_canary', kind: 'weight', summary: '5 % for 10m', state: 'pending' },
  ],
  stepCount: 2,
  timeline: [{ at: at('12:01:00'), kind: 'failed', message: 'smoke test home answered 500' }],
};

export const SUCCEEDED: RolloutView = {
  ...PROGRESSING,
  ...{ phase: 'Succeeded', step: 3, weight: 100, endedAt: at('12:50:00'), soak: null, needs: null, conditions: [] },
  outcome: 'v2 is stable after 50m: 3 steps passed.',
  timeline: [...PROGRESSING.timeline, { at: at('12:50:00'), kind: 'succeeded', message: 'v2 is stable' }],
};

export const ROLLED_BACK: RolloutView = {
  ...ROLLING_BACK,
  ...{ phase: 'RolledBack', endedAt: at('12:14:10') },
  outcome: "v2 was taken back at 20 %, 41ms after its first failed request: 12 of 14 failures were the canary's.",
  rollback: { mode: 'immediate', drained: true, inFlight: 0, verified: { ok: true, differences: [] } },
  timeline: [...ROLLING_BACK.timeline, { at: at('12:14:10'), kind: 'rolled-back', message: 'v2 is taken back' }],
};

/** What a list has of a view. */
export function summaryOf(view: RolloutView): RolloutSummary {
  const { id, service, version, stable, strategy, phase, createdAt, startedAt, endedAt, startedBy } = view;
  const { step, stepCount, weight, waiting, outcome } = view;
  const names = { id, service, version, stable, strategy, phase, createdAt, startedAt, endedAt, startedBy };
  return { ...names, step, stepCount, weight, waiting, outcome };
}
