/**
 * Who wants to know of changes below which prefix.
 *
 * Listeners are called behind the commit and in its order: a listener that commits in turn has its changes told after everybody has heard of
 * the present ones. One that throws is logged and the rest are told all the same, since the change is durable by then.
 */
import type { Logger } from '../../runtime/logger.ts';

/** `value` is undefined for a key that was deleted. */
export interface Change {
  readonly key: string;
  readonly value: unknown;
}

interface Watcher {
  readonly prefix: string;
  readonly listener: (changes: readonly Change[]) => void;
}

export class WatchList {
  readonly #logger: Logger;
  readonly #watchers = new Set<Watcher>();
  readonly #queue: (readonly Change[])[] = [];
  #telling = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @returns what ends it. */
  add(prefix: string, listener: Watcher['listener']): () => void {
    const watcher = { prefix, listener };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  tell(changes: readonly Change[]): void {
    this.#queue.push(changes);
    if (this.#telling) return;
    this.#telling = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      for (const watcher of [...this.#watchers]) this.#tellOne(watcher, next);
    }
    this.#telling = false;
  }

  #tellOne({ prefix, listener }: Watcher, all: readonly Change[]): void {
    const changes = all.filter(({ key }) => key.startsWith(prefix));
    if (changes.length === 0) return;
    try {
      listener(changes);
    } catch (error) {
      this.#logger.error('store_listener_failed', { error: String(error) });
    }
  }
}
