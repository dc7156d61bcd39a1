/** All webhook subscriptions of the configuration: a family of event readers whose recipients are webhooks. */
import type { EventWebhookConfig } from '../../model/admin-config.ts';
import type { ReaderContext, ReaderCounts } from './event-reader.ts';
import { EventReaders } from './event-readers.ts';
import { eventWebhook, WEBHOOK_MANNER } from './event-webhook.ts';

export class EventWebhooks {
  readonly #wallClock: () => number;
  readonly #readers: EventReaders;

  constructor(context: ReaderContext) {
    this.#wallClock = context.wallClock;
    this.#readers = new EventReaders(WEBHOOK_MANNER, context);
  }

  /** New ones begin with what happens after this call. @param retention how long events are kept, milliseconds. */
  configure(configs: readonly EventWebhookConfig[], retention = Number.POSITIVE_INFINITY): Promise<void> {
    return this.#readers.configure(
      configs.map((config) => eventWebhook(config, this.#wallClock)),
      retention,
    );
  }

  counts(): readonly ReaderCounts[] {
    return this.#readers.counts();
  }

  /** Call before the log is closed: what is emitted later is sent after the next start. */
  close(): Promise<void> {
    return this.#readers.close();
  }
}
