/**
 * Samples of rollouts: where each is, what the evidence says, and how they ended.
 *
 * Ids of rollouts are labels that go on for ever, so only those are shown that somebody may still want to look at: every one that is not over,
 * and the latest of each service, which a dashboard names as the last one. Evidence and failures have no id: a service has one rollout at a
 * time that compares, and a series that goes on from one to the next can be drawn. There is no series where nothing is compared, because a
 * 0 would say that there is no evidence. Counters of how they ended begin with the process.
 */
import { isOver } from '../rollout/rollout.ts';
import type { Sample } from './sample.ts';
import type { MetricsSources, RolloutReading } from './sources.ts';

export function rolloutCollectors(sources: MetricsSources) {
  const all = sources.rollouts?.() ?? [];
  const comparing = firstOfEach(all.filter(({ phase }) => !isOver(phase) && phase !== 'Queued'));
  return {
    sluice_rollout_phase: (): Sample[] =>
      shownOf(all).map(({ service, id, phase }) => ({ value: 1, labels: { service, rollout: id, phase } })),
    sluice_rollouts_total: (): Sample[] =>
      (sources.rolloutsEnded?.() ?? []).map(({ service, phase, count }) => ({
        value: count,
        labels: { service, phase },
      })),
    sluice_evidence_log_e: (): Sample[] =>
      comparing.flatMap(({ service, tests }) =>
        tests
          .filter(({ state }) => state !== 'off')
          .map(({ test, logE }) => ({ value: logE, labels: { service, metric: test } })),
      ),
    sluice_canary_failures: (): Sample[] =>
      comparing.map(({ service, failures }) => ({ value: failures, labels: { service } })),
  };
}

/** @param readings newest first. */
function shownOf(readings: readonly RolloutReading[]): RolloutReading[] {
  const latest = new Set(firstOfEach(readings));
  return readings.filter((reading) => !isOver(reading.phase) || latest.has(reading));
}

function firstOfEach(readings: readonly RolloutReading[]): RolloutReading[] {
  const services = new Map<string, RolloutReading>();
  for (const reading of readings) if (!services.has(reading.service)) services.set(reading.service, reading);
  return [...services.values()];
}
