/**
 * Everything in the control plane that looks after endpoints: active checks, outlier ejection, the operator's word, and the monitor.
 *
 * Each part owns its own flags in the endpoint table and knows nothing of the others; what is put together here is only what they are
 * pointed at. All of them run on the main thread and none is on the way of a request.
 */
import type { SluiceConfig } from '../model/config.ts';
import type { WorkerMemory } from '../model/counters.ts';
import { clearRow, type EndpointTable, flagsOf } from '../model/endpoint-table.ts';
import type { ServiceSnapshot, Snapshot, VersionSnapshot } from '../model/snapshot.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Random } from '../runtime/random.ts';
import { EndpointStates } from './health/endpoint-states.ts';
import { HealthChecker, type HealthEvent } from './health/health-checker.ts';
import { type OutlierEvent, OutlierMonitor, type OutlierTarget } from './health/outlier-monitor.ts';
import type { HealthTarget } from './health/probe.ts';
import type { AlertHandler } from './monitor/alert-handlers.ts';
import { HealthMonitor } from './monitor/health-monitor.ts';

/** Who hears at once of what happens to endpoints. */
export interface WatchListener {
  health(event: HealthEvent): void;
  outlier(event: OutlierEvent): void;
  /** A draining has come to its deadline. */
  drainEnded(endpoint: { readonly service: string; readonly version: string; readonly url: string }): void;
}

export interface WatchOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly table: EndpointTable;
  readonly memories: readonly WorkerMemory[];
  readonly config: SluiceConfig;
  readonly listener?: WatchListener & AlertHandler;
}

export class Watch {
  readonly health: HealthChecker;
  readonly outliers: OutlierMonitor;
  readonly states: EndpointStates;
  monitor: HealthMonitor;
  readonly #options: WatchOptions;
  #monitorConfig: string;
  readonly #table: EndpointTable;
  /** Whose each row was last. */
  readonly #rows = new Map<number, string>();

  constructor(options: WatchOptions) {
    const { table, config, listener } = options;
    this.#table = table;
    this.health = new HealthChecker({ ...options, onChange: (event) => listener?.health(event) });
    this.outliers = new OutlierMonitor({ ...options, onChange: (event) => listener?.outlier(event) });
    this.states = new EndpointStates({
      ...options,
      onDeadline: (id) => {
        const [service, version, url] = this.#rows.get(id)?.split('\n') ?? [];
        if (url !== undefined) listener?.drainEnded({ service: service!, version: version!, url });
      },
    });
    this.#options = options;
    this.#monitorConfig = JSON.stringify(config.monitor);
    this.monitor = this.#newMonitor(config);
  }

  #newMonitor(config: SluiceConfig): HealthMonitor {
    const { listener, table } = this.#options;
    const handlers = listener === undefined ? [] : [listener];
    return new HealthMonitor({
      ...this.#options,
      config: config.monitor,
      flagsOf: (id) => flagsOf(table, id),
      handlers,
    });
  }

  /** Another window or other alerts begin with an empty window; what was measured for the old ones would not fit. */
  #renewMonitor(config: SluiceConfig): void {
    const wanted = JSON.stringify(config.monitor);
    if (wanted === this.#monitorConfig) return;
    this.#monitorConfig = wanted;
    void this.monitor.close();
    this.monitor = this.#newMonitor(config);
  }

  /** Looks after the endpoints of this snapshot from now on; call before the workers get it. */
  apply(config: SluiceConfig, snapshot: Snapshot): void {
    this.#clearRows(snapshot);
    this.#renewMonitor(config);
    const versions = snapshot.services.flatMap((service) => service.versions.map((version) => ({ service, version })));
    this.health.apply(versions.flatMap(({ service, version }) => healthTargets(config, service, version)));
    this.outliers.apply(versions.flatMap(({ service, version }) => outlierTargets(service, version)));
    this.monitor.apply(
      versions.map(({ service, version }) => ({
        service: service.name,
        version: version.name,
        endpoints: version.endpoints.map(({ id, url }) => ({ id, url })),
      })),
    );
  }

  /** A row that another endpoint takes over holds nothing against it. */
  #clearRows(snapshot: Snapshot): void {
    const rows = new Map<number, string>();
    for (const service of snapshot.services) {
      for (const version of service.versions) {
        for (const { id, url } of version.endpoints) rows.set(id, `${service.name}\n${version.name}\n${url}`);
      }
    }
    for (const [id, owner] of rows) {
      const before = this.#rows.get(id);
      if (before !== undefined && before !== owner) {
        this.states.forget(id);
        clearRow(this.#table, id);
      }
      this.#rows.set(id, owner);
    }
  }

  async close(): Promise<void> {
    this.states.close();
    this.outliers.close();
    await Promise.all([this.health.close(), this.monitor.close()]);
  }
}

function healthTargets(config: SluiceConfig, service: ServiceSnapshot, version: VersionSnapshot): HealthTarget[] {
  const health = config.services.find(({ name }) => name === service.name)?.health;
  if (health === undefined) return [];
  return version.endpoints.map(({ id, url, host, port, authority }) => ({
    ...{ endpointId: id, url, host, port, authority },
    ...{ service: service.name, version: version.name, config: health },
  }));
}

function outlierTargets(service: ServiceSnapshot, version: VersionSnapshot): OutlierTarget[] {
  if (service.outlier === null) return [];
  return [
    {
      service: service.name,
      version: version.name,
      mayEmpty: service.versions[service.stable] !== version,
      endpoints: version.endpoints.map(({ id, url }) => ({ id, url })),
      config: service.outlier,
    },
  ];
}
