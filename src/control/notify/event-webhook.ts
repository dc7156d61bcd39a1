/**
 * One webhook subscription: reads the event log from its cursor on and posts the events one by one, in order, each until it is accepted.
 *
 *     idle ──news──▶ sending ──2xx──▶ sending the next one, or idle
 *                     │  ▲
 *          410 ───────┤  └──pause is over, or a reload──┐
 *           ▼         └──anything else──▶ retrying ─────┘
 *          gone ──reload──▶ sending
 *
 *   idle       everything up to the log's end is done with
 *   sending    one request is open
 *   retrying   the last request failed; the pause says retry-pause.ts
 *   gone       the receiver does not want to be asked again: nothing is sent until the configuration is read again; the cursor stays
 *
 * It is a reader and not a listener: it holds one page of the log and no queue, whatever the receiver does. An event is given up, and counted, once
 * it is a day old (or as old as the log keeps events) and the receiver still fails: a dead receiver then finds the news of the last day
 * when it is back, not nothing. Being late alone loses nothing. Delivery is at least once: after a crash events of about a second come again,
 * with the same webhook-id. The log names only origins, since the path of a webhook often is its password.
 */
import type { EventWebhookConfig } from '../../model/admin-config.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Random } from '../../runtime/random.ts';
import type { SluiceEvent } from '../events/event.ts';
import { matchesTypes } from '../events/event-filter.ts';
import type { EventSource } from '../events/event-log.ts';
import type { Store } from '../store/store.ts';
import { retryPause } from './retry-pause.ts';
import { webhookHeaders } from './signature.ts';
import { WebhookCursor } from './webhook-cursor.ts';
import { WebhookSender } from './webhook-sender.ts';

export const TIMEOUT = 10_000;
/** Age from which an event is given up. */
export const GIVE_UP_AFTER = 24 * 3_600_000;
const PAGE = 100;
/** Before the log is read again when that failed. */
const READ_PAUSE = 1_000;

export type EventWebhookState = 'idle' | 'sending' | 'retrying' | 'gone';

export interface EventWebhookCounts {
  readonly name: string;
  /** Scheme, host and port of the address. */
  readonly origin: string;
  readonly state: EventWebhookState;
  readonly delivered: number;
  /** Given up. */
  readonly failed: number;
  /** Tries of the present event that have failed. */
  readonly tries: number;
  /** What was wrong with the last try; null where it was accepted. */
  readonly fault: string | null;
  /** Number of the last event that is done with. */
  readonly cursor: number;
}

export interface EventWebhookContext {
  readonly log: EventSource;
  readonly store: Store;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly random: Random;
  readonly logger: Logger;
}

export class EventWebhook {
  readonly #context: EventWebhookContext;
  readonly #sender: WebhookSender;
  readonly #cursor: WebhookCursor;
  readonly #running: Promise<void>;
  #config: EventWebhookConfig;
  #url: URL;
  #retention: number;
  #state: EventWebhookState = 'idle';
  #delivered = 0;
  #failed = 0;
  #tries = 0;
  #fault: string | null = null;
  #retryAfter: string | null = null;
  /** The last try failed, and nobody has waited since. */
  #mustPause = false;

  /** @param start after which event a new subscription begins. @param retention how long the log keeps events, milliseconds. */
  constructor(config: EventWebhookConfig, start: number, retention: number, context: EventWebhookContext) {
    this.#context = context;
    this.#config = config;
    this.#url = new URL(config.url);
    this.#retention = retention;
    this.#sender = new WebhookSender({ clock: context.clock, timeout: TIMEOUT, userAgent: 'sluice-event' });
    this.#cursor = new WebhookCursor({ ...context, name: config.name });
    this.#running = this.#run(start);
  }

  /** Holds from the next try on, which is made at once where the last one failed. */
  reconfigure(config: EventWebhookConfig, retention: number): void {
    this.#config = config;
    this.#url = new URL(config.url);
    this.#retention = retention;
    this.#sender.wake();
  }

