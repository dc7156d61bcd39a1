/**
 * round_robin: everybody in turn, weights ignored.
 *
 * A barred endpoint is stepped over and the turn goes on behind whoever was chosen, so that its share is divided among all the others, not
 * given to its neighbour. The first turn is drawn, also after each change of membership: workers that all began with the first
 * endpoint would send it a burst after every reload.
 *
 * @hotpath bench/micro/balance.ts
 */
import type { Random } from '../../runtime/random.ts';
import { nextOpen } from './next-open.ts';
import type { BalancingPolicy, Candidate } from './policy.ts';

export class RoundRobinPolicy<C extends Candidate> implements BalancingPolicy<C> {
  readonly keyed = false;
  readonly #random: Random;
  #candidates: readonly C[] = [];
  /** Index of whose turn is next. */
  #turn = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  replace(candidates: readonly C[]): void {
    this.#candidates = candidates;
    this.#turn = Math.floor(this.#random.next() * candidates.length);
  }

  pick(_hash: number, _now: number): C | null {
    const candidates = this.#candidates;
    const at = nextOpen(candidates, this.#turn);
    if (at < 0) return null;
    this.#turn = at + 1 < candidates.length ? at + 1 : 0;
    return candidates[at]!;
  }
}
