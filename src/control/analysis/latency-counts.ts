/**
 * What two states of growing latency counts say about the time between them: percentiles, and the share that was fast enough.
 *
 *     percentile P   the middle of the bucket in which the ⌈P·n⌉-th of the n latencies between the two states lies
 *     compliance     latencies in buckets whose middle is not above the limit ÷ n
 *
 * Both judge a bucket by its middle, so that they never contradict each other: p95 is within the limit exactly where 95 % comply. The
 * middle is off by at most 1.6 % (latency-buckets.ts). Rejected: a histogram object per window; the counts are there, and one walk over
 * seven hundred of them is all that a reading takes.
 *
 * Counts have 32 bits and may wrap. Differences are taken modulo 2^32, so they are right as long as fewer than four thousand million
 * latencies lie between the two states in one bucket. Without any latency in between, every answer is null.
 */
import { bucketMiddle, LATENCY_BUCKETS } from '../../model/latency-buckets.ts';

/** One count per bucket, modulo 2^32; never changed once it is shared. */
export type LatencyCounts = Uint32Array;

const MICROS_PER_MILLI = 1_000;

export const noLatencies = (): LatencyCounts => new Uint32Array(LATENCY_BUCKETS);

export function latenciesBetween(from: LatencyCounts, to: LatencyCounts): number {
  let total = 0;
  for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) total += between(from, to, bucket);
  return total;
}

/** @param percent 50, 99.9. @returns milliseconds. */
export function percentileBetween(from: LatencyCounts, to: LatencyCounts, percent: number): number | null {
  const total = latenciesBetween(from, to);
  if (total === 0) return null;
  // A hair less, because 99.9 % of a thousand is 999 and not the thousandth.
  const rank = Math.max(1, Math.ceil((percent / 100) * total - 1e-6));
  // From the top: it is mostly the high percentiles that are asked for.
  let above = total - rank;
  for (let bucket = LATENCY_BUCKETS - 1; bucket >= 0; bucket--) {
    above -= between(from, to, bucket);
    if (above < 0) return bucketMiddle(bucket) / MICROS_PER_MILLI;
  }
  return null;
}

/** @param limit milliseconds. @returns percent. */
export function complianceBetween(from: LatencyCounts, to: LatencyCounts, limit: number): number | null {
  const total = latenciesBetween(from, to);
  if (total === 0) return null;
  let within = 0;
  for (let bucket = 0; bucket < LATENCY_BUCKETS && bucketMiddle(bucket) <= limit * MICROS_PER_MILLI; bucket++) {
    within += between(from, to, bucket);
  }
  return (100 * within) / total;
}

const between = (from: LatencyCounts, to: LatencyCounts, bucket: number): number => (to[bucket]! - from[bucket]!) >>> 0;
