/**
 * What the metrics of one version were: a ring of points, ten seconds apart, for graphs.
 *
 * A point is the value of the sliding window at that moment, the very number that alerts were judged by. Plain arrays of doubles,
 * one per metric, written in place: an hour of all metrics takes 20 KiB. Retention beyond a day makes the points coarser instead of
 * more, so that a generous setting cannot eat the memory. A stretch without data is stored as such (NaN inside, null outside).
 */
import { METRICS, type Metric } from './metric.ts';
import type { SlidingWindow } from './sliding-window.ts';
import type { Point } from './trend.ts';

const RESOLUTION = 10_000;
const MOST_POINTS = 8_640;

export class VersionHistory {
  /** Milliseconds between two points. */
  readonly resolution: number;
  readonly #length: number;
  readonly #times: Float64Array;
  readonly #values: Readonly<Record<Metric, Float64Array>>;
  #count = 0;

  /** @param retention milliseconds. */
  constructor(retention: number) {
    this.resolution = Math.max(RESOLUTION, Math.ceil(retention / MOST_POINTS));
    this.#length = Math.max(1, Math.ceil(retention / this.resolution));
    this.#times = new Float64Array(this.#length);
    const values: Partial<Record<Metric, Float64Array>> = {};
    for (const metric of METRICS) values[metric] = new Float64Array(this.#length);
    this.#values = values as Record<Metric, Float64Array>;
  }

  /** @param at milliseconds since 1970. */
  record(at: number, window: SlidingWindow): void {
    const slot = this.#count % this.#length;
    this.#times[slot] = at;
    for (const metric of METRICS) this.#values[metric][slot] = window.value(metric) ?? Number.NaN;
    this.#count++;
  }

  /** Oldest first, those later than `since` (milliseconds since 1970). */
  points(metric: Metric, since = Number.NEGATIVE_INFINITY): Point[] {
    const points: Point[] = [];
    for (let i = Math.max(0, this.#count - this.#length); i < this.#count; i++) {
      const slot = i % this.#length;
      const at = this.#times[slot]!;
      const value = this.#values[metric][slot]!;
      if (at > since) points.push({ at, value: Number.isNaN(value) ? null : value });
    }
    return points;
  }
}
