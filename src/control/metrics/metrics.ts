/**
 * Sluice's metrics for Prometheus: everything is read at the time of the scrape, from counters that workers keep anyway.
 *
 * No request pays for it: there is no metric object in the data plane, only slots of shared memory. A scrape reads them once, sums the workers,
 * and prints; its cost grows in proportion to versions and endpoints. Rows that change owner are settled in `rowsChanged`, so counters
 * never fall. Which metrics there are says metric-table.ts, and the type demands a collector for each of them.
 */
import type { Snapshot } from '../../model/snapshot.ts';
import { controlCollectors, ReloadCounts, type ReloadResult } from './control-samples.ts';
import { endpointCollectors } from './endpoint-samples.ts';
import { type Exposition, type Family, print } from './exposition.ts';
import { METRIC_NAMES, METRICS, type MetricName } from './metric-table.ts';
import { ProcessMetrics } from './process-metrics.ts';
import { rolloutCollectors } from './rollout-samples.ts';
import type { Collect } from './sample.ts';
import type { MetricsSources } from './sources.ts';
import { VersionReadings } from './version-readings.ts';
import { versionCollectors } from './version-samples.ts';
import { workerCollectors } from './worker-samples.ts';

export class Metrics {
  readonly #sources: MetricsSources;
  readonly #wallClock: () => number;
  readonly #readings: VersionReadings;
  readonly #reloads: ReloadCounts;
  readonly #process = new ProcessMetrics();
  #replaced = 0;

  constructor(sources: MetricsSources) {
    this.#sources = sources;
    this.#wallClock = sources.wallClock ?? Date.now;
    this.#readings = new VersionReadings(sources.memories, sources.snapshot);
    this.#reloads = new ReloadCounts(this.#wallClock());
  }

  /** A snapshot is about to run: whose each row of shared memory is. Call before any worker gets it. */
  rowsChanged(snapshot: Snapshot): void {
    this.#readings.apply(snapshot);
  }

  /** A worker has died and another takes its place. */
  observeReplaced(): void {
    this.#replaced++;
  }

  observeReload(result: ReloadResult): void {
    this.#reloads.observe(result, this.#wallClock());
  }

  /** @param accept the request's Accept field; decides between text format and OpenMetrics. */
  expose(accept?: string): Promise<Exposition> {
    const collectors = this.#collectors();
    const own = METRIC_NAMES.map((name): Family => {
      const { type, help } = METRICS[name];
      return { name, type, help, collect: collectors[name] };
    });
    return print([...own, ...this.#process.families()], accept);
  }

  /** Ends what looks at event loop and garbage collection. */
  close(): void {
    this.#process.close();
  }

  #collectors(): Readonly<Record<MetricName, Collect>> {
    const { snapshot } = this.#readings;
    return {
      ...versionCollectors(this.#readings.versions(), this.#readings.nowhere()),
      ...endpointCollectors(snapshot, this.#sources.endpoints),
      ...workerCollectors(this.#sources.memories),
      ...rolloutCollectors(this.#sources),
      ...controlCollectors(this.#sources, snapshot),
      ...this.#reloads.collectors(),
      sluice_workers_replaced_total: () => [{ value: this.#replaced }],
    };
  }
}
