/**
 * Where a metric is going: a robust straight line through its per-second values, and when that line meets a threshold.
 *
 * The slope is Theil and Sen's: the median of the slopes between pairs of points. Up to 29 % of the points may be arbitrarily wrong
 * before it is, where least squares follows a single outlier. All pairs would be n²/2; about MAX_PAIRS of them are looked at, at seeded
 * random distances, so the same series always gives the same answer (at equal distances the pairs fall into a lattice whose errors
 * do not cancel). The level is the median of the latest points after the slope has
 * been taken out.
 *
 * Three things are not a trend and give slope 0. Noise: the pairs must agree on a direction more than chance explains (the test of
 * Mann and Kendall at SIGNIFICANCE standard deviations; with ten points that means nearly all of them, with sixty seven in ten). A step: the
 * later half must go the same way, and the flatter of the two slopes counts, so a jump that is over is not drawn out into
 * the future. A constant. Fewer than MIN_POINTS points with data give no trend at all (null).
 *
 * A forecast is null where there is no trend, where it is flat or where it leads away from the threshold. The line knows nothing of
 * a metric's natural limits or of tomorrow's traffic; it is meant for minutes, not for hours.
 *
 * Pedigree: Theil (1950), Sen (1968), Kendall (1938).
 */
import { SeededRandom } from '../../runtime/random.ts';

/** `at` in milliseconds on any scale; `value` is null where nothing was measured. */
export interface Point {
  readonly at: number;
  readonly value: number | null;
}

export interface Trend {
  /** Units of the metric per second; 0 where it is flat. */
  readonly slope: number;
  /** The present value without the noise. */
  readonly level: number;
}

interface Known {
  readonly at: number;
  readonly value: number;
}

export const MIN_POINTS = 10;
const MAX_PAIRS = 600;
const LEVEL_POINTS = 31;
const SIGNIFICANCE = 4;

/** @param points oldest first. */
export function trendOf(points: readonly Point[]): Trend | null {
  const known = points.filter(isKnown);
  if (known.length < MIN_POINTS) return null;
  const slope = slopeOf(known);
  return { slope, level: levelOf(known, slope) };
}

/**
 * Milliseconds from the last point until the trend crosses the threshold.
 *
 * @param toward only a crossing in this direction counts; left out, either does.
 */
export function forecast(points: readonly Point[], threshold: number, toward?: 'above' | 'below'): number | null {
  const known = points.filter(isKnown);
  if (known.length < MIN_POINTS) return null;
  const slope = slopeOf(known);
  if (slope === 0) return null;
  if (toward !== undefined && slope > 0 !== (toward === 'above')) return null;
  const ms = (1000 * (threshold - levelOf(known, slope))) / slope;
  return ms >= 0 ? ms : null;
}

const isKnown = (point: Point): point is Known => point.value !== null;

/** Per second; 0 where there is no trend. Most series have none, so the cheap test comes before the medians. */
function slopeOf(points: readonly Known[]): number {
  if (!isSignificant(points)) return 0;
  const whole = medianSlope(points);
  const later = medianSlope(points.slice(points.length >> 1));
  return Math.sign(whole) === Math.sign(later) ? Math.sign(whole) * Math.min(Math.abs(whole), Math.abs(later)) : 0;
}

function levelOf(points: readonly Known[], slope: number): number {
  const end = points.at(-1)!.at;
  return median(points.slice(-LEVEL_POINTS).map((point) => point.value + (slope * (end - point.at)) / 1000));
}

/** Whether the pairs agree on a direction more than chance explains. */
function isSignificant(points: readonly Known[]): boolean {
  const n = points.length;
  let looked = 0;
  // Kendall's tau, once divided by the number of pairs: -1 where every pair falls, 1 where every pair rises.
  let rising = 0;
  samplePairs(n, (from, to) => {
    looked++;
    const a = points[from]!.value;
    const b = points[to]!.value;
    if (b > a) rising++;
    else if (b < a) rising--;
  });
  // Kendall's variance of tau over all pairs, and that of having looked at some of them only.
  const variance = (2 * (2 * n + 5)) / (9 * n * (n - 1)) + (1 - looked / ((n * (n - 1)) / 2)) / looked;
  return Math.abs(rising / looked) >= SIGNIFICANCE * Math.sqrt(variance);
}

/** Per second; 0 where all points have the same time. */
function medianSlope(points: readonly Known[]): number {
  const slopes: number[] = [];
  samplePairs(points.length, (from, to) => {
    const a = points[from]!;
    const b = points[to]!;
    if (b.at > a.at) slopes.push((1000 * (b.value - a.value)) / (b.at - a.at));
  });
  return slopes.length === 0 ? 0 : median(slopes);
}

/** Visits pairs (from < to) of n points, all of them or about MAX_PAIRS; the same ones each time. */
function samplePairs(n: number, visit: (from: number, to: number) => void): void {
  const stride = Math.ceil((n * (n - 1)) / 2 / MAX_PAIRS);
  const random = new SeededRandom(n);
  // The pairs are numbered row by row; `to` runs over the end of its row into the following ones.
  let from = 0;
  let to = 1;
  for (;;) {
    while (to >= n && from < n - 1) {
      to = to - n + from + 2;
      from++;
    }
    if (from >= n - 1) return;
    visit(from, to);
    to += stride === 1 ? 1 : 1 + Math.floor(random.next() * (2 * stride - 1));
  }
}

/** Of at least one number. */
function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
