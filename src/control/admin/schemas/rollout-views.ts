/**
 * Rollouts as the API shows them, their report, and what belongs to them: the schemas of the views in `control/rollout/view.ts` and of
 * strategies and notifications in `control/operations.ts`. Held equal to those by a test.
 */
import { Type } from 'typebox';
import {
  approval,
  conditionResult,
  decision,
  evidenceReading,
  pause,
  phase,
  risk,
  stepRecord,
  timelineEntry,
  versionSummary,
  wayBack,
} from './rollout-parts.ts';
import { closed, milliseconds, nullable, time, words } from './values.ts';

const times = { createdAt: time, startedAt: nullable(time), endedAt: nullable(time) };

const summary = {
  id: Type.String(),
  service: Type.String(),
  version: Type.String(),
  stable: Type.String({ description: 'What it is compared with and goes back to.' }),
  strategy: Type.String(),
  phase,
  ...times,
  startedBy: Type.String(),
  step: Type.Integer({ description: 'From 1; 0 before the first.' }),
  stepCount: Type.Integer(),
  weight: Type.Number({ description: 'Percent that the version is to have now.' }),
  waiting: nullable(Type.String({ description: 'What it waits for.' })),
  outcome: nullable(Type.String({ description: 'How it came out, and why.' })),
};

export const rolloutSummary = closed(summary, { title: 'RolloutSummary' });

const measured = (description: string) => nullable(Type.Number({ description }));

const side = closed(
  {
    version: Type.String(),
    weight: Type.Number(),
    inFlight: Type.Integer(),
    requests: Type.Integer({ description: 'First attempts since the rollout began.' }),
    failed: Type.Integer(),
    throughput: measured('Per second, of the last ten seconds.'),
    errorRate: measured('Percent, of the last ten seconds.'),
    p50: measured('Milliseconds, of the last ten seconds.'),
    p95: measured('Milliseconds, of the last ten seconds.'),
    p99: measured('Milliseconds, of the last ten seconds.'),
    userErrors: Type.Integer(),
    shielded: Type.Integer(),
  },
  { title: 'RolloutSide' },
);

export const rolloutView = closed(
  {
    ...summary,
    reason: Type.String(),
    digest: Type.String({ description: 'SHA-256 of what is to be done; what approvals sign.' }),
    risk,
    steps: Type.Array(
      closed(
        {
          index: Type.Integer(),
          name: Type.String(),
          kind: Type.String(),
          summary: Type.String(),
          state: words('done', 'current', 'skipped', 'failed', 'pending'),
        },
        { title: 'RolloutStep' },
      ),
    ),
    soak: nullable(
      closed({
        soaked: milliseconds('How long the present step has been looked at'),
        for: milliseconds('How long it is to be'),
        left: milliseconds('What is left of that'),
      }),
    ),
    pause: nullable(pause),
    conditions: Type.Array(conditionResult, { description: 'Of the present step, as they are now.' }),
    rules: Type.Array(conditionResult, { description: 'Of rollbackWhen, as they are now; pass: the rule is met.' }),
    evidence: evidenceReading,
    needs: nullable(closed({ requests: Type.Integer(), at: nullable(time), message: Type.String() })),
    canary: side,
    baseline: side,
    approvals: closed({
      required: Type.Integer(),
      given: Type.Array(approval),
      missing: nullable(Type.String()),
    }),
    pack: nullable(Type.String()),
    rollback: nullable(wayBack),
    timeline: Type.Array(timelineEntry, { description: 'Newest last, at most 20.' }),
    retryOf: nullable(Type.String({ description: 'The rollout that this one tries again.' })),
  },
  { title: 'Rollout' },
);

export const rolloutReport = closed(
  {
    id: Type.String(),
    service: Type.String(),
    version: Type.String(),
    stable: Type.String(),
    strategy: Type.String(),
    phase,
    startedBy: Type.String(),
    ...times,
    duration: nullable(milliseconds('Since it began')),
    outcome: nullable(Type.String()),
    risk,
    steps: Type.Array(stepRecord),
    totals: closed(
      { canary: nullable(versionSummary), stable: nullable(versionSummary) },
      { description: 'Over all steps; percentiles only where one step alone had requests.' },
    ),
    decision: nullable(decision),
    approvals: Type.Array(approval),
    rollback: nullable(wayBack),
    timeline: Type.Array(timelineEntry),
  },
  { title: 'RolloutReport' },
);

export const rolloutWhy = closed(
  {
    id: Type.String(),
    phase,
    answer: Type.String({ description: 'One sentence.' }),
    decision: nullable(decision),
    holding: Type.Array(Type.String(), {
      description: 'What holds it at this moment, or what its way back waits for.',
    }),
  },
  { title: 'RolloutWhy' },
);

export const rollbackPack = closed(
  {
    id: Type.String(),
    rollout: Type.String(),
    service: Type.String(),
    createdAt: time,
    manifest: Type.Array(closed({ part: Type.String(), sha256: Type.String(), bytes: Type.Integer() })),
    checksum: Type.String({ description: 'SHA-256 of the manifest.' }),
    intact: Type.Boolean({ description: 'Whether everything still has its checksum.' }),
  },
  { title: 'RollbackPack' },
);

export const strategyView = closed(
  {
    name: Type.String(),
    preset: Type.Boolean({ description: 'Whether it comes with Sluice.' }),
    steps: Type.Array(closed({ name: Type.String(), kind: Type.String(), summary: Type.String() })),
    definition: Type.Unknown({ description: 'After defaults.' }),
  },
  { title: 'Strategy' },
);

export const notificationView = closed(
  {
    id: Type.String(),
    at: time,
    type: Type.String(),
    severity: words('info', 'warning', 'critical'),
    service: nullable(Type.String()),
    message: Type.String(),
    acknowledged: nullable(closed({ by: Type.String(), at: time })),
    escalatedAt: nullable(time),
  },
  { title: 'Notification' },
);
