/**
 * What rollouts are shown with: conditions, evidence, risk, steps, decisions. The schemas of the types in `control/analysis/verdict.ts` and
 * `control/rollout/rollout.ts`, with times as text; held equal to them by a test.
 */
import { Type } from 'typebox';
import { CAUSES, PHASES } from '../../rollout/rollout.ts';
import { closed, milliseconds, nullable, time, words } from './values.ts';

export const phase = words(...PHASES);

export const conditionResult = closed(
  {
    condition: Type.String({ description: 'As written.' }),
    metric: Type.String(),
    status: words('pass', 'fail', 'inconclusive', 'error'),
    value: nullable(Type.Number()),
    limit: nullable(Type.Number({ description: 'What it was compared with, after the baseline was put in.' })),
    baseline: nullable(Type.Number()),
    samples: Type.Integer(),
    message: Type.String(),
  },
  {
    title: 'ConditionResult',
    description: '`inconclusive` is neither pass nor fail, and `error` says nothing about the version.',
  },
);

export const testReading = closed(
  {
    test: words('errors', 'slo', 'latency', 'ratio'),
    state: words('off', 'blind', 'watching', 'crossed'),
    logE: Type.Number({ description: 'Natural logarithm of the e-value; 0 where there is no evidence.' }),
    threshold: nullable(Type.Number({ description: 'At which it is enough: ln(1/(alpha·share)).' })),
    message: Type.String(),
  },
  { title: 'TestReading' },
);

const sideTotals = closed(
  {
    trials: Type.Integer({ description: 'Requests that were assigned by the split.' }),
    failed: Type.Integer({ description: 'First attempts that failed.' }),
    counted: Type.Integer({ description: 'Those of them that were the first of their session.' }),
    slow: Type.Integer(),
    ended: Type.Integer(),
    aborted: Type.Integer({ description: 'Whose client had gone.' }),
    userErrors: Type.Integer(),
  },
  { title: 'SideTotals', description: 'Since the rollout began.' },
);

export const evidenceReading = closed(
  {
    tests: Type.Array(testReading),
    verdict: nullable(testReading),
    mismatch: nullable(testReading),
    proof: nullable(
      closed({
        logE: Type.Number(),
        threshold: Type.Number(),
        proved: Type.Boolean(),
        needs: nullable(Type.Integer({ description: 'Requests without failure that are still needed.' })),
      }),
    ),
    budget: nullable(closed({ used: Type.Integer(), max: Type.Integer(), spent: Type.Boolean() })),
    bothFail: Type.Boolean({ description: 'Whether stable fails as well.' }),
    canary: sideTotals,
    stable: sideTotals,
  },
  { title: 'EvidenceReading' },
);

export const risk = closed(
  {
    score: Type.Number({ description: '0 to 100.' }),
    items: Type.Array(closed({ name: Type.String(), points: Type.Number(), message: Type.String() })),
  },
  { title: 'Risk' },
);

export const versionSummary = closed(
  {
    version: Type.String(),
    requests: Type.Integer(),
    errors: Type.Integer(),
    p50: nullable(milliseconds('Median')),
    p95: nullable(milliseconds('95th percentile')),
    p99: nullable(milliseconds('99th percentile')),
    p999: nullable(milliseconds('99.9th percentile')),
    userErrors: Type.Integer({ description: 'Requests that users got an error for.' }),
    shielded: Type.Integer({ description: 'Failed attempts that stable answered.' }),
  },
  { title: 'VersionSummary' },
);

export const stepRecord = closed(
  {
    index: Type.Integer(),
    name: Type.String(),
    kind: Type.String(),
    weight: Type.Number(),
    startedAt: time,
    endedAt: nullable(time),
    result: nullable(words('passed', 'skipped', 'promoted', 'failed')),
    canary: nullable(versionSummary),
    stable: nullable(versionSummary),
    conditions: Type.Array(conditionResult),
    evidence: nullable(evidenceReading),
  },
  { title: 'StepRecord' },
);

export const timelineEntry = closed(
  {
    at: time,
    kind: Type.String(),
    message: Type.String(),
    data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  { title: 'TimelineEntry' },
);

const failedRequest = closed(
  {
    at: time,
    method: Type.String(),
    path: Type.String(),
    route: Type.String(),
    status: Type.Integer({ description: '0 where there was no answer.' }),
    flag: Type.String({ description: 'Response flag, such as UC; empty where there was an answer.' }),
    duration: milliseconds('Until the failure'),
    requestId: Type.String(),
    endpoint: Type.String(),
  },
  { title: 'FailedRequest' },
);

export const decision = closed(
  {
    at: time,
    cause: words(...CAUSES, 'incident'),
    reason: Type.String(),
    by: Type.String(),
    step: Type.Integer({ description: 'From 0; -1 before the first.' }),
    weight: Type.Number(),
    evidence: nullable(evidenceReading),
    conditions: Type.Array(conditionResult, { description: 'Of the step.' }),
    rules: Type.Optional(
      Type.Array(conditionResult, {
        description:
          'Of `rollbackWhen`; one that is met says `pass`. Left out of older decisions, which have them among `conditions`.',
      }),
    ),
    failures: Type.Array(failedRequest, { description: 'Newest last.' }),
    firstFailureAt: nullable(time),
    closedAt: nullable(time),
    acknowledgedAt: nullable(time),
  },
  { title: 'Decision', description: 'What was known when it was decided.' },
);

export const approval = closed(
  { approver: Type.String(), role: Type.String(), at: time, expires: time, signed: Type.Boolean() },
  { title: 'Approval' },
);

export const pause = closed(
  {
    by: words('step', 'operator', 'incident'),
    reason: Type.String(),
    since: time,
    for: nullable(milliseconds('How long it is to last')),
    until: words('manual', 'approval', 'time'),
  },
  { title: 'Pause' },
);

export const wayBack = closed(
  {
    mode: words('immediate', 'gradual'),
    drained: Type.Boolean(),
    inFlight: Type.Integer(),
    verified: nullable(closed({ ok: Type.Boolean(), differences: Type.Array(Type.String()) })),
  },
  { title: 'WayBack', description: 'What has become of taking the version back.' },
);
