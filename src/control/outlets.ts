/**
 * Those outside whom Sluice tells of what happens: webhooks and notification channels of events, and the collector of traces.
 *
 * They have one thing in common: whom they tell is in the configuration and may change with every reload, and nothing else that Sluice does
 * depends on whether anybody listens.
 */
import type { SluiceConfig } from '../model/config.ts';
import { EventWebhooks } from './notify/event-webhooks.ts';
import { Notifications, type NotificationsOptions } from './notify/notifications.ts';
import { TraceExport } from './tracing/trace-export.ts';

export interface OutletsOptions extends NotificationsOptions {
  /** Of Sluice, such as 0.1.0. */
  readonly release: string;
}

export class Outlets {
  readonly notifications: Notifications;
  readonly traces: TraceExport;
  readonly #webhooks: EventWebhooks;

  constructor(options: OutletsOptions) {
    this.#webhooks = new EventWebhooks(options);
    this.notifications = new Notifications(options);
    this.traces = new TraceExport(options);
  }

  async configure(config: SluiceConfig): Promise<void> {
    await this.traces.configure(config.tracing);
    await this.#webhooks.configure(config.events.webhooks, config.events.retention);
    await this.notifications.configure(config.rollouts.notifications);
  }

  async close(): Promise<void> {
    await Promise.all([this.traces.close(), this.#webhooks.close()]);
    await this.notifications.close();
  }
}
