/**
 * How far a webhook has got in the event log, kept in the store under `webhooks/NAME/cursor`.
 *
 * It is written at most once a second, since a commit costs an fsync: whoever is killed in between sends up to a second's worth of events again,
 * which at-least-once allows. While the store is in trouble it stays in memory and is written when that is over. A subscription that is new
 * begins now, not with the first event that there ever was. A cursor beyond the log's end (the state was put back from a
 * backup) is taken as the end, or nothing would be sent for a long time.
 *
 * Beside the number there is a name for the subscription, drawn when it begins. It is part of every delivery's id, because a receiver of several
 * Sluices would otherwise take the fifth event of one for that of another. What else the recipient must know of the events up to there
 * (`kept`) is one value with the number, so that after a crash the two still fit.
 */
import type { Clock, Interval } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Random } from '../../runtime/random.ts';
import type { Store } from '../store/store.ts';

export const SAVE_EVERY = 1_000;
export const CURSOR_PREFIX = 'webhooks/';

export const cursorKey = (name: string, prefix = CURSOR_PREFIX): string => `${prefix}${name}/cursor`;

interface Position {
  /** The last event that is done with. */
  readonly id: number;
  readonly subscription: string;
  /** JSON; left out where there is nothing. */
  readonly kept?: unknown;
}

export interface WebhookCursorOptions {
  readonly name: string;
  /** Where cursors of this family are kept. Default `webhooks/`. */
  readonly prefix?: string;
  /** Milliseconds. Default {@link SAVE_EVERY}. */
  readonly saveEvery?: number;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export class WebhookCursor {
  readonly #options: WebhookCursorOptions;
  readonly #key: string;
  #id = 0;
  #subscription = '';
  #kept: unknown = null;
  #dirty = false;
  #timer: Interval | null = null;
  #saving: Promise<void> | null = null;

  constructor(options: WebhookCursorOptions) {
    this.#options = options;
    this.#key = cursorKey(options.name, options.prefix);
  }

  get id(): number {
    return this.#id;
  }

  get subscription(): string {
    return this.#subscription;
  }

  /** Null where there is nothing. */
  get kept(): unknown {
    return this.#kept;
  }

  /** @param last where a new subscription begins. */
  async load(last: number): Promise<void> {
    const { name, store, random, logger } = this.#options;
    let known: unknown = null;
    try {
      known = (await store.get(this.#key))?.value;
    } catch (error) {
      logger.error('webhook_cursor_unreadable', { webhook: name, message: (error as Error).message });
    }
    if (isPosition(known)) {
      this.#id = Math.min(known.id, last);
      this.#subscription = known.subscription;
      this.#kept = known.kept ?? null;
    } else {
      this.#subscription = Math.floor(random.next() * 2 ** 48)
        .toString(16)
        .padStart(12, '0');
      this.advance(last);
      // At once, or a process that is killed within the second would begin anew, later.
      await this.#save();
    }
  }

  advance(id: number, kept: unknown = null): void {
    this.#id = id;
    this.#kept = kept;
    this.#dirty = true;
    this.#schedule();
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    await this.#saving;
    await this.#save();
    this.#timer?.stop();
    this.#timer = null;
  }

  #schedule(): void {
    this.#timer ??= this.#options.clock.setInterval(() => {
      this.#saving ??= this.#save().finally(() => {
        this.#saving = null;
      });
    }, this.#options.saveEvery ?? SAVE_EVERY);
  }

  /** Leaves the timer running where it could not be written, and as long as there is something to write. */
  async #save(): Promise<void> {
    const { name, store, logger } = this.#options;
    if (!this.#dirty) {
      this.#timer?.stop();
      this.#timer = null;
    } else if (store.state().trouble === null) {
      this.#dirty = false;
      const kept = this.#kept;
      const value: Position = { id: this.#id, subscription: this.#subscription, ...(kept !== null && { kept }) };
      try {
        await store.commit({ puts: [{ key: this.#key, value }] });
      } catch (error) {
        this.#dirty = true;
        logger.warn('webhook_cursor_not_saved', { webhook: name, message: (error as Error).message });
      }
    }
  }
}

const isPosition = (value: unknown): value is Position =>
  typeof value === 'object' &&
  value !== null &&
  Number.isSafeInteger((value as Position).id) &&
  typeof (value as Position).subscription === 'string';
