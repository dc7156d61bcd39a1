/**
 * The decision record in time: from the first failed request to the moment in which no worker gave the version anything any more.
 *
 *     first failed request ─▶ out of the split, for the very next request ─▶ weight 0 acknowledged by every worker
 *
 * Times count from the first failure only where failures were the cause: for what an operator or a deadline decided it says nothing, and they count from
 * the decision. What is unknown is left out.
 */
import type { Decision, StepRecord } from '../../api/report-views.ts';
import type { ConditionResult } from '../../api/views.ts';
import { exactly } from '../../format.ts';

export interface Moment {
  readonly name: string;
  readonly at: string;
  /** `+356 ms`, from the first of them; null of the first. */
  readonly after: string | null;
}

type Timed = Pick<Decision, 'cause' | 'at' | 'firstFailureAt' | 'closedAt' | 'acknowledgedAt'>;

const isByFailures = ({ cause }: Pick<Decision, 'cause'>): boolean => cause === 'evidence' || cause === 'budget';

export function momentsOf(decision: Timed): Moment[] {
  const begin = isByFailures(decision) ? decision.firstFailureAt : decision.at;
  const known: [name: string, at: string | null][] = [
    isByFailures(decision) ? ['First failed request', decision.firstFailureAt] : ['Decided', decision.at],
    ['Out of the split', decision.closedAt],
    ['Weight 0 on every worker', decision.acknowledgedAt],
  ];
  return known.flatMap(([name, at], index) =>
    at === null
      ? []
      : [{ name, at, after: index === 0 || begin === null ? null : `+${exactly(Math.max(0, since(begin, at)))}` }],
  );
}

/** `Traffic was off 356 ms after the first failed request.`; null where that cannot be said. */
export function offAfter(decision: Timed): string | null {
  const { firstFailureAt, closedAt, acknowledgedAt } = decision;
  const off = closedAt ?? acknowledgedAt;
  if (!isByFailures(decision) || firstFailureAt === null || off === null) return null;
  return `Traffic was off ${exactly(Math.max(0, since(firstFailureAt, off)))} after the first failed request.`;
}

const since = (from: string, to: string): number => Date.parse(to) - Date.parse(from);

const CAUSES: Readonly<Record<string, string>> = {
  evidence: 'the evidence was enough',
  condition: 'a rule of rollbackWhen was met',
  budget: 'it had used up its budget of failures',
  health: 'none of its endpoints was available',
  hook: 'a hook said no',
  gate: 'a gate said no',
  preflight: 'a check failed',
  deadline: 'a step was held for longer than its deadline',
  operator: 'somebody said so',
  superseded: 'a newer version took its place',
  configuration: 'it is gone from the configuration',
  incident: 'this may not be the canary’s doing',
};

export const causeWords = (cause: string): string => CAUSES[cause] ?? cause;

/** `in step 2, half`. @param steps those that have begun. */
export function whereOf(
  { step }: Pick<Decision, 'step'>,
  steps: readonly Pick<StepRecord, 'index' | 'name'>[],
): string {
  if (step < 0) return 'before the first step';
  const record = steps.findLast(({ index }) => index === step);
  return record === undefined ? 'behind the last step' : `in step ${step + 1}, ${record.name}`;
}

/**
 * Conditions of the step and rules of the strategy: the same word is good in the one and bad in the other. Older decisions have them in one list, where it
 * is guessed: those that the step's own record has are conditions, and so is what "must be": rules never must.
 */
export function conditionsThen(
  { step, conditions, rules }: Pick<Decision, 'step' | 'conditions' | 'rules'>,
  steps: readonly Pick<StepRecord, 'index' | 'conditions'>[],
): { readonly conditions: readonly ConditionResult[]; readonly rules: readonly ConditionResult[] } {
  if (rules !== undefined) return { conditions, rules };
  const own = new Set(steps.findLast(({ index }) => index === step)?.conditions.map(({ condition }) => condition));
  const isRule = ({ condition, message }: ConditionResult): boolean =>
    !own.has(condition) && !message.includes('must be');
  return { conditions: conditions.filter((each) => !isRule(each)), rules: conditions.filter(isRule) };
}
