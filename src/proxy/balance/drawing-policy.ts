/**
 * What the policies that draw by weight have in common: a draw that is made anew with every change of the candidates.
 *
 * @hotpath bench/micro/balance.ts
 */
import type { Random } from '../../runtime/random.ts';
import type { BalancingPolicy, Candidate } from './policy.ts';
import { WeightedDraw } from './weighted-draw.ts';

export abstract class DrawingPolicy<C extends Candidate> implements BalancingPolicy<C> {
  readonly keyed = false;
  protected draw: WeightedDraw<C>;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
    this.draw = new WeightedDraw<C>([], random);
  }

  replace(candidates: readonly C[]): void {
    this.draw = new WeightedDraw(candidates, this.#random);
  }

  abstract pick(hash: number, now: number): C | null;
}
