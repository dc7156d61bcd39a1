/**
 * What every webhook needs: one POST that is over within a given time, and waits that the end of the process cuts short.
 *
 * Any status from 200 to 299 is success, anything else a failure, redirects included: a receiver that moved is a fact to report, not to
 * follow with what may be a secret in the path. The time covers head and body together. Time is the clock that is given, never a timer of
 * its own, so a test drives time-outs and pauses by hand. What to do about a failure, and how long to wait, is the business of whoever sends:
 * alerts forget after three tries (monitor/webhook.ts), events never do for a day (event-webhook.ts).
 *
 * One sender sends one thing at a time, and at most one of its waits is open.
 */
import { Agent, request } from 'undici';
import type { Clock } from '../../runtime/clock.ts';

/** Of an answer that nobody reads. */
const LONGEST_BODY = 64 * 1024;

export interface WebhookAnswer {
  /** Null where it was accepted. */
  readonly fault: string | null;
  /** Null where there was no answer. */
  readonly status: number | null;
  /** The Retry-After field as it came. */
  readonly retryAfter: string | null;
}

export interface WebhookSenderOptions {
  readonly clock: Clock;
  /** Milliseconds for one attempt. */
  readonly timeout: number;
  readonly userAgent: string;
}

export class WebhookSender {
  readonly #options: WebhookSenderOptions;
  readonly #agent = new Agent({ connections: 1, keepAliveTimeout: 4_000 });
  readonly #closing = new AbortController();
  #wake: () => void = () => {};

  constructor(options: WebhookSenderOptions) {
    this.#options = options;
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  async post(url: URL, body: string, headers: Readonly<Record<string, string>> = {}): Promise<WebhookAnswer> {
    const { clock, timeout, userAgent } = this.#options;
    const attempt = new AbortController();
    const abort = (): void => attempt.abort();
    const timer = clock.setInterval(abort, timeout);
    this.#closing.signal.addEventListener('abort', abort);
    try {
      const response = await request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': userAgent, ...headers },
        body,
        signal: attempt.signal,
        dispatcher: this.#agent,
      });
      await response.body.dump({ limit: LONGEST_BODY, signal: attempt.signal });
      const { statusCode: status } = response;
      const retryAfter = response.headers['retry-after'];
      return {
        fault: status >= 200 && status < 300 ? null : `status ${status}`,
        status,
        retryAfter: typeof retryAfter === 'string' ? retryAfter : null,
      };
    } catch (error) {
      const fault = attempt.signal.aborted ? 'no complete answer in time' : (error as Error).message;
      return { fault, status: null, retryAfter: null };
    } finally {
      timer.stop();
      this.#closing.signal.removeEventListener('abort', abort);
    }
  }

  /** Waits until the time is over, or somebody wakes it, or the sender is closed. @param ms null: no time is set. */
  wait(ms: number | null): Promise<void> {
    if (this.closed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = ms === null ? null : this.#options.clock.setInterval(() => this.wake(), ms);
      this.#wake = () => {
        timer?.stop();
        resolve();
      };
    });
  }

  /** Ends the wait that is open, if one is. */
  wake(): void {
    const wake = this.#wake;
    this.#wake = () => {};
    wake();
  }

  /** Ends the attempt and the wait in progress. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.wake();
    await this.#agent.destroy();
  }
}
