/**
 * Posts alerts as JSON to one address, one after the other, so that `ok` never overtakes the `firing` that it ends.
 *
 * An alert is tried TRIES times with a pause that doubles; what an attempt is, and when it has failed, says notify/webhook-sender.ts. After
 * the last try the alert is given up and the next one gets its turn: an alert that is minutes old says little about now.
 *
 * Limits. At most QUEUE alerts wait; another one pushes the oldest out, because the latest state is what matters, and is counted. The
 * log names only the origin of the address, since paths and queries of webhooks often are the password.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { WebhookSender } from '../notify/webhook-sender.ts';
import type { AlertEvent, AlertHandler } from './alert-handlers.ts';

export const TIMEOUT = 5_000;
export const TRIES = 3;
/** Before the second try; twice that before the third. */
export const FIRST_PAUSE = 1_000;
export const QUEUE = 100;

export interface WebhookCounts {
  /** Scheme, host and port of the address. */
  readonly origin: string;
  readonly sent: number;
  /** Given up after the last try. */
  readonly failed: number;
  /** Pushed out of a full queue. */
  readonly dropped: number;
  readonly waiting: number;
}

export interface WebhookOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class WebhookHandler implements AlertHandler {
  readonly name: string;
  readonly #url: URL;
  readonly #logger: Logger;
  readonly #sender: WebhookSender;
  readonly #queue: AlertEvent[] = [];
  #running: Promise<void> | null = null;
  #sent = 0;
  #failed = 0;
  #dropped = 0;

  constructor(options: WebhookOptions) {
    this.#url = new URL(options.url);
    this.#logger = options.logger;
    this.#sender = new WebhookSender({ clock: options.clock, timeout: TIMEOUT, userAgent: 'sluice-alert' });
    this.name = `webhook ${this.#url.origin}`;
  }

  handle(event: AlertEvent): void {
    if (this.#sender.closed) return;
    if (this.#queue.length >= QUEUE) {
      this.#queue.shift();
      this.#dropped++;
    }
    this.#queue.push(event);
    this.#running ??= this.#run();
  }

  counts(): WebhookCounts {
    return {
      origin: this.#url.origin,
      sent: this.#sent,
      failed: this.#failed,
      dropped: this.#dropped,
      waiting: this.#queue.length,
    };
  }

  /** Ends the attempt in progress and forgets what waits. */
  async close(): Promise<void> {
    this.#queue.length = 0;
    await this.#sender.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) await this.#deliver(event);
    this.#running = null;
  }

  async #deliver(event: AlertEvent): Promise<void> {
    const body = JSON.stringify(event);
    let fault: string | null = null;
    for (let tried = 0; tried < TRIES; tried++) {
      if (tried > 0) await this.#sender.wait(FIRST_PAUSE * 2 ** (tried - 1));
      if (!this.#sender.closed) ({ fault } = await this.#sender.post(this.#url, body));
      if (this.#sender.closed) return;
      if (fault === null) {
        this.#sent++;
        return;
      }
    }
    this.#failed++;
    this.#logger.error('alert_webhook_failed', { webhook: this.#url.origin, alert: event.name, message: fault });
  }
}
