/**
 * random: each request draws its endpoint, in proportion to the weights.
 *
 * For many workers or machines that know nothing of each other: draws do not fall into step, as turns might. After n requests an endpoint
 * is off its share by about the square root of what it got, which is why turns are the default.
 *
 * @hotpath bench/micro/balance.ts
 */
import { DrawingPolicy } from './drawing-policy.ts';
import type { Candidate } from './policy.ts';

export class RandomPolicy<C extends Candidate> extends DrawingPolicy<C> {
  override pick(_hash: number, _now: number): C | null {
    return this.draw.one();
  }
}
