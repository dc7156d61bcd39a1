/** Samples of what the control plane knows: weights, configuration, alerts, pushed values, the store. */
import { WORKER_SLOTS } from '../../model/counters.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { OpenAlert } from '../monitor/alert-watch.ts';
import type { Sample } from './sample.ts';
import type { MetricsSources, PushedMetric } from './sources.ts';

/** `unchanged`: the files were read and say what they said before. */
export type ReloadResult = 'applied' | 'unchanged' | 'rejected';

/** What has become of reading the configuration; the reading at the start was a success. */
export class ReloadCounts {
  readonly #counts: Record<ReloadResult, number> = { applied: 0, unchanged: 0, rejected: 0 };
  #successful = true;
  /** Milliseconds since 1970. */
  #lastSuccess: number;

  constructor(wallNow: number) {
    this.#lastSuccess = wallNow;
  }

  observe(result: ReloadResult, wallNow: number): void {
    this.#counts[result]++;
    this.#successful = result !== 'rejected';
    if (this.#successful) this.#lastSuccess = wallNow;
  }

  collectors() {
    return {
      sluice_config_reloads_total: (): Sample[] =>
        Object.entries(this.#counts).map(([result, value]) => ({ value, labels: { result } })),
      sluice_config_last_reload_successful: () => one(this.#successful ? 1 : 0),
      sluice_config_last_success_timestamp_seconds: () => one(this.#lastSuccess / 1000),
    };
  }
}

export function controlCollectors(sources: MetricsSources, snapshot: Snapshot) {
  return {
    sluice_weight: () => weightSamples(snapshot, sources.weights()),
    sluice_pushed_metric: () => Array.from(sources.pushed(), pushedSample),
    sluice_trace_spans_total: () => spanSamples(sources),
    sluice_rate_table_overflows_total: () => one(sources.rateOverflows()),
    sluice_config_generation: () => one(snapshot.generation),
    sluice_workers: (): Sample[] => [
      { value: sources.memories.length, labels: { state: 'configured' } },
      { value: sources.listening(), labels: { state: 'listening' } },
    ],
    sluice_alerts_firing: () => alertSamples(sources.alerts()),
    sluice_store_up: () => one(sources.storeTrouble() === null ? 1 : 0),
    sluice_build_info: (): Sample[] => [
      { value: 1, labels: { version: sources.release, node: process.versions.node } },
    ],
  };
}

const one = (value: number): Sample[] => [{ value }];

const pushedSample = ({ service, version, metric, value }: PushedMetric): Sample => ({
  value,
  labels: { service, version, metric },
});

/** Spans are dropped by workers too, where this thread does not take them. */
function spanSamples({ traceSpans, memories }: MetricsSources): Sample[] {
  const { exported, dropped } = traceSpans?.() ?? { exported: 0, dropped: 0 };
  const left = memories.reduce((sum, { counters }) => sum + counters[WORKER_SLOTS.spansDropped]!, 0);
  return [
    { value: exported, labels: { result: 'exported' } },
    { value: dropped + left, labels: { result: 'dropped' } },
  ];
}

function weightSamples(snapshot: Snapshot, live: ReadonlyMap<number, number>): Sample[] {
  return snapshot.services.flatMap((service) =>
    service.versions.map(({ id, name, lane, weight }) => ({
      value: live.get(id) ?? weight / 100,
      labels: { service: service.name, version: name, lane: lane ?? '' },
    })),
  );
}

/** An alert on a version and on several of its endpoints is one series. */
function alertSamples(alerts: readonly OpenAlert[]): Sample[] {
  const counts = new Map<string, { value: number; readonly labels: Record<string, string> }>();
  for (const { name, state, service, version } of alerts) {
    if (state !== 'firing') continue;
    const key = `${service}\n${version}\n${name}`;
    const count = counts.get(key) ?? { value: 0, labels: { service, version, alert: name } };
    count.value++;
    counts.set(key, count);
  }
  return [...counts.values()];
}