  /** The log has something new. */
  notice(): void {
    if (this.#state === 'idle') this.#sender.wake();
  }

  counts(): EventWebhookCounts {
    return {
      ...{ name: this.#config.name, origin: this.#url.origin, state: this.#state },
      ...{ delivered: this.#delivered, failed: this.#failed, tries: this.#tries },
      ...{ fault: this.#fault, cursor: this.#cursor.id },
    };
  }

  /** Ends the try in progress; it counts as not delivered. */
  async close(): Promise<void> {
    await this.#sender.close();
    await this.#running;
    await this.#cursor.close();
  }

  async #run(start: number): Promise<void> {
    const { log } = this.#context;
    await this.#cursor.load(start);
    while (!this.#sender.closed) {
      const last = log.lastId;
      const page = await this.#read();
      for (const event of page ?? []) {
        if (this.#sender.closed || !(await this.#isDone(event))) break;
        this.#cursor.advance(event.id);
      }
      this.#state = 'idle';
      if (page === null) await this.#sender.wait(READ_PAUSE);
      else if (page.length === 0 && log.lastId === last) await this.#sender.wait(null);
    }
  }

  async #read(): Promise<readonly SluiceEvent[] | null> {
    const { log, logger } = this.#context;
    try {
      return await log.since(this.#cursor.id, PAGE);
    } catch (error) {
      logger.error('event_webhook_cannot_read', { webhook: this.#config.name, message: (error as Error).message });
      return null;
    }
  }

  /** Sends until the event is accepted or given up. @returns false where the sender was closed before. */
  async #isDone(event: SluiceEvent): Promise<boolean> {
    // A reload may change what is wanted while it is tried.
    while (!this.#sender.closed && matchesTypes(this.#config.types, event.type)) {
      if (!this.#mustPause) {
        if (await this.#isAccepted(event)) return true;
      } else if (this.#state !== 'gone' && this.#isTooOld(event)) {
        this.#giveUp(event);
        return true;
      } else {
        this.#mustPause = false;
        await this.#pause();
      }
    }
    return !this.#sender.closed;
  }

  async #pause(): Promise<void> {
    const { random, wallClock } = this.#context;
    if (this.#state === 'gone') return this.#sender.wait(null);
    this.#state = 'retrying';
    await this.#sender.wait(retryPause(this.#tries, random, this.#retryAfter, wallClock()));
  }

  async #isAccepted(event: SluiceEvent): Promise<boolean> {
    const { wallClock, logger } = this.#context;
    const { name, secret } = this.#config;
    const body = JSON.stringify(event);
    const timestamp = Math.floor(wallClock() / 1000);
    const headers = webhookHeaders(secret, { id: `${this.#cursor.subscription}-${event.id}`, timestamp, body });
    this.#state = 'sending';
    const { origin } = this.#url;
    const { fault, status, retryAfter } = await this.#sender.post(this.#url, body, headers);
    this.#fault = fault;
    this.#retryAfter = retryAfter;
    if (fault === null) {
      if (this.#tries > 0) logger.info('event_webhook_recovered', { webhook: name, origin, tries: this.#tries });
      this.#tries = 0;
      this.#delivered++;
      return true;
    }
    if (this.#sender.closed) return false;
    this.#mustPause = true;
    // Once for each time of trouble; every further try would say the same.
    if (this.#tries++ === 0) logger.warn('event_webhook_fails', { webhook: name, origin, message: fault });
    if (status === 410) {
      this.#state = 'gone';
      logger.error('event_webhook_gone', { webhook: name, origin });
    }
    return false;
  }

  #isTooOld({ at }: SluiceEvent): boolean {
    return this.#context.wallClock() - Date.parse(at) >= Math.min(GIVE_UP_AFTER, this.#retention);
  }

  #giveUp({ id }: SluiceEvent): void {
    this.#failed++;
    this.#context.logger.error('event_webhook_failed', { webhook: this.#config.name, id, message: this.#fault });
  }
}
