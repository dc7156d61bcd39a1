/**
 * One reader of the event stream (text/event-stream): first what was missed, then what comes, nothing twice and nothing left out.
 *
 *     replaying ─page was the last and nothing came meanwhile─▶ live ─▶ ended
 *         └────────────────── buffer full, reader gone ────────────────▲
 *
 * The two meet without a gap because the subscription begins before the first page is read: what comes while a page is being
 * read is kept beside it and sent behind it, unless the page had it already. What came before a page was asked for is in that page or
 * a later one, and is not kept. So only what comes during one reading of a page is ever held. Ids of the last events sent are remembered, since a log may
 * tell subscribers of an event after it could be read.
 *
 * Replay waits for the reader: the next page is read when the last has left the buffer. Live events cannot wait; a reader that leaves a
 * MiB of them unread is cut off and comes back with Last-Event-ID, as EventSource does by itself. Without data a comment goes out every 15 s,
 * which keeps connections open on the way and finds those that are not.
 *
 * A stream may carry states as well (live-ticker.ts): the first at once, the others as they come. A state takes the place of the one before,
 * so a reader who has not read everything yet does without it, and states do not count towards the MiB: they go into an empty buffer only, so what can
 * be backlog is what was written behind the last of them.
 *
 * A reader that begins now is told the last number at once, so that one whose connection breaks before the first event resumes there. One that
 * comes back to a log that no longer goes so far is told of the gap first; see event-gap.ts.
 */
import { Readable } from 'node:stream';
import type { Clock, Interval } from '../../runtime/clock.ts';
import type { SluiceEvent } from '../events/event.ts';
import type { EventSource } from '../events/event-log.ts';
import type { EventFilter } from './event-filter.ts';
import { eventGap, formatGap, resumedFrom } from './event-gap.ts';

const PAGE = 500;
const HEARTBEAT = 15_000;
const RETRY = 2_000;
const REMEMBERED = 4_096;
/** Bytes. */
export const LONGEST_BACKLOG = 1_048_576;

export interface EventStreamOptions {
  readonly source: EventSource;
  readonly clock: Clock;
  readonly filter: EventFilter;
  /** Events later than this one are sent first; null: only what comes. */
  readonly since: number | null;
  /** Of a stream that carries states: the first one, as a message; null where there is none yet. */
  readonly firstState?: () => Buffer | null;
}

export const formatEvent = (event: SluiceEvent): string =>
  `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

export class EventStream extends Readable {
  readonly #options: EventStreamOptions;
  readonly #unsubscribe: () => void;
  readonly #heartbeat: Interval;
  /** Ids of the last events sent, oldest first. */
  readonly #sent = new Set<number>();
  /** What comes while a page is being read. */
  #meanwhile: SluiceEvent[] = [];
  #phase: 'waiting' | 'reading' | 'live' = 'waiting';
  #wanted: (() => void) | null = null;
  #ended = false;
  /** Bytes written since the last state. */
  #behindState = 0;

  constructor(options: EventStreamOptions) {
    super({ highWaterMark: 65_536 });
    this.#options = options;
    if (options.since === null) this.#phase = 'live';
    this.#unsubscribe = options.source.subscribe((event) => this.#take(event));
    this.#heartbeat = options.clock.setInterval(() => this.#write(': still here\n\n'), HEARTBEAT);
    this.#write(`retry: ${RETRY}\n\n`);
    if (options.since === null) this.#write(`id: ${options.source.lastId}\n\n`);
    const state = options.firstState?.() ?? null;
    if (state !== null) this.push(state);
    this.#behindState = 0;
    if (options.since !== null) void this.#replay(options.since);
  }

  /** The reader has room again. */
  override _read(): void {
    this.#wanted?.();
    this.#wanted = null;
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#unsubscribe();
    this.#heartbeat.stop();
    this.#wanted?.();
    done(error);
  }

  /** Ends in order: the reader gets what is in the buffer. */
  end(): void {
    if (this.destroyed || this.#ended) return;
    this.#ended = true;
    this.#unsubscribe();
    this.#heartbeat.stop();
    this.push(null);
  }

  /** Is left out where the reader has not yet read everything before it. */
  sendState(message: Buffer): void {
    if (this.destroyed || this.#ended || this.readableLength > 0) return;
    this.#behindState = 0;
    this.push(message);
  }

  #take(event: SluiceEvent): void {
    if (this.#phase === 'live') this.#send(event);
    else if (this.#phase === 'reading') this.#meanwhile.push(event);
  }

  async #replay(since: number): Promise<void> {
    try {
      const gap = await eventGap(this.#options.source, since);
      if (gap !== null) this.#write(formatGap(gap));
      let last = resumedFrom(since, gap);
      while (!this.destroyed && !this.#ended) {
        this.#phase = 'reading';
        const page = await this.#options.source.since(last, PAGE);
        for (const event of page) this.#send(event);
        last = page.at(-1)?.id ?? last;
        if (page.length < PAGE) return this.#goLive();
        this.#phase = 'waiting';
        this.#meanwhile = [];
        await this.#room();
      }
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #goLive(): void {
    for (const event of this.#meanwhile) this.#send(event);
    this.#meanwhile = [];
    this.#phase = 'live';
  }

  #send(event: SluiceEvent): void {
    if (this.#sent.has(event.id)) return;
    this.#sent.add(event.id);
    if (this.#sent.size > REMEMBERED) this.#sent.delete(this.#sent.values().next().value!);
    if (this.#options.filter(event)) this.#write(formatEvent(event));
  }

  #write(text: string): void {
    if (this.destroyed || this.#ended) return;
    const message = Buffer.from(text);
    this.#behindState += message.length;
    this.push(message);
    if (Math.min(this.readableLength, this.#behindState) > LONGEST_BACKLOG)
      this.destroy(new Error('the reader does not read'));
  }

  /** Resolves when the buffer has been read, or the stream has ended. */
  #room(): Promise<void> {
    if (this.destroyed || this.readableLength < this.readableHighWaterMark) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wanted = resolve;
    });
  }
}
