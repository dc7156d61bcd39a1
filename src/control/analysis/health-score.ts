/**
 * `health_score`: one number from 0 to 100 for how well a version does, a weighted mean of shares.
 *
 *     score = Σ weight × share ÷ Σ weight,  over the parts that have a value
 *
 *     success   success_rate                                              weight .4 unless configured
 *     latency   share of answers within the latency limit                 weight .3
 *     metric    a named metric, a share from 0 to 1 or a percentage       weight .3
 *
 * A part without a value gives its weight to the others, in proportion: a version that has not answered anything has no latency, and a
 * business metric that nobody pushed must not keep a rule from seeing that everything fails. A weighted mean hides how it came about, which
 * is why it is a supplement to conditions on the parts and not a substitute. Without requests there is no score.
 */
import type { StrategyConfig } from '../../model/rollout-config.ts';

export type HealthScoreConfig = StrategyConfig['healthScore'];

/** Percent; null for a part that cannot be told. */
export interface ScoreParts {
  readonly success: number | null;
  readonly latency: number | null;
  readonly metric: number | null;
}

export function healthScore(parts: ScoreParts, config: HealthScoreConfig): number | null {
  if (parts.success === null) return null;
  const weighted: [share: number | null, weight: number][] = [
    [parts.success, config.success],
    [parts.latency, config.latency],
    [parts.metric, config.metric?.weight ?? 0],
  ];
  let score = 0;
  let weights = 0;
  for (const [share, weight] of weighted) {
    if (share === null) continue;
    score += Math.min(100, Math.max(0, share)) * weight;
    weights += weight;
  }
  return weights > 0 ? score / weights : null;
}
