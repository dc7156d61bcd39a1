/**
 * Faults on purpose, for tests and drills: a route delays some of its requests, or answers some of them with a status of its own, without
 * the upstream having done anything.
 *
 * Delay and abort are rolled apart, so a request may meet both: it then waits and fails, which is what a timeout looks like from outside.
 * A share is dice and not every n-th request, because a client that retries in step with the count would never, or always, see the fault.
 *
 * With `header` only requests that bear that field are meant, whatever its value; so a drill can be run in production by those who
 * ask for it. Nothing is injected where a route says nothing.
 *
 * Pedigree: Envoy's fault filter.
 *
 * @hotpath bench/micro/admit.ts
 */
import type { FaultConfig } from '../../model/policy-config.ts';
import type { Random } from '../../runtime/random.ts';
import type { FieldNames } from '../http1/field-names.ts';
import type { RequestHead } from '../http1/request-head.ts';

/** Stands for "every request". */
const NO_GATE = -1;

export class FaultInjector {
  readonly #gate: number;
  readonly #delay: number;
  readonly #delayPercent: number;
  readonly #status: number;
  readonly #abortPercent: number;
  readonly #random: Random;

  /** @param names must have numbered `config.header`; a header without a number is never there. */
  constructor(config: FaultConfig, names: FieldNames, random: Random) {
    this.#gate = config.header === undefined ? NO_GATE : names.idOf(config.header);
    this.#delay = config.delay?.by ?? 0;
    this.#delayPercent = config.delay?.percent ?? 0;
    this.#status = config.abort?.status ?? 0;
    this.#abortPercent = config.abort?.percent ?? 0;
    this.#random = random;
  }

  /** Whether the request is meant; only then are the dice rolled for it. */
  applies(head: RequestHead): boolean {
    return this.#gate === NO_GATE || head.has(this.#gate);
  }

  /** Milliseconds to hold the request; 0 for most. Rolls dice: ask once per request. */
  delay(): number {
    return this.#hits(this.#delayPercent) ? this.#delay : 0;
  }

  /** Status to answer with; 0 for most. Rolls dice: ask once per request. */
  abortStatus(): number {
    return this.#hits(this.#abortPercent) ? this.#status : 0;
  }

  /** Never at 0 and always at 100, as dice fall in [0, 1). */
  #hits(percent: number): boolean {
    return percent !== 0 && this.#random.next() * 100 < percent;
  }
}
