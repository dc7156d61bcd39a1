/** Notifications as the admin API has them: what is critical, and that somebody looks after it, which goes into the audit with who said so. */
import { auditOf } from '../change/change-core.ts';
import { storeProblem } from '../change/refusals.ts';
import type { Actor, ChangeOptions, NotificationView } from '../operations.ts';
import type { Store } from '../store/store.ts';
import type { Notifications } from './notifications.ts';

export interface NotificationOperationsOptions {
  readonly notifications: Notifications;
  readonly store: Store;
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
    const { notifications, store } = this.#options;
    return notifications.acknowledge(id, actor.name, async (change, acknowledged) => {
      const audit = auditOf(actor, options, {
        action: 'notification.acknowledge',
        target: `notifications/${id}`,
        before: null,
        after: acknowledged,
      });
      await store.commit({ ...change, audit: [audit] }).catch((error: unknown) => {
        throw storeProblem(error);
      });
    });
  }
}
