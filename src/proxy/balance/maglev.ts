/**
 * maglev: a table of 65,537 entries says which endpoint each hash belongs to; shares are even, and when an endpoint goes, few other keys move.
 *
 * Each endpoint has an order of preference over the whole table, made from two hashes of its url: an offset and a step, which visit every
 * entry because the size is prime. In rounds, each takes the next entry that it prefers and that is free, as often as its weight says,
 * until the table is full (D. Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016). An endpoint of weight w
 * takes w / unit entries a round; the unit is the largest weight, but at most 16 times the mean, so that a few heavy endpoints among thousands of
 * light ones do not make for millions of empty rounds. Everybody gets an entry in the first round, whatever its weight.
 *
 * One table size for any number of endpoints: a size that depended on the number would move nearly every key when the number crosses a bound.
 * 128 KiB per version and worker; filling it takes milliseconds whenever the membership or the health of an endpoint changes.
 *
 * A key of a barred endpoint belongs to whoever has the next entry that is open. Neighbours in the table are as good as random, so the keys of
 * one endpoint spread over all the others by weight. After 32 entries it takes the next in url order.
 *
 * Against ring_hash: shares are within a percent of the weights for up to some hundred endpoints (6 % there), but when one endpoint goes, up to
 * one percent of the keys of the others move as well, where ring_hash moves none; and no bound on the load.
 *
 * @hotpath bench/micro/balance.ts
 */
import type { Random } from '../../runtime/random.ts';
import { hashKey } from './key-hash.ts';
import { nextOpen } from './next-open.ts';
import { type BalancingPolicy, type Candidate, NO_KEY } from './policy.ts';
import { inUrlOrder } from './url-order.ts';
import { WeightedDraw } from './weighted-draw.ts';

/** Prime, and one more than the values of 16 bits: the remainder of a 32-bit hash is uniform to one in 65,537. */
const SIZE = 65_537;
const FREE = 0xffff;
const STEP_SEED = 0x4d61676c;
const TRIALS = 32;
const LARGEST_UNIT = 16;

export class MaglevPolicy<C extends Candidate> implements BalancingPolicy<C> {
  readonly keyed = true;
  readonly #random: Random;
  /** In url order. */
  #candidates: readonly C[] = [];
  #draw: WeightedDraw<C>;
  /** Index of a candidate per entry; empty with fewer than two. */
  #table = new Uint16Array(0);

  constructor(random: Random) {
    this.#random = random;
    this.#draw = new WeightedDraw<C>([], random);
  }

  replace(candidates: readonly C[]): void {
    this.#candidates = inUrlOrder(candidates);
    this.#draw = new WeightedDraw(candidates, this.#random);
    this.#table = candidates.length > 1 ? fillTable(this.#candidates) : new Uint16Array(0);
  }

  pick(hash: number, _now: number): C | null {
    const candidates = this.#candidates;
    if (hash === NO_KEY || candidates.length < 2) return this.#draw.one();
    const table = this.#table;
    let at = hash % SIZE;
    for (let trial = 0; trial < TRIALS; trial++) {
      const candidate = candidates[table[at]!]!;
      if (!candidate.barred) return candidate;
      at = at + 1 < SIZE ? at + 1 : 0;
    }
    const open = nextOpen(candidates, hash % candidates.length);
    return open < 0 ? null : candidates[open]!;
  }
}

function fillTable(candidates: readonly Candidate[]): Uint16Array<ArrayBuffer> {
  const n = candidates.length;
  const table = new Uint16Array(SIZE).fill(FREE);
  /** Next entry in each candidate's order of preference. */
  const places = new Uint32Array(n);
  const steps = new Uint32Array(n);
  const shares = new Float64Array(n);
  /** Entries that each may take now: one in the first round, whatever its weight. */
  const credits = new Float64Array(n);
  const unit = unitOf(candidates);
  for (let i = 0; i < n; i++) {
    const { url, weight } = candidates[i]!;
    places[i] = hashKey(url) % SIZE;
    steps[i] = 1 + (hashKey(url, STEP_SEED) % (SIZE - 1));
    shares[i] = weight / unit;
    credits[i] = 1;
  }
  let filled = 0;
  for (;;) {
    for (let i = 0; i < n; i++) {
      for (; credits[i]! >= 1; credits[i] = credits[i]! - 1) {
        let place = places[i]!;
        while (table[place] !== FREE) place = (place + steps[i]!) % SIZE;
        table[place] = i;
        places[i] = place;
        filled++;
        if (filled === SIZE) return table;
      }
      credits[i] = credits[i]! + shares[i]!;
    }
  }
}

/** The weight that takes one entry a round. */
function unitOf(candidates: readonly Candidate[]): number {
  let sum = 0;
  let largest = 0;
  for (let i = 0; i < candidates.length; i++) {
    const { weight } = candidates[i]!;
    sum += weight;
    if (weight > largest) largest = weight;
  }
  return Math.min(largest, (LARGEST_UNIT * sum) / candidates.length);
}
