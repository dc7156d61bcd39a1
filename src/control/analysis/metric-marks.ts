/**
 * Marks in time: what something growing had come to at earlier moments, so that any window is the difference of now and one mark.
 *
 *     the last 2 minutes   one a second       age ──▶ a mark that grows older than its stretch goes on to the next one,
 *     the last hour        one in 10 s                where those that stand too close are dropped
 *     the last day         one a minute
 *
 * A window begins at the newest mark that is not younger than it: it is never shorter than asked for, and longer by one distance at most,
 * which is a second of the last two minutes and less than a tenth of anything longer. A window that reaches back before the first
 * mark begins there. The alternative, a ring of slices per window with sums kept up to date (monitor/sliding-window.ts), is
 * cheaper for one window that is read all the time; here windows are many and of any length, and some begin with a step.
 *
 * Memory is bounded by the horizon, the longest window that will be asked for: 170 marks for ten minutes, 470 for an hour, 1,850 for a
 * day. What a mark weighs is up to its value; that of a rollout is 6 KiB at most (two versions' latency counts), so ten minutes are
 * 1 MiB and a day is 11 MiB.
 */

export interface Mark<Value> {
  /** Milliseconds on the clock of whoever keeps them. */
  readonly at: number;
  readonly value: Value;
}

const STRETCHES = [
  { every: 1_000, span: 120_000 },
  { every: 10_000, span: 3_600_000 },
  { every: 60_000, span: Number.POSITIVE_INFINITY },
];

export const DAY = 24 * 3_600_000;

/** Ticks of a clock come a little early or late: milliseconds by which a mark may stand too close to the one before. */
const TOLERANCE = 100;

export class MetricMarks<Value> {
  readonly #horizon: number;
  readonly #stretches: Mark<Value>[][] = STRETCHES.map(() => []);
  #latest: Mark<Value>;

  /** @param horizon longest window, milliseconds. */
  constructor(first: Mark<Value>, horizon = DAY) {
    this.#horizon = horizon;
    this.#latest = first;
    this.keep(first);
  }

  /** The last one that was given, whether or not it was close to the one before. */
  get latest(): Mark<Value> {
    return this.#latest;
  }

  get size(): number {
    return this.#stretches.reduce((sum, marks) => sum + marks.length, 0);
  }

  /** Call in order of time. */
  keep(mark: Mark<Value>): void {
    this.#latest = mark;
    this.#insert(mark, 0);
  }

  /** Where a window of this length begins that ends with the latest mark. @param window milliseconds. */
  back(window: number): Mark<Value> {
    const until = this.#latest.at - window;
    let oldest = this.#latest;
    for (const marks of this.#stretches) {
      if (marks.length === 0) break;
      oldest = marks[0]!;
      if (oldest.at <= until) return marks.findLast(({ at }) => at <= until)!;
    }
    return oldest;
  }

  #insert(mark: Mark<Value>, stretch: number): void {
    const marks = this.#stretches[stretch]!;
    const { every, span } = STRETCHES[stretch]!;
    const last = marks.at(-1);
    if (last === undefined || mark.at - last.at >= every - TOLERANCE) marks.push(mark);
    // The oldest stays until the next one is as old, so that a window as long as the stretch has its beginning.
    const until = this.#latest.at - Math.min(span, this.#horizon);
    while (marks.length > 1 && marks[1]!.at <= until) {
      const old = marks.shift()!;
      if (span < this.#horizon) this.#insert(old, stretch + 1);
    }
  }
}
