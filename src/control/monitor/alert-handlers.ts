/**
 * Who hears of alerts: a set of handlers that come and go, each kept from disturbing the others and the monitor.
 *
 * A handler is called at once and must return at once; one that has to wait (a webhook) keeps a queue of its own. One that throws,
 * or returns a promise that fails, is logged and called again next time: taking it out would silence it for good because of one
 * bad minute.
 */
import type { Logger } from '../../runtime/logger.ts';
import type { AlertNews } from './alert-state.ts';
import type { Metric } from './metric.ts';

export interface AlertEvent {
  /** The alert's name in the configuration. */
  readonly name: string;
  readonly state: AlertNews;
  readonly metric: Metric;
  /** Null where an alert ended because there was no data any more. */
  readonly value: number | null;
  readonly when: 'above' | 'below';
  readonly threshold: number;
  readonly service: string;
  readonly version: string;
  /** URL; left out where the version as a whole is meant. */
  readonly endpoint?: string;
  /** ISO 8601. */
  readonly at: string;
  /** With `warning`: milliseconds until the trend crosses the threshold. */
  readonly forecast?: number;
}

export interface AlertHandler {
  /** For the log. */
  readonly name: string;
  handle(event: AlertEvent): void | Promise<void>;
}

/** Firing and warning as warnings, ok as information; the log's event is `alert`. */
export const logHandler = (logger: Logger): AlertHandler => ({
  name: 'log',
  handle(event) {
    const { name, at: _at, ...fields } = event;
    if (event.state === 'ok') logger.info('alert', { alert: name, ...fields });
    else logger.warn('alert', { alert: name, ...fields });
  },
});

/** Hands events to a callback, for instance `(event) => emitter.emit('alert', event)`. */
export const eventHandler = (listener: (event: AlertEvent) => void | Promise<void>, name = 'event'): AlertHandler => ({
  name,
  handle: listener,
});

export class AlertHandlers {
  readonly #logger: Logger;
  readonly #handlers = new Set<AlertHandler>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @returns what takes the handler out again. */
  add(handler: AlertHandler): () => void {
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }

  send(event: AlertEvent): void {
    // A copy, because a handler may add or remove handlers, itself included.
    for (const handler of [...this.#handlers]) {
      try {
        const pending = handler.handle(event);
        if (pending instanceof Promise) pending.catch((error: unknown) => this.#failed(handler, error));
      } catch (error) {
        this.#failed(handler, error);
      }
    }
  }

  #failed(handler: AlertHandler, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#logger.error('alert_handler_failed', { handler: handler.name, message });
  }
}
