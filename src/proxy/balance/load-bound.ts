/**
 * How much an endpoint may have in flight before a hash ring passes over it.
 *
 *     capacity = ⌈ maxLoad × (total in flight + 1) × weight / total weight ⌉
 *
 * With a maxLoad over 100 % the capacities sum to more than there is in flight, so somebody has room. V. Mirrokni, M. Thorup and M. Zadimoghaddam,
 * "Consistent Hashing with Bounded Loads" (SODA 2018); weights as in HAProxy's hash-balance-factor.
 *
 * Nobody tells a policy when a request ends, so the total has to be summed up. Up to 16 candidates that is done for every choice, with more
 * of them every n/16 choices or 10 ms, whichever comes first, so that it costs the same per choice however many there are. In between the
 * requests chosen since are taken to be still in flight, which errs on the generous side by less than 1/16 of a request per endpoint.
 * What ends meanwhile makes the bound too generous for 10 ms at most.
 *
 * @hotpath bench/micro/balance.ts
 */
import type { Candidate } from './policy.ts';

const SUMMED_PER_CHOICE = 16;
const STALE_AFTER = 10;

export class LoadBound {
  readonly #candidates: readonly Candidate[];
  readonly #period: number;
  readonly #bounded: boolean;
  /** maxLoad as a factor, over the total weight. */
  readonly #factor: number;
  #capacityPerWeight = 0;
  #total = 0;
  #choices: number;
  #summedAt = 0;

  /** @param maxLoad percent of the mean; 0 is unbounded. */
  constructor(candidates: readonly Candidate[], maxLoad: number) {
    this.#candidates = candidates;
    this.#bounded = maxLoad > 0;
    this.#period = Math.ceil(candidates.length / SUMMED_PER_CHOICE);
    this.#choices = this.#period;
    let weight = 0;
    for (let i = 0; i < candidates.length; i++) weight += candidates[i]!.weight;
    this.#factor = maxLoad / 100 / weight;
  }

  /** To be called once before each choice. @param now clock milliseconds. */
  prepare(now: number): void {
    if (!this.#bounded) return;
    const age = now - this.#summedAt;
    if (this.#choices >= this.#period || age > STALE_AFTER || age < 0) this.#sum(now);
    this.#choices++;
    this.#total++;
    this.#capacityPerWeight = this.#factor * this.#total;
  }

  /** Whether the candidate may have one more request. */
  admits(candidate: Candidate): boolean {
    return !this.#bounded || candidate.active < this.#capacityPerWeight * candidate.weight;
  }

  #sum(now: number): void {
    let total = 0;
    for (let i = 0; i < this.#candidates.length; i++) total += this.#candidates[i]!.active;
    this.#total = total;
    this.#choices = 0;
    this.#summedAt = now;
  }
}
