/**
 * Which alerts hold, folded from events: Alertmanager wants to be told what is the case, the event log tells what happened.
 *
 *     fold(held, event) → { held, changed }
 *
 * Three sorts of events. What begins something that another event ends (an unhealthy endpoint, a paused rollout) is an alert until then, and
 * at most a day: what has become of an endpoint that a reload took out nobody tells. What only happens (a worker was replaced) is an
 * alert for 15 minutes. What ends something is no alert itself.
 *
 * A rollback is over in milliseconds, and Alertmanager waits for half a minute before it first tells of an alert and never does of one that has
 * ended by then. So `rollout.rolling-back` begins the alert RolledBack, which the end of the rollback only updates; it holds until a rollout of
 * the service has succeeded. The beginning of the next one does not end it: that may be waiting in the queue and begin in the same second.
 *
 * An alert is known by its labels, and severity is one of them. Where an alert gets worse, the lesser one ends and the worse one begins; where
 * the same thing is told again with less severity, the first one stays. At most 500 hold; then the oldest is forgotten, and runs out by itself.
 */
import { EVENT_TYPES, type EventLevel, type EventType, type SluiceEvent } from '../events/event.ts';
import type { Telling } from './recipient.ts';

const MOST = 500;
/** How long what only happens is an alert. */
export const PASSING = 15 * 60_000;
/** How long what nobody ends is one. */
export const LONGEST = 24 * 3_600_000;

export interface Alert {
  /** Alertname and severity among them; they are its identity. */
  readonly labels: Readonly<Record<string, string>>;
  readonly type: EventType;
  readonly summary: string;
  readonly description: string;
  /** Milliseconds since 1970. */
  readonly startsAt: number;
  /** When it is over if nothing is told of it any more. */
  readonly until: number;
  /** Whether an event is to end it, so that `until` is only a limit. */
  readonly holds: boolean;
  /** Number of the event that told of it last. */
  readonly event: number;
}

export interface Folded {
  readonly held: readonly Alert[];
  /** What began, got another text, or ended; an `until` that has come is an end. */
  readonly changed: readonly Alert[];
}

/** Types that are told of as another one. */
const TOLD_AS: Partial<Record<EventType, EventType>> = { 'rollout.rolling-back': 'rollout.rolled-back' };

type Label = 'service' | 'version' | 'rollout' | 'endpoint' | 'alert';

interface End {
  readonly of: readonly EventType[];
  /** Labels in which the two agree. */
  readonly same: readonly Label[];
}

const STANDING: End = { of: ['rollout.paused', 'rollout.incident'], same: ['rollout'] };
const WHOLE: readonly Label[] = ['service', 'version', 'endpoint', 'alert'];

const ENDS: Partial<Record<EventType, readonly End[]>> = {
  'rollout.resumed': [STANDING],
  'rollout.step': [STANDING],
  'rollout.promoting': [STANDING],
  'rollout.rolling-back': [STANDING],
  'rollout.rolled-back': [STANDING],
  'rollout.failed': [STANDING],
  'rollout.succeeded': [STANDING, { of: ['rollout.rolled-back', 'rollout.failed'], same: ['service'] }],
  'endpoint.health': [{ of: ['endpoint.health'], same: WHOLE }],
  'endpoint.returned': [{ of: ['endpoint.ejected'], same: WHOLE }],
  'version.removed': [{ of: ['endpoint.health', 'endpoint.ejected'], same: ['service', 'version'] }],
  alert: [{ of: ['alert'], same: WHOLE }],
  'store.recovered': [{ of: ['store.failed'], same: [] }],
  'config.reloaded': [{ of: ['config.rejected'], same: [] }],
};

/** What is said of one and the same fact by one type: at level `info` it is the end. */
const TWO_SIDED: readonly EventType[] = ['endpoint.health', 'alert'];
const ONLY_ENDS: readonly EventType[] = ['rollout.resumed', 'endpoint.returned', 'store.recovered', 'config.reloaded'];
const HELD: ReadonlySet<EventType> = new Set(Object.values(ENDS).flatMap((ends) => ends.flatMap(({ of }) => of)));
const RANK: Readonly<Record<EventLevel, number>> = { info: 0, warning: 1, critical: 2 };

