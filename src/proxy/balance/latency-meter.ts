/**
 * A peak-sensitive moving average of latencies: it jumps to a higher sample at once and comes down exponentially (peak-ewma-cost.ts).
 *
 * The decay is worked out when the value is read, from the time of the last sample, so no timer runs. A sample of 0 counts as a microsecond,
 * because 0 is how a meter says that it has measured nothing. That is also where a value ends that nobody has renewed for some 700 times
 * the decay: what was measured so long ago says nothing.
 *
 * @hotpath bench/micro/balance.ts
 */
import { peakAverage, remainingShare } from './peak-ewma-cost.ts';

const SHORTEST = 0.001;

export class LatencyMeter {
  readonly #decay: number;
  #average = 0;
  #sampledAt = 0;

  /** @param decay time constant of the average, milliseconds. */
  constructor(decay: number) {
    this.#decay = decay;
  }

  /** Whether there has been a sample. */
  get measured(): boolean {
    return this.#average > 0;
  }

  /** @param latency @param now milliseconds. */
  observe(latency: number, now: number): void {
    const sample = latency > SHORTEST ? latency : SHORTEST;
    this.#average = peakAverage(this.#average, sample, remainingShare(now - this.#sampledAt, this.#decay));
    this.#sampledAt = now;
  }

  /** Milliseconds; 0 where nothing was measured. */
  valueAt(now: number): number {
    return this.#average === 0 ? 0 : this.#average * remainingShare(now - this.#sampledAt, this.#decay);
  }
}
