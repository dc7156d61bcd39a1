/**
 * Samples of what is known of endpoints: the bits of the endpoint table, each under the word that design and API have for it.
 *
 * An operator's word is one series per endpoint, the one that holds: Prometheus ends a series that is no longer scraped at once, so the other two
 * need not be there at 0. Ejections are there where the service has outlier detection.
 */
import { DISABLED, DRAINING, EJECTED, type EndpointTable, flagsOf, UNHEALTHY } from '../../model/endpoint-table.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { EndpointState } from '../health/endpoint-states.ts';
import type { Sample } from './sample.ts';

interface EndpointReading {
  readonly names: { readonly service: string; readonly version: string; readonly endpoint: string };
  readonly flags: number;
  readonly detected: boolean;
}

function readEndpoints(snapshot: Snapshot, table: EndpointTable): EndpointReading[] {
  return snapshot.services.flatMap((service) =>
    service.versions.flatMap((version) =>
      version.endpoints.map(({ id, url }) => ({
        names: { service: service.name, version: version.name, endpoint: url },
        flags: flagsOf(table, id),
        detected: service.outlier !== null,
      })),
    ),
  );
}

const flag = (names: EndpointReading['names'], holds: boolean): Sample => ({
  value: holds ? 1 : 0,
  sharedLabels: names,
});

export function endpointCollectors(snapshot: Snapshot, table: EndpointTable) {
  const endpoints = readEndpoints(snapshot, table);
  return {
    sluice_endpoint_healthy: () => endpoints.map(({ names, flags }) => flag(names, (flags & UNHEALTHY) === 0)),
    sluice_endpoint_available: () => endpoints.map(({ names, flags }) => flag(names, flags === 0)),
    sluice_endpoint_ejected: () =>
      endpoints.filter(judged).map(({ names, flags }) => flag(names, (flags & EJECTED) !== 0)),
    sluice_endpoint_state: () =>
      endpoints.map(({ names, flags }) => ({ value: 1, labels: { ...names, state: stateOf(flags) } })),
    sluice_outlier_ejections_active: () => ejectionSamples(endpoints.filter(judged)),
  };
}

function ejectionSamples(endpoints: readonly EndpointReading[]): Sample[] {
  const counts = new Map<string, { value: number; readonly labels: Record<string, string> }>();
  for (const { names, flags } of endpoints) {
    const { service, version } = names;
    const key = `${service}\n${version}`;
    const count = counts.get(key) ?? { value: 0, labels: { service, version } };
    if ((flags & EJECTED) !== 0) count.value++;
    counts.set(key, count);
  }
  return [...counts.values()];
}

const judged = ({ detected, flags }: EndpointReading): boolean => detected || (flags & EJECTED) !== 0;

function stateOf(flags: number): EndpointState {
  if ((flags & DISABLED) !== 0) return 'disabled';
  return (flags & DRAINING) !== 0 ? 'draining' : 'enabled';
}
