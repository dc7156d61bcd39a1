/**
 * The way back: from any phase in which users may get the version, to all of them on stable.
 *
 *     RollingBack, immediate   weight 0 at once          ─ nothing in flight, or long enough waited ─▶ RolledBack
 *     RollingBack, gradual     less every `gradual.every` ─ weight 0 ─▶ as above; any danger meanwhile ─▶ immediate
 *
 * True in RollingBack: a decision is kept; the weight never rises; promotion is impossible. An immediate way back has its switch thrown before
 * any of this is written, so no user waits for it. Before users got the version there is nothing to take back, and the rollout has failed.
 */
import type { HookPoint } from '../../model/rollout-config.ts';
import { dangerOf } from './danger.ts';
import type { Action, Observation } from './observation.ts';
import type { Decision, Rollout } from './rollout.ts';
import { also, chained, closed, countedOut, decisionOf, noted, stay, type Turn, told } from './turn.ts';

/** How long requests in flight on the version are waited for before the rollout is called rolled back, milliseconds. */
export const DRAIN_WAIT = 10_000;

export interface Reason {
  readonly cause: Exclude<Decision['cause'], 'incident'>;
  readonly reason: string;
  readonly mode: 'immediate' | 'gradual';
  /** Who decided; Sluice itself where left out. */
  readonly by?: string;
}

export function takeBack(rollout: Rollout, seen: Observation, now: number, why: Reason): Turn {
  const { strategy, version, stable } = rollout;
  const gradual = why.mode === 'gradual' && rollout.weight > strategy.gradual.by;
  const weight = gradual ? lessened(rollout.weight, strategy.gradual.by) : 0;
  const decision = decisionOf(rollout, seen, now, why.cause, why.reason, why.by);
  const ended: Rollout = {
    ...closed(rollout, seen, now, 'failed'),
    ...{ phase: 'RollingBack', weight, decision, pause: null, waiting: null },
    rollback: {
      mode: gradual ? 'gradual' : 'immediate',
      startedAt: now,
      nextAt: gradual ? now + strategy.gradual.every : now,
      drainedAt: null,
      verified: null,
    },
  };
  const how = gradual ? `step by step, now at ${weight} %` : 'at once';
  const turn = told(
    ended,
    now,
    'rollout.rolling-back',
    'critical',
    `${version} is taken back to ${stable} ${how}: ${why.reason}`,
    {
      ...{ cause: why.cause, mode: gradual ? 'gradual' : 'immediate', weight, by: decision.by },
    },
  );
  return also(turn, ...hookTasks(turn.next, 'rollback'));
}

/** It ended before users got it. */
export function failed(rollout: Rollout, seen: Observation, now: number, why: Omit<Reason, 'mode'>): Turn {
  const decision = decisionOf(rollout, seen, now, why.cause, why.reason, why.by);
  const ended: Rollout = {
    ...closed(rollout, seen, now, 'failed'),
    ...{ phase: 'Failed', weight: 0, decision, pause: null, waiting: null, endedAt: now },
  };
  return told(ended, now, 'rollout.failed', 'critical', `${rollout.version} does not start: ${why.reason}`, {
    ...{ cause: why.cause, by: decision.by },
  });
}

export function rollingBack(rollout: Rollout, seen: Observation, now: number): Turn {
  // Hooks that a restart has cut off begin again.
  return also(furtherBack(rollout, seen, now), ...openHooks(rollout, 'rollback'));
}

function furtherBack(rollout: Rollout, seen: Observation, now: number): Turn {
  const { rollback, strategy } = rollout;
  if (rollback === null) return stay(rollout);
  if (rollout.weight > 0) {
    const danger = dangerOf(rollout, seen);
    if (danger !== null && danger.cause !== 'incident' && isWorse(rollout, danger.mode, danger.cause))
      return hurry(rollout, now, danger.reason);
    // A clock that was set back makes nobody wait for longer than one step.
    const left = rollback.nextAt - now;
    if (left > 0 && left <= strategy.gradual.every) return stay(rollout);
    const weight = lessened(rollout.weight, strategy.gradual.by);
    const nextAt = weight > 0 ? now + strategy.gradual.every : now;
    const next = { ...rollout, weight, rollback: { ...rollback, nextAt } };
    return told(next, now, 'rollout.step', 'info', `${rollout.version} is taken back to ${weight} %`, { weight });
  }
  return finish(rollout, seen, now);
}

