/**
 * How the evidence of a rollout grew while the page looked: per test, the logarithm of its e-value, one point a second.
 *
 * A rollout that has ended goes on being sent for a minute and its evidence stands still then; such points are not added, so that its chart ends where it ended.
 */
import type { RolloutView } from '../api/views.ts';

export interface EvidencePoint {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** By test; left out where it is off. */
  readonly logE: Readonly<Record<string, number>>;
  readonly weight: number;
}

export type EvidenceSeries = ReadonlyMap<string, readonly EvidencePoint[]>;

/** Half an hour at one a second; of longer ones every second point is dropped, again and again. */
const MOST = 1_800;

export function evidenceExtended(series: EvidenceSeries, rollouts: readonly RolloutView[], at: number): EvidenceSeries {
  const next = new Map(series);
  for (const rollout of rollouts) {
    const known = next.get(rollout.id) ?? [];
    if (rollout.endedAt !== null && known.length > 0 && at - Date.parse(rollout.endedAt) > 2_000) continue;
    const logE: Record<string, number> = {};
    for (const { test, state, logE: value } of rollout.evidence.tests) if (state !== 'off') logE[test] = value;
    const kept = known.length < MOST ? known : known.filter((_, index) => index % 2 === 0);
    next.set(rollout.id, [...kept, { at, logE, weight: rollout.weight }]);
  }
  return next;
}
