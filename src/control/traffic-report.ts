/**
 * What has become of the requests of each version since the start: the counters of all workers, summed and given names.
 *
 * `sluice run` logs it on SIGUSR2 and behind a drain. Rates that nothing has happened for are null, not 0: a hit rate of nothing is no hit rate.
 */
import { VERSION_SLOTS, versionSlot, type WorkerMemory } from '../model/counters.ts';
import { requestRow, STATUSES } from '../model/request-table.ts';
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
  /** What users were answered by this version, by status; those of a canary's requests that stable answered are stable's. */
  readonly replies: Replies;
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

export type Replies = Readonly<Record<ReplyClass, number>>;
type ReplyClass = '2xx' | '3xx' | '4xx' | '5xx';
type Slot = keyof typeof VERSION_SLOTS;

/** Slot and class of each status; 1xx, which are no answer, and 101, which is the beginning of a tunnel, have none. */
const REPLY_CLASSES = STATUSES.flatMap((status, slot) =>
  status < 200 ? [] : [[slot, `${Math.floor(status / 100)}xx` as ReplyClass] as const],
);

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
    replies: repliesOf(version.id, memories),
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

function repliesOf(versionId: number, memories: readonly WorkerMemory[]): Replies {
  const at = requestRow(versionId);
  const replies: Record<ReplyClass, number> = { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 };
  for (const { requests } of memories) {
    for (const [slot, group] of REPLY_CLASSES) replies[group] += requests[at + slot]!;
  }
  return replies;
}

function ratio(part: number, whole: number, digits: number): number | null {
  return whole === 0 ? null : Number((part / whole).toFixed(digits));
}
