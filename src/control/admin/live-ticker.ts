/**
 * When the live state is made, and who gets it: once per tick for all streams together, and only while there are any.
 *
 *     idle ─first stream─▶ ticking ─tick: make, send to each, wait again─▶ ticking ─last stream gone─▶ idle
 *
 *     wait = 20 × what the making took, at least 1 s, at most 30 s
 *
 * Making it takes the main thread, which also watches rollouts, and what it costs grows with the configuration. So it may have a twentieth of the
 * thread and no more: a configuration that takes 200 ms to show is shown every 4 s. The same holds for streams that come and go, or ask
 * once: whoever comes before the wait is over gets the state that there is. The bound of 30 s is for a machine that was suspended in the middle, which
 * looks like a making that took hours.
 *
 * A state that cannot be made is left out, and the streams go on with their events; the next is tried after the same wait. It is logged once, until one
 * can be made again. Which streams take a state is theirs to say: see EventStream.sendState.
 */
import type { Clock, Interval } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { EventStream } from './event-stream.ts';

/** Milliseconds between two. */
const SHORTEST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;
/** As a multiple of what making a state took. */
const WAIT_PER_COST = 20;

export interface LiveTickerOptions {
  readonly make: () => unknown;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** As a message of the stream. It has no id: a reader that resumes does so behind an event, and gets a newer state. */
export const formatState = (json: string): string => `event: state\ndata: ${json}\n\n`;

interface Made {
  readonly json: string;
  readonly frame: Buffer;
}

export class LiveTicker {
  readonly #options: LiveTickerOptions;
  readonly #streams = new Set<EventStream>();
  #timer: Interval | null = null;
  /** The last one; null where it could not be made. */
  #made: Made | null = null;
  /** Until when it is not made again. */
  #waitsUntil = Number.NEGATIVE_INFINITY;
  #failing = false;

  constructor(options: LiveTickerOptions) {
    this.#options = options;
  }

  /** The state as JSON; null where it cannot be made. */
  json(): string | null {
    return this.#current()?.json ?? null;
  }

  /** The same as a message. */
  frame(): Buffer | null {
    return this.#current()?.frame ?? null;
  }

  /** Sends each further state to this stream, until it closes. */
  follow(stream: EventStream): void {
    this.#streams.add(stream);
    stream.once('close', () => {
      this.#streams.delete(stream);
      if (this.#streams.size === 0) this.#stop();
    });
    if (this.#timer === null) this.#wait();
  }

  #current(): Made | null {
    if (this.#options.clock.now() >= this.#waitsUntil) this.#make();
    return this.#made;
  }

  #wait(): void {
    const { clock } = this.#options;
    this.#timer = clock.setInterval(() => this.#tick(), Math.max(0, this.#waitsUntil - clock.now()));
  }

  #tick(): void {
    this.#stop();
    this.#make();
    if (this.#made !== null) for (const stream of this.#streams) stream.sendState(this.#made.frame);
    this.#wait();
  }

  #make(): void {
    const { clock, make, logger } = this.#options;
    const began = clock.now();
    try {
      const json = JSON.stringify(make());
      this.#made = { json, frame: Buffer.from(formatState(json)) };
      this.#failing = false;
    } catch (error) {
      this.#made = null;
      const { message, stack } = error instanceof Error ? error : new Error(String(error));
      if (!this.#failing) logger.error('live_state_failed', { message, stack });
      this.#failing = true;
    }
    const ended = clock.now();
    const wait = WAIT_PER_COST * (ended - began);
    this.#waitsUntil = ended + Math.min(LONGEST_WAIT, Math.max(SHORTEST_WAIT, wait));
  }

  #stop(): void {
    this.#timer?.stop();
    this.#timer = null;
  }
}
