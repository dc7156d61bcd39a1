/**
 * The circuit breaker of a version: how much of it may be in flight at once.
 *
 * In the sense of Envoy and of bulkheads: a bound on what a slow version can tie up, not a switch that opens after errors (ejecting
 * endpoints that fail is the outlier detector's business). What is over a bound is refused at once, since a queue in front of an upstream
 * that cannot keep up makes every answer late and none of them more likely.
 *
 * The gauges are always counted, in this worker's own block of the shared counters, where a single writer needs no atomic addition. A bound on
 * requests or retries compares the sum over all workers, and costs nothing where there is no bound. Workers that look in the same
 * instant may all find the last place free, so that `workers - 1` more than the bound can be in flight; an exact count would need one
 * contended word for all workers. Connections, and the requests that wait for one, belong to one worker's pool and are bounded by its
 * share, rounded up so that every worker may have one.
 *
 * A worker that dies takes its requests with it: whoever notices clears its gauges (model/counters.ts).
 *
 * @hotpath bench/micro/admit.ts
 */
import { VERSION_SLOTS, versionSlot } from '../../model/counters.ts';
import type { CircuitConfig } from '../../model/policy-config.ts';

export class Circuit {
  /** This worker's share of the connections; 0 is unlimited. */
  readonly maxConnections: number;
  /** This worker's share of the requests that may wait for a connection; 0 is unlimited. */
  readonly maxPending: number;
  readonly #maxRequests: number;
  readonly #maxRetries: number;
  readonly #own: Float64Array;
  readonly #all: readonly Float64Array[];
  readonly #active: number;
  readonly #retrying: number;
  readonly #pending: number;

  /** @param own this worker's counters. @param all every worker's, this one's among them. */
  constructor(config: CircuitConfig, versionId: number, own: Float64Array, all: readonly Float64Array[]) {
    const first = versionSlot(versionId);
    this.#active = first + VERSION_SLOTS.active;
    this.#retrying = first + VERSION_SLOTS.retrying;
    this.#pending = first + VERSION_SLOTS.pending;
    this.#own = own;
    this.#all = all;
    this.#maxRequests = config.maxRequests;
    this.#maxRetries = config.maxRetries;
    this.maxConnections = Math.ceil(config.maxConnections / all.length);
    this.maxPending = Math.ceil(config.maxPending / all.length);
  }

  /** A request wants to go to the version; where it may, `leave` is due once. */
  tryEnter(): boolean {
    if (this.#maxRequests !== 0 && this.#sum(this.#active) >= this.#maxRequests) return false;
    this.#add(this.#active, 1);
    return true;
  }

  leave(): void {
    this.#add(this.#active, -1);
  }

  /** A further attempt (retry, shield, hedge) wants to start; where it may, `retryEnded` is due once. */
  tryRetry(): boolean {
    if (this.#maxRetries !== 0 && this.#sum(this.#retrying) >= this.#maxRetries) return false;
    this.#add(this.#retrying, 1);
    return true;
  }

  retryEnded(): void {
    this.#add(this.#retrying, -1);
  }

  /** A request wants to wait for a connection; where it may, `waited` is due once. */
  tryWait(): boolean {
    if (this.maxPending !== 0 && this.#own[this.#pending]! >= this.maxPending) return false;
    this.#add(this.#pending, 1);
    return true;
  }

  waited(): void {
    this.#add(this.#pending, -1);
  }

  #sum(slot: number): number {
    const all = this.#all;
    let sum = 0;
    for (let i = 0; i < all.length; i++) sum += all[i]![slot]!;
    return sum;
  }

  #add(slot: number, by: number): void {
    this.#own[slot] = this.#own[slot]! + by;
  }
}
