/**
 * Whether the present step may end: its time, its conditions, and what may shorten or lengthen them.
 *
 *     time not over         ─▶ look on; or end early, where the SLO is proved and `earlyPass` allows it
 *     time over, all pass   ─▶ end
 *     time over, else       ─▶ hold, and say what for: a condition that fails, or one that cannot be judged
 *
 * A condition holds and never takes back; that is what `rollbackWhen` is for. What cannot be judged holds as well, because no data is neither
 * success nor failure. `stepDeadline` bounds the holding.
 */
import type { Condition } from '../../model/rollout-config.ts';
import type { Observation } from './observation.ts';
import type { Rollout } from './rollout.ts';

export type Judgement =
  | { readonly kind: 'look-on' }
  | { readonly kind: 'end'; readonly why: string }
  | { readonly kind: 'hold'; readonly why: string };

/** Conditions of the present step; none for steps that have none. */
export function conditionsOf({ strategy, step }: Pick<Rollout, 'strategy' | 'step'>): readonly Condition[] {
  const present = strategy.steps[step];
  if (present === undefined) return [];
  return present.kind === 'weight' || present.kind === 'ramp' || present.kind === 'analysis' ? present.pass : [];
}

/** How long the present step, or its present stage, is looked at, milliseconds; null where it has no time. */
export function timeOf({ strategy, step, pause }: Pick<Rollout, 'strategy' | 'step' | 'pause'>): number | null {
  if (pause !== null && pause.for !== null) return pause.for;
  const present = strategy.steps[step];
  if (present?.kind === 'weight' || present?.kind === 'analysis') return present.for;
  return present?.kind === 'ramp' ? present.every : null;
}

export function judgeStep(rollout: Rollout, seen: Observation): Judgement {
  const time = timeOf(rollout) ?? 0;
  const { conditions, evidence, frozen } = seen;
  const open = conditions.filter(({ status }) => status !== 'pass');
  if (rollout.soaked < time) {
    const early = rollout.strategy.evidence.earlyPass && evidence.proof?.proved === true && open.length === 0;
    if (!early) return { kind: 'look-on' };
    if (frozen === null) return { kind: 'end', why: 'its SLO is proved' };
  }
  if (open.length > 0) return { kind: 'hold', why: open.map(({ message }) => message).join('; ') };
  if (frozen !== null) return { kind: 'hold', why: frozen };
  return { kind: 'end', why: 'its time is over and every condition holds' };
}
