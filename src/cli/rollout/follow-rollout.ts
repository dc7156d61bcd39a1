/**
 * A rollout looked at again and again until it is over, over restarts of the server.
 *
 *     looking ──over──▶ over        ──no answer, shutting down──▶ lost ──answer──▶ looking
 *        ├─ Ctrl-C ──▶ interrupted                                  └─ longer than `patience` ──▶ CommandFailure
 *        └─ time is up ──▶ timed-out
 *
 * It asks and does not listen to the event stream: the view that every question brings holds the newest twenty entries of the timeline, so nothing is
 * missed between two looks a second apart, and there is no second state to bring in line with the first after a break. A question a second
 * costs the server nothing. Being refused, or told that there is no such rollout, ends it at once.
 */
import { isOver } from '../../control/rollout/rollout.ts';
import type { RolloutView } from '../../control/rollout/view.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type AdminClient, pathOf } from '../client/admin-client.ts';
import { CommandFailure, EXIT } from '../client/failure.ts';
import { pause, unlessInterrupted } from '../client/interruption.ts';

/** Between two looks, milliseconds. */
export const USUAL_INTERVAL = 1000;
/** How long a server that has gone is waited for, milliseconds: a restart, not an outage. */
export const USUAL_PATIENCE = 60_000;

export interface Following {
  readonly admin: AdminClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** As it is already known. */
  readonly first: RolloutView;
  readonly interval: number;
  readonly patience: number;
  /** Milliseconds from now; null: none. */
  readonly timeout: number | null;
  /** Every view, the first included. */
  seen(view: RolloutView): void;
  /** The server has gone away; told once each time. */
  lost(reason: string): void;
}

export interface Followed {
  readonly end: 'over' | 'interrupted' | 'timed-out';
  /** The last that was seen. */
  readonly view: RolloutView;
}

/** @throws CommandFailure */
export async function followRollout(following: Following): Promise<Followed> {
  const { admin, clock, signal, interval, patience, timeout } = following;
  const deadline = timeout === null ? Number.POSITIVE_INFINITY : clock.now() + timeout;
  let view = following.first;
  let lostAt: number | null = null;
  following.seen(view);
  for (;;) {
    if (isOver(view.phase)) return { end: 'over', view };
    if (signal.aborted) return { end: 'interrupted', view };
    const left = deadline - clock.now();
    if (left <= 0) return { end: 'timed-out', view };
    await pause(Math.min(interval, left), clock, signal);
    if (signal.aborted) return { end: 'interrupted', view };
    try {
      const next = await unlessInterrupted(admin.get<RolloutView>(pathOf('rollouts', view.id)), signal);
      if (next === null) return { end: 'interrupted', view };
      view = next;
      lostAt = null;
      following.seen(view);
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (lostAt === null) following.lost(error.message);
      lostAt ??= clock.now();
      if (clock.now() - lostAt >= patience) throw error;
    }
  }
}

/** Whether a server that is starting anew may answer like this. */
function isPassing(error: unknown): error is CommandFailure {
  if (!(error instanceof CommandFailure)) return false;
  return error.exitCode === EXIT.unreachable || Object(error.answer).status === 503;
}

/** Exit code of a rollout that is over. */
export const exitOf = ({ phase }: RolloutView): number => (phase === 'Succeeded' ? 0 : EXIT.failed);
