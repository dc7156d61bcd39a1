/**
 * What the outlier monitor remembers of one endpoint between two looks.
 *
 *     in ──ejected (by a worker, or for its success rate)──▶ out ──time, check, cap or configuration──▶ in
 *
 *   in    EJECTED is not set, `outSince` is null
 *   out   EJECTED is set, `outSince` is when that was noticed: at most one look late
 *
 * An ejection is told by EJECTION_EVENTS, which only grows, so that one that came and went between two looks is noticed as well. A worker
 * sets the flag first and counts afterwards; a flag without a new event is therefore left for one more look, and then taken as it is: its
 * worker may have died in between.
 */
import type { WorkerMemory } from '../../model/counters.ts';
import { ENDPOINT_SLOTS, endpointSlot } from '../../model/counters.ts';
import type { EndpointTable } from '../../model/endpoint-table.ts';
import { EJECTED, EJECTION_EVENTS, EJECTIONS, endpointRow, flagsOf } from '../../model/endpoint-table.ts';
import type { IntervalCounts } from './success-rate.ts';

/** What {@link OutlierRecord.look} found. */
export type Finding = 'nothing' | 'ejected' | 'returned' | 'ejected-and-returned' | 'returned-and-ejected';

export class OutlierRecord {
  readonly endpointId: number;
  readonly url: string;
  outSince: number | null = null;
  /** In during the whole interval so far. */
  behaved = false;
  #events: number;
  #unexplained = false;
  #requests = 0;
  #successes = 0;

  constructor(endpointId: number, url: string, table: EndpointTable, memories: readonly WorkerMemory[]) {
    this.endpointId = endpointId;
    this.url = url;
    this.#events = table[endpointRow(endpointId) + EJECTION_EVENTS]!;
    this.count(memories);
  }

  look(table: EndpointTable, now: number): Finding {
    const row = endpointRow(this.endpointId);
    const out = (flagsOf(table, this.endpointId) & EJECTED) !== 0;
    const events = table[row + EJECTION_EVENTS]!;
    const fresh = events !== this.#events;
    this.#events = events;
    if (fresh || out) this.behaved = false;

    if (!out) {
      this.#unexplained = false;
      const wasOut = this.outSince !== null;
      this.outSince = null;
      if (wasOut) return 'returned';
      return fresh ? 'ejected-and-returned' : 'nothing';
    }
    if (this.outSince !== null && !fresh) return 'nothing';
    if (!fresh && !this.#unexplained) {
      this.#unexplained = true;
      return 'nothing';
    }
    this.#unexplained = false;
    const wasOut = this.outSince !== null;
    this.outSince = now;
    return wasOut ? 'returned-and-ejected' : 'ejected';
  }

  /** Takes the endpoint back in, in the record only. */
  returned(): void {
    this.outSince = null;
  }

  ejections(table: EndpointTable): number {
    return table[endpointRow(this.endpointId) + EJECTIONS]!;
  }

  /** What was done since the last call; nothing where the counters of a worker began again. */
  count(memories: readonly WorkerMemory[]): IntervalCounts {
    const slot = endpointSlot(this.endpointId);
    let requests = 0;
    let successes = 0;
    for (const { endpoints } of memories) {
      successes += endpoints[slot + ENDPOINT_SLOTS.success]!;
      for (let verdict = ENDPOINT_SLOTS.success; verdict <= ENDPOINT_SLOTS.malformed; verdict++) {
        requests += endpoints[slot + verdict]!;
      }
    }
    const counts = {
      endpointId: this.endpointId,
      requests: Math.max(0, requests - this.#requests),
      successes: Math.max(0, successes - this.#successes),
    };
    this.#requests = requests;
    this.#successes = successes;
    return counts;
  }
}
