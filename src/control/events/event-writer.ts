/**
 * Brings events into the store behind the back of whoever emitted them, several in one commit, and keeps what cannot be written yet.
 *
 *     idle ──add──▶ waiting ──PAUSE──▶ writing ──written──▶ idle, or writing again where more has come
 *                      ▲                  │
 *                      └──RETRY, trouble──┘
 *
 *   waiting   a timer runs; several events of one turn become one commit
 *   writing   the first `inFlight` events of the queue are in a commit; they stay in the queue until it is durable
 *
 * A commit costs an fsync, so fifty endpoints that fall at once must not cost fifty. While the store is in trouble nothing is tried: the store
 * itself finds out when it works again, and the timer only asks it. At most MOST events wait; then the oldest is dropped and counted, since
 * the newest say how things stand. An event that the store refuses for any other reason (a bug) is found by writing one at a time, logged
 * and dropped, lest it block the others for ever.
 *
 * The writer also keeps the mark in the store up to which numbers are taken (`reserve`), in the same commits.
 */
import type { Clock, Interval } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { type Store, StoreError } from '../store/store.ts';
import type { SluiceEvent } from './event.ts';

export const PAUSE = 50;
export const RETRY = 1_000;
export const MOST = 10_000;
const BATCH = 500;

/** Where the mark is kept: a number. */
export const MARK_KEY = 'events/reserved';

export interface EventWriterOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What the store has for a mark. */
  readonly mark: number;
}

export class EventWriter {
  readonly #options: EventWriterOptions;
  /** Oldest first. */
  readonly #queue: SluiceEvent[] = [];
  #inFlight = 0;
  #dropped = 0;
  #mark: number;
  #wantedMark: number;
  #timer: Interval | null = null;
  #writing: Promise<void> | null = null;

  constructor(options: EventWriterOptions) {
    this.#options = options;
    this.#mark = options.mark;
    this.#wantedMark = options.mark;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Events that will never be in the store. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The mark that was asked for last; it need not be durable yet. */
  get wantedMark(): number {
    return this.#wantedMark;
  }

  add(event: SluiceEvent): void {
    this.#queue.push(event);
    if (this.#queue.length > MOST) {
      this.#queue.splice(this.#inFlight, 1);
      this.#dropped++;
    }
    this.#schedule(PAUSE);
  }

  reserve(mark: number): void {
    this.#wantedMark = mark;
    this.#schedule(PAUSE);
  }

  /** What is not known to be stored, later than `since` and up to `last`, oldest first. */
  unstored(since: number, last: number, limit: number): SluiceEvent[] {
    const found: SluiceEvent[] = [];
    for (const event of this.#queue) {
      if (event.id <= since) continue;
      if (event.id > last || found.length >= limit) break;
      found.push(event);
    }
    return found;
  }

  /** Writes what waits, now. */
  flush(): Promise<void> {
    this.#timer?.stop();
    this.#timer = null;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
      if (this.#hasWork()) this.#schedule(RETRY);
    });
    return this.#writing;
  }

  /** Writes what waits and the final mark, once. */
  async close(mark: number): Promise<void> {
    await this.#writing;
    this.#wantedMark = mark;
    await this.flush();
    this.#timer?.stop();
    this.#timer = null;
    if (this.#queue.length > 0) this.#options.logger.error('events_lost', { count: this.#queue.length });
  }

  #hasWork(): boolean {
    return this.#queue.length > 0 || this.#wantedMark !== this.#mark;
  }

  #schedule(ms: number): void {
    if (this.#writing !== null) return;
    this.#timer ??= this.#options.clock.setInterval(() => void this.flush(), ms);
  }

  async #write(): Promise<void> {
    const { store } = this.#options;
    let most = BATCH;
    while (this.#hasWork() && store.state().trouble === null) {
      const events = this.#queue.slice(0, most);
      const mark = this.#wantedMark;
      this.#inFlight = events.length;
      try {
        await store.commit({ events, ...(mark !== this.#mark && { puts: [{ key: MARK_KEY, value: mark }] }) });
        this.#queue.splice(0, events.length);
        this.#mark = mark;
      } catch (error) {
        if (error instanceof StoreError && error.trouble !== 'conflict') return;
        if (events.length > 1) most = 1;
        else this.#refused(events[0], mark, error as Error);
      } finally {
        this.#inFlight = 0;
      }
    }
  }

  #refused(event: SluiceEvent | undefined, mark: number, { message }: Error): void {
    this.#options.logger.error('event_refused', { id: event?.id ?? null, message });
    this.#mark = mark;
    if (event === undefined) return;
    this.#queue.shift();
    this.#dropped++;
  }
}
