/**
 * Draws candidates at random, in proportion to their weights, in constant time.
 *
 * The weights laid end to end cover [0, total); a draw is a point on that line and hits the candidate it lies on. To find it without a search,
 * the line is cut into as many equal cells as there are candidates, and a table says who covers the beginning of each cell: from there it
 * is less than two steps on average, whatever the weights (Chen & Asau, AIIE Transactions 6, 1974). Walker's alias method is as fast; this
 * one has a table that can be read.
 *
 * A barred candidate is drawn again, which leaves the proportions among the others as they are. After a few misses, for instance where
 * the one with nearly all of the weight is barred, those that are left are summed up and drawn from exactly, in linear time.
 *
 * @hotpath bench/micro/balance.ts
 */
import type { Random } from '../../runtime/random.ts';
import type { Candidate } from './policy.ts';

const TRIALS = 8;

export class WeightedDraw<C extends Candidate> {
  readonly #random: Random;
  readonly #candidates: readonly C[];
  /** Where the stretch of each candidate ends. */
  readonly #ends: Float64Array;
  /** Who covers the beginning of each cell. */
  readonly #cells: Uint32Array;
  readonly #total: number;
  readonly #cellsPerWeight: number;

  constructor(candidates: readonly C[], random: Random) {
    const n = candidates.length;
    this.#random = random;
    this.#candidates = candidates;
    this.#ends = new Float64Array(n);
    this.#cells = new Uint32Array(n);
    let total = 0;
    for (let i = 0; i < n; i++) {
      total += candidates[i]!.weight;
      this.#ends[i] = total;
    }
    this.#total = total;
    this.#cellsPerWeight = n / total;
    let at = 0;
    for (let cell = 0; cell < n; cell++) {
      while (at < n - 1 && this.#ends[at]! * this.#cellsPerWeight <= cell) at++;
      this.#cells[cell] = at;
    }
  }

  /** @returns null where every candidate is barred or there is none. */
  one(): C | null {
    if (this.#candidates.length === 0) return null;
    for (let trial = 0; trial < TRIALS; trial++) {
      const candidate = this.#any();
      if (!candidate.barred) return candidate;
    }
    return this.#among(null);
  }

  /** Another than the one given. @returns null where every other candidate is barred or there is none. */
  other(than: C): C | null {
    const candidates = this.#candidates;
    if (candidates.length === 2) {
      const other = candidates[0] === than ? candidates[1]! : candidates[0]!;
      return other.barred ? null : other;
    }
    if (candidates.length < 2) return null;
    for (let trial = 0; trial < TRIALS; trial++) {
      const candidate = this.#any();
      if (candidate !== than && !candidate.barred) return candidate;
    }
    return this.#among(than);
  }

  #any(): C {
    const point = this.#random.next() * this.#total;
    const ends = this.#ends;
    const last = ends.length - 1;
    const cell = Math.floor(point * this.#cellsPerWeight);
    // Rounding may carry a point that is all but the total into a cell that does not exist.
    let at = cell > last ? last : this.#cells[cell]!;
    while (at < last && ends[at]! <= point) at++;
    return this.#candidates[at]!;
  }

  /** Draws from those that are not barred, one excepted. */
  #among(except: C | null): C | null {
    const candidates = this.#candidates;
    let total = 0;
    for (let i = 0; i < candidates.length; i++) {
      const candidate = candidates[i]!;
      if (!candidate.barred && candidate !== except) total += candidate.weight;
    }
    let point = this.#random.next() * total;
    let chosen: C | null = null;
    for (let i = 0; i < candidates.length; i++) {
      const candidate = candidates[i]!;
      if (candidate.barred || candidate === except) continue;
      chosen = candidate;
      point -= candidate.weight;
      if (point < 0) break;
    }
    return chosen;
  }
}
