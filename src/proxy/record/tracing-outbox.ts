/**
 * Traced requests on their way to the main thread: gathered, handed over many at a time, and dropped where nobody takes them.
 *
 *     EMPTY ─add─▶ GATHERING ──a second, or BATCH of them──▶ SENT ──taken──▶ EMPTY or GATHERING
 *
 * One batch is under way at a time: the next goes when the main thread has said that it took the last. Messages to a thread that stalls would
 * otherwise pile up in its queue, where nothing bounds them. What comes meanwhile waits here, up to LIMIT; more is dropped and counted, spans
 * not requests, because spans are what is missing in the end.
 *
 * @hotpath bench/micro/tracing.ts
 */
import { spanCount, type TraceRecord } from '../../model/trace-record.ts';

/** Most records in one message: about a third of a millisecond of copying. */
export const BATCH = 128;
/** Most that wait. */
export const LIMIT = 1_024;

export interface SpanCounters {
  spansDropped(count: number): void;
}

export class TracingOutbox {
  readonly #send: (records: readonly TraceRecord[]) => void;
  readonly #counters: SpanCounters;
  #waiting: TraceRecord[] = [];
  #isUnderWay = false;

  constructor(send: (records: readonly TraceRecord[]) => void, counters: SpanCounters) {
    this.#send = send;
    this.#counters = counters;
  }

  add(record: TraceRecord): void {
    if (this.#waiting.length >= LIMIT) {
      this.#counters.spansDropped(spanCount(record));
      return;
    }
    this.#waiting.push(record);
    if (this.#waiting.length >= BATCH && !this.#isUnderWay) this.#sendSome();
  }

  /** Sends what there is, unless the last batch has not been taken. */
  flush(): void {
    if (this.#waiting.length > 0 && !this.#isUnderWay) this.#sendSome();
  }

  /** The last batch has been taken. */
  taken(): void {
    this.#isUnderWay = false;
    if (this.#waiting.length >= BATCH) this.#sendSome();
  }

  /** Sends all that waits, taken or not: there will be no later. */
  close(): void {
    while (this.#waiting.length > 0) this.#sendSome();
  }

  #sendSome(): void {
    this.#isUnderWay = true;
    const waiting = this.#waiting;
    if (waiting.length <= BATCH) {
      this.#waiting = [];
      this.#send(waiting);
    } else this.#send(waiting.splice(0, BATCH));
  }
}
