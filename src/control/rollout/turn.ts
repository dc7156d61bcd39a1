/**
 * One turn of a rollout: the next state, what is to be done for it, and the few ways in which a state is written.
 *
 * States are never changed, only succeeded: every function here takes one and answers the next. Lists in them are bounded, because a rollout
 * is one value in the store: of a timeline that is too long the middle goes, since its beginning and its end are what is asked for.
 */
import type { EventLevel, EventType, NewEvent } from '../events/event.ts';
import type { Action, Observation } from './observation.ts';
import type { Decision, Rollout, StepRecord, TimelineEntry } from './rollout.ts';

const MOST_ENTRIES = 400;
const KEPT_FROM_BEGINNING = 100;

export interface Turn {
  readonly next: Rollout;
  readonly actions: readonly Action[];
}

export const stay = (rollout: Rollout): Turn => ({ next: rollout, actions: [] });

/** The same turn with more to do. */
export const also = ({ next, actions }: Turn, ...more: readonly Action[]): Turn => ({
  next,
  actions: [...actions, ...more],
});

/** One turn behind the other, which went on from its state. */
export const chained = (first: Turn, second: Turn): Turn => ({
  next: second.next,
  actions: [...first.actions, ...second.actions],
});

export function noted(rollout: Rollout, entry: TimelineEntry): Rollout {
  const timeline = [...rollout.timeline, entry];
  if (timeline.length > MOST_ENTRIES) timeline.splice(KEPT_FROM_BEGINNING, 1);
  return { ...rollout, timeline };
}

/** Tells of it, and notes it. */
export function told(
  rollout: Rollout,
  now: number,
  type: EventType,
  level: EventLevel,
  message: string,
  data: Readonly<Record<string, unknown>> = {},
): Turn {
  const kind = type.slice('rollout.'.length);
  // What a hook wrote is kept with its task; a timeline of hundreds of entries would be large with it.
  const { output: _output, ...short } = data;
  const next = noted(rollout, { at: now, kind, message, ...(Object.keys(short).length > 0 && { data: short }) });
  return { next, actions: [{ do: 'tell', event: eventOf(rollout, type, level, message, data) }] };
}

export const eventOf = (
  { id, service, version }: Pick<Rollout, 'id' | 'service' | 'version'>,
  type: EventType,
  level: EventLevel,
  message: string,
  data: Readonly<Record<string, unknown>> = {},
): NewEvent => ({ type, level, service, version, message: `${id}: ${message}`, data: { rollout: id, ...data } });

/** Lets the present step end; the numbers of its time go into its record. */
export function closed(
  rollout: Rollout,
  seen: Pick<Observation, 'canary' | 'stable' | 'conditions' | 'evidence'>,
  now: number,
  result: NonNullable<StepRecord['result']>,
): Rollout {
  const { canary, stable, conditions, evidence } = seen;
  const steps = rollout.steps.map((step) =>
    step.endedAt === null ? { ...step, endedAt: now, result, canary, stable, conditions, evidence } : step,
  );
  return { ...rollout, steps };
}

/**
 * The step that failed, with the numbers of the version's end: what was in flight when it was decided is counted by now, the request that
 * decided it among it. A restart in between began to count anew, which takes nothing away.
 */
export function countedOut(rollout: Rollout, { canary, stable }: Pick<Observation, 'canary' | 'stable'>): Rollout {
  const last = rollout.steps.at(-1);
  if (last?.result !== 'failed' || canary === null || (last.canary?.requests ?? 0) > canary.requests) return rollout;
  return { ...rollout, steps: [...rollout.steps.slice(0, -1), { ...last, canary, stable }] };
}

/** What was known when it was decided. */
export function decisionOf(
  rollout: Rollout,
  seen: Observation,
  now: number,
  cause: Decision['cause'],
  reason: string,
  by = 'sluice',
): Decision {
  return {
    ...{ at: now, cause, reason, by, step: rollout.step, weight: rollout.weight },
    evidence: seen.evidence,
    conditions: seen.conditions,
    rules: seen.rules,
    failures: seen.failures,
    firstFailureAt: seen.firstFailureAt,
    closedAt: seen.closedAt,
    acknowledgedAt: null,
  };
}
