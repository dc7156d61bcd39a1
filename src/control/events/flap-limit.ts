/**
 * Bounds how many events one thing may cause: an endpoint that falls and rises every second must not bury what else happens.
 *
 * The first MOST events of a subject pass, within a WINDOW that its first one opens. The others are counted and only the last of them is kept; when
 * the window ends it is told, with the number of those that were left out, and opens the next window. So the last event that readers
 * saw of a subject is never more than a window out of date, and a subject that is calm costs nothing: its window is forgotten.
 *
 * A fixed window rather than a token bucket, because then "so many in that minute" is a sentence that people understand.
 */
import type { Clock, Interval } from '../../runtime/clock.ts';
import type { NewEvent } from './event.ts';

export const MOST = 6;
export const WINDOW = 60_000;
/** How late the end of a window may be noticed. */
const LOOK_EVERY = 1_000;

interface Window {
  readonly endsAt: number;
  passed: number;
  suppressed: number;
  last: NewEvent | null;
}

export interface FlapLimitOptions {
  readonly clock: Clock;
  readonly pass: (event: NewEvent) => void;
}

export class FlapLimit {
  readonly #clock: Clock;
  readonly #pass: (event: NewEvent) => void;
  readonly #windows = new Map<string, Window>();
  #timer: Interval | null = null;

  constructor(options: FlapLimitOptions) {
    this.#clock = options.clock;
    this.#pass = options.pass;
  }

  /** @param subject whose events are counted together; the last of them must say how the subject stands. */
  offer(subject: string, event: NewEvent): void {
    const window = this.#windows.get(subject) ?? this.#open(subject);
    if (window.passed < MOST) {
      window.passed++;
      this.#pass(event);
    } else {
      window.suppressed++;
      window.last = event;
    }
  }

  /** Tells what is kept back. */
  close(): void {
    for (const window of this.#windows.values()) this.#summarise(window);
    this.#windows.clear();
    this.#timer?.stop();
    this.#timer = null;
  }

  #open(subject: string): Window {
    const window: Window = { endsAt: this.#clock.now() + WINDOW, passed: 0, suppressed: 0, last: null };
    this.#windows.set(subject, window);
    this.#timer ??= this.#clock.setInterval(() => this.#look(), LOOK_EVERY);
    return window;
  }

  #look(): void {
    const now = this.#clock.now();
    for (const [subject, window] of [...this.#windows]) {
      if (now < window.endsAt) continue;
      this.#windows.delete(subject);
      if (this.#summarise(window)) this.#open(subject).passed = 1;
    }
    if (this.#windows.size > 0) return;
    this.#timer?.stop();
    this.#timer = null;
  }

  #summarise({ last, suppressed: all }: Window): boolean {
    if (last === null) return false;
    const suppressed = all - 1;
    if (suppressed === 0) {
      this.#pass(last);
      return true;
    }
    const message = `${last.message} (${suppressed} events before this one were suppressed)`;
    this.#pass({ ...last, message, data: { ...last.data, suppressed } });
    return true;
  }
}
