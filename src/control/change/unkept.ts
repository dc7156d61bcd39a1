/**
 * What was done although it could not be written, until it can: the difference between what runs and what is kept, and who did it.
 *
 * The difference is found by comparing, and never by writing down what failed: after a disk that was full for an hour only the last state counts.
 * Audit rows cannot be found that way, so those of changes that did not wait for the disk are held in memory, and are written before anything
 * else. A row gets its place and its time in the chain when it is written, so when it was done is said in its reason. Of more than MOST the oldest
 * go, and a process that ends before the disk can be written takes them with it; the log and the events have named them by then.
 */
import { isDeepStrictEqual } from 'node:util';
import type { OverrideEntries } from '../state/overrides.ts';
import type { Entry, NewAudit } from '../store/store.ts';

const MOST = 1_000;

export class UnkeptAudit {
  readonly #wallClock: () => number;
  readonly #rows: NewAudit[] = [];

  /** @param wallClock milliseconds since 1970. Default: the system's. */
  constructor(wallClock: () => number = Date.now) {
    this.#wallClock = wallClock;
  }

  /** Oldest first. */
  get rows(): readonly NewAudit[] {
    return [...this.#rows];
  }

  /** Of a change that was done just now. */
  note(row: NewAudit): void {
    const when = `done at ${new Date(this.#wallClock()).toISOString()}, when the state could not be written`;
    this.#rows.push({ ...row, reason: row.reason === '' ? when : `${row.reason} (${when})` });
    if (this.#rows.length > MOST) this.#rows.shift();
  }

  /** They are written. */
  forget(rows: readonly NewAudit[]): void {
    for (const row of rows) {
      const at = this.#rows.indexOf(row);
      if (at >= 0) this.#rows.splice(at, 1);
    }
  }
}

/** What has to be written so that what is kept is what runs, with both for the audit; without keys there is nothing to write. */
export function differenceOf(kept: readonly Pick<Entry, 'key' | 'value'>[], running: OverrideEntries) {
  const before = new Map(kept.map(({ key, value }) => [key, value]));
  const puts = [...running]
    .filter(([key, value]) => !isDeepStrictEqual(before.get(key), value))
    .map(([key, value]) => ({ key, value }));
  const deletes = [...before.keys()].filter((key) => !running.has(key));
  const keys = [...puts.map(({ key }) => key), ...deletes];
  const shown = (of: ReadonlyMap<string, unknown>): Readonly<Record<string, unknown>> =>
    Object.fromEntries(keys.map((key) => [key, of.get(key) ?? null]));
  return { keys, puts, deletes, before: shown(before), after: shown(running) };
}
