/**
 * Who is to be told next of something critical that nobody has acknowledged: pure, so that it is the same after a restart.
 *
 *     told(channel) = when it happened, of the channels that wanted it; when it was escalated to it, of others
 *     due(to)       = the earliest of told(channel) + after over the channels that escalate to it
 *
 * So escalations chain, and each channel gets at most one for each notification, however many escalate to it. Which channels wanted it is kept from
 * the moment it happened: a channel that learns to escalate later does not pour out what is old. How long to wait and whom to tell is
 * what the configuration says now. That a rollout ended well meanwhile acknowledges nothing: somebody should still know.
 */
import type { NotificationConfig } from '../../model/rollout-config.ts';
import type { SluiceEvent } from '../events/event.ts';

export interface Escalation {
  readonly to: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** False where the channel has failed for a day. */
  readonly sent: boolean;
}

/** As it is kept in the store. */
export interface Notification {
  readonly event: SluiceEvent;
  /** Names of the channels that wanted it. */
  readonly told: readonly string[];
  /** At: ISO 8601. */
  readonly acknowledged: { readonly by: string; readonly at: string } | null;
  readonly escalations: readonly Escalation[];
}

export interface Due {
  readonly to: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

type Channel = Pick<NotificationConfig, 'name' | 'escalate'>;

/** What is still to be escalated, now or later; nothing where it is acknowledged. */
export function escalationsDue(notification: Notification, channels: readonly Channel[]): Due[] {
  const { event, told, acknowledged, escalations } = notification;
  if (acknowledged !== null) return [];
  const toldAt = new Map(escalations.map(({ to, at }) => [to, at]));
  for (const name of told) toldAt.set(name, Date.parse(event.at));
  const due = new Map<string, number>();
  for (const { name, escalate } of channels) {
    const from = toldAt.get(name);
    if (from === undefined || escalate === null) continue;
    const { to, after } = escalate;
    const isThere = channels.some((each) => each.name === to);
    if (!isThere || escalations.some((each) => each.to === to)) continue;
    due.set(to, Math.min(due.get(to) ?? Number.POSITIVE_INFINITY, from + after));
  }
  return Array.from(due, ([to, at]) => ({ to, at }));
}

/** `10 minutes`; whole units, rounded down. */
export function spoken(ms: number): string {
  const [size, unit] = ms >= 7_200_000 ? [3_600_000, 'hour'] : ms >= 60_000 ? [60_000, 'minute'] : [1_000, 'second'];
  const count = Math.max(1, Math.floor(ms / size));
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
