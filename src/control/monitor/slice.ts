/**
 * One tick's worth of an endpoint or a version: what was counted since the tick before.
 *
 * Latencies are sparse, because a second of one endpoint touches a few dozen of the seven hundred buckets, and packed, because they are
 * what the monitor's memory consists of: pairs of 16 bits. A count that does not fit is written as several pairs of the same bucket,
 * which every reader adds up anyway. A slice is never changed after it was made, so an endpoint and a version of which it is the only
 * active endpoint share one, and so do all that were idle. Percentiles of a single slice are read off the sorted pairs directly: a
 * histogram object would cost more than the walk.
 */
import { bucketMiddle, LATENCY_BUCKETS } from '../../model/latency-buckets.ts';
import { type Metric, percentOf, type RateMetric, rateValue, type Totals } from './metric.ts';

export interface Slice extends Totals {
  /** Bucket, count, bucket, count …, buckets ascending, counts above 0. */
  readonly latencies: Uint16Array;
}

const LARGEST = 0xffff;
const NO_LATENCIES = new Uint16Array(0);
const scratch = new Float64Array(LATENCY_BUCKETS);

export const idleSlice = (seconds: number): Slice => ({
  seconds,
  attempts: 0,
  answered: 0,
  errors: 0,
  latencies: NO_LATENCIES,
});

/** @param counts one per bucket; only those from `from` up to `to` are looked at. */
export function packLatencies(counts: Float64Array | Int32Array, from: number, to: number): Uint16Array {
  let pairs = 0;
  for (let bucket = from; bucket < to; bucket++) {
    if (counts[bucket] !== 0) pairs += Math.ceil(counts[bucket]! / LARGEST);
  }
  if (pairs === 0) return NO_LATENCIES;
  const packed = new Uint16Array(2 * pairs);
  let at = 0;
  for (let bucket = from; bucket < to; bucket++) {
    for (let left = counts[bucket]!; left > 0; left -= LARGEST) {
      packed[at++] = bucket;
      packed[at++] = Math.min(left, LARGEST);
    }
  }
  return packed;
}

/** The sum of slices of the same tick. */
export function sumSlices(slices: readonly Slice[], seconds: number): Slice {
  if (slices.length === 1) return slices[0]!;
  let attempts = 0;
  let answered = 0;
  let errors = 0;
  scratch.fill(0);
  for (const slice of slices) {
    attempts += slice.attempts;
    answered += slice.answered;
    errors += slice.errors;
    for (let i = 0; i < slice.latencies.length; i += 2) scratch[slice.latencies[i]!]! += slice.latencies[i + 1]!;
  }
  return { seconds, attempts, answered, errors, latencies: packLatencies(scratch, 0, LATENCY_BUCKETS) };
}

/** The metric over this slice alone; milliseconds for percentiles. */
export function sliceValue(slice: Slice, metric: Metric): number | null {
  const percent = percentOf(metric);
  if (percent === null) return rateValue(slice, metric as RateMetric);
  const { latencies } = slice;
  let total = 0;
  for (let i = 1; i < latencies.length; i += 2) total += latencies[i]!;
  // From the top: it is mostly the high percentiles that are asked for.
  let above = total - Math.max(1, Math.ceil((percent / 100) * total));
  for (let i = latencies.length - 2; i >= 0; i -= 2) {
    above -= latencies[i + 1]!;
    if (above < 0) return bucketMiddle(latencies[i]!) / 1000;
  }
  return null;
}
