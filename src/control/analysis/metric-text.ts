/**
 * Values of metrics as people read them: `0.4 %`, `87.2 ms`, `120/s`, and plain numbers for what is measured elsewhere.
 *
 * Four significant digits are enough to compare by eye, except where a value is so close to its limit that both would read the same and the
 * sentence would contradict its verdict; then as many are shown as it takes to tell them apart.
 */
import { isBuiltIn, type MetricUnit, unitOf } from '../../model/built-in-metrics.ts';

const DIGITS = 4;
const MOST_DIGITS = 15;

const UNITS: Readonly<Record<MetricUnit, string>> = { percent: ' %', duration: ' ms', rate: '/s' };

const FORMATS = Array.from(
  { length: MOST_DIGITS + 1 },
  (_, digits) => new Intl.NumberFormat('en', { maximumSignificantDigits: Math.max(1, digits) }),
);

/** What the samples of a metric are, in words. */
export function samplesText(metric: string, samples: number): string {
  if (!isBuiltIn(metric)) return '';
  const count = FORMATS[MOST_DIGITS]!.format(samples);
  return metric.startsWith('p') ? ` of ${count} answers` : ` of ${count} requests`;
}

/** @param other what it is compared with. */
export function valueText(metric: string, value: number, other: number | null = null): string {
  let digits = DIGITS;
  const shown = (number: number): string => FORMATS[digits]!.format(number);
  while (other !== null && other !== value && digits < MOST_DIGITS && shown(value) === shown(other)) digits++;
  const unit = unitOf(metric);
  return `${shown(value)}${unit === null ? '' : UNITS[unit]}`;
}
