/**
 * Time as a parameter: everything that waits or measures takes a Clock, so that tests turn the hands themselves.
 *
 * Times are milliseconds on a monotonic scale with an arbitrary origin; they are only ever subtracted.
 */

export interface Interval {
  stop(): void;
}

export interface Clock {
  /** Monotonic time in milliseconds. */
  now(): number;
  /** Calls `tick` about every `ms` milliseconds until stopped; late calls are not made up for. */
  setInterval(tick: () => void, ms: number): Interval;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  setInterval(tick, ms) {
    const handle = setInterval(tick, ms);
    return { stop: () => clearInterval(handle) };
  },
};

interface FakeInterval {
  readonly tick: () => void;
  readonly period: number;
  due: number;
}

/** A clock that stands still until {@link FakeClock.advance} moves it; due intervals run in order inside that call. */
export class FakeClock implements Clock {
  #now = 0;
  readonly #intervals = new Set<FakeInterval>();

  now(): number {
    return this.#now;
  }

  setInterval(tick: () => void, ms: number): Interval {
    const interval = { tick, period: ms, due: this.#now + ms };
    this.#intervals.add(interval);
    return { stop: () => void this.#intervals.delete(interval) };
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      let next: FakeInterval | null = null;
      for (const interval of this.#intervals) {
        if (interval.due <= end && (next === null || interval.due < next.due)) next = interval;
      }
      if (next === null) break;
      this.#now = next.due;
      next.due += next.period;
      next.tick();
    }
    this.#now = end;
  }
}
