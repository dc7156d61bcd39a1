/**
 * What stable is like, kept for the time when it has no traffic left to tell.
 *
 * At 100 % the canary has nobody to be compared with, and at 99 % hardly anybody. So for each window of the strategy the last stretch in which
 * stable was given requests, at least `minRequests` of them, is kept, and conditions against the baseline use it from then on. A stretch is two
 * references to marks that exist anyway, and any metric can be read of it. It is kept on, however old, until stable is at work again;
 * whoever reads it says how old it is.
 *
 * Requests given to stable are its trials, not its attempts: at 100 % stable still answers for the canary's failures (the shield), and such a
 * handful is no picture of it. Where no trials are counted there is nothing better than attempts.
 */
import type { Mark } from './metric-marks.ts';

export interface Baseline<Value> {
  readonly from: Mark<Value>;
  readonly to: Mark<Value>;
}

export class Baselines<Value> {
  readonly #given: (value: Value) => number;
  readonly #minimum: number;
  /** By window. */
  readonly #kept = new Map<number | null, Baseline<Value>>();

  /** @param given requests that stable has been given so far. @param minimum requests that make a baseline. */
  constructor(given: (value: Value) => number, minimum: number) {
    this.#given = given;
    this.#minimum = minimum;
  }

  /** @param before the mark of the last look. */
  note(window: number | null, before: Mark<Value>, { from, to }: Baseline<Value>): void {
    const given = this.#given(to.value);
    if (given === this.#given(before.value)) return;
    if (given - this.#given(from.value) >= Math.max(1, this.#minimum)) this.#kept.set(window, { from, to });
  }

  /** Of a window, else of the longest that there is. */
  of(window: number | null): Baseline<Value> | null {
    const exact = this.#kept.get(window);
    if (exact !== undefined) return exact;
    const length = ({ from, to }: Baseline<Value>): number => to.at - from.at;
    return [...this.#kept.values()].sort((a, b) => length(b) - length(a))[0] ?? null;
  }
}
