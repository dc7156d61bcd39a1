/**
 * What a service's configuration says about retries: how often, after which failures, for which requests, how soon.
 *
 * The policy only answers questions. Whether a retry happens is for the exchange, which also asks the budget, the circuit, and whether the
 * body is still at hand; so each limit is one fact with one owner.
 *
 * A request may be repeated if its method says that twice is as good as once, or if nothing of it has gone out: a POST whose
 * connection was refused has had no effect.
 *
 * @hotpath bench/micro/admit.ts
 */
import type { RetryConfig } from '../../model/policy-config.ts';
import type { Random } from '../../runtime/random.ts';
import { fullJitter } from './backoff.ts';
import { FailureConditions } from './failure-conditions.ts';
import { methodSet } from './method-set.ts';

export class RetryPolicy {
  /** Attempts after the first. */
  readonly attempts: number;
  /** Milliseconds from the end of the request to the head of the response; 0: the service's `timeouts.response`. */
  readonly perTryTimeout: number;
  /** Largest request body that is kept to be sent again, bytes. */
  readonly maxBody: number;
  readonly conditions: FailureConditions;
  readonly #methods: ReadonlySet<string> | null;
  readonly #backoff: number;
  readonly #maxBackoff: number;
  readonly #random: Random;

  constructor(config: RetryConfig, random: Random) {
    this.attempts = config.attempts;
    this.perTryTimeout = config.perTryTimeout;
    this.maxBody = config.maxBody;
    this.conditions = new FailureConditions(config.on);
    this.#methods = methodSet(config.methods);
    this.#backoff = config.backoff;
    this.#maxBackoff = config.maxBackoff;
    this.#random = random;
  }

  /** @param sent whether any byte of the request has gone out on a connection that stood. */
  allows(method: string, sent: boolean): boolean {
    return !sent || this.#methods === null || this.#methods.has(method);
  }

  /** Milliseconds to wait before a retry, numbered from 1. */
  pause(retry: number): number {
    return fullJitter(retry, this.#backoff, this.#maxBackoff, this.#random);
  }
}
