/**
 * Whose failures are they? The sequential test that takes a canary back, and the only statistics that a worker does itself.
 *
 * It looks at failures alone. Given that a request failed, it was the canary's with probability q = w·r/(1 − w + w·r), where w was the canary's
 * share when the request was assigned and r the odds of a failure against stable's. Under the hypothesis that the canary is no worse (r ≤ r0)
 * each failure multiplies a capital, bet on eight alternatives r0·{1.5 … 1024} at once, by a factor whose mean is at most 1; so the chance
 * that it ever reaches 1/α is at most α, however often it is looked at (Ville). It needs no rate of failures, learns nothing from successes,
 * does not mind when shares or rates change, and an outage of both versions tells it nothing.
 *
 *     th_k = w·r_k / (1 − w + w·r_k);  L_k += fromCanary ? ln(th_k/q) : ln((1−th_k)/(1−q));  ln E = logsumexp(L), every L_k from −ln 8
 *
 * The order of failures does not matter, so counts by share are enough, and counts can be added over workers, machines and restarts. At a
 * share of 0 or 1 there is nobody to compare with, and a failure says nothing. Sources: Robbins 1970; Lindon and Malek, arXiv 2011.03567.
 *
 * @hotpath bench/micro/evidence.ts
 */
const RATIOS = Float64Array.of(1.5, 2, 4, 8, 16, 64, 256, 1024);
const START = -Math.log(RATIOS.length);

export class Attribution {
  readonly #capital = new Float64Array(RATIOS.length).fill(START);

  /** Back to no evidence. */
  reset(): void {
    this.#capital.fill(START);
  }

  /**
   * Adds failures. @param share of the canary when they were assigned, 0 to 1. @param tolerance r0: odds against stable's that are still equal.
   */
  add(share: number, fromCanary: number, fromStable: number, tolerance: number): void {
    if (share <= 0 || share >= 1 || fromCanary + fromStable === 0) return;
    const q = (share * tolerance) / (1 - share + share * tolerance);
    for (let k = 0; k < RATIOS.length; k++) {
      const r = tolerance * RATIOS[k]!;
      const th = (share * r) / (1 - share + share * r);
      const gain = fromCanary * Math.log(th / q) + fromStable * Math.log((1 - th) / (1 - q));
      this.#capital[k] = this.#capital[k]! + gain;
    }
  }

  /** Natural logarithm of the e-value: 0 without evidence, ln(1/α) where it is enough. */
  get logE(): number {
    const capital = this.#capital;
    let most = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < capital.length; k++) if (capital[k]! > most) most = capital[k]!;
    let sum = 0;
    for (let k = 0; k < capital.length; k++) sum += Math.exp(capital[k]! - most);
    return most + Math.log(sum);
  }
}
