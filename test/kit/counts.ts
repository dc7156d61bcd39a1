/** The shared counters by name, zeros left out, so that a test compares all that was counted with one literal. */
import { ENDPOINT_SLOTS, endpointSlot, VERSION_SLOTS, versionSlot, WORKER_SLOTS } from '../../src/model/counters.ts';
import type { EndpointSnapshot, VersionSnapshot } from '../../src/model/snapshot.ts';
import type { TestProxy } from './proxy.ts';

export type Counts = Readonly<Record<string, number>>;

function named(slots: Readonly<Record<string, number>>, memory: Float64Array, first: number): Counts {
  const counts: Record<string, number> = {};
  for (const [name, slot] of Object.entries(slots)) {
    const value = memory[first + slot]!;
    if (value !== 0) counts[name] = value;
  }
  return counts;
}

const versions = (proxy: TestProxy): VersionSnapshot[] =>
  proxy.plane.snapshot.services.flatMap((service) => service.versions);

function versionOf(proxy: TestProxy, name: string): VersionSnapshot {
  const found = versions(proxy).find((version) => version.name === name);
  if (found === undefined) throw new Error(`no version ${name}`);
  return found;
}

export const workerCounts = (proxy: TestProxy): Counts => named(WORKER_SLOTS, proxy.plane.memory.own.counters, 0);

export const versionCounts = (proxy: TestProxy, name = 'v1'): Counts =>
  named(VERSION_SLOTS, proxy.plane.memory.own.counters, versionSlot(versionOf(proxy, name).id));

/** The endpoints of a version, in the order of the configuration. */
export const endpointsOf = (proxy: TestProxy, name = 'v1'): readonly EndpointSnapshot[] =>
  versionOf(proxy, name).endpoints;

export const endpointCounts = (proxy: TestProxy, name = 'v1'): Counts[] =>
  endpointsOf(proxy, name).map(({ id }) => named(ENDPOINT_SLOTS, proxy.plane.memory.own.endpoints, endpointSlot(id)));

/** What is in flight, by all gauges that there are; empty where nothing is. */
export function inFlight(proxy: TestProxy): Counts {
  const found: Record<string, number> = {};
  const note = (name: string, count: number): void => {
    if (count !== 0) found[name] = count;
  };
  const { exchanges, upstreamActive } = proxy.plane.stats();
  note('exchanges', exchanges);
  note('upstreamActive', upstreamActive);
  const { counters, endpoints } = proxy.plane.memory.own;
  for (const version of versions(proxy)) {
    const first = versionSlot(version.id);
    note(`${version.name} active`, counters[first + VERSION_SLOTS.active]!);
    note(`${version.name} retrying`, counters[first + VERSION_SLOTS.retrying]!);
    note(`${version.name} pending`, counters[first + VERSION_SLOTS.pending]!);
    for (const { id, url } of version.endpoints) {
      note(`${url} active`, endpoints[endpointSlot(id) + ENDPOINT_SLOTS.active]!);
    }
  }
  return found;
}
