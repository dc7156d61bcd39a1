/**
 * What users got, written into this worker's request table (model/request-table.ts): one status and one duration for every request, and the
 * time to the response head for every attempt that was answered.
 *
 * A request is counted when it has ended, whatever way it ended, and exactly once; a head that was refused is a request that took no time.
 * So the statuses of a row add up to the same number as its durations, which whoever reads the table may rely on.
 *
 * @hotpath bench/micro/access-log.ts
 */
import {
  durationBucket,
  REQUEST_DURATION_SUM,
  REQUEST_DURATIONS,
  requestRow,
  statusSlot,
  UPSTREAM_DURATION_SUM,
  UPSTREAM_DURATIONS,
} from '../../model/request-table.ts';

/** Status that stands for a client which went away before its answer was complete. */
export const CLIENT_GONE = 499;

export class RequestCounts {
  readonly #table: Float64Array;

  constructor(table: Float64Array) {
    this.#table = table;
  }

  /** @param versionId NO_VERSION for requests without one. @param ms from the end of the head to the end of the answer. */
  requestEnded(versionId: number, status: number, ms: number): void {
    const row = requestRow(versionId);
    this.#add(row + statusSlot(status), 1);
    this.#add(row + REQUEST_DURATIONS + durationBucket(ms), 1);
    this.#add(row + REQUEST_DURATION_SUM, ms);
  }

  /** @param ms to the response head. */
  attemptAnswered(versionId: number, ms: number): void {
    const row = requestRow(versionId);
    this.#add(row + UPSTREAM_DURATIONS + durationBucket(ms), 1);
    this.#add(row + UPSTREAM_DURATION_SUM, ms);
  }

  #add(slot: number, by: number): void {
    this.#table[slot] = this.#table[slot]! + by;
  }
}
