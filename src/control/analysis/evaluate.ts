/**
 * A condition against what was measured: true, false, cannot be told yet, or could not be asked.
 *
 *     pass           the comparison is true          inconclusive   no value, or too few samples of either side
 *     fail           it is false                     error          somebody who measures it could not be asked
 *
 * That is the plain truth of the comparison. A pass condition of a step wants it to be true; a rule of `rollbackWhen` acts when it is, so
 * for a rule `pass` is the bad news. Neither moves on `inconclusive` or `error`: no data is not failure, and a metrics store that is down
 * says nothing about the version.
 *
 * Shares and percentiles of a handful of requests are noise, so what Sluice measures itself needs `minRequests` samples of the version, and
 * of stable where it is compared with it. Throughput does not: few requests are what it is about. How many readings make a pushed or provided
 * value is known to whoever made it.
 */
import { isBuiltIn } from '../../model/built-in-metrics.ts';
import type { Condition } from '../../model/rollout-config.ts';
import { samplesText, valueText } from './metric-text.ts';
import { ruleWindow } from './metric-uses.ts';
import type { ConditionResult, ConditionStatus, MetricReader, MetricValue, Side } from './verdict.ts';

/** What must be true. */
export const evaluate = (condition: Condition, reader: MetricReader, minRequests: number): ConditionResult =>
  judge(
    condition,
    condition.window,
    reader,
    minRequests,
    (holds, limit) => `, must be ${limit}${holds ? '' : ', is not'}`,
  );

/** What must not be true, over the last minute unless it says otherwise. */
export const evaluateRule = (condition: Condition, reader: MetricReader, minRequests: number): ConditionResult =>
  judge(
    condition,
    ruleWindow(condition),
    reader,
    minRequests,
    (holds, limit) => `, ${holds ? 'is' : 'is not'} ${limit}`,
  );

function judge(
  condition: Condition,
  window: number | null,
  reader: MetricReader,
  minRequests: number,
  verdictText: (holds: boolean, limit: string) => string,
): ConditionResult {
  const { metric, operator, operand, text } = condition;
  const canary = reader.read(metric, 'canary', window);
  const stable = operand.kind === 'baseline' ? reader.read(metric, 'stable', window) : null;
  const limit = limitOf(condition, stable);
  const result = (status: ConditionStatus, message: string): ConditionResult => ({
    ...{ condition: text, metric, status, message },
    ...{ value: canary.value, limit, baseline: stable?.value ?? null, samples: canary.samples },
  });
  const obstacle =
    obstacleOf(metric, 'canary', canary, minRequests) ?? obstacleOf(metric, 'stable', stable, minRequests);
  if (obstacle !== null) return result(obstacle.status, obstacle.message);
  const value = canary.value!;
  const holds = compare(value, operator, limit!);
  const shownLimit = `${operator} ${valueText(metric, limit!, value)}${baselineText(condition, stable)}`;
  const shownValue = `${metric} is ${valueText(metric, value, limit)}${samplesText(metric, canary.samples)}`;
  return result(holds ? 'pass' : 'fail', `${shownValue}${noteText(canary)}${verdictText(holds, shownLimit)}`);
}

interface Obstacle {
  readonly status: 'inconclusive' | 'error';
  readonly message: string;
}

/** Why the side cannot be judged; null where it can. */
function obstacleOf(metric: string, side: Side, read: MetricValue | null, minRequests: number): Obstacle | null {
  if (read === null) return null;
  const whose = side === 'canary' ? metric : `${metric} of stable`;
  const { value, samples, error, note } = read;
  if (error !== null) return { status: 'error', message: `${whose} could not be read: ${error}` };
  const least = isBuiltIn(metric) && metric !== 'throughput' ? minRequests : 0;
  if (samples < least) {
    const have = samples === 0 ? 'none' : `only ${samples}`;
    return { status: 'inconclusive', message: `${whose} takes ${least} requests to judge, and there are ${have} yet` };
  }
  if (value !== null && !Number.isNaN(value)) return null;
  return { status: 'inconclusive', message: `${whose} has no value yet${note === undefined ? '' : `: ${note}`}` };
}

/** Null where it is compared with a baseline that has no value. */
function limitOf({ operand }: Condition, stable: MetricValue | null): number | null {
  if (operand.kind === 'value') return operand.value;
  const baseline = stable?.value ?? null;
  if (baseline === null) return null;
  switch (operand.operator) {
    case '+':
      return baseline + operand.by;
    case '-':
      return baseline - operand.by;
    case '*':
      return baseline * operand.by;
  }
}

function baselineText({ metric, operand }: Condition, stable: MetricValue | null): string {
  if (operand.kind === 'value') return '';
  const { operator, by } = operand;
  const unchanged = operator === '*' ? by === 1 : by === 0;
  const change = unchanged ? '' : ` ${operator} ${operator === '*' ? String(by) : valueText(metric, by)}`;
  return ` (baseline ${valueText(metric, stable!.value!)}${change}${stable!.note === undefined ? '' : `; ${stable!.note}`})`;
}

const noteText = ({ note }: MetricValue): string => (note === undefined ? '' : ` (${note})`);

function compare(value: number, operator: Condition['operator'], limit: number): boolean {
  switch (operator) {
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
    case '==':
      return value === limit;
    case '!=':
      return value !== limit;
  }
}
