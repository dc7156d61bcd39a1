/**
 * Conditions of the step and rules of `rollbackWhen`, a line each: what it says of itself, the condition, and the value it has now.
 *
 * The same result means the opposite in the two: a condition that is true lets the step end, a rule that is true acts. So a rule is `met` or
 * `not met` and a condition `passes` or `fails`; what cannot be judged yet is `unknown` in both, and what could not be read says why.
 */
import type { ConditionResult } from '../../../control/analysis/verdict.ts';
import { count, metricText } from '../../client/format.ts';
import { printable } from '../../client/printable.ts';
import type { Paint, Tone } from '../../client/table.ts';

/** `record`: of an older decision, where conditions and rules stand in one list. */
type Kind = 'condition' | 'rule' | 'record';

type States = Readonly<Record<ConditionResult['status'], readonly [word: string, tone: Tone]>>;

const STATES: Readonly<Record<Kind, States>> = {
  condition: {
    pass: ['passes', 'good'],
    fail: ['fails', 'warning'],
    inconclusive: ['unknown', 'faint'],
    error: ['error', 'warning'],
  },
  rule: {
    pass: ['met', 'bad'],
    fail: ['not met', 'good'],
    inconclusive: ['unknown', 'faint'],
    error: ['error', 'warning'],
  },
  record: {
    pass: ['true', 'strong'],
    fail: ['false', 'strong'],
    inconclusive: ['unknown', 'faint'],
    error: ['error', 'warning'],
  },
};

const STATE_WIDTH = 8;

export function conditionLines(results: readonly ConditionResult[], kind: Kind, paint: Paint): string[] {
  const width = Math.max(0, ...results.map(({ condition }) => printable(condition).length));
  return results.map((result) => {
    const [word, tone] = STATES[kind][result.status] ?? [result.status, 'strong'];
    const shown = paint(printable(word), tone) + ' '.repeat(Math.max(0, STATE_WIDTH - word.length));
    return `${shown}  ${printable(result.condition).padEnd(width)}  ${printable(valueText(result))}`;
  });
}

function valueText({ status, metric, value, baseline, samples, message }: ConditionResult): string {
  if (status === 'error' || value === null) return message;
  const stable = baseline === null ? '' : `, stable ${metricText(metric, baseline)}`;
  const of = samples > 0 ? `, of ${count(samples)}` : '';
  return `${metricText(metric, value)}${stable}${of}${status === 'inconclusive' ? '; too few' : ''}`;
}
