/**
 * Numbers as people read them: always with their unit, and a dash where there is nothing to show.
 *
 * No data is not zero: a version without traffic has an error rate of `-`, not of 0 %.
 */
import { unitOf } from '../../model/built-in-metrics.ts';

export const NOTHING = '-';

/** `95.00 %`. */
export const percent = (value: number | null | undefined): string =>
  value === null || value === undefined ? NOTHING : `${value.toFixed(2)} %`;

/** As short as it is exact: `5 %`, `12.5 %`; for values that somebody set. */
export const share = (value: number): string => `${Number(value.toFixed(2))} %`;

/** Per second: `0.25`, `31.4`, `950`. */
export const rate = (value: number | null | undefined): string =>
  value === null || value === undefined ? NOTHING : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

/** Of milliseconds: `0.42 ms`, `3.1 ms`, `250 ms`, `1.50 s`, `12.0 s`. */
export function latency(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return NOTHING;
  if (ms >= 1000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  return `${ms.toFixed(ms < 1 ? 2 : ms < 100 ? 1 : 0)} ms`;
}

/** A long time, to the two largest units: `42s`, `3h 2m`, `5d 0h`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const units = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const first = units.findIndex(([count]) => count > 0);
  if (first === -1) return '0s';
  return units
    .slice(first, first + 2)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ');
}

/** `1 worker`, `2 workers`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Of ISO 8601: `2026-01-01 12:00:00`, in UTC; a day is part of it, since yesterday's events are shown too. */
export const time = (iso: string): string => iso.replace('T', ' ').replace(/(\.\d+)?Z$/, '');

/** `1,234,567`. */
export const count = (value: number): string => WHOLE.format(value);

const WHOLE = new Intl.NumberFormat('en-US');

/** Of ISO 8601: `12:00:00`, in UTC; for pages on which everything is of today. */
export const timeOfDay = (iso: string): string => time(iso).slice(-8);

/** In the unit of the metric; of one that Sluice does not know, the number as it is. */
export function metricText(metric: string, value: number): string {
  switch (unitOf(metric)) {
    case 'percent':
      return percent(value);
    case 'rate':
      return `${rate(value)}/s`;
    case 'duration':
      return latency(value);
    case null:
      return String(Number(value.toPrecision(6)));
  }
}
