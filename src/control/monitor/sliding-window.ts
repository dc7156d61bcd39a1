/**
 * The last slices of an endpoint or a version, with their sums kept up to date: a ring of about one slice a second.
 *
 * Pushing a slice adds it to the sums and takes the one that falls out away, so a value costs the same whatever the window's length,
 * and an idle second costs two stores. The latency histogram (hdr-histogram-js) is kept the same way: counts are added on the way in
 * and taken away on the way out, at slots looked up once per bucket, because finding the slot of a value anew takes two logarithms and
 * powers and made up a large part of a tick. The histogram's own minimum and maximum are not kept; percentiles are read off the
 * counts alone. The alternative, adding up the slices again for every value, costs far more.
 *
 * Limits. The histogram has two significant digits (buckets of 0.8 %), finer than the 1.6 % of the workers' buckets, so nothing is
 * lost on top; it takes about 10 KiB and is made when the first latency comes. A ring of n slices spans n ticks: if the control
 * thread was stalled the window is longer for a while, and `seconds`, the divisor of the throughput, says by how much.
 */
import { Int32Histogram } from 'hdr-histogram-js';
import { bucketMiddle, LATENCY_BUCKETS } from '../../model/latency-buckets.ts';
import { METRICS, type Metric, percentOf, type RateMetric, rateValue, type Totals, type Values } from './metric.ts';
import { type Slice, sliceValue } from './slice.ts';
import type { Point } from './trend.ts';

const MICROS_PER_MILLI = 1000;
const SIGNIFICANT_DIGITS = 2;

const newHistogram = (): Int32Histogram =>
  new Int32Histogram(1, Math.ceil(bucketMiddle(LATENCY_BUCKETS - 1)), SIGNIFICANT_DIGITS);

const layout = newHistogram();

/** Where the histogram counts each of our buckets. */
const slots = Uint16Array.from({ length: LATENCY_BUCKETS }, (_, bucket) =>
  layout.countsArrayIndex(bucketMiddle(bucket)),
);

export class SlidingWindow {
  readonly #slices: (Slice | null)[];
  readonly #totals = { seconds: 0, attempts: 0, answered: 0, errors: 0 };
  #histogram: Int32Histogram | null = null;
  #next = 0;

  /** @param length in ticks. */
  constructor(length: number) {
    this.#slices = new Array<Slice | null>(length).fill(null);
  }

  get totals(): Totals {
    return this.#totals;
  }

  push(slice: Slice): void {
    const oldest = this.#slices[this.#next]!;
    this.#slices[this.#next] = slice;
    this.#next = (this.#next + 1) % this.#slices.length;
    this.#add(slice, 1);
    if (oldest !== null) this.#add(oldest, -1);
  }

  /** The metric over the whole window; null without data. */
  value(metric: Metric): number | null {
    const percent = percentOf(metric);
    if (percent === null) return rateValue(this.#totals, metric as RateMetric);
    if (this.#histogram === null || this.#histogram.totalCount === 0) return null;
    return this.#histogram.getValueAtPercentile(percent) / MICROS_PER_MILLI;
  }

  values(): Values {
    const values: Partial<Record<Metric, number | null>> = {};
    for (const metric of METRICS) values[metric] = this.value(metric);
    return values as Values;
  }

  /** The metric of each slice by itself, oldest first. @param now the end of the newest slice, milliseconds. */
  series(metric: Metric, now: number): Point[] {
    const points: Point[] = [];
    const { length } = this.#slices;
    let at = now;
    for (let back = 1; back <= length; back++) {
      const slice = this.#slices[(this.#next - back + length) % length]!;
      if (slice === null) break;
      points.push({ at, value: sliceValue(slice, metric) });
      at -= slice.seconds * 1000;
    }
    return points.reverse();
  }

  #add(slice: Slice, sign: 1 | -1): void {
    const totals = this.#totals;
    totals.seconds += sign * slice.seconds;
    if (slice.attempts === 0 && slice.latencies.length === 0) return;
    totals.attempts += sign * slice.attempts;
    totals.answered += sign * slice.answered;
    totals.errors += sign * slice.errors;
    const { latencies } = slice;
    if (latencies.length === 0) return;
    this.#histogram ??= newHistogram();
    let total = 0;
    for (let i = 0; i < latencies.length; i += 2) {
      const count = sign * latencies[i + 1]!;
      this.#histogram.addToCountAtIndex(slots[latencies[i]!]!, count);
      total += count;
    }
    this.#histogram.addToTotalCount(total);
  }
}
