/**
 * Writing down what is only measured: counts, soak time, the sentence about what is waited for.
 *
 * It is no change, so it has neither an audit row nor an event, and it may be lost for as long as there is between two writings. Many rollouts are
 * written in batches, because a commit holds the thread for as long as it takes. What cannot be written is written later; what is being
 * written by a change at that moment is newer than what is known here, and left out.
 */
import type { Store } from '../store/store.ts';
import { type Rollout, rolloutKey } from './rollout.ts';

const BATCH = 16;

export interface SavingSources {
  readonly store: Store;
  /** Newest state with what has been counted until now; null for one that is gone, or is being written. */
  readonly state: (id: string) => Rollout | null;
}

export class Saving {
  readonly #sources: SavingSources;
  /** What is kept is older than what is so. */
  readonly #unsaved = new Set<string>();

  constructor(sources: SavingSources) {
    this.#sources = sources;
  }

  note(id: string): void {
    this.#unsaved.add(id);
  }

  forget(id: string): void {
    this.#unsaved.delete(id);
  }

  async save(): Promise<void> {
    const ids = [...this.#unsaved];
    for (let from = 0; from < ids.length; from += BATCH) await this.#write(ids.slice(from, from + BATCH));
  }

  async #write(ids: readonly string[]): Promise<void> {
    const { store, state } = this.#sources;
    const states = ids.map((id) => ({ id, value: state(id) })).filter(({ value }) => value !== null);
    if (states.length === 0) return;
    for (const { id } of states) this.#unsaved.delete(id);
    await store.commit({ puts: states.map(({ id, value }) => ({ key: rolloutKey(id), value })) }).catch(() => {
      for (const { id } of states) this.#unsaved.add(id);
    });
  }
}
