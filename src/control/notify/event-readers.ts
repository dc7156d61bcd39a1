/**
 * A family of event readers, by the names of their recipients.
 *
 * A reload keeps what a reader has reached as long as its recipient's name stays, whatever else changes. One that is taken out is forgotten with its
 * cursor: put in again, it begins anew, and does not pour out what happened in between. That holds for those, too, that were taken out while
 * Sluice was not running. One reload follows the other, so that a reader is never ended and begun at the same time.
 */
import { Turnstile } from '../change/turnstile.ts';
import type { Store } from '../store/store.ts';
import { EventReader, type ReaderContext, type ReaderCounts, type ReaderManner } from './event-reader.ts';
import type { Recipient } from './recipient.ts';
import { cursorKey } from './webhook-cursor.ts';

export class EventReaders {
  readonly #context: ReaderContext;
  readonly #manner: ReaderManner;
  readonly #readers = new Map<string, EventReader>();
  readonly #unsubscribe: () => void;
  readonly #turnstile = new Turnstile();

  constructor(manner: ReaderManner, context: ReaderContext) {
    this.#manner = manner;
    this.#context = context;
    this.#unsubscribe = context.log.subscribe(() => {
      for (const reader of this.#readers.values()) reader.notice();
    });
  }

  /** New ones begin with what happens after this call. @param retention how long events are kept, milliseconds. */
  configure(recipients: readonly Recipient[], retention = Number.POSITIVE_INFINITY): Promise<void> {
    const manner = this.#manner;
    const start = this.#context.log.lastId;
    return this.#turnstile.run(async () => {
      const names = new Set(recipients.map(({ name }) => name));
      const gone = [...this.#readers].filter(([name]) => !names.has(name));
      for (const [name] of gone) this.#readers.delete(name);
      for (const recipient of recipients) {
        const { name } = recipient;
        const known = this.#readers.get(name);
        if (known !== undefined) known.reconfigure(recipient, retention);
        else this.#readers.set(name, new EventReader({ recipient, start, retention, manner }, this.#context));
      }
      await Promise.all(gone.map(([, reader]) => reader.close()));
      await this.#forgetOthers(names);
    });
  }

  reader(name: string): EventReader | undefined {
    return this.#readers.get(name);
  }

  counts(): readonly ReaderCounts[] {
    return Array.from(this.#readers.values(), (reader) => reader.counts());
  }

  /** Call before the log is closed: what is emitted later is sent after the next start. */
  close(): Promise<void> {
    this.#unsubscribe();
    return this.#turnstile.run(async () => {
      await Promise.all(Array.from(this.#readers.values(), (reader) => reader.close()));
      this.#readers.clear();
    });
  }

  async #forgetOthers(names: ReadonlySet<string>): Promise<void> {
    const { store, logger } = this.#context;
    try {
      await forgetCursors(store, this.#manner.cursors, names);
    } catch (error) {
      // What is left over is forgotten by a later reload.
      logger.warn('webhook_cursor_not_forgotten', { message: (error as Error).message });
    }
  }
}

async function forgetCursors(store: Store, prefix: string, names: ReadonlySet<string>): Promise<void> {
  const kept = new Set(Array.from(names, (name) => cursorKey(name, prefix)));
  const keys = (await store.list(prefix)).map(({ key }) => key).filter((key) => !kept.has(key));
  if (keys.length > 0) await store.commit({ deletes: keys });
}
