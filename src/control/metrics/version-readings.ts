/**
 * What every configured version has counted since it was first seen, read from the workers' memory in one go.
 *
 * All counts of a scrape come from one reading, so that its figures belong together as far as workers that keep counting allow. Gauges are what
 * they are in the row now; only counts are carried over when rows change hands (row-accounts.ts). Requests that never had a version are a
 * reading like the others, with empty names.
 */
import { VERSION_SLOTS, versionSlot, type WorkerMemory } from '../../model/counters.ts';
import {
  NO_VERSION,
  REQUEST_DURATIONS,
  requestRow,
  STATUSES,
  UPSTREAM_DURATION_SUM,
} from '../../model/request-table.ts';
import type { ServiceSnapshot, Snapshot } from '../../model/snapshot.ts';
import { type Owner, RowAccounts } from './row-accounts.ts';

/** The gauges are the last of the slots. */
const FIRST_GAUGE = VERSION_SLOTS.active;

const NOWHERE = '';

/** Answers and durations; see request-table.ts. */
export interface Reading {
  readonly names: { readonly service: string; readonly version: string };
  /** Counts in the order of STATUSES, by the lane in which they were counted; empty for none. */
  readonly statuses: readonly (readonly [lane: string, counts: Float64Array])[];
  /** The slots from REQUEST_DURATIONS on. */
  readonly durations: Float64Array;
}

export interface VersionReading extends Reading {
  readonly service: ServiceSnapshot;
  /** By VERSION_SLOTS, gauges included. */
  readonly counters: Float64Array;
}

export class VersionReadings {
  readonly #memories: readonly WorkerMemory[];
  readonly #counters: RowAccounts;
  readonly #statuses: RowAccounts;
  readonly #durations: RowAccounts;
  #snapshot: Snapshot;

  constructor(memories: readonly WorkerMemory[], snapshot: Snapshot) {
    const requests = memories.map((memory) => memory.requests);
    this.#memories = memories;
    this.#counters = new RowAccounts({
      ...{ arrays: memories.map((memory) => memory.counters), start: versionSlot, length: FIRST_GAUGE },
    });
    this.#statuses = new RowAccounts({ arrays: requests, start: requestRow, length: STATUSES.length });
    this.#durations = new RowAccounts({
      arrays: requests,
      start: (row) => requestRow(row) + REQUEST_DURATIONS,
      length: UPSTREAM_DURATION_SUM + 1 - REQUEST_DURATIONS,
    });
    this.#snapshot = snapshot;
    this.apply(snapshot);
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  apply(snapshot: Snapshot): void {
    const versions: Owner[] = [];
    const lanes: Owner[] = [];
    for (const service of snapshot.services) {
      for (const { id, name, lane } of service.versions) {
        versions.push({ row: id, version: keyOf(service.name, name), part: '' });
        lanes.push({ row: id, version: keyOf(service.name, name), part: lane ?? '' });
      }
    }
    const nowhere = { row: NO_VERSION, version: NOWHERE, part: '' };
    this.#counters.apply(versions);
    this.#statuses.apply([...lanes, nowhere]);
    this.#durations.apply([...versions, nowhere]);
    this.#snapshot = snapshot;
  }

  /** In the order of the configuration. */
  versions(): VersionReading[] {
    return this.#snapshot.services.flatMap((service) =>
      service.versions.map((version) => {
        const key = keyOf(service.name, version.name);
        const counters = new Float64Array(Object.keys(VERSION_SLOTS).length);
        counters.set(this.#counters.totals(key)[0]![1]);
        for (let slot = FIRST_GAUGE; slot < counters.length; slot++) counters[slot] = this.#now(version.id, slot);
        return { service, counters, ...this.#reading(key, { service: service.name, version: version.name }) };
      }),
    );
  }

  /** Requests that never had a version. */
  nowhere(): Reading {
    return this.#reading(NOWHERE, { service: '', version: '' });
  }

  #reading(key: string, names: Reading['names']): Reading {
    return { names, statuses: this.#statuses.totals(key), durations: this.#durations.totals(key)[0]![1] };
  }

  #now(versionId: number, slot: number): number {
    const at = versionSlot(versionId) + slot;
    return this.#memories.reduce((sum, { counters }) => sum + counters[at]!, 0);
  }
}

const keyOf = (service: string, version: string): string => `${service}\n${version}`;
