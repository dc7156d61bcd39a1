/**
 * Which metrics a strategy asks for, and over which windows: what has to be read elsewhere, and how far back marks have to go.
 *
 * A pass condition without a window looks back to the beginning of its step, a rule without one over the last minute: a step
 * is about everything that happened at its weight, a rule about what is wrong now. The window of a health score is that of its parts.
 */
import type { Condition, StrategyConfig } from '../../model/rollout-config.ts';

/** Of a rule that names none, milliseconds. */
export const RULE_WINDOW = 60_000;

export interface MetricUse {
  readonly metric: string;
  /** Milliseconds; null: since the step began. */
  readonly window: number | null;
}

export type UsingStrategy = Pick<StrategyConfig, 'steps' | 'rollbackWhen' | 'healthScore'>;

export const ruleWindow = ({ window }: Pick<Condition, 'window'>): number => window ?? RULE_WINDOW;

/** Each once. */
export function metricUses({ steps, rollbackWhen, healthScore }: UsingStrategy): MetricUse[] {
  const written = [
    ...steps.flatMap((step) => ('pass' in step ? step.pass : [])).map(({ metric, window }) => ({ metric, window })),
    ...rollbackWhen.map(({ condition }) => ({ metric: condition.metric, window: ruleWindow(condition) })),
  ];
  const named = healthScore.metric?.name;
  const uses = written.flatMap((use) =>
    use.metric === 'health_score' && named !== undefined ? [use, { ...use, metric: named }] : [use],
  );
  return [...new Map(uses.map((use) => [`${use.metric}\n${use.window}`, use])).values()];
}

/** Longest window in milliseconds; 0 where all begin with their step. */
export const longestWindow = (uses: readonly MetricUse[]): number =>
  Math.max(0, ...uses.map(({ window }) => window ?? 0));
