/**
 * Smooth weighted round robin: interleaves the items in proportion to their weights, so that after every pick, counted from the
 * first, each item is within one of its exact share. An item of weight 0 is never picked.
 *
 * Each pick credits every item with its weight and charges the chosen one the sum of the weights. Chosen is, of the items with enough credit
 * to deserve a turn at all, the one that would fall a whole turn behind soonest. That is R. Tijdeman's solution of the chairman
 * assignment problem (Discrete Mathematics 32, 1980), whose bound is 1 − 1/(2n − 2) for n items.
 *
 * The sequence starts at a random phase, because workers that all began at the same point would send the first requests after a reload
 * to the same version. The phase uses up what the bound leaves: half a turn for two items, less for more.
 *
 * Rejected: nginx's rule (most credit wins), which from a random phase is off by up to 1.4 for three and more items; drawing at
 * random, whose share is off by √n.
 *
 * @hotpath bench/micro/choose.ts
 */
import type { Random } from '../../runtime/random.ts';

export class SmoothWeighted {
  readonly #indices: number[] = [];
  readonly #weights: number[] = [];
  /** 1 / weight: a multiplication per item and pick instead of a division. */
  readonly #periods: number[] = [];
  readonly #credits: number[] = [];
  #total = 0;
  /** Credit that makes an item eligible. */
  #least = 0;

  /** @param weights non-negative numbers, one per item. */
  constructor(weights: readonly number[], random: Random) {
    for (let i = 0; i < weights.length; i++) {
      const weight = weights[i]!;
      if (weight <= 0) continue;
      this.#indices.push(i);
      this.#weights.push(weight);
      this.#periods.push(1 / weight);
      this.#total += weight;
    }
    const n = this.#indices.length;
    if (n < 2) return;
    this.#least = this.#total / (2 * n - 2);
    // Offsets in ±least/2 less their mean stay within ±least and sum to nothing.
    const offsets = this.#indices.map(() => (random.next() - 0.5) * this.#least);
    // Two offsets are one degree of freedom, which may use its whole range.
    if (n === 2) offsets[1] = -offsets[0]!;
    const mean = offsets.reduce((sum, offset) => sum + offset, 0) / n;
    for (const offset of offsets) this.#credits.push((offset - mean) * (n === 2 ? 2 : 1));
  }

  /** Index of the item whose turn it is, -1 where no item has weight. */
  pick(): number {
    const credits = this.#credits;
    if (credits.length === 0) return this.#indices[0] ?? -1;
    const weights = this.#weights;
    const periods = this.#periods;
    const least = this.#least;
    const most = this.#total - least;
    let best = -1;
    let soonest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < credits.length; i++) {
      const credit = credits[i]! + weights[i]!;
      credits[i] = credit;
      if (credit < least) continue;
      const slack = (most - credit) * periods[i]!;
      if (slack < soonest) {
        soonest = slack;
        best = i;
      }
    }
    // The credits sum to the total, so some item is always eligible but for the last bit of a floating-point sum.
    if (best < 0) best = 0;
    credits[best] = credits[best]! - this.#total;
    return this.#indices[best]!;
  }
}
