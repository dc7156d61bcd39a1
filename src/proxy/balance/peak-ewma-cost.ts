/**
 * The formulas of peak EWMA, apart from everything that keeps books.
 *
 *     load    = (active + 1) / weight                           requests in flight per weight, the new one included
 *     cost    = average × load                                  about how long a request that joins now will take
 *     average = sample                    where sample ≥ decayed     a peak is believed at once
 *             = decayed + (sample − decayed) × (1 − w)   else        recovery has to be shown
 *     decayed = average × w,  w = e^(−elapsed / decay)
 *
 * Without the decay between samples an endpoint that was slow once would never be asked again and so could not show that it has recovered.
 * Its average halves every 0.69 × decay, until it is cheap enough to be tried.
 *
 * Why peaks: a mean believes that an endpoint has become slow only after many slow answers, each of them a user's.
 *
 * Pedigree: the peak EWMA load metric of Finagle, which Linkerd and tower have as well; dividing by the weight is ours.
 *
 * @hotpath bench/micro/balance.ts
 */

/** Requests in flight per weight once there is one more. */
export const loadWithOneMore = (active: number, weight: number): number => (active + 1) / weight;

/** @param latency milliseconds, above 0. */
export const peakEwmaCost = (latency: number, active: number, weight: number): number =>
  latency * loadWithOneMore(active, weight);

/** How much of an average is left after some time. @param elapsed @param decay milliseconds; a clock that went back counts as standing. */
export const remainingShare = (elapsed: number, decay: number): number =>
  elapsed > 0 ? Math.exp(-elapsed / decay) : 1;

/** The average after a sample. @param remaining share of the old average that is left, 0 to 1. */
export function peakAverage(average: number, sample: number, remaining: number): number {
  const decayed = average * remaining;
  return sample >= decayed ? sample : decayed + (sample - decayed) * (1 - remaining);
}
