/**
 * weighted_round_robin: everybody in turn, as often as the weights say, evenly spread. The default.
 *
 * Two levels. Endpoints of equal weight form a class and take plain turns within it; which class is next is settled by SmoothWeighted
 * over the classes' weights, where a class weighs what its members weigh together. A class is within one request of its share and a
 * member within one of its part of the class, so an endpoint is within one and a half requests of its share, and where all weights
 * are equal or all differ, within one.
 *
 * Why classes: SmoothWeighted looks at every item on each pick, which for 1,000 endpoints is 2 µs, but real configurations have one to a handful of
 * different weights, so there is next to nothing to look at. Where all weights differ this is SmoothWeighted and nothing else. Rejected: a
 * schedule computed ahead, as long as the sum of the weights and computed again whenever an endpoint's health changes; a heap of deadlines as
 * in Envoy, for its log n; a golden-ratio sequence over the weights, constant in time but off by up to four requests and uneven in its gaps.
 *
 * The turn of a barred endpoint is lost to it. Where several turns in a row are lost, the endpoint is drawn by weight instead.
 *
 * @hotpath bench/micro/balance.ts
 */
import type { Random } from '../../runtime/random.ts';
import type { BalancingPolicy, Candidate } from './policy.ts';
import { SmoothWeighted } from './smooth-weighted.ts';
import { WeightedDraw } from './weighted-draw.ts';

const TRIALS = 8;

interface WeightClass<C> {
  readonly members: C[];
  /** Index of the member whose turn is next. */
  turn: number;
}

export class WeightedRoundRobinPolicy<C extends Candidate> implements BalancingPolicy<C> {
  readonly keyed = false;
  readonly #random: Random;
  #classes: WeightClass<C>[] = [];
  #order: SmoothWeighted;
  #draw: WeightedDraw<C>;

  constructor(random: Random) {
    this.#random = random;
    this.#order = new SmoothWeighted([], random);
    this.#draw = new WeightedDraw<C>([], random);
  }

  replace(candidates: readonly C[]): void {
    const classes = new Map<number, WeightClass<C>>();
    for (const candidate of candidates) {
      const known = classes.get(candidate.weight);
      if (known === undefined) classes.set(candidate.weight, { members: [candidate], turn: 0 });
      else known.members.push(candidate);
    }
    const weights: number[] = [];
    for (const [weight, { members }] of classes) weights.push(weight * members.length);
    this.#classes = Array.from(classes.values());
    for (const weightClass of this.#classes) {
      weightClass.turn = Math.floor(this.#random.next() * weightClass.members.length);
    }
    this.#order = new SmoothWeighted(weights, this.#random);
    this.#draw = new WeightedDraw(candidates, this.#random);
  }

  pick(_hash: number, _now: number): C | null {
    const classes = this.#classes;
    if (classes.length === 0) return null;
    for (let trial = 0; trial < TRIALS; trial++) {
      const weightClass = classes[this.#order.pick()]!;
      const { members, turn } = weightClass;
      weightClass.turn = turn + 1 < members.length ? turn + 1 : 0;
      const candidate = members[turn]!;
      if (!candidate.barred) return candidate;
    }
    return this.#draw.one();
  }
}
