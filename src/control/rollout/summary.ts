/**
 * A rollout in one row, and how it came out in one sentence.
 *
 * Both are made from what is kept alone, so a list of a thousand rollouts measures nothing, and one that ended a month ago reads as it did on
 * the day. The outcome gives the reason that was written down at the decision; it is never worked out again from what is known now.
 */
import { percent, plural, sentence, span } from './figures.ts';
import type { Rollout } from './rollout.ts';
import { iso, isoOrNull } from './shown.ts';
import type { RolloutSummary } from './view.ts';

/** What of a rollout is told in a row and in its outcome. */
export type Told = Pick<
  Rollout,
  | 'id'
  | 'service'
  | 'version'
  | 'stable'
  | 'phase'
  | 'createdAt'
  | 'startedAt'
  | 'endedAt'
  | 'startedBy'
  | 'step'
  | 'weight'
  | 'waiting'
  | 'decision'
  | 'steps'
> & { readonly strategy: Pick<Rollout['strategy'], 'name' | 'steps'> };

export function summaryOf(rollout: Told): RolloutSummary {
  const { id, service, version, stable, strategy, phase, createdAt, startedAt, endedAt, startedBy } = rollout;
  return {
    ...{ id, service, version, stable, strategy: strategy.name, phase },
    createdAt: iso(createdAt),
    startedAt: isoOrNull(startedAt),
    endedAt: isoOrNull(endedAt),
    startedBy: startedBy.name,
    step: stepNumber(rollout),
    stepCount: strategy.steps.length,
    weight: rollout.weight,
    waiting: rollout.waiting,
    outcome: outcomeOf(rollout),
  };
}

/** From 1, as people count; 0 before the first. Behind the last step it is still the last one. */
export const stepNumber = ({ step, strategy }: Pick<Told, 'step' | 'strategy'>): number =>
  Math.max(0, Math.min(step + 1, strategy.steps.length));

/** One sentence; null while there is no outcome. A version that is being taken back has one: nothing turns that round any more. */
export function outcomeOf(rollout: Told): string | null {
  const { version, phase, decision } = rollout;
  const because = decision === null ? '.' : `: ${sentence(decision.reason)}`;
  switch (phase) {
    case 'Succeeded':
      return succeeded(rollout);
    case 'RollingBack':
      return `${version} is being taken back${whenAndWhere(rollout)}${because}`;
    case 'RolledBack':
      return `${version} was taken back${whenAndWhere(rollout)}${because}`;
    case 'Failed':
      return `${version} was given to no user${because}`;
    default:
      return null;
  }
}

function succeeded({ version, startedAt, endedAt, steps }: Told): string {
  const after = startedAt === null || endedAt === null ? '' : ` after ${span(endedAt - startedAt)}`;
  const told = [
    ['passed', 'passed'],
    ['skipped', 'skipped'],
    ['promoted', 'cut short by hand'],
  ].flatMap(([result, text]) => {
    const found = steps.filter((step) => step.result === result).length;
    return found === 0 ? [] : [`${plural(found, 'step')} ${text}`];
  });
  return told.length === 0 ? `${version} is stable${after}.` : `${version} is stable${after}: ${told.join(', ')}.`;
}

/** How soon is only told where the switch was thrown because of a failed request: other causes have no moment from which to count. */
function whenAndWhere({ decision }: Told): string {
  if (decision === null) return '';
  const { weight, firstFailureAt, closedAt, cause } = decision;
  const counted = cause === 'evidence' || cause === 'budget';
  if (!counted || firstFailureAt === null || closedAt === null) return ` at ${percent(weight)}`;
  return ` at ${percent(weight)}, ${span(closedAt - firstFailureAt)} after its first failed request`;
}
