/**
 * The metrics that Sluice measures itself, each with the unit of its values: the one list that conditions, texts and pushed metrics go by.
 *
 * Percent, milliseconds, per second. A name that is not in it is pushed, or read elsewhere, and only whoever sends it knows its unit.
 */
export const BUILT_IN_METRICS = {
  error_rate: 'percent',
  success_rate: 'percent',
  throughput: 'rate',
  p50: 'duration',
  p95: 'duration',
  p99: 'duration',
  p999: 'duration',
  availability: 'percent',
  health_score: 'percent',
} as const satisfies Readonly<Record<string, 'percent' | 'duration' | 'rate'>>;

export type BuiltInMetric = keyof typeof BUILT_IN_METRICS;
export type MetricUnit = (typeof BUILT_IN_METRICS)[BuiltInMetric];

export const isBuiltIn = (metric: string): metric is BuiltInMetric => Object.hasOwn(BUILT_IN_METRICS, metric);

/** Null: it is none of them. */
export const unitOf = (metric: string): MetricUnit | null => (isBuiltIn(metric) ? BUILT_IN_METRICS[metric] : null);
