/**
 * Which versions are closed, and which the override does not reach: derived from the rollouts, and written into the marks that workers read.
 *
 * A version that was taken back stays closed until it is given weight again, by hand or by another rollout: an experiment or a header strategy
 * that names it would send users there otherwise. One whose switch a worker has thrown stays closed while its rollout is held. Stable is
 * never closed. Where nothing is kept of a version it is open, so forgetting old rollouts forgets this too.
 */
import type { Snapshot } from '../../model/snapshot.ts';
import type { EvidenceRows } from './evidence-rows.ts';
import type { Rollout } from './rollout.ts';
import type { RunningRollout } from './running.ts';

export function settleMarks(
  rows: EvidenceRows,
  snapshot: Snapshot,
  all: Iterable<Rollout>,
  running: (id: string) => RunningRollout | null,
): void {
  const latest = new Map<string, Rollout>();
  // One that never began has nothing to say: it neither opens what was taken back, nor closes what it has not touched.
  for (const rollout of all)
    if (rollout.startedAt !== null) latest.set(`${rollout.service}\n${rollout.version}`, rollout);
  for (const service of snapshot.services) {
    service.versions.forEach(({ id, name, weight }, index) => {
      const rollout = latest.get(`${service.name}\n${name}`);
      const live = rollout === undefined ? null : running(rollout.id);
      const isBack = rollout !== undefined && ['RollingBack', 'RolledBack', 'Failed'].includes(rollout.phase);
      const isThrown = live !== null && (live.closed || rows.cause(live.row) !== null);
      if (index !== service.stable && ((isBack && weight === 0) || isThrown)) rows.close(id);
      else rows.open(id);
      rows.override(id, live === null || isReachable(live.rollout));
    });
  }
}

/** The override header reaches the version, unless an `override` step says otherwise. */
function isReachable({ strategy, step }: Rollout): boolean {
  const said = strategy.steps.slice(0, step + 1).findLast(({ kind }) => kind === 'override');
  return said?.kind !== 'override' || said.on;
}
