/**
 * Why a rollout is where it is: one sentence, the decision record where there is one, and what holds it at this moment.
 *
 * The decision is what was known then, with the requests that failed, and is shown as it was written; what holds it is what is known now. A
 * rollout that is over is held by nothing. Of conditions only those are told that do not pass: one that cannot be judged yet holds a step as
 * much as one that fails, and so does one that could not be read. A rule of `rollbackWhen` is told while it is met, since it acts or warns.
 * A version that is being taken back is past all of that: there it is told what the way back waits for, the next step of a gradual one or the requests
 * in flight. While the state cannot be written nothing else matters, as no step is taken that cannot be kept.
 */
import type { ConditionResult, EvidenceReading } from '../analysis/verdict.ts';
import { percent, plural, sentence, span } from './figures.ts';
import { isOver, type Pause, type Rollout } from './rollout.ts';
import { shown } from './shown.ts';
import { outcomeOf, stepNumber, type Told } from './summary.ts';
import { DRAIN_WAIT, lessened } from './take-back.ts';
import type { RolloutView, RolloutWhy } from './view.ts';

export type Explained = Told &
  Pick<Rollout, 'pause'> & {
    /** Of the way back, where it is on it. */
    readonly rollback: Pick<NonNullable<Rollout['rollback']>, 'nextAt'> | null;
    readonly strategy: Pick<Rollout['strategy'], 'gradual'>;
  };

/** What is measured now, as the view of the rollout has it. */
export type PresentState = Pick<RolloutView, 'conditions' | 'rules' | 'evidence' | 'waiting'> & {
  readonly rollback: Pick<NonNullable<RolloutView['rollback']>, 'inFlight'> | null;
};

/** What is so whatever the rollout does. */
export interface Surroundings {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Why the state cannot be written; null where it can. */
  readonly unwritten: string | null;
}

export function whyOf(rollout: Explained, present: PresentState, around: Surroundings): RolloutWhy {
  const { id, phase, decision } = rollout;
  const holding = isOver(phase)
    ? []
    : phase === 'RollingBack'
      ? awaitedOf(rollout, present, around)
      : holdingOf(rollout, present, around);
  return {
    id,
    phase,
    answer: outcomeOf(rollout) ?? answerOf(rollout, holding),
    decision: decision === null ? null : shown(decision),
    holding,
  };
}

function answerOf(rollout: Explained, holding: readonly string[]): string {
  const { version, phase, weight, step, strategy } = rollout;
  const [first] = holding;
  const because = first === undefined ? '.' : `: ${first}`;
  switch (phase) {
    case 'Queued':
      return first === undefined ? `${version} is about to begin.` : `${version} waits${because}`;
    case 'Preflight':
      return `${version} is being checked before any user gets it${because}`;
    case 'Promoting':
      return `Every step has passed, and ${version} becomes stable${because}`;
    case 'Paused':
      return `The rollout of ${version} stands still at ${percent(weight)}${because}`;
    default: {
      const name = strategy.steps[step]?.name;
      const place = `step ${stepNumber(rollout)} of ${strategy.steps.length}${name === undefined ? '' : ` (${name})`}`;
      const state = first === undefined ? 'nothing holds it but its time.' : `is held${because}`;
      return `${version} has ${percent(weight)} in ${place}${first === undefined ? ', and ' : ', which '}${state}`;
    }
  }
}

/** Strongest first, each once: what waits is often one of the conditions in other words, but sometimes in the same. */
function holdingOf(
  { pause }: Explained,
  { conditions, rules, evidence, waiting }: PresentState,
  { unwritten }: Surroundings,
): string[] {
  const said = [
    ...(unwritten === null ? [] : [`no step is taken while the state cannot be written: ${unwritten}`]),
    ...(pause === null ? [] : [pauseSentence(pause)]),
    ...evidenceSentences(evidence),
    ...(waiting === null || waiting === pause?.reason || isOf(unwritten, waiting) ? [] : [waiting]),
    ...conditions.filter(({ status }) => status !== 'pass').map(conditionSentence),
    ...rules.filter(({ status }) => status === 'pass').map(({ condition }) => `${condition} of rollbackWhen is met`),
  ];
  return [...new Set(said.map(sentence))];
}

/** What the way back waits for; nothing where it will be over with the next look. */
function awaitedOf(
  { version, weight, rollback, strategy, waiting: awaited }: Explained,
  present: PresentState,
  { now, unwritten }: Surroundings,
): string[] {
  const inFlight = present.rollback?.inFlight ?? 0;
  const { waiting } = present;
  const next = `${percent(lessened(weight, strategy.gradual.by))} in ${span((rollback?.nextAt ?? now) - now)}`;
  return [
    ...(weight > 0 ? [`${version} still has ${percent(weight)}, and will have ${next}`] : []),
    ...(weight === 0 && inFlight > 0
      ? [`${plural(inFlight, 'request')} in flight on ${version}, waited for ${span(DRAIN_WAIT)} at most`]
      : []),
    ...(unwritten === null ? [] : [`what is done is kept as soon as the state can be written: ${unwritten}`]),
    // Requests in flight are what it notes down itself.
    ...(waiting === null || waiting === awaited || isOf(unwritten, waiting) ? [] : [waiting]),
  ].map(sentence);
}

/** Whether a turn failed because of that, which is said already. */
const isOf = (unwritten: string | null, waiting: string): boolean => unwritten !== null && waiting.includes(unwritten);

const UNTIL: Readonly<Record<Pause['until'], string>> = {
  manual: 'until somebody resumes it',
  approval: 'until it is approved',
  time: 'until its time is over',
};

function pauseSentence({ by, reason, until }: Pause): string {
  const who = by === 'step' ? 'a step of the strategy' : by === 'operator' ? 'an operator' : 'an incident';
  return `${who} pauses it ${UNTIL[until]}${reason === '' ? '' : `: ${reason}`}`;
}

function evidenceSentences({ bothFail, mismatch, verdict }: EvidenceReading): string[] {
  return [
    ...(bothFail ? ['stable fails as well, so the canary alone is not to blame'] : []),
    ...(mismatch === null ? [] : [mismatch.message]),
    ...(verdict === null ? [] : [verdict.message]),
  ];
}

const conditionSentence = ({ status, condition, message }: ConditionResult): string =>
  status === 'error' ? `${condition} could not be judged: ${message}` : message;