/** @param isSelected whether the channel wants such events; what ends or updates an alert is looked at in any case. */
export function fold(
  held: readonly Alert[],
  event: Telling,
  description: string,
  isSelected: boolean,
  now: number,
): Folded {
  const ended = held.filter((alert) => endsIt(event, alert));
  const left = held.filter((alert) => !ended.includes(alert) && alert.until > now);
  const over = ended.map((alert) => ({ ...alert, until: Math.max(alert.startsAt, Date.parse(event.at)) }));
  const wanted = beginning(event, description);
  if (wanted === null || wanted.until <= now) return { held: left, changed: over };
  const present = left.find((alert) => isSameFact(alert, wanted));
  if (present === undefined) {
    if (!isSelected) return { held: left, changed: over };
    return { held: [...left, wanted].slice(-MOST), changed: [...over, wanted] };
  }
  const isWorse = rankOf(wanted) > rankOf(present);
  const isLess = rankOf(wanted) < rankOf(present);
  const { labels, startsAt } = present;
  // What was told first with more severity says why; what comes behind it only how it went on.
  const next = isWorse ? wanted : { ...wanted, labels, startsAt, ...(isLess && { description: present.description }) };
  const replaced = isWorse ? [{ ...present, until: Math.max(present.startsAt, wanted.startsAt) }] : [];
  return {
    held: left.map((alert) => (alert === present ? next : alert)),
    changed: [...over, ...replaced, next],
  };
}

function beginning(event: Telling, description: string): Alert | null {
  const { type, level, at, id, notification } = event;
  if (notification === undefined && (ONLY_ENDS.includes(type) || (TWO_SIDED.includes(type) && level === 'info')))
    return null;
  const kind = TOLD_AS[type] ?? type;
  const holds = notification === undefined && HELD.has(kind);
  const startsAt = Date.parse(at);
  return {
    labels: {
      alertname: notification === undefined ? alertName(kind) : 'SluiceNotAcknowledged',
      severity: level,
      ...placeOf(event),
      ...(notification !== undefined && { notification }),
    },
    type: kind,
    summary: EVENT_TYPES[type],
    ...{ description, startsAt, until: startsAt + (holds ? LONGEST : PASSING), holds, event: id },
  };
}

/** `rollout.rolled-back` is SluiceRolloutRolledBack. */
export const alertName = (type: EventType): string =>
  type === 'endpoint.health'
    ? 'SluiceEndpointUnhealthy'
    : `Sluice${type.replace(/(?:^|[.-])([a-z])/g, (_, letter: string) => letter.toUpperCase())}`;

/** What of it is where, by label; nothing is empty. */
function placeOf({ type, service, version, endpoint, data }: SluiceEvent): Readonly<Record<string, string>> {
  const facts = {
    service,
    version,
    endpoint,
    rollout: data?.rollout,
    alert: type === 'alert' ? data?.name : undefined,
  };
  return Object.fromEntries(
    Object.entries(facts).filter((fact): fact is [string, string] => typeof fact[1] === 'string' && fact[1] !== ''),
  );
}

function endsIt(event: Telling, alert: Alert): boolean {
  const { type, level, notification } = event;
  if (notification !== undefined || (TWO_SIDED.includes(type) && level !== 'info')) return false;
  const place = placeOf(event);
  return (ENDS[type] ?? []).some(
    ({ of, same }) =>
      alert.holds && of.includes(alert.type) && same.every((label) => alert.labels[label] === place[label]),
  );
}

function isSameFact(a: Alert, b: Alert): boolean {
  const names = new Set([...Object.keys(a.labels), ...Object.keys(b.labels)]);
  names.delete('severity');
  return [...names].every((name) => a.labels[name] === b.labels[name]);
}

const rankOf = ({ labels }: Alert): number => RANK[labels.severity as EventLevel] ?? 0;
