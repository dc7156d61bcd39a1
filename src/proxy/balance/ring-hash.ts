/**
 * ring_hash: each key belongs to the endpoint whose point is next on a ring of hashes; when an endpoint goes, only its own keys move.
 *
 * Every endpoint has 256 points per unit of weight on the ring of 32-bit numbers, at hashes of its url and the point's number (Karger et al.,
 * "Consistent Hashing and Random Trees", STOC 1997; ketama for the many points). A ring has room for 65,536 points: where there would be more,
 * everybody's number is halved until they fit. The points that stay are the ones that were there, but some keys move when that
 * happens, with equal weights at 257, 513, 1,025 … endpoints. An endpoint has at least one point. Shares differ from the weights by about
 * 1/√points: 6 % of a share with 256. Maglev is more even and pays with a few keys that move without need.
 *
 * A key's point is found in a table of as many equal cells as fit the points, which says where each cell begins, then in less than two steps.
 *
 * Bounded load (load-bound.ts): an endpoint that has more than `maxLoad` percent of the mean is passed over for the next one clockwise, so that one
 * popular key cannot break one endpoint. A barred endpoint is passed over too: its keys go where they would go if it were not there.
 * After 32 points of that the walk goes on at hashes of the key instead: behind an endpoint that a single key has filled are those that the
 * same key has filled before, and to walk past all of them would take time that grows with their number (J. Chen et al., "Revisiting
 * Consistent Hashing with Bounded Loads", AAAI 2021, always jump). What even that does not find, a look at everybody does.
 *
 * Rejected: rendezvous hashing, which needs no table and is exact, but looks at every endpoint on each pick.
 *
 * @hotpath bench/micro/balance.ts
 */
import type { Random } from '../../runtime/random.ts';
import { hashKey, mix } from './key-hash.ts';
import { LoadBound } from './load-bound.ts';
import { nextOpen } from './next-open.ts';
import { type BalancingPolicy, type Candidate, NO_KEY } from './policy.ts';
import { inUrlOrder } from './url-order.ts';
import { WeightedDraw } from './weighted-draw.ts';

const POINTS_PER_WEIGHT = 256;
const MOST_POINTS = 65_536;
/** Seed of a second hash of the url: two urls whose first hashes collide do not share all of their points. */
const SECOND = 0x52696e67;
const WALK = 32;
const JUMPS = 64;

export class RingHashPolicy<C extends Candidate> implements BalancingPolicy<C> {
  readonly keyed = true;
  readonly #maxLoad: number;
  readonly #random: Random;
  /** In url order. */
  #candidates: readonly C[] = [];
  #bound: LoadBound;
  #draw: WeightedDraw<C>;
  /** Ascending. */
  #points = new Uint32Array(0);
  /** Index of the candidate that has the point. */
  #owners = new Uint32Array(0);
  /** First point in or behind each cell. */
  #cells = new Uint32Array(0);
  /** From a hash to its cell. */
  #shift = 0;

  /** @param maxLoad percent of the mean load; 0 is unbounded. */
  constructor(maxLoad: number, random: Random) {
    this.#maxLoad = maxLoad;
    this.#random = random;
    this.#bound = new LoadBound([], maxLoad);
    this.#draw = new WeightedDraw<C>([], random);
  }

  replace(candidates: readonly C[]): void {
    this.#candidates = inUrlOrder(candidates);
    this.#bound = new LoadBound(candidates, this.#maxLoad);
    this.#draw = new WeightedDraw(candidates, this.#random);
    // One candidate, or none, is found without a ring.
    if (candidates.length > 1) this.#layOut();
  }

  pick(hash: number, now: number): C | null {
    const candidates = this.#candidates;
    if (hash === NO_KEY || candidates.length < 2) return this.#draw.one();
    const bound = this.#bound;
    bound.prepare(now);
    const owners = this.#owners;
    let at = this.#firstPoint(hash);
    for (let step = 0; step < WALK; step++) {
      const candidate = candidates[owners[at]!]!;
      if (!candidate.barred && bound.admits(candidate)) return candidate;
      at = at + 1 < owners.length ? at + 1 : 0;
    }
    for (let jump = 1; jump <= JUMPS; jump++) {
      const candidate = candidates[owners[this.#firstPoint(mix(hash, jump))]!]!;
      if (!candidate.barred && bound.admits(candidate)) return candidate;
    }
    return this.#lookAtAll(hash % candidates.length);
  }

  /** Whoever has room, else whoever is not barred. */
  #lookAtAll(from: number): C | null {
    const candidates = this.#candidates;
    for (let i = 0; i < candidates.length; i++) {
      const candidate = candidates[(from + i) % candidates.length]!;
      if (!candidate.barred && this.#bound.admits(candidate)) return candidate;
    }
    const open = nextOpen(candidates, from);
    return open < 0 ? null : candidates[open]!;
  }

  /** Index of the first point that is not before the hash. */
  #firstPoint(hash: number): number {
    const points = this.#points;
    let at = this.#cells[hash >>> this.#shift]!;
    while (at < points.length && points[at]! < hash) at++;
    return at < points.length ? at : 0;
  }

  #layOut(): void {
    const candidates = this.#candidates;
    let weight = 0;
    for (let i = 0; i < candidates.length; i++) weight += candidates[i]!.weight;
    let perWeight = POINTS_PER_WEIGHT;
    while (weight * perWeight > MOST_POINTS) perWeight /= 2;

    let count = 0;
    for (let i = 0; i < candidates.length; i++) count += pointsOf(candidates[i]!, perWeight);
    const points = new Uint32Array(count);
    const owners = new Uint32Array(count);
    let filled = 0;
    for (let owner = 0; owner < candidates.length; owner++) {
      const { url } = candidates[owner]!;
      const first = hashKey(url);
      const second = hashKey(url, SECOND);
      for (let i = pointsOf(candidates[owner]!, perWeight); i > 0; i--) {
        points[filled] = mix(mix(first, i), second);
        owners[filled] = owner;
        filled++;
      }
    }
    this.#sort(points, owners);
  }

  /**
   * Sorts by cell, counting first how many points each has, and within the cell, which has one or two, by insertion. Of equal points the
   * one that came first stays first.
   */
  #sort(points: Uint32Array, owners: Uint32Array): void {
    const count = points.length;
    // As many cells as the largest power of two that is not above the number of points.
    const bits = 31 - Math.clz32(count);
    const shift = 32 - bits;
    const cells = new Uint32Array(2 ** bits);
    for (let i = 0; i < count; i++) cells[points[i]! >>> shift]!++;
    let before = 0;
    for (let cell = 0; cell < cells.length; cell++) {
      const held = cells[cell]!;
      cells[cell] = before;
      before += held;
    }
    const ends = cells.slice();
    this.#points = new Uint32Array(count);
    this.#owners = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      const point = points[i]!;
      const cell = point >>> shift;
      let at = ends[cell]!;
      ends[cell] = at + 1;
      for (; at > cells[cell]! && this.#points[at - 1]! > point; at--) {
        this.#points[at] = this.#points[at - 1]!;
        this.#owners[at] = this.#owners[at - 1]!;
      }
      this.#points[at] = point;
      this.#owners[at] = owners[i]!;
    }
    this.#cells = cells;
    this.#shift = shift;
  }
}

function pointsOf(candidate: Candidate, perWeight: number): number {
  const points = Math.round(candidate.weight * perWeight);
  return points > 1 ? points : 1;
}
