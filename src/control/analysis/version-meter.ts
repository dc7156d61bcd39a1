/**
 * The totals of one version, summed over all workers and over whatever endpoints it has had.
 *
 *     rows of its endpoints ─EndpointReader, what is new─▶ totals      row of the version ─what is new─▶ shielded
 *
 * The workers count per row of shared memory, and rows change hands when endpoints and versions come and go. So only what is new in a row
 * is added, from the moment at which the row is the version's: what somebody else counted there before is not its own, and what an
 * endpoint had counted stays when it goes. A row that nobody else has taken yet is read on, because the last requests of a
 * departing endpoint end there; as soon as it has another owner it is let go without a last look, since that could only take what is
 * the other's. The monitor begins anew in these cases (version-watch.ts), which a rollout cannot: its windows span them.
 *
 * A new endpoint is noticed at the next reading, and what it counted until then is missed: once a second is often enough for ratios, and
 * whoever wants everything reads whenever a snapshot is applied. A version that is in no snapshot has the totals that it had.
 * A block that somebody cleared counts as nothing new.
 */
import { VERSION_SLOTS, versionSlot, type WorkerMemory } from '../../model/counters.ts';
import type { Snapshot, VersionSnapshot } from '../../model/snapshot.ts';
import { EndpointReader } from '../monitor/endpoint-reader.ts';
import { idleSlice } from '../monitor/slice.ts';
import { noLatencies } from './latency-counts.ts';
import type { VersionTotals } from './version-totals.ts';

const IDLE = idleSlice(1);

export class VersionMeter {
  readonly #memories: readonly WorkerMemory[];
  readonly #snapshot: () => Snapshot;
  readonly #service: string;
  readonly #version: string;
  /** By endpoint id. */
  readonly #readers = new Map<number, EndpointReader>();
  #seen: Snapshot | null = null;
  #row: number | null = null;
  /** What the row of the version had at the last reading. */
  #shielded = 0;
  #totals: VersionTotals = { attempts: 0, answered: 0, errors: 0, shielded: 0, inFlight: 0, latencies: noLatencies() };

  /** Counts from now on. @param snapshot the one that runs. */
  constructor(memories: readonly WorkerMemory[], snapshot: () => Snapshot, service: string, version: string) {
    this.#memories = memories;
    this.#snapshot = snapshot;
    this.#service = service;
    this.#version = version;
    this.#follow();
  }

  /** Never changed afterwards; the latencies are the same object as before where none has come. */
  read(): VersionTotals {
    this.#follow();
    let { attempts, answered, errors, latencies } = this.#totals;
    for (const reader of this.#readers.values()) {
      const slice = reader.read(IDLE);
      attempts += slice.attempts;
      answered += slice.answered;
      errors += slice.errors;
      if (slice.latencies.length === 0) continue;
      if (latencies === this.#totals.latencies) latencies = latencies.slice();
      for (let i = 0; i < slice.latencies.length; i += 2) latencies[slice.latencies[i]!]! += slice.latencies[i + 1]!;
    }
    const shielded = this.#totals.shielded + this.#newlyShielded();
    this.#totals = { attempts, answered, errors, shielded, inFlight: this.#sum('active'), latencies };
    return this.#totals;
  }

  #follow(): void {
    const snapshot = this.#snapshot();
    if (snapshot === this.#seen) return;
    this.#seen = snapshot;
    let own: VersionSnapshot | null = null;
    const others: VersionSnapshot[] = [];
    for (const service of snapshot.services) {
      for (const version of service.versions) {
        if (service.name === this.#service && version.name === this.#version) own = version;
        else others.push(version);
      }
    }
    for (const { endpoints } of others) for (const { id } of endpoints) this.#readers.delete(id);
    for (const { id } of own?.endpoints ?? []) {
      if (!this.#readers.has(id)) this.#readers.set(id, new EndpointReader(this.#memories, id));
    }
    if (own === null && !others.some(({ id }) => id === this.#row)) return;
    if (own?.id === this.#row) return;
    this.#row = own?.id ?? null;
    this.#shielded = this.#sum('shielded');
  }

  #newlyShielded(): number {
    const before = this.#shielded;
    this.#shielded = this.#sum('shielded');
    return Math.max(0, this.#shielded - before);
  }

  #sum(slot: keyof typeof VERSION_SLOTS): number {
    if (this.#row === null) return 0;
    const at = versionSlot(this.#row) + VERSION_SLOTS[slot];
    return this.#memories.reduce((sum, { counters }) => sum + counters[at]!, 0);
  }
}
