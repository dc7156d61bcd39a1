/**
 * random: each request draws its endpoint, in proportion to the weights.
 *
 * For many workers or machines that know nothing of each other: draws do not fall into step, as turns might. After n requests an endpoint
 * is off its share by about the square root of what it got, which is why turns are the default.
 *
 * @hotpath bench/micro/balance.ts
 */
import type { Random } from '../../runtime/random.ts';
import type { BalancingPolicy, Candidate } from './policy.ts';
import { WeightedDraw } from './weighted-draw.ts';

export class RandomPolicy<C extends Candidate> implements BalancingPolicy<C> {
  readonly keyed = false;
  readonly #random: Random;
  #draw: WeightedDraw<C>;

  constructor(random: Random) {
    this.#random = random;
    this.#draw = new WeightedDraw<C>([], random);
  }

  replace(candidates: readonly C[]): void {
    this.#draw = new WeightedDraw(candidates, this.#random);
  }

  pick(_hash: number, _now: number): C | null {
    return this.#draw.one();
  }
}
