/**
 * Keeps in the store what the metrics of each version were, and forgets there what is too old.
 *
 *     every 10 s   one commit with a point for each version that has something to say
 *     every hour   prune, for the first time a minute after the start, when the start's own work is done
 *
 * A version without traffic has no values, and writing that again and again says nothing: the first such point is written, as the end of the
 * line in a graph, the following ones are not. While the store is in trouble points are left out rather than queued: a gap in a graph is
 * bearable, and the disk is what there is too little of. One commit at a time: where it takes longer than 10 s the next points are left out too.
 */
import type { Clock, Interval } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { type HistoryPoint, type Store, StoreError } from '../store/store.ts';

export const POINT_EVERY = 10_000;
export const FIRST_SWEEP = 60_000;
export const SWEEP_EVERY = 3_600_000;

/** What the monitor reads of a version now. */
export type HistoryReading = Pick<HistoryPoint, 'service' | 'version' | 'values'>;

/** Milliseconds. */
export interface Retention {
  /** Of events and audit rows. */
  readonly events: number;
  readonly history: number;
}

export interface HistoryKeeperOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Milliseconds since 1970. Default: the system's. */
  readonly wallClock?: () => number;
  readonly logger: Logger;
  /** `() => monitor.values()` */
  readonly readings: () => readonly HistoryReading[];
  readonly retention: Retention;
}

export class HistoryKeeper {
  readonly #options: HistoryKeeperOptions;
  readonly #wallClock: () => number;
  readonly #interval: Interval;
  #retention: Retention;
  /** Versions whose last point has values. */
  #active = new Set<string>();
  #sweepAt: number;
  #working: Promise<void> | null = null;

  constructor(options: HistoryKeeperOptions) {
    this.#options = options;
    this.#wallClock = options.wallClock ?? Date.now;
    this.#retention = options.retention;
    this.#sweepAt = options.clock.now() + FIRST_SWEEP;
    this.#interval = options.clock.setInterval(() => this.#tick(), POINT_EVERY);
  }

  /** After a reload. */
  configure(retention: Retention): void {
    this.#retention = retention;
  }

  async close(): Promise<void> {
    this.#interval.stop();
    await this.#working;
  }

  #tick(): void {
    if (this.#working !== null || this.#options.store.state().trouble !== null) return;
    this.#working = this.#work().finally(() => {
      this.#working = null;
    });
  }

  async #work(): Promise<void> {
    try {
      await this.#record();
      await this.#sweep();
    } catch (error) {
      // The store tells of its own trouble.
      if (error instanceof StoreError && error.trouble !== 'conflict') return;
      this.#options.logger.error('history_not_kept', { message: (error as Error).message });
    }
  }

  async #record(): Promise<void> {
    const at = this.#wallClock();
    const active = new Set<string>();
    const history: HistoryPoint[] = [];
    for (const { service, version, values } of this.#options.readings()) {
      const key = JSON.stringify([service, version]);
      const hasValues = Object.values(values).some((value) => value !== null);
      if (hasValues) active.add(key);
      if (hasValues || this.#active.has(key)) history.push({ at, service, version, values });
    }
    if (history.length > 0) await this.#options.store.commit({ history });
    this.#active = active;
  }

  async #sweep(): Promise<void> {
    const { clock, store } = this.#options;
    if (clock.now() < this.#sweepAt) return;
    const now = this.#wallClock();
    const { events, history } = this.#retention;
    await store.prune({ events: now - events, audit: now - events, history: now - history });
    // Only behind a success, so that a sweep that failed is made up for at the next look.
    this.#sweepAt = clock.now() + SWEEP_EVERY;
  }
}
