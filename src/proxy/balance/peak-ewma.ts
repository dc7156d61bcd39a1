/**
 * peak_ewma: of two endpoints drawn by weight, the one where the request is likely to be done sooner.
 *
 *     cost = average latency × (active + 1) / weight            peak-ewma-cost.ts
 *
 * Where both are idle the weights have had their say in the draw, and the faster one is taken.
 *
 * The average follows a slow answer at once, so an endpoint that pauses or degrades loses its traffic within one answer, where
 * least_request has to wait until requests have piled up on it. Two choices for the reasons given in least-request.ts.
 *
 * An endpoint that was never measured is taken when it is drawn first, unless it already has more in flight for its weight than the other one
 * of the two. So a newcomer gets its share by weight at once, no more than that however idle it is, and when its first answers are late, the
 * requests that pile up on it send the others elsewhere. Where neither is measured, as right after the start, the load decides as in
 * least_request. Rejected: cost 0 until it is measured, as in Finagle, where a newcomer wins every draw, also one that refuses
 * connections and so is never measured here; a configured default latency, as in tower and Linkerd, which is wrong for every service but
 * one, and then starves or floods.
 *
 * An endpoint that is avoided gets cheaper as its average decays and is tried again in the end. Of two endpoints that cost the same
 * the first drawn is taken. Shares follow the weights only as far as they fit latency and load.
 *
 * @hotpath bench/micro/balance.ts
 */
import { DrawingPolicy } from './drawing-policy.ts';
import { lessLoaded } from './least-request.ts';
import { peakEwmaCost } from './peak-ewma-cost.ts';
import type { Candidate } from './policy.ts';

export class PeakEwmaPolicy<C extends Candidate> extends DrawingPolicy<C> {
  override pick(_hash: number, now: number): C | null {
    const first = this.draw.one();
    if (first === null) return null;
    const second = this.draw.other(first);
    if (second === null) return first;
    const a = first.latencyAt(now);
    const b = second.latencyAt(now);
    if (a === 0) return lessLoaded(first, second);
    if (b === 0) return first;
    // Both idle: the draw has counted the weights already, so that only speed is left to compare.
    if (first.active === 0 && second.active === 0) return b < a ? second : first;
    return peakEwmaCost(b, second.active, second.weight) < peakEwmaCost(a, first.active, first.weight) ? second : first;
  }
}
