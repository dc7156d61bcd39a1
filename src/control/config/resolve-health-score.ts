/**
 * How `health_score` is put together.
 *
 * Weights sum to 1. Whatever is left out shares what is left by 4 : 3 : 3 (success, latency, the metric), and by 4 : 3 where there is no metric; so
 * naming a metric is enough, and so is one weight. All of them written must sum to 1 themselves: a score out of 90 reads like one out of 100.
 */
import type { StrategyConfig } from '../../model/rollout-config.ts';
import type { ConfigPath } from './faults.ts';
import type { RawHealthScore } from './raw-rollouts.ts';
import { resolveSetting, resolveSettings } from './resolve-settings.ts';
import type { Review } from './review.ts';
import { HEALTH_SCORE, HEALTH_WEIGHTS } from './rollout-settings.ts';

type HealthScore = StrategyConfig['healthScore'];

const PROPORTIONS = { success: 4, latency: 3, weight: 3 } as const;
type Part = keyof typeof PROPORTIONS;

export function resolveHealthScore(raw: RawHealthScore | undefined, path: ConfigPath, review: Review): HealthScore {
  const numbers = resolveSettings(HEALTH_SCORE, raw, path, review);
  const metric = review.sound([...path, 'metric']) ? raw?.metric : undefined;
  const written: { readonly [Key in Part]?: unknown } = {
    success: raw?.success,
    latency: raw?.latency,
    weight: metric?.weight,
  };
  const parts: readonly Part[] = metric === undefined ? ['success', 'latency'] : ['success', 'latency', 'weight'];
  const weights = shareOut(parts, written, path, review);
  return {
    success: weights.success,
    latency: weights.latency,
    metric: metric === undefined ? null : { name: metric.name, weight: weights.weight },
    ...numbers,
  };
}

function shareOut(
  parts: readonly Part[],
  written: { readonly [Key in Part]?: unknown },
  path: ConfigPath,
  review: Review,
): Record<Part, number> {
  const weights: Record<Part, number> = { success: 0, latency: 0, weight: 0 };
  const open: Part[] = [];
  for (const part of parts) {
    const at = part === 'weight' ? [...path, 'metric', 'weight'] : [...path, part];
    if (written[part] === undefined || !review.sound(at)) open.push(part);
    else weights[part] = resolveSetting(HEALTH_WEIGHTS[part], written[part], at, review);
  }
  const sum = Number(
    Object.values(weights)
      .reduce((total, weight) => total + weight, 0)
      .toFixed(9),
  );
  if (sum > 1 || (sum < 1 && open.length === 0)) {
    const way = sum > 1 ? 'lower' : 'raise';
    review.report(path, `weights sum to ${sum}, must be 1; ${way} one by ${Number(Math.abs(1 - sum).toFixed(9))}`);
    return weights;
  }
  let left = 1 - sum;
  let proportions = open.reduce((total, part) => total + PROPORTIONS[part], 0);
  for (const part of open) {
    // The last one takes what is left, so that rounding does not show in the sum.
    const weight = Number(((left * PROPORTIONS[part]) / proportions).toFixed(4));
    weights[part] = open.at(-1) === part ? Number(left.toFixed(9)) : weight;
    left -= weight;
    proportions -= PROPORTIONS[part];
  }
  return weights;
}
