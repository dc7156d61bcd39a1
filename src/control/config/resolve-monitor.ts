/**
 * What is watched and who is told.
 *
 * A condition is taken apart here, once, so that the monitor compares numbers. Whether the comparison makes sense is the user's
 * matter (`error_rate < 1%` may be someone's canary in the mine); whether the alert could ever be cleared is checked.
 */
import type { AlertConfig, MonitorConfig } from '../../model/policy-config.ts';
import { parseWebhookUrl } from './addresses.ts';
import { type AlertCondition, defaultClear, parseCondition, parseLevel } from './alert-condition.ts';
import type { ConfigPath } from './faults.ts';
import type { RawAlert, RawMonitor } from './raw-config.ts';
import { resolveSettings } from './resolve-settings.ts';
import type { Review } from './review.ts';
import { ALERT, MONITOR } from './settings.ts';
import { shown } from './structure.ts';

export function resolveMonitor(raw: RawMonitor | undefined, review: Review): MonitorConfig {
  const numbers = resolveSettings(MONITOR, raw, ['monitor'], review);
  if (review.sound(['monitor']) && numbers.history < numbers.window) {
    const key = raw?.history === undefined ? 'window' : 'history';
    const message = `${shown(raw?.[key])} makes history shorter than window; history keeps at least one window`;
    review.report(['monitor', key], message);
  }
  return {
    ...numbers,
    alerts: resolveAlerts(raw?.alerts, ['monitor', 'alerts'], review),
    webhooks: resolveWebhooks(raw?.webhooks, ['monitor', 'webhooks'], review),
  };
}

function resolveAlerts(raw: readonly RawAlert[] | undefined, path: ConfigPath, review: Review): AlertConfig[] {
  if (!Array.isArray(raw)) return [];
  const seen = new Set<string>();
  return raw.flatMap((alert: RawAlert, index) => {
    const place = [...path, index];
    if (!review.sound(place)) return [];
    const { name } = alert;
    if (seen.has(name)) review.report([...place, 'name'], `${name} is there twice; give each alert its own name`);
    seen.add(name);
    const numbers = resolveSettings(ALERT, alert, place, review);
    const condition = parseCondition(alert.when);
    if ('fault' in condition) {
      review.report([...place, 'when'], condition.fault);
      return [];
    }
    const clear = resolveClear(alert.clear, condition.ok, [...place, 'clear'], review);
    return { name, ...condition.ok, clear, ...numbers };
  });
}

function resolveClear(raw: RawAlert['clear'], condition: AlertCondition, path: ConfigPath, review: Review): number {
  if (raw === undefined) return defaultClear(condition);
  const level = parseLevel(condition.metric, raw);
  if ('fault' in level) {
    review.report(path, level.fault);
    return condition.threshold;
  }
  const wrong = condition.when === 'above' ? level.ok > condition.threshold : level.ok < condition.threshold;
  if (wrong) {
    const side = condition.when === 'above' ? 'below' : 'above';
    review.report(path, `${shown(raw)} would clear the alert while it is raised; write a value ${side} the threshold`);
  }
  return level.ok;
}

function resolveWebhooks(raw: readonly string[] | undefined, path: ConfigPath, review: Review): string[] {
  if (!Array.isArray(raw)) return [];
  const seen = new Set<string>();
  return raw.flatMap((written: string, index) => {
    const place = [...path, index];
    if (!review.sound(place)) return [];
    const parsed = parseWebhookUrl(written);
    if ('fault' in parsed) {
      review.report(place, parsed.fault);
      return [];
    }
    if (seen.has(parsed.ok)) review.report(place, 'is there twice; remove one of the two');
    seen.add(parsed.ok);
    return [parsed.ok];
  });
}
