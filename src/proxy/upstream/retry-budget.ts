/**
 * Bounds how many further attempts (retries, shielded attempts, hedges) a service gets, relative to its requests.
 *
 *     attempts in the window + 1  ≤  requests in the window × percent + minimum × seconds of the window
 *
 * A bound per request is not enough: when an upstream fails under load, one retry for each request doubles the load just then. With
 * a budget of 20 % the upstream never sees more than 1.2 times its requests, while a few failures among many successes are all
 * retried. The minimum keeps a service with little traffic, whose 20 % is less than one, able to retry at all.
 *
 * The window is the last ten seconds in slots of one, the running one included: a ring of counts and their sums, moved on by whoever
 * calls, without a timer. A call costs a few additions; the first of a new second clears the slots that time has passed over, at most ten. A
 * clock that goes back is taken to stand still.
 *
 * Each worker has its own budget for a service. Requests are counted where they arrive, so the shares add up to the whole; the minimum is
 * divided by the number of workers.
 *
 * Pedigree: Finagle's RetryBudget and tower's. Theirs is a bucket of tokens that requests fill and that leaks with time; comparing two
 * counts over a window allows the same and can be read from a counter.
 *
 * @hotpath bench/micro/admit.ts
 */
import type { RetryBudgetConfig } from '../../model/policy-config.ts';

const SLOTS = 10;
const SLOT_MS = 1_000;

export class RetryBudget {
  readonly #percent: number;
  /** Attempts in a window that are always allowed, in hundredths, which keeps the comparison in whole numbers. */
  readonly #always: number;
  readonly #requests = new Float64Array(SLOTS);
  readonly #attempts = new Float64Array(SLOTS);
  #requestSum = 0;
  #attemptSum = 0;
  #slot = 0;
  /** Slots since the clock's origin. */
  #time = Number.NEGATIVE_INFINITY;

  /** @param workers among which the minimum is divided. Default 1. */
  constructor(config: RetryBudgetConfig, workers = 1) {
    this.#percent = config.percent;
    this.#always = (config.minimum * SLOTS * 100) / workers;
  }

  /** A request has come; its first attempt is not charged. @param now clock milliseconds. */
  request(now: number): void {
    this.#moveTo(now);
    this.#requests[this.#slot] = this.#requests[this.#slot]! + 1;
    this.#requestSum++;
  }

  /** Takes one further attempt out of the budget, if it is there. @param now clock milliseconds. */
  tryTake(now: number): boolean {
    this.#moveTo(now);
    if ((this.#attemptSum + 1) * 100 > this.#requestSum * this.#percent + this.#always) return false;
    this.#attempts[this.#slot] = this.#attempts[this.#slot]! + 1;
    this.#attemptSum++;
    return true;
  }

  #moveTo(now: number): void {
    const time = Math.floor(now / SLOT_MS);
    const passed = Math.min(time - this.#time, SLOTS);
    if (passed <= 0) return;
    this.#time = time;
    for (let i = 0; i < passed; i++) {
      const slot = (this.#slot + 1) % SLOTS;
      this.#slot = slot;
      this.#requestSum -= this.#requests[slot]!;
      this.#attemptSum -= this.#attempts[slot]!;
      this.#requests[slot] = 0;
      this.#attempts[slot] = 0;
    }
  }
}
