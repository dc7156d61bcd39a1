/**
 * Posts alerts as JSON to one address, one after the other, so that `ok` never overtakes the `firing` that it ends.
 *
 * An alert is tried TRIES times with a pause that doubles; anything but a status from 200 to 299 is a failure, redirects included: a
 * receiver that moved is a fact to log, not to follow with what may be a secret in the path. An attempt ends after TIMEOUT, head and body
 * together. After the last try the alert is given up and the next one gets its turn.
 *
 * Limits. At most QUEUE alerts wait; another one pushes the oldest out, because the latest state is what matters, and is counted. The
 * log names only the origin of the address, since paths and queries of webhooks often are the password. Waiting uses the clock that is
 * given, never a timer of its own, so a test drives time-out and pauses by hand.
 */
import { Agent, request } from 'undici';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { AlertEvent, AlertHandler } from './alert-handlers.ts';

export const TIMEOUT = 5_000;
export const TRIES = 3;
/** Before the second try; twice that before the third. */
export const FIRST_PAUSE = 1_000;
export const QUEUE = 100;

const LONGEST_BODY = 64 * 1024;

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
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #agent = new Agent({ connections: 1, keepAliveTimeout: 4_000 });
  readonly #closing = new AbortController();
  readonly #queue: AlertEvent[] = [];
  #running: Promise<void> | null = null;
  #sent = 0;
  #failed = 0;
  #dropped = 0;

  constructor(options: WebhookOptions) {
    this.#url = new URL(options.url);
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.name = `webhook ${this.#url.origin}`;
  }

  handle(event: AlertEvent): void {
    if (this.#closing.signal.aborted) return;
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
    this.#closing.abort();
    await this.#running;
    await this.#agent.destroy();
  }

  async #run(): Promise<void> {
    for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) await this.#deliver(event);
    this.#running = null;
  }

  async #deliver(event: AlertEvent): Promise<void> {
    const body = JSON.stringify(event);
    let fault: string | null = null;
    for (let tried = 0; tried < TRIES; tried++) {
      if (tried > 0) await this.#pause(FIRST_PAUSE * 2 ** (tried - 1));
      if (!this.#closing.signal.aborted) fault = await this.#post(body);
      if (this.#closing.signal.aborted) return;
      if (fault === null) {
        this.#sent++;
        return;
      }
    }
    this.#failed++;
    this.#logger.error('alert_webhook_failed', { webhook: this.#url.origin, alert: event.name, message: fault });
  }

  /** @returns what went wrong, or null. */
  async #post(body: string): Promise<string | null> {
    const attempt = new AbortController();
    const abort = (): void => attempt.abort();
    const timer = this.#clock.setInterval(abort, TIMEOUT);
    this.#closing.signal.addEventListener('abort', abort);
    try {
      const response = await request(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': 'sluice-alert' },
        body,
        signal: attempt.signal,
        dispatcher: this.#agent,
      });
      await response.body.dump({ limit: LONGEST_BODY, signal: attempt.signal });
      return response.statusCode >= 200 && response.statusCode < 300 ? null : `status ${response.statusCode}`;
    } catch (error) {
      return attempt.signal.aborted ? 'no complete answer in time' : (error as Error).message;
    } finally {
      timer.stop();
      this.#closing.signal.removeEventListener('abort', abort);
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        timer.stop();
        this.#closing.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = this.#clock.setInterval(done, ms);
      this.#closing.signal.addEventListener('abort', done);
    });
  }
}
