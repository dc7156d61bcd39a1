/**
 * What the control plane notices by itself, as events: pure functions from what a part reports to what readers get.
 *
 * The parts (checks, outlier detection, monitor, store) know nothing of events; they report in their own words. A sentence for people and
 * the same facts as data, so that nobody has to take sentences apart. `data` of each type is described in docs/events.md.
 */
import type { HealthEvent } from '../health/health-checker.ts';
import type { OutlierEvent } from '../health/outlier-monitor.ts';
import type { AlertEvent } from '../monitor/alert-handlers.ts';
import type { StoreTrouble } from '../store/store.ts';
import type { NewEvent } from './event.ts';

/** An endpoint as people know it. */
export interface NamedEndpoint {
  readonly service: string;
  readonly version: string;
  readonly url: string;
}

const place = ({ service, version, url }: NamedEndpoint) => ({ service, version, endpoint: url });
const name = ({ service, version, url }: NamedEndpoint): string => `Endpoint ${url} of ${service} ${version}`;

export function healthNoticed(event: HealthEvent): NewEvent {
  const { healthy, fault } = event;
  return {
    type: 'endpoint.health',
    level: healthy ? 'info' : 'warning',
    ...place(event),
    message: healthy ? `${name(event)} is healthy.` : `${name(event)} is unhealthy: ${fault}.`,
    data: { healthy, fault },
  };
}

export function outlierNoticed(event: OutlierEvent): NewEvent {
  if (event.kind === 'returned') {
    const data = { cause: event.cause };
    return {
      ...{ type: 'endpoint.returned', level: 'info', ...place(event), data },
      message: `${name(event)} takes part again.`,
    };
  }
  const { cause, ejections } = event;
  const forMs = Math.round(event.until - event.at);
  const why = cause === 'consecutive' ? 'failures in a row' : 'failing much more often than its peers';
  return {
    ...{ type: 'endpoint.ejected', level: 'warning', ...place(event), data: { cause, ejections, forMs } },
    message: `${name(event)} was ejected for ${why}, for at most ${forMs / 1000} s.`,
  };
}

export function drainEndNoticed(endpoint: NamedEndpoint): NewEvent {
  return {
    type: 'endpoint.state',
    level: 'info',
    ...place(endpoint),
    message: `${name(endpoint)} is disabled: the deadline of its draining has passed.`,
    data: { state: 'disabled', cause: 'deadline' },
  };
}

export function alertNoticed(event: AlertEvent): NewEvent {
  const { service, version, endpoint, at: _, ...data } = event;
  const { state, metric, value, when, threshold } = event;
  const subject = endpoint === undefined ? `${service} ${version}` : `endpoint ${endpoint} of ${service} ${version}`;
  const facts = value === null ? `no data for ${metric}` : `${metric} is ${Number(value.toPrecision(4))}`;
  return {
    type: 'alert',
    level: state === 'ok' ? 'info' : 'warning',
    ...{ service, version, ...(endpoint !== undefined && { endpoint }) },
    message: `Alert ${event.name} is ${state} for ${subject}: ${facts}; it fires ${when} ${threshold}.`,
    data,
  };
}

export interface StoreFailure {
  readonly kind: StoreTrouble;
  readonly message: string;
  /** ISO 8601. */
  readonly since: string;
}

export function storeFailureNoticed({ kind, message, since }: StoreFailure): NewEvent {
  const why = kind === 'full' ? 'there is no space left' : message;
  return {
    type: 'store.failed',
    level: 'warning',
    message: `The state cannot be written: ${why}. Traffic is not affected; changes are refused until it can.`,
    data: { kind, message, since },
  };
}

export const storeRecoveryNoticed = ({ kind, since }: StoreFailure): NewEvent => ({
  type: 'store.recovered',
  level: 'info',
  message: `The state is written again; it could not be since ${since}.`,
  data: { kind, since },
});
