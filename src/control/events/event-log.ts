/**
 * The event log: gives every event its number, tells those who listen now, and lets others read up from any number, over restarts too.
 *
 *     emit ────────────────▶ give number ─▶ in order ─┬─▶ ring ─▶ listeners
 *     prepare ─▶ commit ─▶ publish ────────▶          └─▶ writer ─▶ store      (only what no commit has stored)
 *
 * There are two ways in. A change of the operator is an event within the change's own commit: it has its number before (`prepare`), is stored
 * with the values, and is told behind it (`publish`; `discard` where the commit failed). What the control plane merely notices is told at once and
 * stored behind that (`emit`): a full disk must not hide that an endpoint fell.
 *
 * Numbers are given once, even if the process is killed between telling and storing: a mark in the store says up to where they may have been
 * used, it is raised by BLOCK long before it is reached, and a process starts behind it. So there are gaps: after a kill, after a failed
 * commit, where the writer had to drop. A clean end lowers the mark to what was used. The limit of it: a process that never could write
 * its mark, or that has emitted half a block while the store was in trouble, goes on beyond the mark; killed then, its numbers come again.
 * The alternative, numbers from the time of day, breaks when a clock is set back, which no log would tell.
 *
 * Reading (`since`) is free of gaps and in order: the ring has the last events; older ones come from the store, together with what is still on its
 * way there, up to the last one told. With nothing to read it is empty.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Store } from '../store/store.ts';
import type { NewEvent, SluiceEvent } from './event.ts';
import { EventWriter, MARK_KEY } from './event-writer.ts';
import { PublicationOrder } from './publication-order.ts';

/** How many numbers are reserved at a time. */
export const BLOCK = 10_000;
const RING = 1_000;

/** The reading side. */
export interface EventSource {
  /** Number of the last event that was told; 0 where there was none. */
  readonly lastId: number;
  /** Later than `id`, oldest first, none later than the last one told. */
  since(id: number, limit: number): Promise<readonly SluiceEvent[]>;
  /** Called with every event, in order. @returns what ends it. */
  subscribe(listener: (event: SluiceEvent) => void): () => void;
}

export interface EventLogOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Milliseconds since 1970. Default: the system's. */
  readonly wallClock?: () => number;
  readonly logger: Logger;
  /** How many of the last events are kept in memory. Default 1,000. */
  readonly ring?: number;
}

export class EventLog implements EventSource {
  readonly #store: Store;
  readonly #wallClock: () => number;
  readonly #logger: Logger;
  readonly #ringLength: number;
  readonly #order: PublicationOrder;
  readonly #writer: EventWriter;
  readonly #listeners = new Set<(event: SluiceEvent) => void>();
  /** The last events told, oldest first: between one and two ring lengths of them. */
  readonly #ring: SluiceEvent[] = [];
  /** Everything told that is later than this is in the ring. */
  #ringSince: number;
  /** Numbers of emitted events that are not out yet: nobody else stores them. */
  readonly #emitted = new Set<number>();

  /** @throws where the store cannot be read; one that cannot be written only delays. */
  static async open(options: EventLogOptions): Promise<EventLog> {
    const mark = Number((await options.store.get(MARK_KEY))?.value ?? 0);
    const log = new EventLog(options, mark, Math.max(mark, await options.store.lastEventId()));
    await log.#writer.flush();
    return log;
  }

  private constructor(options: EventLogOptions, mark: number, last: number) {
    const { store, clock, logger } = options;
    this.#store = store;
    this.#wallClock = options.wallClock ?? Date.now;
    this.#logger = logger;
    this.#ringLength = options.ring ?? RING;
    this.#ringSince = last;
    this.#order = new PublicationOrder({ clock, logger, last, out: (event) => this.#tell(event) });
    this.#writer = new EventWriter({ store, clock, logger, mark });
    this.#writer.reserve(last + BLOCK);
  }

  get lastId(): number {
    return this.#order.last;
  }

  /** `waiting`: not stored yet. `dropped`: never will be. */
  counts(): { readonly waiting: number; readonly dropped: number } {
    return { waiting: this.#writer.waiting, dropped: this.#writer.dropped };
  }

  /** Gives number and time to an event of a commit; every one must come back by `publish` or `discard`, since later ones wait for it. */
  prepare(event: NewEvent): SluiceEvent {
    const id = this.#order.give();
    if (this.#writer.wantedMark - id < BLOCK / 2) this.#writer.reserve(id + BLOCK);
    return { id, at: new Date(this.#wallClock()).toISOString(), ...event };
  }

  /** Tells events that a commit has stored. */
  publish(events: readonly SluiceEvent[]): void {
    for (const event of events) this.#order.settle(event.id, event);
  }

  /** For events whose commit failed: their numbers stay empty. */
  discard(events: readonly SluiceEvent[]): void {
    for (const { id } of events) this.#order.settle(id, null);
  }

  /** Tells an event now and stores it soon. */
  emit(event: NewEvent): SluiceEvent {
    const prepared = this.prepare(event);
    this.#emitted.add(prepared.id);
    this.#order.settle(prepared.id, prepared);
    return prepared;
  }

  async since(id: number, limit: number): Promise<readonly SluiceEvent[]> {
    if (id >= this.#ringSince) {
      const first = this.#ring.findLastIndex((event) => event.id <= id) + 1;
      return this.#ring.slice(first, first + limit);
    }
    // Both looked up before the store is asked: what is stored meanwhile is then found twice rather than not at all, and what is told
    // meanwhile is left for the next call, whatever of it the store has already.
    const last = this.lastId;
    const unstored = this.#writer.unstored(id, last, limit);
    const found = new Map(unstored.map((event) => [event.id, event]));
    for (const event of await this.#store.events(id, limit)) if (event.id <= last) found.set(event.id, event);
    return [...found.values()].sort((a, b) => a.id - b.id).slice(0, limit);
  }

  subscribe(listener: (event: SluiceEvent) => void): () => void {
    // Wrapped, so that a function that is given twice is called twice and ended one by one.
    const own = (event: SluiceEvent): void => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Writes what waits. Nothing may be emitted afterwards. */
  async close(): Promise<void> {
    this.#order.end();
    await this.#writer.close(this.#order.given);
  }

  #tell(event: SluiceEvent): void {
    if (this.#emitted.delete(event.id)) this.#writer.add(event);
    this.#remember(event);
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        this.#logger.error('event_listener_failed', { id: event.id, message: String(error) });
      }
    }
  }

  #remember(event: SluiceEvent): void {
    if (event.id <= this.#ringSince) return;
    const newest = this.#ring.at(-1);
    if (newest === undefined || newest.id < event.id) this.#ring.push(event);
    else this.#ring.splice(this.#ring.findLastIndex(({ id }) => id < event.id) + 1, 0, event);
    if (this.#ring.length < 2 * this.#ringLength) return;
    const [oldest] = this.#ring.splice(0, this.#ring.length - this.#ringLength).slice(-1);
    this.#ringSince = oldest!.id;
  }
}
