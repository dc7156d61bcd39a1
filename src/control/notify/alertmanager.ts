/**
 * Alertmanager as a recipient: posts alerts (alerts.ts) to `/api/v2/alerts`, and all that hold again every minute.
 *
 * Alertmanager forgets an alert that is not repeated, and all of them when it starts again. How soon it forgets is said with each alert
 * (`endsAt`, five minutes ahead, as Prometheus does it) and not left to its own `resolve_timeout`, which may be shorter than our minute. So
 * an alert outlives the end of Sluice by five minutes and no more.
 *
 * What holds is kept with the reader's cursor, so it is repeated and ended after a restart, too. An event that is given up is folded all the same:
 * the next repetition tells what it would have told.
 */

import type { Alert, Folded } from './alerts.ts';
import { fold } from './alerts.ts';
import type { Recipient, Telling } from './recipient.ts';
import { ACCEPTED } from './recipient.ts';
import { bounded } from './template.ts';

export const REPEAT = 60_000;
/** How long Alertmanager takes an alert to hold that is not repeated. */
export const STALE = 5 * 60_000;
const LONGEST_LABEL = 500;
const LONGEST_ANNOTATION = 3_000;

export interface AlertmanagerOptions {
  readonly name: string;
  /** Of the server, with or without the API's path behind it. */
  readonly url: URL;
  readonly isSelected: (event: Telling) => boolean;
  readonly describe: (event: Telling) => string;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  /** Where people reach the admin API; null: links are left out. */
  readonly externalUrl: string | null;
}

export function alertmanager(options: AlertmanagerOptions): Recipient {
  const { name, isSelected, describe, wallClock, externalUrl } = options;
  const url = alertsUrl(options.url);
  const folded = (kept: unknown, event: Telling): Folded =>
    fold(heldIn(kept), event, describe(event), event.notification !== undefined || isSelected(event), wallClock());
  const bodyOf = (alerts: readonly Alert[]): string =>
    JSON.stringify(alerts.map((alert) => posted(alert, wallClock(), externalUrl)));
  return {
    name,
    origin: url.origin,
    wants: (event, kept) => folded(kept, event).changed.length > 0,
    send: (sender, event, _id, kept) => {
      const { changed } = folded(kept, event);
      return changed.length === 0 ? Promise.resolve(ACCEPTED) : sender.post(url, bodyOf(changed));
    },
    after: (kept, event) => folded(kept, event).held,
    repeat: {
      every: REPEAT,
      isNeeded: (kept) => alive(kept, wallClock()).length > 0,
      send: (sender, kept) => sender.post(url, bodyOf(alive(kept, wallClock()))),
    },
  };
}

/** As the API takes it. */
export function posted(alert: Alert, now: number, externalUrl: string | null): Readonly<Record<string, unknown>> {
  const { labels, summary, description, startsAt, until, event } = alert;
  const endsAt = until > now ? Math.min(until, now + STALE) : until;
  return {
    labels: Object.fromEntries(Object.entries(labels).map(([label, value]) => [label, bounded(value, LONGEST_LABEL)])),
    annotations: { summary, description: bounded(description, LONGEST_ANNOTATION) },
    startsAt: new Date(startsAt).toISOString(),
    endsAt: new Date(endsAt).toISOString(),
    ...(externalUrl !== null && { generatorURL: link(externalUrl, labels.rollout, event) }),
  };
}

const link = (base: string, rollout: string | undefined, event: number): string =>
  base.replace(/\/+$/, '') +
  (rollout === undefined ? `/api/v1/events?since=${event - 1}` : `/api/v1/rollouts/${encodeURIComponent(rollout)}`);

function alertsUrl(server: URL): URL {
  const url = new URL(server);
  const base = url.pathname.replace(/\/+$/, '');
  url.pathname = base.endsWith('/api/v2/alerts') ? base : `${base}/api/v2/alerts`;
  return url;
}

const alive = (kept: unknown, now: number): readonly Alert[] => heldIn(kept).filter(({ until }) => until > now);

/** A channel of the same name may have been of another kind. */
const heldIn = (kept: unknown): readonly Alert[] => (Array.isArray(kept) ? (kept as readonly Alert[]) : []);
