/**
 * What operators are shown: configuration, counters, flags of the endpoint table and the monitor's window, put together per service.
 *
 * Read when asked, from what is there anyway. Whatever the monitor has not measured is null, never 0.
 */
import type { ServiceConfig } from '../model/config.ts';
import type { WorkerMemory } from '../model/counters.ts';
import { ENDPOINT_SLOTS, endpointSlot } from '../model/counters.ts';
import { EJECTED, type EndpointTable, flagsOf, UNHEALTHY } from '../model/endpoint-table.ts';
import type { EndpointSnapshot, VersionSnapshot } from '../model/snapshot.ts';
import type { RunningState } from './change/change-core.ts';
import type { PushedMetrics } from './change/pushed-metrics.ts';
import { etagOf } from './change/weights.ts';
import type { EndpointStates } from './health/endpoint-states.ts';
import type { HealthMonitor, VersionReading } from './monitor/health-monitor.ts';
import { METRICS } from './monitor/metric.ts';
import type { EndpointView, ServiceView, VersionView } from './operations.ts';
import { overriddenKeys, type ServiceOverrides, serviceOverrides } from './state/overrides.ts';
import { versionTraffic } from './traffic-report.ts';

export interface ViewSources {
  readonly state: RunningState;
  readonly memories: readonly WorkerMemory[];
  readonly table: EndpointTable;
  readonly states: EndpointStates;
  readonly monitor: HealthMonitor;
  readonly pushed: PushedMetrics;
  readonly rolloutOf: (service: string) => string | null;
}

const NOTHING = Object.fromEntries(METRICS.map((metric) => [metric, null])) as VersionReading['values'];

export function serviceViews(sources: ViewSources): ServiceView[] {
  // Looks at every endpoint, so it is asked once for all services.
  const alerts = sources.monitor.alerts();
  return sources.state.config.services.map((service) => serviceView(service, sources, alerts));
}

export function serviceView(
  service: ServiceConfig,
  sources: ViewSources,
  alerts = sources.monitor.alerts(),
): ServiceView {
  const { state } = sources;
  const { name } = service;
  const changes = serviceOverrides(state.entries, name);
  const { rollback } = changes;
  const snapshot = state.snapshot.services.find((each) => each.name === name)!;
  return {
    name,
    lanes: service.lanes,
    weights: service.weights,
    etag: etagOf(service),
    strategy: service.split.strategy,
    overrides: overriddenKeys(state.entries, name),
    rollback: rollback === null ? null : { by: rollback.by, everyMs: rollback.everyMs, reason: rollback.reason },
    rollout: sources.rolloutOf(name),
    versions: snapshot.versions.map((version) => versionView(name, version, changes, sources)),
    alerts: alerts.filter((alert) => alert.service === name),
  };
}

function versionView(
  service: string,
  version: VersionSnapshot,
  changes: ServiceOverrides,
  sources: ViewSources,
): VersionView {
  const { name, lane, weight } = version;
  const reading = sources.monitor.reading(service, name);
  return {
    ...{ name, lane, weight: weight / 100 },
    source: changes.versions.has(name) ? 'override' : 'file',
    attempts: reading?.attempts ?? 0,
    values: reading?.values ?? NOTHING,
    traffic: versionTraffic(service, version, sources.memories),
    endpoints: version.endpoints.map((endpoint) => endpointView(endpoint, sources, reading)),
    metrics: sources.pushed.of(service, name),
  };
}

function endpointView(
  { id, url, weight }: EndpointSnapshot,
  { table, states, memories }: ViewSources,
  reading: VersionReading | null,
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
