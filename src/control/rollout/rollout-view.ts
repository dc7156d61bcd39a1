/**
 * A rollout as it is shown: what is kept of it, with what its meters say now. What is over is shown from what was kept alone.
 */
import type { EvidenceReading, Side, SideTotals } from '../analysis/verdict.ts';
import { approvalState, asksForApproval, START } from './approvals.ts';
import type { RolloutController } from './controller.ts';
import { timeOf } from './judge-step.ts';
import { isOver, type Rollout, type StepRecord } from './rollout.ts';
import type { RunningRollout } from './running.ts';
import { approvalView, isoOrNull, shown } from './shown.ts';
import { stepSummary } from './step-summary.ts';
import { summaryOf } from './summary.ts';
import type { RolloutSummary, RolloutView, SideView, StepView } from './view.ts';

const SHOWN_ENTRIES = 20;

export interface ViewParts {
  readonly wallClock: () => number;
  /** Percent that a version has now; 0 for one that is not there. */
  readonly weightOf: (service: string, version: string) => number;
}

export function rolloutView(rollout: Rollout, controller: RolloutController, parts: ViewParts): RolloutView {
  const running = controller.running(rollout.id);
  const now = parts.wallClock();
  const evidence = running === null ? keptEvidence(rollout) : running.evidence(true);
  const conditions = running?.conditions() ?? rollout.steps.at(-1)?.conditions ?? [];
  const time = isOver(rollout.phase) || rollout.phase === 'Queued' ? null : timeOf(rollout);
  const view = {
    ...summaryWith(rollout, running),
    reason: rollout.reason,
    digest: rollout.digest,
    risk: rollout.risk,
    steps: stepViews(rollout),
    soak:
      time === null
        ? null
        : { soaked: Math.min(time, rollout.soaked), for: time, left: Math.max(0, time - rollout.soaked) },
    pause: rollout.pause === null ? null : shown(rollout.pause),
    conditions,
    rules: running?.rules() ?? [],
    evidence,
    canary: sideView(rollout, 'canary', running, evidence, parts),
    baseline: sideView(rollout, 'stable', running, evidence, parts),
    approvals: approvalsOf(rollout, now),
    pack: rollout.pack,
    rollback: rollbackView(rollout, running),
    timeline: rollout.timeline.slice(-SHOWN_ENTRIES).map(shown),
    retryOf: rollout.retryOf,
  };
  return { ...view, needs: isOver(rollout.phase) ? null : needsOf(rollout, view, now) };
}

/** What cannot be done is waited for as well: it is tried again. */
export function summaryWith(rollout: Rollout, running: RunningRollout | null): RolloutSummary {
  const summary = summaryOf(rollout);
  const trouble = running?.trouble ?? null;
  return trouble === null ? summary : { ...summary, waiting: `it could not go on: ${trouble}; it is tried again` };
}

export function rollbackView(rollout: Rollout, running: RunningRollout | null): RolloutView['rollback'] {
  const { rollback } = rollout;
  if (rollback === null) return null;
  const { mode, drainedAt, verified } = rollback;
  return { mode, verified, drained: drainedAt !== null, inFlight: running?.inFlight('canary') ?? 0 };
}

function stepViews({ strategy, steps, step: present, phase }: Rollout): StepView[] {
  return strategy.steps.map((step, index) => {
    const record = steps.findLast((each) => each.index === index);
    const { name, kind } = step;
    return {
      index,
      name,
      kind,
      summary: stepSummary(step),
      state: stateOf(record, index === present && !isOver(phase)),
    };
  });
}

function stateOf(record: StepRecord | undefined, current: boolean): StepView['state'] {
  if (record === undefined) return 'pending';
  if (record.endedAt === null) return current ? 'current' : 'pending';
  if (record.result === 'failed') return 'failed';
  return record.result === 'skipped' ? 'skipped' : 'done';
}

