/**
 * What has become of the requests of each version since the start: the counters of all workers, summed and given names.
 *
 * `sluice run` logs it on SIGUSR2 and behind a drain. Rates that nothing has happened for are null, not 0: a hit rate of nothing is no hit rate.
 */
import { VERSION_SLOTS, versionSlot, type WorkerMemory } from '../model/counters.ts';
import type { Snapshot, VersionSnapshot } from '../model/snapshot.ts';

export interface VersionTraffic {
  readonly service: string;
  readonly version: string;
  readonly lane: string | null;
  /** Given to this version by route, header, experiment, session or split. */
  readonly requests: number;
  /** Now. */
  readonly inFlight: number;
  /** Attempts by how they ended. */
  readonly attempts: Readonly<
    Record<'2xx' | '3xx' | '4xx' | '5xx' | 'connect' | 'reset' | 'timeout' | 'malformed', number>
  >;
  readonly retries: number;
  readonly retriesDenied: number;
  readonly hedges: number;
  readonly hedgeWins: number;
  /** Requests that went to stable because there was no endpoint. */
  readonly failovers: number;
  /** Requests refused by a circuit breaker. */
  readonly overflows: number;
  readonly shield: {
    /** Requests whose failed attempt was handed to stable. */
    readonly requests: number;
    /** Those that stable then answered below 500. */
    readonly saved: number;
    /** What it cost them: mean time spent on this version before, milliseconds. */
    readonly meanDelay: number | null;
  };
  readonly affinity: { readonly hits: number; readonly misses: number /** 0 to 1. */; readonly hitRate: number | null };
}

type Slot = keyof typeof VERSION_SLOTS;

export const trafficReport = (snapshot: Snapshot, memories: readonly WorkerMemory[]): VersionTraffic[] =>
  snapshot.services.flatMap(({ name, versions }) => versions.map((version) => versionTraffic(name, version, memories)));

export function versionTraffic(
  service: string,
  version: VersionSnapshot,
  memories: readonly WorkerMemory[],
): VersionTraffic {
  const at = versionSlot(version.id);
  const sum = (slot: Slot): number =>
    memories.reduce((total, { counters }) => total + counters[at + VERSION_SLOTS[slot]]!, 0);
  const shielded = sum('shielded');
  const hits = sum('affinityHits');
  const misses = sum('affinityMisses');
  return {
    service,
    version: version.name,
    lane: version.lane,
    requests: sum('requests'),
    inFlight: sum('active'),
    attempts: {
      '2xx': sum('status2xx'),
      '3xx': sum('status3xx'),
      '4xx': sum('status4xx'),
      '5xx': sum('status5xx'),
      connect: sum('connectFailures'),
      reset: sum('resets'),
      timeout: sum('timeouts'),
      malformed: sum('malformed'),
    },
    retries: sum('retries'),
    retriesDenied: sum('retriesDenied'),
    hedges: sum('hedges'),
    hedgeWins: sum('hedgeWins'),
    failovers: sum('failovers'),
    overflows: sum('overflows'),
    shield: {
      requests: shielded,
      saved: sum('shieldSaved'),
      meanDelay: ratio(sum('shieldDelay'), shielded, 1),
    },
    affinity: { hits, misses, hitRate: ratio(hits, hits + misses, 4) },
  };
}

function ratio(part: number, whole: number, digits: number): number | null {
  return whole === 0 ? null : Number((part / whole).toFixed(digits));
}
