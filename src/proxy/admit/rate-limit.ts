/**
 * A rate limit of a route or service: so many requests per second and key, so many of them at once.
 *
 * This is the limit's arithmetic; the buckets and the sharing among workers are in model/rate-table.ts. A token comes back every `1 / rate`,
 * which is rarely a whole number of the table's ticks. What rounding leaves over is carried to the next token, so that the rate is exact in
 * the long run at any value, from one an hour to a million a second; a single token may come a tick (10 µs) early or late per worker.
 *
 * The tag of a bucket is made of the key, the name and the figures of the limit. So a reload that leaves a limit alone keeps its buckets, one
 * that changes the limit starts afresh, and limits on the same key do not meddle with each other. There is nothing to clean up: the bucket
 * of a limit that is gone, or of a key that stays away, is full after a while and its slot is free.
 *
 * Pedigree: GCRA of ATM traffic policing, as in redis-cell and throttled.
 *
 * @hotpath bench/micro/admit.ts
 */
import type { RateLimitConfig } from '../../model/policy-config.ts';
import { LONGEST_WINDOW, type RateTable, TICKS_PER_MS } from '../../model/rate-table.ts';
import { hashKey, mix } from '../balance/key-hash.ts';

export class RateLimit {
  readonly #table: RateTable;
  readonly #setSalt: number;
  readonly #tagSalt: number;
  /** Ticks in which a token comes back. */
  readonly #interval: number;
  /** Ticks in which the whole bucket does. */
  readonly #window: number;
  /** Part of a tick that the tokens so far were given too little, from 0 to 1. */
  #carry = 0;

  /** @param name of the route or service, with its kind: `route shop` and `service shop` are different limits. */
  constructor(config: RateLimitConfig, name: string, table: RateTable) {
    const identity = `${name} ${config.rate} ${config.burst}`;
    this.#table = table;
    this.#setSalt = hashKey(identity, 1);
    this.#tagSalt = hashKey(identity, 2);
    this.#interval = (TICKS_PER_MS * 1_000) / config.rate;
    this.#window = Math.min(Math.ceil(config.burst * this.#interval), LONGEST_WINDOW);
  }

  /**
   * @param keyHash 32 bits, or NO_KEY, which has a bucket of its own. @param now milliseconds on a clock that all workers share.
   * @returns 0 where the request is admitted, else the whole milliseconds until it would be, at least 1.
   */
  tryTake(keyHash: number, now: number): number {
    const due = this.#interval + this.#carry;
    const step = Math.floor(due);
    const early = this.#table.take(mix(keyHash, this.#setSalt), mix(keyHash, this.#tagSalt), now, step, this.#window);
    if (early > 0) return Math.ceil(early / TICKS_PER_MS);
    this.#carry = due - step;
    return 0;
  }
}
