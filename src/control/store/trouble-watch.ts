/**
 * Whether the state can be written: knows it, says when it changes, and finds out when it is over.
 *
 *     fine ── report ──▶ in trouble ── probe works ──▶ fine
 *                          │    ▲
 *                          └────┘ report of another kind
 *
 * In trouble nothing is tried but one probe a second: callers are refused at once, so requests that pile up at the API do not become as
 * many failing writes, each of which may hold the main thread until a disk gives up. A probe that itself is slow is not repeated before
 * ten times as long as it took has passed. Each change is told once, in the turn in which it is noticed.
 */
import type { Clock, Interval } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { StoreState } from './store.ts';
import type { TroubleFound } from './trouble.ts';

export type Trouble = StoreState['trouble'];

/** Milliseconds. */
const PROBE_INTERVAL = 1_000;
const REST_PER_PROBE = 10;

export interface TroubleWatchOptions {
  readonly clock: Clock;
  readonly wallClock: () => number;
  readonly logger: Logger;
  /** Writes something; null where that worked. */
  readonly probe: () => TroubleFound | null;
}

export class TroubleWatch {
  readonly #options: TroubleWatchOptions;
  readonly #listeners = new Set<(trouble: Trouble) => void>();
  #trouble: Trouble = null;
  #probing: Interval | null = null;
  #restUntil = Number.NEGATIVE_INFINITY;

  constructor(options: TroubleWatchOptions) {
    this.#options = options;
  }

  get trouble(): Trouble {
    return this.#trouble;
  }

  report({ kind, message }: TroubleFound): void {
    const before = this.#trouble;
    if (before?.kind === kind && before.message === message) return;
    const since = before?.since ?? new Date(this.#options.wallClock()).toISOString();
    this.#trouble = { kind, message, since };
    this.#probing ??= this.#options.clock.setInterval(() => this.#probe(), PROBE_INTERVAL);
    if (before?.kind === kind) return;
    this.#options.logger.error('store_failed', { kind, message });
    this.#tell();
  }

  /** @returns what ends it. */
  onChange(listener: (trouble: Trouble) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.#probing?.stop();
    this.#probing = null;
    this.#listeners.clear();
  }

  #probe(): void {
    const { clock, logger, probe } = this.#options;
    const begin = clock.now();
    if (begin < this.#restUntil) return;
    const found = probe();
    const end = clock.now();
    this.#restUntil = end + (end - begin) * REST_PER_PROBE;
    if (found !== null) return this.report(found);
    this.#probing?.stop();
    this.#probing = null;
    logger.info('store_recovered', { since: this.#trouble?.since });
    this.#trouble = null;
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(this.#trouble);
      } catch (error) {
        this.#options.logger.error('store_listener_failed', { error: String(error) });
      }
    }
  }
}
