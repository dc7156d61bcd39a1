/**
 * least_request: of two endpoints drawn by weight, the one with less in flight for its weight.
 *
 *     load = (active + 1) / weight      the load that it would have with this request
 *
 * Two choices are nearly as good as looking at everybody, in constant time (M. Mitzenmacher, "The Power of Two Choices in Randomized Load
 * Balancing", IEEE TPDS 12, 2001). They are better where what is known of the load is old or partial: each worker knows only
 * its own requests, and workers that each looked for the minimum would all find the same endpoint and run to it together.
 *
 * At equal load the first drawn is taken, and two idle endpoints count as equal whatever they weigh: by the formula the heavier would always
 * win then, and with little traffic the lighter would never be asked. So shares follow the weights exactly when nothing is in flight, and
 * load follows them when much is. nginx breaks the ties of least_conn by weighted turns for the same reason.
 *
 * With two or more endpoints the two drawn are different. Where all but one are barred, that one is taken.
 *
 * @hotpath bench/micro/balance.ts
 */
import { DrawingPolicy } from './drawing-policy.ts';
import { loadWithOneMore } from './peak-ewma-cost.ts';
import type { Candidate } from './policy.ts';

/** The one of two candidates with the lower load. */
export function lessLoaded<C extends Candidate>(first: C, second: C): C {
  const a = first.active;
  const b = second.active;
  if (a === 0 && b === 0) return first;
  return loadWithOneMore(b, second.weight) < loadWithOneMore(a, first.weight) ? second : first;
}

export class LeastRequestPolicy<C extends Candidate> extends DrawingPolicy<C> {
  override pick(_hash: number, _now: number): C | null {
    const first = this.draw.one();
    if (first === null) return null;
    const second = this.draw.other(first);
    return second === null ? first : lessLoaded(first, second);
  }
}