const NOBODY: SideTotals = { trials: 0, failed: 0, counted: 0, slow: 0, ended: 0, aborted: 0, userErrors: 0 };
const NOTHING: EvidenceReading = {
  ...{ tests: [], verdict: null, mismatch: null, proof: null, budget: null, bothFail: false },
  ...{ canary: NOBODY, stable: NOBODY },
};

/** As it was when the last step ended, or when it was decided. */
const keptEvidence = ({ decision, steps }: Rollout): EvidenceReading =>
  decision?.evidence ?? steps.findLast(({ evidence }) => evidence !== null)?.evidence ?? NOTHING;

function sideView(
  rollout: Rollout,
  side: Side,
  running: RunningRollout | null,
  evidence: EvidenceReading,
  { weightOf }: ViewParts,
): SideView {
  const version = side === 'canary' ? rollout.version : rollout.stable;
  const live = running?.metrics.live(side);
  const records = rollout.steps.map((step) => step[side]);
  const shielded = records.reduce((sum, summary) => sum + (summary?.shielded ?? 0), 0);
  return {
    version,
    weight: weightOf(rollout.service, version),
    inFlight: running?.inFlight(side) ?? 0,
    requests: evidence[side].trials,
    failed: evidence[side].failed,
    throughput: live?.throughput ?? null,
    errorRate: live?.errorRate ?? null,
    p50: live?.p50 ?? null,
    p95: live?.p95 ?? null,
    p99: live?.p99 ?? null,
    userErrors: evidence[side].userErrors,
    shielded: shielded + (running !== null && records.at(-1) === null ? running.summary(side).shielded : 0),
  };
}

function approvalsOf(rollout: Rollout, now: number): RolloutView['approvals'] {
  const { strategy, approvals, startedBy, step, phase, digest } = rollout;
  if (isOver(phase) || !asksForApproval(rollout)) {
    return { required: 0, given: approvals.map(approvalView), missing: null };
  }
  const state = approvalState({
    ...{ config: strategy.approvals, approvals, startedBy, now, digest },
    step: phase === 'Queued' ? START : step,
  });
  return { required: state.required, given: state.given.map(approvalView), missing: state.missing };
}

/** What a step with little traffic still needs, and when it will have it at the present rate. */
function needsOf(
  { strategy, phase }: Rollout,
  { conditions, evidence, canary, soak }: Pick<RolloutView, 'conditions' | 'evidence' | 'canary' | 'soak'>,
  now: number,
): RolloutView['needs'] {
  if (phase !== 'Progressing') return null;
  const unjudged = conditions
    .filter(({ status, samples }) => status === 'inconclusive' && samples < strategy.minRequests)
    .map(({ samples }) => strategy.minRequests - samples);
  const forConditions = Math.max(0, ...unjudged);
  const forProof = strategy.evidence.earlyPass && evidence.proof?.proved === false ? evidence.proof.needs : null;
  const requests = forConditions > 0 ? forConditions : forProof;
  if (requests === null || requests === 0) return null;
  const rate = canary.throughput;
  const at = rate === null || rate <= 0 ? null : now + (requests / rate) * 1000;
  const what = forConditions > 0 ? 'to be judged' : 'without a failure to be proved early';
  const when =
    at === null ? 'none come now' : `at ${rate!.toFixed(rate! < 10 ? 2 : 0)} a second that is ${inTime(at - now)}`;
  const early = forConditions > 0 || soak === null ? '' : '; else it ends with its time';
  return {
    requests,
    at: isoOrNull(at),
    message: `${requests} more requests of ${canary.version} ${what}; ${when}${early}`,
  };
}

function inTime(ms: number): string {
  if (ms < 90_000) return `in ${Math.ceil(ms / 1000)} s`;
  if (ms < 90 * 60_000) return `in ${Math.ceil(ms / 60_000)} min`;
  return `in ${(ms / 3_600_000).toFixed(1)} h`;
}
