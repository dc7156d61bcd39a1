/** Seeded choices. Every iteration has dice of its own, made from the run's seed and its number, so that one can be played again alone. */
import { type Random, SeededRandom } from '../../src/runtime/random.ts';

export class Dice {
  readonly #random: Random;

  constructor(seed: number, iteration = 0) {
    // The multiplier spreads neighbouring numbers apart; without it the first draws of neighbours look alike.
    this.#random = new SeededRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(iteration + 1, 0x85ebca6b));
  }

  /** Whole, 0 to `end` - 1. */
  below(end: number): number {
    return Math.floor(this.#random.next() * end);
  }

  chance(probability: number): boolean {
    return this.#random.next() < probability;
  }

  one<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  /** Cuts text into up to `most` parts at random places. */
  parts(text: string, most = 4): string[] {
    if (text.length < 2) return [text];
    const cuts = Array.from({ length: this.below(most) }, () => 1 + this.below(text.length - 1)).sort((a, b) => a - b);
    const parts: string[] = [];
    let from = 0;
    for (const cut of [...new Set(cuts), text.length]) {
      parts.push(text.slice(from, cut));
      from = cut;
    }
    return parts;
  }
}
