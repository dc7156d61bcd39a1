/**
 * The names of what the monitor measures, and the two formulas behind them.
 *
 * Rates come from counts of attempts: `availability` is the share that got an answer at all, `error_rate` the share that ended in a
 * 5xx or in no answer, `throughput` attempts per second. Percentiles are of the time to the response head of answered attempts.
 * An attempt given up because the client left or a hedge was faster says nothing about the endpoint and is in none of them.
 *
 * Where nothing was counted every value is null, throughput too: a version without traffic is not a version with an error rate
 * of 0 %, and a version whose weight is 0 must not raise an alert about its throughput.
 */
import type { AlertConfig } from '../../model/policy-config.ts';

/** Percent, percent, requests per second, then milliseconds. */
export type Metric = AlertConfig['metric'];

export const METRICS = ['availability', 'error_rate', 'throughput', 'p50', 'p95', 'p99'] as const satisfies Metric[];

export type RateMetric = 'availability' | 'error_rate' | 'throughput';

/** Counts of attempts over a stretch of time. */
export interface Totals {
  readonly seconds: number;
  readonly attempts: number;
  /** Those that got a response head, whatever its status. */
  readonly answered: number;
  /** 5xx answers and attempts without an answer. */
  readonly errors: number;
}

export type Values = Readonly<Record<Metric, number | null>>;

/** Percent of a percentile metric, or null for a rate. */
export function percentOf(metric: Metric): number | null {
  switch (metric) {
    case 'p50':
      return 50;
    case 'p95':
      return 95;
    case 'p99':
      return 99;
    case 'availability':
    case 'error_rate':
    case 'throughput':
      return null;
  }
}

export function rateValue(totals: Totals, metric: RateMetric): number | null {
  if (totals.attempts <= 0) return null;
  switch (metric) {
    case 'availability':
      return (100 * totals.answered) / totals.attempts;
    case 'error_rate':
      return (100 * totals.errors) / totals.attempts;
    case 'throughput':
      return totals.seconds > 0 ? totals.attempts / totals.seconds : null;
  }
}
