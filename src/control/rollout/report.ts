/**
 * The report of a rollout: everything that is worth keeping of it, as data. The Markdown page is made from the same.
 *
 * It is a view of what was written down while the rollout ran and can therefore be had at any time, of running rollouts as well; only the
 * state of the way back is measured now. Totals are sums over the steps, which follow each other without overlap. Percentiles of several
 * steps cannot be made from those of each, and an average of percentiles would be a number without meaning, so the totals have them only
 * where a single step had requests. A version without a step that counted it has no totals, which is not the same as zeros.
 */
import type { Rollout, StepRecord, VersionSummary } from './rollout.ts';
import { approvalView, iso, isoOrNull, shown } from './shown.ts';
import { outcomeOf, type Told } from './summary.ts';
import type { RolloutReport, RolloutView } from './view.ts';

export type Reported = Told & Pick<Rollout, 'risk' | 'approvals' | 'timeline'>;

/** @param live the way back as it is now, null where there is none. @param now milliseconds since 1970, for the duration of one that runs. */
export function reportOf(rollout: Reported, live: RolloutView['rollback'], now: number): RolloutReport {
  const { id, service, version, stable, strategy, phase, createdAt, startedAt, endedAt, decision } = rollout;
  return {
    ...{ id, service, version, stable, strategy: strategy.name, phase, startedBy: rollout.startedBy.name },
    createdAt: iso(createdAt),
    startedAt: isoOrNull(startedAt),
    endedAt: isoOrNull(endedAt),
    duration: startedAt === null ? null : (endedAt ?? now) - startedAt,
    outcome: outcomeOf(rollout),
    risk: rollout.risk,
    steps: rollout.steps.map(shown<StepRecord>),
    totals: { canary: totalOf(rollout.steps, 'canary'), stable: totalOf(rollout.steps, 'stable') },
    decision: decision === null ? null : shown(decision),
    approvals: rollout.approvals.map(approvalView),
    rollback: live,
    timeline: rollout.timeline.map(shown),
  };
}

function totalOf(steps: readonly StepRecord[], side: 'canary' | 'stable'): VersionSummary | null {
  const counted = steps.flatMap((step) => step[side] ?? []);
  const [first] = counted;
  if (first === undefined) return null;
  const busy = counted.filter(({ requests }) => requests > 0);
  const only = busy.length === 1 ? busy[0] : undefined;
  const sum = (key: 'requests' | 'errors' | 'userErrors' | 'shielded'): number =>
    counted.reduce((total, summary) => total + summary[key], 0);
  return {
    version: first.version,
    requests: sum('requests'),
    errors: sum('errors'),
    p50: only?.p50 ?? null,
    p95: only?.p95 ?? null,
    p99: only?.p99 ?? null,
    p999: only?.p999 ?? null,
    userErrors: sum('userErrors'),
    shielded: sum('shielded'),
  };
}
