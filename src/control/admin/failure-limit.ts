/**
 * Bounds how often wrong tokens may be tried: so many failures per window for each client address, and for each wrong token.
 *
 *     failure 1 … limit ─▶ closed until the window ends ─▶ open again, counted from zero
 *
 * While a key is closed its tokens are not even looked at, so guessing is bounded and not merely noticed. The address bounds one
 * guesser; the token bounds one mistyped secret that a whole fleet presents. Addresses of IPv6 count by their /64, since a single host has
 * all of those. Memory is bounded by least recently used keys: somebody with 10,000 addresses can push out old ones and gains a fresh
 * window for each, which the number of addresses would have given anyway.
 *
 * A burst is reported once, when it first closes a key, and not again before a whole window has passed without a failure.
 */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../runtime/clock.ts';

export interface FailureLimitOptions {
  readonly clock: Clock;
  /** Failures per window and key. Default 10. */
  readonly limit?: number;
  /** Milliseconds. Default 60,000. */
  readonly window?: number;
  /** Most keys remembered. Default 10,000. */
  readonly keys?: number;
}

interface Failures {
  failures: number;
  /** When the window ends. */
  ends: number;
  last: number;
  reported: boolean;
}

export class FailureLimit {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #window: number;
  readonly #records: LRUCache<string, Failures>;

  constructor(options: FailureLimitOptions) {
    this.#clock = options.clock;
    this.#limit = options.limit ?? 10;
    this.#window = options.window ?? 60_000;
    this.#records = new LRUCache({ max: options.keys ?? 10_000 });
  }

  /** Seconds until the key is open again, null while it is. */
  waitFor(key: string): number | null {
    const record = this.#records.get(key);
    if (record === undefined || record.failures < this.#limit) return null;
    const left = record.ends - this.#clock.now();
    return left > 0 ? Math.ceil(left / 1000) : null;
  }

  /** @returns whether a burst is to be reported: with this failure the key closes for the first time in a while. */
  failed(key: string): boolean {
    const now = this.#clock.now();
    const record = this.#records.get(key) ?? { failures: 0, ends: now + this.#window, last: now, reported: false };
    if (now - record.last >= this.#window) record.reported = false;
    if (now >= record.ends) {
      record.failures = 0;
      record.ends = now + this.#window;
    }
    record.failures++;
    record.last = now;
    this.#records.set(key, record);
    if (record.failures < this.#limit || record.reported) return false;
    record.reported = true;
    return true;
  }

  clear(): void {
    this.#records.clear();
  }
}
