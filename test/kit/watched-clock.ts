/** A fake clock that says what is being waited for, so that a test knows when to move the hands. */
import { FakeClock, type Interval } from '../../src/runtime/clock.ts';
import { until } from './signal.ts';

export class WatchedClock extends FakeClock {
  /** The periods of all intervals that run. */
  readonly waiting: number[] = [];

  override setInterval(tick: () => void, ms: number): Interval {
    const interval = super.setInterval(tick, ms);
    this.waiting.push(ms);
    let running = true;
    return {
      stop: () => {
        interval.stop();
        if (running) this.waiting.splice(this.waiting.indexOf(ms), 1);
        running = false;
      },
    };
  }

  /** Waits until somebody waits for `ms`, then lets that time pass. */
  async pass(ms: number): Promise<void> {
    await until(`a wait of ${ms} ms`, () => this.waiting.includes(ms));
    this.advance(ms);
  }
}
