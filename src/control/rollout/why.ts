/**
 * Why a rollout is where it is: one sentence, the decision record where there is one, and what holds it at this moment.
 *
 * The decision is what was known then, with the requests that failed, and is shown as it was written; what holds it is what is known now. A
 * rollout that is over is held by nothing. Of conditions only those are told that do not pass: one that cannot be judged yet holds a step as
 * much as one that fails, and so does one that could not be read. A rule of `rollbackWhen` is told while it is met, since it acts or warns.
 */
import type { ConditionResult, EvidenceReading } from '../analysis/verdict.ts';
import { percent, sentence } from './figures.ts';
import { isOver, type Pause, type Rollout } from './rollout.ts';
import { shown } from './shown.ts';
import { outcomeOf, stepNumber, type Told } from './summary.ts';
import type { RolloutView, RolloutWhy } from './view.ts';

export type Explained = Told & Pick<Rollout, 'pause'>;

/** What is measured now, as the view of the rollout has it. */
export type PresentState = Pick<RolloutView, 'conditions' | 'rules' | 'evidence' | 'waiting'>;

export function whyOf(rollout: Explained, present: PresentState): RolloutWhy {
  const { id, phase, decision } = rollout;
  const holding = isOver(phase) ? [] : holdingOf(rollout, present);
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
function holdingOf({ pause }: Explained, { conditions, rules, evidence, waiting }: PresentState): string[] {
  const said = [
    ...(pause === null ? [] : [pauseSentence(pause)]),
    ...evidenceSentences(evidence),
    ...(waiting === null || waiting === pause?.reason ? [] : [waiting]),
    ...conditions.filter(({ status }) => status !== 'pass').map(conditionSentence),
    ...rules.filter(({ status }) => status === 'pass').map(({ condition }) => `${condition} of rollbackWhen is met`),
  ];
  return [...new Set(said.map(sentence))];
}

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
