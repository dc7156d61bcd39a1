/**
 * What operators are shown: configuration, counters, flags of the endpoint table and the monitor's window, put together per service.
 *
 * Read when asked, from what is there anyway. Whatever the monitor has not measured is null, never 0.
 */
import type { SluiceConfig } from '../model/config.ts';
import type { WorkerMemory } from '../model/counters.ts';
import { ENDPOINT_SLOTS, endpointSlot } from '../model/counters.ts';
import { EJECTED, type EndpointTable, flagsOf, UNHEALTHY } from '../model/endpoint-table.ts';
import type { EndpointSnapshot, VersionSnapshot } from '../model/snapshot.ts';
import type { RunningState } from './change/change-core.ts';
import type { PushedMetrics } from './change/pushed-metrics.ts';
import { etagOf } from './change/weights.ts';
import type { EndpointStates } from './health/endpoint-states.ts';
import type { HealthMonitor, MonitorSnapshot, VersionReading } from './monitor/health-monitor.ts';
import { METRICS } from './monitor/metric.ts';
import type { EndpointView, ServiceView, VersionView } from './operations.ts';
import { overriddenKeys, serviceOverrides } from './state/overrides.ts';
import { trafficReport, type VersionTraffic } from './traffic-report.ts';

export interface ViewSources {
  readonly state: RunningState;
  readonly memories: readonly WorkerMemory[];
  readonly table: EndpointTable;
  readonly states: EndpointStates;
  readonly monitor: HealthMonitor;
  readonly pushed: PushedMetrics;
}

const NOTHING = Object.fromEntries(METRICS.map((metric) => [metric, null])) as VersionReading['values'];

/** @param only this service; null: all. */
export function serviceViews(sources: ViewSources, only: string | null): ServiceView[] {
  const { state, memories } = sources;
  const readings = sources.monitor.snapshot();
  const traffic = trafficReport(state.snapshot, memories);
  return state.config.services
    .filter(({ name }) => only === null || name === only)
    .map((service) => serviceView(service, sources, readings, traffic));
}

function serviceView(
  service: SluiceConfig['services'][number],
  sources: ViewSources,
  readings: MonitorSnapshot,
  traffic: readonly VersionTraffic[],
): ServiceView {
  const { state } = sources;
  const { name } = service;
  const { rollback } = serviceOverrides(state.entries, name);
  const snapshot = state.snapshot.services.find((each) => each.name === name)!;
  const versions = snapshot.versions.map((version): VersionView => {
    const reading = readings.versions.find((each) => each.service === name && each.version === version.name);
    return {
      name: version.name,
      lane: version.lane,
      weight: version.weight / 100,
      source: sourceOf(state, name, version.name),
      attempts: reading?.attempts ?? 0,
      values: reading?.values ?? NOTHING,
      traffic: traffic.find((each) => each.service === name && each.version === version.name)!,
      endpoints: endpointViews(version, sources, reading),
      metrics: sources.pushed.of(name, version.name),
    };
  });
  return {
    name,
    lanes: service.lanes,
    weights: service.weights,
    etag: etagOf(service),
    strategy: service.split.strategy,
    overrides: overriddenKeys(state.entries, name),
    rollback: rollback === null ? null : { by: rollback.by, everyMs: rollback.everyMs, reason: rollback.reason },
    versions,
    alerts: readings.alerts.filter((alert) => alert.service === name),
  };
}

function sourceOf({ entries }: RunningState, service: string, version: string): 'file' | 'override' {
  return serviceOverrides(entries, service).versions.has(version) ? 'override' : 'file';
}

function endpointViews(
  version: VersionSnapshot,
  sources: ViewSources,
  reading: VersionReading | undefined,
): EndpointView[] {
  return version.endpoints.map((endpoint) => endpointView(endpoint, sources, reading));
}

function endpointView(
  { id, url, weight }: EndpointSnapshot,
  { table, states, memories }: ViewSources,
  reading: VersionReading | undefined,
): EndpointView {
  const flags = flagsOf(table, id);
  const measured = reading?.endpoints.find((each) => each.id === id);
  return {
    url,
    weight,
    state: states.stateOf(id),
    healthy: (flags & UNHEALTHY) === 0,
    ejected: (flags & EJECTED) !== 0,
    available: flags === 0,
    inFlight: memories.reduce((sum, { endpoints }) => sum + endpoints[endpointSlot(id) + ENDPOINT_SLOTS.active]!, 0),
    attempts: measured?.attempts ?? 0,
    values: measured?.values ?? NOTHING,
  };
}
