/**
 * What people may say to a rollout: each verb is a pure step from one state to the next, refused where it makes no sense.
 *
 *   promote        on to the next step, now: what is still open of the present one is not waited for, but nothing that fails is passed over
 *   promote full   every step that is left is passed over, and the version becomes stable
 *   skip           on to the next step, whatever the conditions of this one say
 *   pause, resume  nothing moves; on again, with a new budget where the rollout was held
 *   abort          the version is taken back at once, or the waiting is over
 *   rollback       the same with a reason and a mode; of a rollout that has succeeded: back to the old stable
 *
 * No verb passes over a pause for approval: that two keys are needed must not depend on one person's patience.
 */
import { OperationError } from '../problems.ts';
import type { Observation } from './observation.ts';
import { enter, goOn, pauseAgain, promote } from './reconcile.ts';
import type { Person, Rollout } from './rollout.ts';
import { isOver } from './rollout.ts';
import { failed, hookTasks, takeBack } from './take-back.ts';
import { also, closed, decisionOf, noted, type Turn, told } from './turn.ts';

export type TurnVerb = 'promote' | 'pause' | 'resume' | 'skip' | 'abort' | 'rollback';

export interface VerbOptions {
  readonly by: Person;
  readonly reason: string;
  readonly full: boolean;
  readonly mode: 'immediate' | 'gradual';
}

/** @throws OperationError conflict */
export function applyVerb(
  rollout: Rollout,
  verb: TurnVerb,
  seen: Observation,
  now: number,
  options: VerbOptions,
): Turn {
  const { by, reason } = options;
  const said = `${by.name}: ${verb}${options.full ? ' full' : ''}${reason === '' ? '' : ` (${reason})`}`;
  const before = noted(rollout, { at: now, kind: 'verb', message: said });
  switch (verb) {
    case 'promote':
      return options.full ? promoteFull(before, seen, now) : onward(before, seen, now, 'promoted', said);
    case 'skip':
      return onward(before, seen, now, 'skipped', said);
    case 'pause':
      return pause(before, now, said);
    case 'resume':
      return resume(before, seen, now, said);
    case 'abort':
      return end(before, seen, now, { ...options, mode: 'immediate' }, 'aborted');
    case 'rollback':
      return rollout.phase === 'Succeeded'
        ? undo(before, seen, now, options)
        : end(before, seen, now, options, 'rolled back');
  }
}

function onward(rollout: Rollout, seen: Observation, now: number, result: 'promoted' | 'skipped', said: string): Turn {
  const { phase, pause: present } = rollout;
  if (phase === 'Paused' && present?.by === 'step') {
    refuseUnapproved(rollout, seen, rollout.step);
    return goOn(rollout, seen, now, said);
  }
  if (phase === 'Preflight' && result === 'skipped' && rollout.strategy.steps[rollout.step]?.kind === 'preflight') {
    return enter(closed(rollout, seen, now, 'skipped'), seen, now, rollout.step + 1);
  }
  if (phase !== 'Progressing' && phase !== 'Paused') throw refusal(rollout, result === 'skipped' ? 'skip' : 'promote');
  refuseHeld(rollout);
  if (result === 'promoted') refuseFailing(rollout, seen);
  const free: Rollout = { ...rollout, phase: 'Progressing', pause: null };
  return enter(closed(free, seen, now, result), seen, now, rollout.step + 1);
}

function promoteFull(rollout: Rollout, seen: Observation, now: number): Turn {
  const { phase, strategy, step } = rollout;
  if (phase !== 'Progressing' && phase !== 'Paused') throw refusal(rollout, 'promote');
  refuseHeld(rollout);
  refuseFailing(rollout, seen);
  const left = strategy.steps.findIndex(
    (each, index) => index > step && each.kind === 'pause' && each.until === 'approval',
  );
  if (left >= 0) {
    const message = `step ${left + 1}, ${strategy.steps[left]!.name}, asks for approval, which nobody can pass over; promote step by step, or approve there`;
    throw new OperationError('conflict', message);
  }
  if (rollout.pause?.until === 'approval') refuseUnapproved(rollout, seen, step);
  const ended = closed({ ...rollout, pause: null }, seen, now, 'promoted');
  return promote({ ...ended, step: strategy.steps.length }, seen, now);
}

function pause(rollout: Rollout, now: number, said: string): Turn {
  if (rollout.phase !== 'Progressing') throw refusal(rollout, 'pause');
  const next: Rollout = {
    ...rollout,
    ...{ phase: 'Paused', waiting: null },
    pause: { by: 'operator', reason: said, since: now, for: null, until: 'manual' },
  };
  return told(next, now, 'rollout.paused', 'info', said);
}

