/**
 * What is critical and wants to be acknowledged: in memory for whoever asks, in the store under `notification/ID` over restarts.
 *
 * The id is the number of the event. Memory comes first: while the store cannot be written, notifications are still listed and
 * escalated, and are written when that is over. Acknowledging alone is refused then, because it is audited, and what is said to be done must be
 * done after a restart, too. All writing goes through one turnstile, so that none writes over another's.
 *
 * Limits: 500 notifications and 30 days; the oldest go first, acknowledged or not, since a storm of them says the same thing again and again.
 */
import type { Logger } from '../../runtime/logger.ts';
import { Turnstile } from '../change/turnstile.ts';
import type { SluiceEvent } from '../events/event.ts';
import { OperationError } from '../problems.ts';
import type { Commit, Store } from '../store/store.ts';
import type { Escalation, Notification } from './escalation.ts';

export const NOTIFICATIONS = 'notification/';
export const notificationKey = (id: string): string => `${NOTIFICATIONS}${id}`;
export const MOST_KEPT = 500;
export const KEPT_FOR = 30 * 24 * 3_600_000;

export interface NotificationBookOptions {
  readonly store: Store;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
}

export class NotificationBook {
  readonly #options: NotificationBookOptions;
  /** Oldest first. */
  readonly #notifications = new Map<string, Notification>();
  /** Ids of what the store does not have as it is. */
  readonly #unsaved = new Set<string>();
  readonly #turnstile = new Turnstile();
  readonly #unsubscribe: () => void;

  constructor(options: NotificationBookOptions) {
    this.#options = options;
    this.#unsubscribe = options.store.onTrouble((trouble) => {
      if (trouble === null) void this.#saveAll();
    });
  }

  /** Reads what the store has. */
  async load(): Promise<void> {
    const { store, logger } = this.#options;
    try {
      const entries = await store.list(NOTIFICATIONS);
      const found = entries.flatMap(({ value }) => (isNotification(value) ? [value] : []));
      for (const each of found.sort((a, b) => a.event.id - b.event.id))
        this.#notifications.set(`${each.event.id}`, each);
    } catch (error) {
      logger.error('notifications_unreadable', { message: (error as Error).message });
    }
    const pruned = this.#prune();
    if (pruned.length > 0) await this.#commit({ deletes: pruned }, []);
  }

  get(id: string): Notification | undefined {
    return this.#notifications.get(id);
  }

  /** Oldest first. */
  all(): readonly Notification[] {
    const since = this.#options.wallClock() - KEPT_FOR;
    return [...this.#notifications.values()].filter(({ event }) => Date.parse(event.at) >= since);
  }

  /** Of an event that is there already nothing changes. @param told names of the channels that want it. */
  add(event: SluiceEvent, told: readonly string[]): void {
    const id = `${event.id}`;
    if (this.#notifications.has(id)) return;
    this.#notifications.set(id, { event, told, acknowledged: null, escalations: [] });
    const deletes = this.#prune();
    void this.#turnstile.run(() => this.#save([id], deletes));
  }

  escalated(id: string, escalation: Escalation): void {
    const known = this.#notifications.get(id);
    if (known === undefined) return;
    this.#notifications.set(id, { ...known, escalations: [...known.escalations, escalation] });
    void this.#turnstile.run(() => this.#save([id]));
  }

  /**
   * @param commit makes it durable, together with whatever belongs to it; nothing has changed where it rejects.
   * @throws OperationError not_found, conflict; and what `commit` rejects with.
   */
  acknowledge(
    id: string,
    by: string,
    commit: (
      change: Commit,
      acknowledged: NonNullable<Notification['acknowledged']>,
      event: SluiceEvent,
    ) => Promise<unknown>,
  ): Promise<Notification> {
    return this.#turnstile.run(async () => {
      const known = this.#notifications.get(id);
      if (known === undefined) {
        const message = `there is no notification ${id}; it may have been forgotten after ${KEPT_FOR / 86_400_000} days. sluice notifications lists what there is`;
        throw new OperationError('not_found', message);
      }
      if (known.acknowledged !== null) {
        const message = `notification ${id} was acknowledged by ${known.acknowledged.by} at ${known.acknowledged.at}`;
        throw new OperationError('conflict', message);
      }
      const acknowledged = { by, at: new Date(this.#options.wallClock()).toISOString() };
      await commit(
        { puts: [{ key: notificationKey(id), value: { ...known, acknowledged } }] },
        acknowledged,
        known.event,
      );
      // An escalation may have been noted meanwhile; its own writing comes behind this one.
      const next = { ...(this.#notifications.get(id) ?? known), acknowledged };
      if (this.#notifications.has(id)) this.#notifications.set(id, next);
      return next;
    });
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    this.#unsubscribe();
    await this.#saveAll();
  }

  #saveAll(): Promise<void> {
    return this.#turnstile.run(() => this.#save([...this.#unsaved]));
  }

  async #save(ids: readonly string[], deletes: readonly string[] = []): Promise<void> {
    const puts = ids.flatMap((id) => {
      const value = this.#notifications.get(id);
      return value === undefined ? [] : [{ key: notificationKey(id), value }];
    });
    for (const id of ids) this.#unsaved.delete(id);
    if (puts.length + deletes.length > 0) await this.#commit({ puts, deletes }, ids);
  }

  async #commit(change: Commit, ids: readonly string[]): Promise<void> {
    const { store, logger } = this.#options;
    try {
      await store.commit(change);
    } catch (error) {
      for (const id of ids) this.#unsaved.add(id);
      logger.warn('notification_not_saved', { ids, message: (error as Error).message });
    }
  }

  /** @returns keys of what is forgotten. */
  #prune(): string[] {
    const since = this.#options.wallClock() - KEPT_FOR;
    const old = [...this.#notifications].filter(
      ([, { event }], index) => index < this.#notifications.size - MOST_KEPT || Date.parse(event.at) < since,
    );
    for (const [id] of old) this.#notifications.delete(id);
    return old.map(([id]) => notificationKey(id));
  }
}

const isNotification = (value: unknown): value is Notification =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Notification).event?.id === 'number' &&
  Array.isArray((value as Notification).told) &&
  Array.isArray((value as Notification).escalations);
