/**
 * Weighted rendezvous hashing: every name draws a number for the key, and the name whose draw, weighed, is best has it.
 *
 * A name's draw u is a hash of key and name, uniform in (0, 1). Then −ln(u) / weight is exponentially distributed with the weight as its
 * rate, and the least of several such numbers falls to each with the probability weight / sum of weights: shares are exact.
 *
 * What a name draws depends on nothing but key and name. So the choice is the same on every worker and machine and after every
 * restart, in whatever order the names stand. If one weight rises, that name's numbers shrink and nobody else's change: keys move only to
 * it. If it falls, only keys that it had move away. Between two names whose weights sum to 100 it is exactly the difference that moves. Among
 * three or more, where one gains what another loses, a few further keys change hands between the loser and the rest; the shares of those
 * stay as they were.
 *
 * u has 53 bits, from two hashes of 32: a weight of 0.01 % among others has far more values to win than keys to be won. A weight of 0
 * is left out altogether, and gets exactly nothing.
 *
 * Rejected: cutting a line into intervals, which is quicker, but moves other versions' users when a middle interval grows; a ring of points,
 * which needs thousands of points per percent to be within 3 sigma.
 *
 * Pedigree: Thaler and Ravishankar, "Using name-based mappings to increase hit rates" (1998); the weights are Schindelhauer and
 * Schomaker's logarithmic method (2005).
 *
 * @hotpath bench/micro/split.ts
 */
import { hashKey, mix } from '../balance/key-hash.ts';

/** Two numbers for each name, so that its draw has more than 32 bits. */
const SECOND_SEED = 0x9e3779b9;

const TWO_26 = 67_108_864;
const TWO_53 = 9_007_199_254_740_992;

interface Entry {
  readonly index: number;
  readonly name: string;
  readonly weight: number;
}

export class Rendezvous {
  readonly #indices: number[] = [];
  readonly #periods: number[] = [];
  readonly #highSeeds: number[] = [];
  readonly #lowSeeds: number[] = [];

  /**
   * @param names different from each other. @param weights non-negative, one per name; only their ratios matter.
   * @param salt choices with different salts have nothing to do with each other. Default none.
   */
  constructor(names: readonly string[], weights: readonly number[], salt = '') {
    const seed = hashKey(salt);
    const entries: Entry[] = [];
    for (let index = 0; index < names.length; index++) {
      const weight = weights[index] ?? 0;
      if (weight > 0) entries.push({ index, name: names[index]!, weight });
    }
    // Ties, about one in 2^53, go by name and not by position.
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const { index, name, weight } of entries) {
      this.#indices.push(index);
      this.#periods.push(1 / weight);
      this.#highSeeds.push(hashKey(name, seed));
      this.#lowSeeds.push(hashKey(name, mix(seed, SECOND_SEED)));
    }
  }

  /** @param hash 32 bits of the key. @returns the index of the name that has the key, -1 where no name has weight. */
  pick(hash: number): number {
    const indices = this.#indices;
    const periods = this.#periods;
    const highSeeds = this.#highSeeds;
    const lowSeeds = this.#lowSeeds;
    if (indices.length < 2) return indices[0] ?? -1;
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < indices.length; i++) {
      const high = mix(hash, highSeeds[i]!) >>> 5;
      const low = mix(hash, lowSeeds[i]!) >>> 6;
      // Never 0 or 1: the logarithm is finite and not 0.
      const u = (high * TWO_26 + low + 0.5) / TWO_53;
      const cost = -Math.log(u) * periods[i]!;
      if (cost < least) {
        least = cost;
        best = i;
      }
    }
    return indices[best]!;
  }
}