/** A rule that asked for the gradual way goes on to apply; it does not make it worse. */
const isWorse = (rollout: Rollout, mode: 'immediate' | 'gradual', cause: Decision['cause']): boolean =>
  mode === 'immediate' || cause !== rollout.decision?.cause;

function hurry(rollout: Rollout, now: number, reason: string): Turn {
  const rollback = { ...rollout.rollback!, mode: 'immediate', nextAt: now } as const;
  const next: Rollout = { ...rollout, weight: 0, rollback };
  const message = `it has got worse, so the rest of ${rollout.version} is taken back at once: ${reason}`;
  return told(next, now, 'rollout.rolling-back', 'critical', message, { mode: 'immediate', weight: 0 });
}

function finish(rollout: Rollout, seen: Observation, now: number): Turn {
  const rollback = rollout.rollback!;
  const { version, stable } = rollout;
  if (seen.inFlight > 0 && Math.abs(now - rollback.nextAt) < DRAIN_WAIT) {
    const waiting = `${seen.inFlight} in flight on ${version}`;
    return { next: waiting === rollout.waiting ? rollout : { ...rollout, waiting }, actions: [] };
  }
  const drained = seen.inFlight === 0;
  const next: Rollout = {
    ...countedOut(rollout, seen),
    ...{ phase: 'RolledBack', waiting: null, endedAt: now },
    rollback: { ...rollback, drainedAt: drained ? now : null },
  };
  const message = `${version} is taken back; all traffic is on ${stable}; ${seen.inFlight} in flight on ${version}`;
  const turn = told(next, now, 'rollout.rolled-back', 'warning', message, { cause: rollout.decision?.cause ?? null });
  return drained ? chained(turn, told(turn.next, now, 'rollout.drained', 'info', `0 in flight on ${version}`)) : turn;
}

/** Those of them that have no result; a restart begins them again. */
export function openHooks(rollout: Rollout, point: Exclude<HookPoint, 'success'>): Action[] {
  return hookTasks(rollout, point).filter(
    (_, index) => (rollout.tasks[hookId(rollout, point, index)]?.result ?? null) === null,
  );
}

/** Hooks of this point, as tasks. */
export function hookTasks(rollout: Rollout, point: HookPoint): Extract<Action, { do: 'task' }>[] {
  return rollout.strategy.hooks[point].map((hook, index) => ({
    do: 'task',
    id: hookId(rollout, point, index),
    spec: { kind: 'hook', hook, point },
  }));
}

export const hookId = ({ step }: Pick<Rollout, 'step'>, point: HookPoint, index: number): string =>
  point === 'step' ? `hook:step:${step}:${index}` : `hook:${point}:${index}`;

/** Percent that is left behind a step of a gradual way back. */
export const lessened = (weight: number, by: number): number => Math.max(0, Math.round((weight - by) * 100) / 100);

/** An incident: nothing moves until somebody says so. */
export function held(rollout: Rollout, seen: Observation, now: number, reason: string): Turn {
  const pause = { by: 'incident', reason, since: now, for: null, until: 'manual' } as const;
  const next: Rollout = {
    ...noted(rollout, { at: now, kind: 'decision', message: `held: ${reason}` }),
    ...{ phase: 'Paused', pause, waiting: reason },
    decision: decisionOf(rollout, seen, now, 'incident', reason),
  };
  return told(next, now, 'rollout.incident', 'critical', `held at ${rollout.weight} %: ${reason}`);
}

/** The decision to take it back, which does not wait for anything that could not be done before. */
export const isWayBack = (before: Rollout, next: Rollout): boolean =>
  next.phase === 'RollingBack' && before.phase !== 'RollingBack';
