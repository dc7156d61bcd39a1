/**
 * Chance for simulations: a generator good enough for statistics over a thousand million draws, and the distributions that skip what nobody looks at.
 *
 * The seeded generator of the tests has 32 bits of state, which such a run would exhaust; this one is sfc32 with 128. Failures are drawn by the gap
 * to the next one (geometric), so a run of a million requests costs as much as its failures.
 *
 * Pedigree: sfc32 by Chris Doty-Humphrey (PractRand); Devroye, Non-Uniform Random Variate Generation.
 */
import type { Random } from '../../src/runtime/random.ts';

export class Dice implements Random {
  #a: number;
  #b = 0x9e3779b9 | 0;
  #c = 0x243f6a88 | 0;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    for (let i = 0; i < 20; i++) this.next();
  }

  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  }
}

/** How many requests until the next one of probability p, itself included. */
export function gap(random: Random, p: number): number {
  if (p >= 1) return 1;
  if (p <= 0) return Number.POSITIVE_INFINITY;
  return 1 + Math.floor(Math.log1p(-random.next()) / Math.log1p(-p));
}

/** Chance of `least` or more successes in n tries of probability p. */
export function atLeast(least: number, n: number, p: number): number {
  let below = 0;
  let term = (1 - p) ** n;
  for (let k = 0; k < least; k++) {
    below += term;
    term *= ((n - k) / (k + 1)) * (p / (1 - p));
  }
  return Math.max(0, 1 - below);
}

/** Φ, to four digits: enough to turn a slower version into a share of slow requests. Abramowitz and Stegun 26.2.17. */
export function normalBelow(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const polynomial = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
  return z >= 0 ? 1 - tail : tail;
}
