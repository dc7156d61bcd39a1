/**
 * Smooth weighted round robin: interleaves the items in proportion to their weights, as evenly as integers allow.
 *
 * Each pick adds every item's weight to its credit, takes the item with the most credit and charges it the sum of the weights. After
 * any number of picks each item is within one of its exact share, and an item of weight 0 is never picked. The sequence starts at a
 * random phase, because workers that all began at the same point would send the first requests after a reload to the same version.
 *
 * Pedigree: the algorithm of nginx's upstream module. Rejected: drawing at random, whose share is off by √n.
 *
 * @hotpath bench/micro/choose.ts
 */
import type { Random } from '../../runtime/random.ts';

const MAX_PHASE = 10_000;

export class SmoothWeighted {
  readonly #indices: number[] = [];
  readonly #weights: number[] = [];
  readonly #credits: number[] = [];
  #total = 0;

  /** @param weights non-negative integers, one per item. */
  constructor(weights: readonly number[], random: Random) {
    for (let i = 0; i < weights.length; i++) {
      const weight = weights[i]!;
      if (weight <= 0) continue;
      this.#indices.push(i);
      this.#weights.push(weight);
      this.#credits.push(0);
      this.#total += weight;
    }
    if (this.#indices.length < 2) return;
    for (let skip = Math.floor(random.next() * Math.min(this.#total, MAX_PHASE)); skip > 0; skip--) this.pick();
  }

  /** Index of the item whose turn it is, -1 where no item has weight. */
  pick(): number {
    const credits = this.#credits;
    if (credits.length < 2) return credits.length === 0 ? -1 : this.#indices[0]!;
    const weights = this.#weights;
    let best = 0;
    for (let i = 0; i < credits.length; i++) {
      credits[i] = credits[i]! + weights[i]!;
      if (credits[i]! > credits[best]!) best = i;
    }
    credits[best] = credits[best]! - this.#total;
    return this.#indices[best]!;
  }
}
