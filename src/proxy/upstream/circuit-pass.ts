/**
 * What one request holds of the circuit breakers: its place among the requests of a version, and among the further attempts.
 *
 * A request holds one place at a time and takes it along when it moves to stable; a further attempt holds a second one until the next is made
 * or the request ends. Whatever becomes of the request, `leave` gives everything back.
 *
 * @hotpath bench/micro/exchange.ts
 */
import type { Version } from '../route/version.ts';
import type { RetryBudget } from './retry-budget.ts';

export class CircuitPass {
  #admitted: Version | null = null;
  #retrying: Version | null = null;

  /** Takes a place in `version` and gives up the one in another. @returns false where there is none. */
  enter(version: Version): boolean {
    if (version === this.#admitted) return true;
    if (!version.circuit.tryEnter()) return false;
    this.#admitted?.circuit.leave();
    this.#admitted = version;
    return true;
  }

  /** Takes a place for a further attempt on `version`. @returns false where the circuit or the budget does not allow it. */
  repeat(version: Version, budget: RetryBudget, now: number): boolean {
    this.#endRetry();
    if (!version.circuit.tryRetry()) return false;
    this.#retrying = version;
    if (budget.tryTake(now) && this.enter(version)) return true;
    this.#endRetry();
    return false;
  }

  leave(): void {
    this.#endRetry();
    this.#admitted?.circuit.leave();
    this.#admitted = null;
  }

  #endRetry(): void {
    this.#retrying?.circuit.retryEnded();
    this.#retrying = null;
  }
}
