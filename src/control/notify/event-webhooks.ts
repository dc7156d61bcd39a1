/**
 * All webhook subscriptions of the configuration, by name.
 *
 * A reload keeps what a subscription has reached as long as its name stays, whatever else changes. One that is taken out is forgotten with its
 * cursor: put in again, it begins anew, and does not pour out what happened in between. That holds for those, too, that were taken out while
 * Sluice was not running. One reload follows the other, so that a subscription is never ended and begun at the same time.
 */
import type { EventWebhookConfig } from '../../model/admin-config.ts';
import { Turnstile } from '../change/turnstile.ts';
import type { Store } from '../store/store.ts';
import { EventWebhook, type EventWebhookContext, type EventWebhookCounts } from './event-webhook.ts';
import { CURSOR_PREFIX, cursorKey } from './webhook-cursor.ts';

export class EventWebhooks {
  readonly #context: EventWebhookContext;
  readonly #webhooks = new Map<string, EventWebhook>();
  readonly #unsubscribe: () => void;
  readonly #turnstile = new Turnstile();

  constructor(context: EventWebhookContext) {
    this.#context = context;
    this.#unsubscribe = context.log.subscribe(() => {
      for (const webhook of this.#webhooks.values()) webhook.notice();
    });
  }

  /** New ones begin with what happens after this call. @param retention how long events are kept, milliseconds. */
  configure(configs: readonly EventWebhookConfig[], retention = Number.POSITIVE_INFINITY): Promise<void> {
    const start = this.#context.log.lastId;
    return this.#turnstile.run(async () => {
      const names = new Set(configs.map(({ name }) => name));
      const gone = [...this.#webhooks].filter(([name]) => !names.has(name));
      for (const [name] of gone) this.#webhooks.delete(name);
      for (const config of configs) {
        const known = this.#webhooks.get(config.name);
        if (known !== undefined) known.reconfigure(config, retention);
        else this.#webhooks.set(config.name, new EventWebhook(config, start, retention, this.#context));
      }
      await Promise.all(gone.map(([, webhook]) => webhook.close()));
      await this.#forgetOthers(names);
    });
  }

  counts(): readonly EventWebhookCounts[] {
    return Array.from(this.#webhooks.values(), (webhook) => webhook.counts());
  }

  /** Call before the log is closed: what is emitted later is sent after the next start. */
  close(): Promise<void> {
    this.#unsubscribe();
    return this.#turnstile.run(async () => {
      await Promise.all(Array.from(this.#webhooks.values(), (webhook) => webhook.close()));
      this.#webhooks.clear();
    });
  }

  async #forgetOthers(names: ReadonlySet<string>): Promise<void> {
    const { store, logger } = this.#context;
    try {
      await forgetCursors(store, names);
    } catch (error) {
      // What is left over is forgotten by a later reload.
      logger.warn('webhook_cursor_not_forgotten', { message: (error as Error).message });
    }
  }
}

async function forgetCursors(store: Store, names: ReadonlySet<string>): Promise<void> {
  const kept = new Set(Array.from(names, cursorKey));
  const keys = (await store.list(CURSOR_PREFIX)).map(({ key }) => key).filter((key) => !kept.has(key));
  if (keys.length > 0) await store.commit({ deletes: keys });
}
