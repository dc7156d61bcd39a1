/** The request table by name, zeros left out, so that a test compares all that users got with one literal. */
import type { WorkerMemory } from '../../src/model/counters.ts';
import {
  DURATION_BOUNDS,
  DURATION_BUCKETS,
  NO_VERSION,
  REQUEST_DURATION_SUM,
  REQUEST_DURATIONS,
  requestRow,
  STATUSES,
  UPSTREAM_DURATION_SUM,
  UPSTREAM_DURATIONS,
} from '../../src/model/request-table.ts';
import type { TestProxy } from './proxy.ts';

export interface Durations {
  /** Counts by upper bound in seconds; `Infinity` is what was longer. */
  readonly buckets: Readonly<Record<string, number>>;
  /** Milliseconds. */
  readonly sum: number;
}

function rowOf(proxy: TestProxy, version: string | null): number {
  if (version === null) return requestRow(NO_VERSION);
  const all = proxy.plane.snapshot.services.flatMap((service) => service.versions);
  return requestRow(all.find(({ name }) => name === version)!.id);
}

const table = (proxy: TestProxy): WorkerMemory['requests'] => proxy.plane.memory.own.requests;

/** How often each status was given. @param version null: requests without one. */
export function statuses(proxy: TestProxy, version: string | null = 'v1'): Record<string, number> {
  const row = rowOf(proxy, version);
  const found: Record<string, number> = {};
  STATUSES.forEach((status, i) => {
    const count = table(proxy)[row + i]!;
    if (count !== 0) found[status] = count;
  });
  return found;
}

function durations(proxy: TestProxy, version: string | null, first: number, sum: number): Durations {
  const row = rowOf(proxy, version);
  const buckets: Record<string, number> = {};
  for (let i = 0; i < DURATION_BUCKETS; i++) {
    const count = table(proxy)[row + first + i]!;
    if (count !== 0) buckets[String(DURATION_BOUNDS[i] ?? Number.POSITIVE_INFINITY)] = count;
  }
  return { buckets, sum: table(proxy)[row + sum]! };
}

export const requestDurations = (proxy: TestProxy, version: string | null = 'v1'): Durations =>
  durations(proxy, version, REQUEST_DURATIONS, REQUEST_DURATION_SUM);

export const upstreamDurations = (proxy: TestProxy, version: string | null = 'v1'): Durations =>
  durations(proxy, version, UPSTREAM_DURATIONS, UPSTREAM_DURATION_SUM);

/** All requests of all rows. */
export function allRequests(proxy: TestProxy): { statuses: number; durations: number } {
  const found = { statuses: 0, durations: 0 };
  for (let version = 0; version <= NO_VERSION; version++) {
    const row = requestRow(version);
    for (let i = 0; i < STATUSES.length; i++) found.statuses += table(proxy)[row + i]!;
    for (let i = 0; i < DURATION_BUCKETS; i++) found.durations += table(proxy)[row + REQUEST_DURATIONS + i]!;
  }
  return found;
}
