/**
 * Which requests of one worker are traced.
 *
 *     traceparent    sampled flag   traced
 *     well-formed    on             yes, as long as there are fewer than `maxPerSecond` of them
 *     well-formed    off            no
 *     none, or bad                  `sample` of them, by dice
 *     any, `parent: ignore`         `sample` of them, by dice, in a trace of their own
 *
 * This is the parent-based sampler of OpenTelemetry. The flag of a client is a wish that costs the sender nothing, so wishes share one bucket
 * of tokens over all workers (model/rate-table.ts); the dice have no bucket, so whoever empties it takes nothing from the share that the
 * operator asked for. A request that is not traced goes its way as if there were no tracing, a client's `traceparent` with it.
 *
 * The decision falls when the head is there, before the route is known: what is refused afterwards is worth a span too. A head that is
 * refused has none.
 *
 * The worker only fills in records; spans are made and sent by the main thread (docs/adr/0019-tracing.md). Off, this object is never asked:
 * a request pays for comparisons with null.
 *
 * @hotpath bench/micro/tracing.ts
 */
import type { RateTable } from '../../model/rate-table.ts';
import type { TracingSnapshot } from '../../model/snapshot.ts';
import type { TraceRecord } from '../../model/trace-record.ts';
import type { Random } from '../../runtime/random.ts';
import { RateLimit } from '../admit/rate-limit.ts';
import { NO_KEY } from '../balance/policy.ts';
import { FIELD, type FieldNames, UNKNOWN } from '../http1/field-names.ts';
import { type ClientFacts, type RequestIds, schemeOf } from '../http1/field-rules.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { traceParentOf } from '../http1/trace-context.ts';
import { clientAddress, type IsTrusted } from '../route/key-reader.ts';
import { type SpanCounters, TracingOutbox } from './tracing-outbox.ts';
import { TracedRequest } from './tracing-request.ts';

const TRACESTATE = FIELD.tracestate;
const USER_AGENT = 'user-agent';

/** Lower-case names of the headers that spans tell. */
export const tracedHeaders = (config: TracingSnapshot | null): readonly string[] =>
  config === null ? [] : [USER_AGENT];

export interface TracingOptions {
  readonly random: Random;
  readonly ids: RequestIds;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** What must be added to the clock's time for milliseconds that all workers agree on. */
  readonly origin: number;
  readonly rates: RateTable;
  readonly counters: SpanCounters;
  readonly isTrusted: IsTrusted;
  /** Left out, nobody wants records, and no request is traced. */
  readonly send?: ((records: readonly TraceRecord[]) => void) | undefined;
}

export class Tracing {
  readonly #options: TracingOptions;
  readonly #outbox: TracingOutbox | null;
  /** Percent. */
  #sample = 0;
  #followsParents = true;
  /** Null where no parent is followed. */
  #wishes: RateLimit | null = null;
  #userAgent = UNKNOWN;
  /** Time of day less the clock's time, as far as is known; see {@link Tracing.#wallTime}. */
  #skew = 0;

  constructor(options: TracingOptions) {
    this.#options = options;
    this.#outbox = options.send === undefined ? null : new TracingOutbox(options.send, options.counters);
  }

  /** @param names must have numbered `tracedHeaders`. @returns itself, null where nothing is traced. */
  configure(config: TracingSnapshot | null, names: FieldNames): Tracing | null {
    if (config === null || this.#outbox === null) return null;
    const { sample, parent, maxPerSecond } = config;
    this.#sample = sample;
    this.#followsParents = parent === 'respect';
    this.#wishes =
      maxPerSecond === 0
        ? null
        : new RateLimit({ rate: maxPerSecond, burst: maxPerSecond }, 'tracing', this.#options.rates);
    this.#userAgent = names.idOf(USER_AGENT);
    return this;
  }

  /** @param began clock time. @returns null where the request is not traced. */
  begin(head: RequestHead, client: ClientFacts, began: number): TracedRequest | null {
    const parent = this.#followsParents ? traceParentOf(head) : '';
    const isWanted = parent === '' ? this.#isSampled() : isSampledBy(parent) && this.#isGranted(began);
    if (!isWanted) return null;
    const { ids, isTrusted } = this.#options;
    const state = parent === '' ? '' : head.joined(TRACESTATE);
    const scheme = schemeOf(head, client);
    const address = clientAddress(head, client, isTrusted);
    const start = this.#wallTime(began);
    return new TracedRequest(head, ids, parent, state, start, began, scheme, address, head.value(this.#userAgent));
  }

  /** Never at 0 and always at 100, as dice fall in [0, 1). */
  #isSampled(): boolean {
    return this.#sample === 100 || (this.#sample !== 0 && this.#options.random.next() * 100 < this.#sample);
  }

  #isGranted(now: number): boolean {
    return this.#wishes !== null && this.#wishes.tryTake(NO_KEY, now + this.#options.origin) === 0;
  }

  /**
   * The time of day is read in whole milliseconds, too coarse for spans that nest, and the monotonic clock drifts from it over weeks. So the
   * difference between the two is kept and only moved where the clocks show that it is wrong: after some requests it is right to a
   * fraction of a millisecond, and a clock that is set is followed at once.
   */
  #wallTime(now: number): number {
    const wall = this.#options.wall();
    const error = wall - (now + this.#skew);
    if (error > 0) this.#skew += error;
    else if (error < -1) this.#skew += error + 1;
    return now + this.#skew;
  }

  /** The request has ended, and so have its attempts. */
  end(request: TracedRequest): void {
    this.#outbox?.add(request);
  }

  /** To be called about once a second. */
  flush(): void {
    this.#outbox?.flush();
  }

  /** The main thread has taken what was sent last. */
  taken(): void {
    this.#outbox?.taken();
  }

  close(): void {
    this.#outbox?.close();
  }
}

/** The last digit of the flags is odd. */
const isSampledBy = (parent: string): boolean => (Number.parseInt(parent.slice(54, 55), 16) & 1) === 1;
