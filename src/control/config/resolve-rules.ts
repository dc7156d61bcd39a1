/**
 * The rules that take a version back: a condition, over which time it must hold, and what is done then.
 *
 * The window stands in the condition (`over 5m`) or beside it, since both are how people write it; the text that is kept says it in any case.
 */
import type { Condition, RollbackRule } from '../../model/rollout-config.ts';
import { parseCondition, parseWindow } from './condition.ts';
import type { ConfigPath } from './faults.ts';
import type { RawRule } from './raw-rollouts.ts';
import type { Review } from './review.ts';
import { ROLLOUT_DEFAULTS } from './rollout-settings.ts';
import type { StrategyScope } from './strategy-scope.ts';
import { formatDuration } from './units.ts';

export function resolveRules(raw: readonly RawRule[], path: ConfigPath, scope: StrategyScope): RollbackRule[] {
  const { review } = scope;
  return raw.flatMap((rule, index) => {
    const place = [...path, index];
    if (!review.sound(place)) return [];
    const condition = parseCondition(rule.when, scope.metrics);
    if ('fault' in condition) review.report([...place, 'when'], condition.fault);
    const level = rule.level ?? ROLLOUT_DEFAULTS.level;
    if (level === 'warning' && rule.action !== undefined) {
      review.reportKey([...place, 'action'], 'a warning takes nothing back; remove action, or write level: critical');
    }
    if ('fault' in condition) return [];
    return {
      condition: withWindow(condition.ok, rule.window, [...place, 'window'], review),
      level,
      action: rule.action ?? ROLLOUT_DEFAULTS.action,
    };
  });
}

function withWindow(condition: Condition, raw: string | undefined, path: ConfigPath, review: Review): Condition {
  if (raw === undefined) return condition;
  const window = parseWindow(raw);
  if ('fault' in window) {
    review.report(path, window.fault);
    return condition;
  }
  if (condition.window === null) {
    return { ...condition, window: window.ok, text: `${condition.text} over ${formatDuration(window.ok)}` };
  }
  if (condition.window !== window.ok) {
    const other = formatDuration(condition.window);
    review.report(path, `${raw} is not the ${other} that the condition says itself; remove one of the two`);
  }
  return condition;
}
