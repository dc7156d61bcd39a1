/**
 * Where events come from that nobody asked for: connects what watches endpoints, the monitor and the store with the event log.
 *
 * Only wiring: what the events say is in noticed.ts. What can flap goes through the flap limit, one subject for each fact about an endpoint
 * (its health; whether it is ejected) or alert, so that the last event told of each is how it stands. Trouble of the store does not: its
 * own probe takes a second, and whoever is paged must see each end.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { HealthEvent } from '../health/health-checker.ts';
import type { OutlierEvent } from '../health/outlier-monitor.ts';
import type { AlertEvent, AlertHandler } from '../monitor/alert-handlers.ts';
import type { Store } from '../store/store.ts';
import type { NewEvent } from './event.ts';
import { FlapLimit } from './flap-limit.ts';
import {
  alertNoticed,
  drainEndNoticed,
  healthNoticed,
  type NamedEndpoint,
  outlierNoticed,
  type StoreFailure,
  storeFailureNoticed,
  storeRecoveryNoticed,
} from './noticed.ts';

export interface EventSourcesOptions {
  readonly clock: Clock;
  /** `EventLog.emit`, or what stands for it. */
  readonly log: { emit(event: NewEvent): unknown };
}

/** Give it to the watch as its listener, to the monitor as a handler, and the store to `followStore`. */
export class EventSources implements AlertHandler {
  readonly name = 'event log';
  readonly #log: EventSourcesOptions['log'];
  readonly #limit: FlapLimit;
  readonly #ends: (() => void)[] = [];

  constructor({ clock, log }: EventSourcesOptions) {
    this.#log = log;
    this.#limit = new FlapLimit({ clock, pass: (event) => void log.emit(event) });
  }

  health(event: HealthEvent): void {
    this.#limit.offer(subject('health', event), healthNoticed(event));
  }

  outlier(event: OutlierEvent): void {
    this.#limit.offer(subject('ejection', event), outlierNoticed(event));
  }

  drainEnded(endpoint: NamedEndpoint): void {
    this.#log.emit(drainEndNoticed(endpoint));
  }

  /** An alert of the monitor. */
  handle(event: AlertEvent): void {
    const { service, version, endpoint: url = '' } = event;
    this.#limit.offer(subject(`alert ${event.name}`, { service, version, url }), alertNoticed(event));
  }

  followStore(store: Pick<Store, 'onTrouble' | 'state'>): void {
    let failure: StoreFailure | null = null;
    const follow = (trouble: StoreFailure | null): void => {
      if (trouble !== null) this.#log.emit(storeFailureNoticed(trouble));
      else if (failure !== null) this.#log.emit(storeRecoveryNoticed(failure));
      failure = trouble;
    };
    follow(store.state().trouble);
    this.#ends.push(store.onTrouble(follow));
  }

  /** Tells what the flap limit holds back; call before the log is closed. */
  close(): void {
    for (const end of this.#ends.splice(0)) end();
    this.#limit.close();
  }
}

const subject = (fact: string, { service, version, url }: NamedEndpoint): string =>
  JSON.stringify([fact, service, version, url]);
