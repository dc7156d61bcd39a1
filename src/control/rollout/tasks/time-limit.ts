/**
 * A time that something may take, which ends early where what it is part of ends.
 *
 * Limits nest: a request within a check within a preflight within a task that somebody may cancel. Each is an AbortSignal, which is what undici
 * takes, and each knows whether its own time ended it, because "too slow" and "not wanted any more" are different findings. The time is that of
 * the given clock, which `AbortSignal.timeout` and `AbortSignal.any` would leave no room for: a test turns the hands.
 *
 * A limit that has ended stays so; waiting on it returns at once. `end` must be called in any case, or its interval goes on.
 */
import type { Clock, Interval } from '../../../runtime/clock.ts';

export class TimeLimit {
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #timer: Interval;
  readonly #parent: AbortSignal;
  readonly #follow = (): void => this.#controller.abort();
  #expired = false;

  /** @param ms milliseconds from now. */
  constructor(clock: Clock, ms: number, parent: AbortSignal) {
    this.#clock = clock;
    this.#parent = parent;
    this.#timer = clock.setInterval(() => {
      this.#expired = true;
      this.end();
      this.#controller.abort();
    }, ms);
    if (parent.aborted) this.#controller.abort();
    else parent.addEventListener('abort', this.#follow);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the own time was over first. */
  get expired(): boolean {
    return this.#expired;
  }

  get over(): boolean {
    return this.signal.aborted;
  }

  /** Returns when the time is over, or earlier where the limit is. */
  wait(ms: number): Promise<void> {
    const { signal } = this;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        timer.stop();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = this.#clock.setInterval(done, ms);
      signal.addEventListener('abort', done);
    });
  }

  /** Lets go of clock and parent. */
  end(): void {
    this.#timer.stop();
    this.#parent.removeEventListener('abort', this.#follow);
  }
}
