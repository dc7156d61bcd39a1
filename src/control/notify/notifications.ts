/**
 * Tells people: events to the channels that want them, and again to somebody else what is critical and nobody acknowledges.
 *
 *     event log ─┬─▶ a reader for each channel ─▶ webhook, Slack, Alertmanager
 *                └─▶ a reader for the book ─▶ notification/ID ─ not acknowledged in time ─▶ the reader of the next channel
 *
 * Channels are event readers (event-reader.ts), as webhooks are: each has its own place in the log, so none waits for another, and none loses
 * anything over a restart. The book is one, too: what is critical in the log gets there even if the process ended right behind it.
 * An escalation is handed to the reader of the channel that it goes to, and is written down when it was sent; a restart in between sends it
 * again. It is taken back where somebody acknowledges before it could be sent. One timer waits for the next of them; it goes by the time of day, since
 * time in which Sluice was down counts.
 *
 * Without channels the book is kept all the same: what there is to acknowledge can be asked for.
 */
import type { NotificationConfig } from '../../model/rollout-config.ts';
import type { Interval } from '../../runtime/clock.ts';
import type { NotificationView } from '../operations.ts';
import { CHANNEL_MANNER, channelOf, isSelected } from './channel.ts';
import { escalationsDue, type Notification, spoken } from './escalation.ts';
import { EventReader, type ReaderContext, type ReaderCounts, type ReaderManner } from './event-reader.ts';
import { EventReaders } from './event-readers.ts';
import { NotificationBook } from './notification-book.ts';
import { ACCEPTED, type Recipient } from './recipient.ts';

const BOOK_MANNER: ReaderManner = {
  ...CHANNEL_MANNER,
  cursors: 'notification-book/',
  // To read a minute's events again costs next to nothing, and entering one twice changes nothing; a commit a second would cost more.
  saveEvery: 60_000,
  ...{ most: Number.POSITIVE_INFINITY, refusals: Number.POSITIVE_INFINITY },
};

export interface NotificationsOptions extends ReaderContext {
  /** Where secrets named `env:NAME` are read. */
  readonly env: NodeJS.ProcessEnv;
  /** Where people reach the admin API, for links. Default: no links. */
  readonly externalUrl?: string;
}

export class Notifications {
  readonly #options: NotificationsOptions;
  readonly #channels: EventReaders;
  readonly #book: NotificationBook;
  readonly #loaded: Promise<void>;
  readonly #unsubscribe: () => void;
  #configs: readonly NotificationConfig[] = [];
  #bookReader: EventReader | null = null;
  #timer: Interval | null = null;
  /** `ID to CHANNEL` of escalations that are handed over and not done with, and the channel. */
  readonly #underWay = new Map<string, string>();
  #closed = false;

  constructor(options: NotificationsOptions) {
    this.#options = options;
    this.#channels = new EventReaders(CHANNEL_MANNER, options);
    this.#book = new NotificationBook(options);
    this.#loaded = this.#book.load();
    this.#unsubscribe = options.log.subscribe(() => this.#bookReader?.notice());
  }

  /** Channels that are new begin with what happens after this call; others keep what they have reached. */
  async configure(configs: readonly NotificationConfig[]): Promise<void> {
    const { log, wallClock, env, externalUrl = null } = this.#options;
    const start = log.lastId;
    const configured = this.#channels.configure(
      configs.map((config) => channelOf(config, { wallClock, env, externalUrl })),
    );
    await this.#loaded;
    await configured;
    this.#configs = configs;
    for (const [way, to] of this.#underWay) if (this.#channels.reader(to) === undefined) this.#underWay.delete(way);
    if (!this.#closed) this.#bookReader ??= this.#newBookReader(start);
    this.#schedule();
  }

  /** What is critical, newest first. */
  list(): readonly NotificationView[] {
    return this.#book.all().map(viewOf).reverse();
  }

  /** As {@link NotificationBook.acknowledge}. */
  async acknowledge(...args: Parameters<NotificationBook['acknowledge']>): Promise<NotificationView> {
    const notification = await this.#book.acknowledge(...args);
    this.#schedule();
    return viewOf(notification);
  }

  counts(): readonly ReaderCounts[] {
    return this.#channels.counts();
  }

  /** Call before the log is closed: what is emitted later is sent after the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    this.#schedule();
    await this.#loaded;
    await Promise.all([this.#channels.close(), this.#bookReader?.close()]);
    await this.#book.close();
  }

  #newBookReader(start: number): EventReader {
    const recipient: Recipient = {
      ...{ name: 'book', origin: '' },
      wants: ({ level }) => level === 'critical',
      send: async (_sender, event) => {
        const told = this.#configs.filter((config) => isSelected(config, event)).map(({ name }) => name);
        this.#book.add(event, told);
        this.#schedule();
        return ACCEPTED;
      },
    };
    return new EventReader(
      { recipient, start, retention: Number.POSITIVE_INFINITY, manner: BOOK_MANNER },
      this.#options,
    );
  }

  /** Waits for the next escalation, if there is one. */
  #schedule(): void {
    this.#timer?.stop();
    this.#timer = null;
    if (this.#closed) return;
    const next = Math.min(...this.#due().map(({ at }) => at));
    if (next === Number.POSITIVE_INFINITY) return;
    const wait = Math.max(1, next - this.#options.wallClock());
    this.#timer = this.#options.clock.setInterval(() => this.#escalateDue(), wait);
  }

  #due(): readonly { readonly notification: Notification; readonly to: string; readonly at: number }[] {
    return this.#book.all().flatMap((notification) =>
      escalationsDue(notification, this.#configs)
        .filter(({ to }) => !this.#underWay.has(wayOf(notification, to)))
        .map((due) => ({ notification, ...due })),
    );
  }

  #escalateDue(): void {
    const now = this.#options.wallClock();
    for (const { notification, to, at } of this.#due()) if (at <= now) this.#escalate(notification, to, now);
    this.#schedule();
  }

  #escalate({ event }: Notification, to: string, now: number): void {
    const id = `${event.id}`;
    const way = wayOf({ event }, to);
    const message = `not acknowledged for ${spoken(now - Date.parse(event.at))}: ${event.message}`;
    const reader = this.#channels.reader(to);
    if (reader === undefined) return;
    this.#underWay.set(way, to);
    reader.also({
      event: { ...event, at: new Date(now).toISOString(), message, notification: id },
      isWanted: () => this.#book.get(id)?.acknowledged === null,
      onDone: (result) => {
        this.#underWay.delete(way);
        const at = this.#options.wallClock();
        if (result !== 'unwanted') this.#book.escalated(id, { to, at, sent: result === 'accepted' });
        this.#schedule();
      },
    });
  }
}

const wayOf = ({ event }: Pick<Notification, 'event'>, to: string): string => `${event.id} to ${to}`;

function viewOf({ event, acknowledged, escalations }: Notification): NotificationView {
  const { id, at, type, level, service = null, message } = event;
  const escalated = escalations.find(({ sent }) => sent);
  return {
    ...{ id: `${id}`, at, type, severity: level, service, message, acknowledged },
    escalatedAt: escalated === undefined ? null : new Date(escalated.at).toISOString(),
  };
}
