/**
 * The list of rollouts: those under way first, each part newest first, with what the live state knows better than the list that was asked for.
 */
import type { Phase, RolloutSummary } from '../../api/views.ts';
import { isOver } from './words.ts';

export interface RowFilter {
  /** Empty: every. */
  readonly service: string;
  /** Empty: every; `open`: those that are not over. */
  readonly phase: Phase | 'open' | '';
}

/** @param listed newest first. @param live those that the live state has. */
export function rowsOf(
  listed: readonly RolloutSummary[],
  live: readonly RolloutSummary[],
  { service, phase }: RowFilter,
): RolloutSummary[] {
  const fresh = new Map(live.map((rollout) => [rollout.id, rollout]));
  const known = new Set(listed.map(({ id }) => id));
  const all = [
    ...live.filter(({ id }) => !known.has(id)),
    ...listed.map((rollout) => fresh.get(rollout.id) ?? rollout),
  ];
  const wanted = all.filter(
    (rollout) =>
      (service === '' || rollout.service === service) &&
      (phase === '' || (phase === 'open' ? !isOver(rollout.phase) : rollout.phase === phase)),
  );
  return [...wanted.filter((rollout) => !isOver(rollout.phase)), ...wanted.filter((rollout) => isOver(rollout.phase))];
}

/** Milliseconds from its begin to its end, or until now; null of one that has not begun. */
export function tookOf(
  { startedAt, endedAt }: Pick<RolloutSummary, 'startedAt' | 'endedAt'>,
  now: number,
): number | null {
  if (startedAt === null) return null;
  return Math.max(0, (endedAt === null ? now : Date.parse(endedAt)) - Date.parse(startedAt));
}
