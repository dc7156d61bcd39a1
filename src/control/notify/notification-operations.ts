/**
 * Notifications as the admin API has them: what is critical, and that somebody looks after it.
 *
 * Who said so goes into the audit and is an event, both in the commit that keeps it: whoever was called as well has to learn that somebody else is on it.
 */
import { auditOf, type EventPublisher } from '../change/change-core.ts';
import { storeProblem } from '../change/refusals.ts';
import type { Actor, ChangeOptions, NotificationView } from '../operations.ts';
import type { Store } from '../store/store.ts';
import type { Notifications } from './notifications.ts';

export interface NotificationOperationsOptions {
  readonly notifications: Notifications;
  readonly store: Store;
  readonly events: Pick<EventPublisher, 'prepare' | 'publish' | 'discard'>;
}

export class NotificationOperations {
  readonly #options: NotificationOperationsOptions;

  constructor(options: NotificationOperationsOptions) {
    this.#options = options;
  }

  /** What is critical, newest first. */
  list(): readonly NotificationView[] {
    return this.#options.notifications.list();
  }

  /** It is escalated no further. @throws OperationError not_found; conflict where somebody has done so; store_full, store_unavailable */
  acknowledge(actor: Actor, id: string, options: ChangeOptions): Promise<NotificationView> {
    const { notifications, store, events } = this.#options;
    return notifications.acknowledge(id, actor.name, async (change, acknowledged, { type, service, message }) => {
      const audit = auditOf(actor, options, {
        action: 'notification.acknowledge',
        target: `notifications/${id}`,
        before: null,
        after: acknowledged,
      });
      const event = events.prepare({
        ...{ type: 'notification.acknowledged', level: 'info', ...(service !== undefined && { service }) },
        message: `${actor.name} looks after notification ${id}: ${message}`,
        data: {
          notification: id,
          by: actor.name,
          of: type,
          ...(options.reason !== undefined && { reason: options.reason }),
        },
      });
      await store.commit({ ...change, audit: [audit], events: [event] }).catch((error: unknown) => {
        events.discard([event]);
        throw storeProblem(error);
      });
      events.publish([event]);
    });
  }
}
