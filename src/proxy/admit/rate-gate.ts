/**
 * A rate limit in front of a route or a service: reads the key of a request and asks the bucket.
 *
 * @hotpath bench/micro/admit.ts
 */
import { NO_KEY } from '../balance/policy.ts';
import type { ClientFacts } from '../http1/field-rules.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { KeyReader } from '../route/key-reader.ts';
import type { RateLimit } from './rate-limit.ts';

export class RateGate {
  readonly #limit: RateLimit;
  readonly #reader: KeyReader | null;

  constructor(limit: RateLimit, reader: KeyReader | null) {
    this.#limit = limit;
    this.#reader = reader;
  }

  /** @param now process-wide milliseconds. @returns 0 where the request is admitted, else milliseconds until it would be. */
  wait(head: RequestHead, client: ClientFacts, now: number): number {
    return this.#limit.tryTake(this.#reader === null ? NO_KEY : this.#reader.hash(head, client), now);
  }
}
