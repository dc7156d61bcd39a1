/**
 * The condition of an alert: `METRIC > VALUE` or `METRIC < VALUE`.
 *
 * The value has the unit of its metric: shares are percent with or without the sign, latencies are durations with their unit, throughput
 * is a rate. Only the two strict comparisons exist, since a signal is a measured number that hardly ever equals its threshold: `>=`
 * would promise a difference that nobody can observe.
 */
import { BUILT_IN_METRICS, type MetricUnit } from '../../model/built-in-metrics.ts';
import type { AlertConfig } from '../../model/policy-config.ts';
import type { Parsed } from './addresses.ts';
import { nameHint } from './nearest-name.ts';
import { parseDuration, parsePercent, parseRate } from './units.ts';

type Metric = AlertConfig['metric'];

export interface AlertCondition {
  readonly metric: Metric;
  readonly when: AlertConfig['when'];
  readonly threshold: number;
}

/** Those that alerts are made of. */
const METRICS: readonly Metric[] = ['availability', 'error_rate', 'p50', 'p95', 'p99', 'throughput'];

/** What a metric of a unit is compared with. */
export const LEVELS: Readonly<Record<MetricUnit, string>> = {
  percent: 'a percentage from 0 to 100 such as 5%',
  duration: 'a duration such as 250ms',
  rate: 'requests per second such as 100',
};

const CONDITION = /^\s*([A-Za-z0-9_]+)\s*([<>=!]{1,3})\s*(\S+)\s*$/;

export function parseCondition(text: string): Parsed<AlertCondition> {
  const match = CONDITION.exec(text);
  if (match === null) {
    return { fault: `must be a condition such as error_rate > 5% or p95 > 250ms, not ${JSON.stringify(text)}` };
  }
  const [, metric = '', operator = '', value = ''] = match;
  if (!(METRICS as readonly string[]).includes(metric)) {
    return { fault: `no metric ${metric}; ${nameHint(metric, METRICS)}` };
  }
  if (operator !== '>' && operator !== '<') return { fault: `cannot compare with ${operator}; write > or <` };
  const threshold = parseLevel(metric as Metric, value);
  if ('fault' in threshold) return threshold;
  return { ok: { metric: metric as Metric, when: operator === '>' ? 'above' : 'below', threshold: threshold.ok } };
}

/** A value of `metric` in its unit: percent, milliseconds or requests per second. */
export function parseLevel(metric: Metric, value: string | number): Parsed<number> {
  const unit = BUILT_IN_METRICS[metric];
  const bare = typeof value === 'string' && /^[0-9]+(\.[0-9]+)?$/.test(value) ? Number(value) : value;
  const level = parseUnit(unit, bare);
  if (level !== null && level >= 0 && (unit !== 'percent' || level <= 100)) return { ok: level };
  return { fault: `${metric} is compared with ${LEVELS[unit]}, not with ${JSON.stringify(value)}` };
}

function parseUnit(unit: MetricUnit, value: string | number): number | null {
  switch (unit) {
    case 'percent':
      return parsePercent(value);
    case 'duration':
      return parseDuration(value);
    case 'rate':
      return parseRate(value);
  }
}

/** The threshold, moved a tenth towards the good side: of itself, or of what is left to 100 %. */
export function defaultClear({ metric, when, threshold }: AlertCondition): number {
  const room = when === 'above' || BUILT_IN_METRICS[metric] !== 'percent' ? threshold : 100 - threshold;
  const clear = threshold + (when === 'above' ? -room : room) / 10;
  return Number(clear.toFixed(6));
}
