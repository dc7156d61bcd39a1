/**
 * Latencies as counts in logarithmic buckets, the form in which workers record them in shared memory.
 *
 * Values are whole microseconds. Up to 32 µs each has its own bucket; above, every power of two is cut into 32 equal parts, so that the
 * middle of a bucket is off by at most 1/64 (1.6 %) of the value. That is the layout of an HDR histogram with one and a half significant
 * digits; the control plane turns the counts into hdr-histogram-js histograms. The last bucket takes everything above 67 s.
 *
 * Why not a histogram object per worker that is shipped by message: recording is one addition here, nothing has to be encoded or sent,
 * and what a worker had counted is still there when it has crashed.
 */

const SUB_BITS = 5;
const SUB = 1 << SUB_BITS;
const TOP_BIT = 26;

export const LATENCY_BUCKETS = SUB + (TOP_BIT - SUB_BITS) * SUB;

/** Bucket of a latency in whole microseconds. */
export function latencyBucket(micros: number): number {
  if (micros < SUB) return micros < 0 ? 0 : micros;
  if (micros >= 1 << TOP_BIT) return LATENCY_BUCKETS - 1;
  const shift = 31 - Math.clz32(micros) - SUB_BITS;
  return SUB + shift * SUB + (micros >>> shift) - SUB;
}

/** The middle of a bucket, microseconds. */
export function bucketMiddle(bucket: number): number {
  if (bucket < SUB) return bucket;
  const shift = ((bucket - SUB) / SUB) | 0;
  const from = (SUB + ((bucket - SUB) % SUB)) * 2 ** shift;
  return from + (2 ** shift - 1) / 2;
}
