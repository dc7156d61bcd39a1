/**
 * Samples of rollouts: where each is, what the evidence says, and how they ended.
 *
 * Ids of rollouts are labels that go on for ever, so only those are shown that somebody may still want to look at: every one that is not over,
 * and the latest of each service, which a dashboard names as the last one. Evidence and failures have no id: a service has one rollout at a
 * time that compares, and a series that goes on from one to the next can be drawn. There is no series where nothing is compared, because a
 * 0 would say that there is no evidence. Counters of how they ended begin with the process.
 */
import type { TestReading } from '../analysis/verdict.ts';
import { isOver } from '../rollout/rollout.ts';
import type { Sample } from './sample.ts';
import type { MetricsSources, RolloutReading } from './sources.ts';

export function rolloutCollectors(sources: MetricsSources) {
  const all = sources.rollouts?.() ?? [];
  const open = all.filter(({ phase }) => !isOver(phase));
  const comparing = firstOfEach(open.filter(({ phase }) => phase !== 'Queued'));
  return {
    sluice_rollout_phase: (): Sample[] =>
      shownOf(all).map(({ service, id, phase }) => ({ value: 1, labels: { service, rollout: id, phase } })),
    sluice_rollout_step: (): Sample[] => open.map(({ service, id, step }) => sampleOf(service, id, step)),
    sluice_rollout_waiting: (): Sample[] =>
      open.map(({ service, id, waiting }) => sampleOf(service, id, waiting ? 1 : 0)),
    sluice_rollouts_total: (): Sample[] =>
      (sources.rolloutsEnded?.() ?? []).map(({ service, phase, count }) => ({
        value: count,
        labels: { service, phase },
      })),
    sluice_evidence_log_e: (): Sample[] => testSamples(comparing, ({ logE }) => logE),
    sluice_evidence_threshold: (): Sample[] => testSamples(comparing, ({ threshold }) => threshold),
    sluice_canary_failures: (): Sample[] =>
      comparing.map(({ service, failures }) => ({ value: failures, labels: { service } })),
  };
}

const sampleOf = (service: string, rollout: string, value: number): Sample => ({ value, labels: { service, rollout } });

/** @param figure null where the test has none. */
function testSamples(readings: readonly RolloutReading[], figure: (test: TestReading) => number | null): Sample[] {
  return readings.flatMap(({ service, tests }) =>
    tests.flatMap((test) => {
      const value = test.state === 'off' ? null : figure(test);
      return value === null ? [] : [{ value, labels: { service, metric: test.test } }];
    }),
  );
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
