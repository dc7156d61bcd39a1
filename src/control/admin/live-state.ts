/**
 * What the dashboard shows, at one moment: the process, every service, and the rollouts that somebody may be watching.
 *
 * It is put together from the operations that have calls of their own, so that nothing can be seen here that cannot be read there, under
 * the same names. A rollout stays for a minute after its end: a page that watches it has to see how it ended, and a page that is opened because of an
 * alarm has to see what caused it. Older ones are history, and asked for.
 */
import type { Operations, ServerStatus, ServiceView } from '../operations.ts';
import type { RolloutView } from '../rollout/view.ts';

/** Milliseconds for which a rollout that has ended is still shown. */
export const SHOWN_AFTER_END = 60_000;

export interface LiveState {
  /** ISO 8601. */
  readonly at: string;
  readonly status: ServerStatus;
  readonly services: readonly ServiceView[];
  /** Newest first: those that have not ended, and those that have within the last minute. */
  readonly rollouts: readonly RolloutView[];
}

export type LiveSource = Pick<Operations, 'status' | 'services' | 'rollouts' | 'rollout'>;

/** @param now milliseconds since 1970. */
export function liveState(source: LiveSource, now: number): LiveState {
  const shown = source
    .rollouts({})
    .filter(({ endedAt }) => endedAt === null || now - Date.parse(endedAt) <= SHOWN_AFTER_END);
  return {
    at: new Date(now).toISOString(),
    status: source.status(),
    services: source.services(),
    rollouts: shown.map(({ id }) => source.rollout(id)),
  };
}