function resume(rollout: Rollout, seen: Observation, now: number, said: string): Turn {
  const { phase, pause: present } = rollout;
  if (phase !== 'Paused' || present === null) throw refusal(rollout, 'resume');
  if (present.by === 'step') {
    refuseUnapproved(rollout, seen, rollout.step);
    return goOn(rollout, seen, now, said);
  }
  const kind = rollout.strategy.steps[rollout.step]?.kind;
  if (kind === 'pause')
    return also(pauseAgain(rollout, now, said), { do: 'measure-anew', step: false }, { do: 'reopen' });
  const next: Rollout = { ...rollout, phase: 'Progressing', pause: null, waiting: null };
  const turn = told(next, now, 'rollout.resumed', 'info', said);
  return present.by === 'incident' ? also(turn, { do: 'measure-anew', step: false }, { do: 'reopen' }) : turn;
}

function end(rollout: Rollout, seen: Observation, now: number, options: VerbOptions, word: string): Turn {
  if (isOver(rollout.phase)) throw refusal(rollout, 'rollback');
  const { by, reason, mode } = options;
  const why = {
    cause: 'operator',
    by: by.name,
    reason: `${word} by ${by.name}${reason === '' ? '' : `: ${reason}`}`,
  } as const;
  // No user has met it.
  if (rollout.phase === 'Queued' || rollout.phase === 'Preflight') return failed(rollout, seen, now, why);
  if (rollout.phase !== 'RollingBack') return takeBack(rollout, seen, now, { ...why, mode });
  if (mode === 'gradual' || rollout.weight === 0) throw refusal(rollout, 'rollback');
  const next: Rollout = { ...rollout, weight: 0, rollback: { ...rollout.rollback!, mode: 'immediate', nextAt: now } };
  return told(next, now, 'rollout.rolling-back', 'critical', why.reason, { mode: 'immediate', weight: 0 });
}

/** Promotion is taken back: the old stable is stable again. */
function undo(rollout: Rollout, seen: Observation, now: number, { by, reason }: VerbOptions): Turn {
  const { service } = seen;
  if (service === null || service.lanes.stable !== rollout.version || !Object.hasOwn(service.weights, rollout.stable)) {
    const message = `${rollout.version} is not stable any more, or ${rollout.stable} is gone; there is nothing that this rollout could go back to`;
    throw new OperationError('conflict', message);
  }
  const why = `undone by ${by.name}${reason === '' ? '' : `: ${reason}`}`;
  const next: Rollout = {
    ...rollout,
    ...{ phase: 'RollingBack', weight: 0, endedAt: null },
    decision: decisionOf(rollout, seen, now, 'operator', why, by.name),
    rollback: { mode: 'immediate', startedAt: now, nextAt: now, drainedAt: null, verified: null },
  };
  const turn = told(next, now, 'rollout.rolling-back', 'critical', `${rollout.stable} becomes stable again: ${why}`, {
    ...{ cause: 'operator', by: by.name },
  });
  return also(turn, ...hookTasks(next, 'rollback'));
}

/** What was found is settled by somebody first; otherwise the next look would find it again, or an approval would be passed over. */
function refuseHeld({ id, pause: present }: Rollout): void {
  if (present?.by !== 'incident') return;
  throw new OperationError('conflict', `${id} is held: ${present.reason}; resume it first, or take it back`);
}

function refuseUnapproved(rollout: Rollout, { unapproved }: Observation, step: number): void {
  if (rollout.pause?.until !== 'approval' || unapproved === null) return;
  const name = rollout.strategy.steps[step]?.name ?? 'this step';
  throw new OperationError(
    'conflict',
    `${name} asks for approval: ${unapproved}; sluice rollout approve ${rollout.id}`,
  );
}

function refuseFailing(rollout: Rollout, { conditions }: Observation): void {
  const failing = conditions.filter(({ status }) => status === 'fail').map(({ message }) => message);
  if (failing.length === 0) return;
  const message = `${rollout.id} cannot be promoted: ${failing.join('; ')}. skip goes on all the same`;
  throw new OperationError('conflict', message);
}

const refusal = ({ id, phase }: Rollout, verb: string): OperationError =>
  new OperationError('conflict', `${id} is ${phase}; ${VERB_NEEDS[verb] ?? 'that is not possible there'}`);

const VERB_NEEDS: Readonly<Record<string, string>> = {
  promote: 'only one that is Progressing or Paused can be promoted',
  skip: 'only a step of one that is Preflight, Progressing or Paused can be skipped',
  pause: 'only one that is Progressing can be paused',
  resume: 'only one that is Paused can be resumed',
  rollback:
    'there is nothing to take back; a rollout that has Succeeded is undone by rollback, one that was taken back is tried again by retry',
};
