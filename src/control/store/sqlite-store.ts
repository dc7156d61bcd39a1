/**
 * The store over SQLite: one connection, used synchronously on the main thread.
 *
 * A commit is one `BEGIN IMMEDIATE … COMMIT` with the write-ahead log synced before it returns (about 0.4 ms on an SSD), so it is durable and all
 * or nothing, and commits do not interleave. Requests are served by other threads and never wait for it; the reasons for not giving the
 * store a thread of its own are in `docs/adr/0012-sqlite-state.md`.
 *
 * A write that the disk refuses puts the store in trouble (trouble-watch.ts): commits are refused at once and a probe looks for
 * the end of it. The probe is as large as what failed, since a full disk often has room for a little more. A connection that has never written
 * may have been opened for reading only, by us or silently by SQLite, so such a one is opened again before it is probed. One that has
 * written never is: after a failed sync the log may end in a commit that was refused, which the next write overwrites and a new connection
 * would find valid.
 *
 * A `state.db` that is no longer the file we opened (moved away, replaced by a backup) is trouble too: what is written to it would be gone with
 * the process.
 */
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { PRUNE_ACTION } from './audit-chain.ts';
import { identityOf, type OpenState, openMemory, openState, stateFile } from './state-file.ts';
import { StateTables } from './state-tables.ts';
import type { AuditQuery, AuditRow, AuditVerdict, Commit, Entry, HistoryPoint, Store, StoreState } from './store.ts';
import { StoreError } from './store.ts';
import { type TroubleFound, troubleOf } from './trouble.ts';
import { type Trouble, TroubleWatch } from './trouble-watch.ts';
import { verifyAuditFile, verifyAuditTable } from './verify-audit.ts';
import { type Change, WatchList } from './watch-list.ts';

/** Rows that are forgotten in one transaction; a few milliseconds. */
const PRUNE_BATCH = 500;
const SMALLEST_PROBE = 16 * 1024;
const LARGEST_PROBE = 1024 * 1024;

export interface StoreOptions {
  /** Created where it is missing. Null keeps everything in memory. */
  readonly directory: string | null;
  readonly clock: Clock;
  /** Milliseconds since 1970. Default Date.now. */
  readonly wallClock?: () => number;
  readonly logger: Logger;
}

/**
 * @throws DataLockedError where another process runs on the directory; StateFileError where what is there cannot be used; StoreError where
 * it can neither be read nor written. A state that can only be read is opened, and is in trouble from the start.
 */
export const openStore = (options: StoreOptions): SqliteStore => new SqliteStore(options);

export class SqliteStore implements Store {
  readonly #directory: string | null;
  readonly #wallClock: () => number;
  readonly #watchers: WatchList;
  readonly #trouble: TroubleWatch;
  #open: OpenState;
  #tables: StateTables;
  #revision: number;
  /** Whether this connection has ever written. */
  #proven = false;
  #probeBytes = SMALLEST_PROBE;
  #closed = false;

  constructor({ directory, clock, wallClock = Date.now, logger }: StoreOptions) {
    this.#directory = directory;
    this.#wallClock = wallClock;
    this.#watchers = new WatchList(logger);
    this.#trouble = new TroubleWatch({ clock, wallClock, logger, probe: () => this.#probe() });
    this.#open = directory === null ? openMemory() : openState(directory);
    this.#tables = new StateTables(this.#open.database);
    this.#revision = this.#tables.revision();
    const failure = this.#open.failure ?? this.#writeProbe();
    if (failure !== null) this.#trouble.report(failure);
    else this.#checkpoint();
  }

  async get(key: string): Promise<Entry | null> {
    return this.#read((tables) => tables.entry(key));
  }

  async list(prefix: string): Promise<readonly Entry[]> {
    return this.#read((tables) => tables.entries(prefix));
  }

  async commit(change: Commit): Promise<number> {
    const changes: Change[] = [];
    const revision = this.#write(
      (tables) => this.#apply(tables, change, changes),
      () => JSON.stringify(change).length,
    );
    this.#revision = revision;
    this.#watchers.tell(changes);
    return revision;
  }

  watch(prefix: string, listener: (changes: readonly Change[]) => void): () => void {
    return this.#watchers.add(prefix, listener);
  }

  async events(since: number, limit: number): ReturnType<Store['events']> {
    return this.#read((tables) => tables.events(since, limit));
  }

  async lastEventId(): Promise<number> {
    return this.#read((tables) => tables.lastEventId());
  }

  async audit(query: AuditQuery): Promise<readonly AuditRow[]> {
    return this.#read((tables) => tables.audit(query));
  }

  async verifyAudit(): Promise<AuditVerdict> {
    if (this.#directory === null || !this.#open.shared) return verifyAuditTable(this.#tables);
    return verifyAuditFile(this.#directory);
  }

  async history(service: string, version: string, since: number): Promise<readonly HistoryPoint[]> {
    return this.#read((tables) => tables.history(service, version, since));
  }

  async prune(before: { readonly events: number; readonly audit: number; readonly history: number }): Promise<void> {
    const iso = (time: number): string => new Date(time).toISOString();
    this.#write((tables) => this.#anchorAudit(tables, iso(before.audit)));
    await this.#forget((tables) => tables.forgetAudit(PRUNE_BATCH));
    await this.#forget((tables) => tables.forgetEvents(iso(before.events), PRUNE_BATCH));
    await this.#forget((tables) => tables.forgetHistory(before.history, PRUNE_BATCH));
  }

  state(): StoreState {
    return {
      path: this.#directory === null ? null : stateFile(this.#directory),
      revision: this.#revision,
      trouble: this.#trouble.trouble,
    };
  }

  onTrouble(listener: (trouble: Trouble) => void): () => void {
    return this.#trouble.onChange(listener);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#trouble.close();
    if (this.#trouble.trouble === null) this.#checkpoint();
    if (this.#open.database.isOpen) this.#open.database.close();
    this.#open.lock?.release();
  }

  #apply(tables: StateTables, change: Commit, changes: Change[]): number {
    for (const { key, revision } of change.expect ?? []) {
      const present = tables.entry(key)?.revision ?? 0;
      if (present !== revision) {
        throw new StoreError('conflict', `${key} has revision ${present} by now, not ${revision}`);
      }
    }
    const revision = tables.revision() + 1;
    for (const { key, value } of change.puts ?? []) {
      if (!key.isWellFormed()) throw new TypeError(`not a key: ${JSON.stringify(key)}`);
      const json = JSON.stringify(value);
      tables.put(key, json, revision);
      changes.push({ key, value: JSON.parse(json) });
    }
    for (const key of change.deletes ?? []) {
      if (tables.delete(key)) changes.push({ key, value: undefined });
    }
    if (change.audit?.length) tables.appendAudit(change.audit, new Date(this.#wallClock()).toISOString());
    if (change.events?.length) tables.appendEvents(change.events);
    if (change.history?.length) tables.appendHistory(change.history);
    tables.setRevision(revision);
    return revision;
  }

  /** The chain says itself where it begins from now on; the rows before that are deleted afterwards, and are no part of it any more. */
  #anchorAudit(tables: StateTables, time: string): void {
    const anchor = tables.lastAuditBefore(time);
    if (anchor === null) return;
    const row = {
      actor: 'sluice',
      role: '',
      address: '',
      requestId: '',
      action: PRUNE_ACTION,
      target: 'audit',
      before: tables.auditAnchor(),
      after: anchor,
      reason: `rows from before ${time} are no longer kept`,
    };
    tables.appendAudit([row], new Date(this.#wallClock()).toISOString());
    tables.setAuditAnchor(anchor);
  }

  async #forget(batch: (tables: StateTables) => number): Promise<void> {
    while (this.#write(batch) === PRUNE_BATCH) await setImmediate();
  }

  #read<Result>(work: (tables: StateTables) => Result): Result {
    try {
      return work(this.#tables);
    } catch (error) {
      const found = this.#troubleOf(error);
      throw found === null ? error : new StoreError(found.kind, found.message);
    }
  }

  /** @param size bytes that `work` writes, about; asked where it failed. */
  #write<Result>(work: (tables: StateTables) => Result, size: () => number = () => 0): Result {
    const trouble = this.#trouble.trouble;
    if (trouble !== null && !this.#closed) throw new StoreError(trouble.kind, trouble.message);
    try {
      this.#refuseMovedFile();
      const result = this.#tables.transaction(() => work(this.#tables));
      this.#proven = true;
      return result;
    } catch (error) {
      const found = this.#troubleOf(error);
      if (found === null) throw error;
      this.#probeBytes = Math.min(Math.max(size(), SMALLEST_PROBE), LARGEST_PROBE);
      if (!this.#closed) this.#trouble.report(found);
      throw new StoreError(found.kind, found.message);
    }
  }

  #troubleOf(error: unknown): TroubleFound | null {
    if (this.#closed) return { kind: 'unavailable', message: 'the store is closed' };
    return troubleOf(error, this.#directory);
  }

  #refuseMovedFile(): void {
    if (this.#directory === null || identityOf(this.#directory) === this.#open.identity) return;
    const path = stateFile(this.#directory);
    throw new StoreError(
      'unavailable',
      `${path} is not the file that was opened: put that back, or restart Sluice to use what is there now`,
    );
  }

  #probe(): TroubleFound | null {
    if (this.#proven || this.#directory === null) return this.#writeProbe();
    return this.#reopen(this.#directory) ?? this.#writeProbe();
  }

  #writeProbe(): TroubleFound | null {
    try {
      this.#refuseMovedFile();
      this.#tables.transaction(() => this.#tables.writeProbe(this.#probeBytes));
      this.#proven = true;
      this.#tables.transaction(() => this.#tables.writeProbe(0));
      return null;
    } catch (error) {
      return troubleOf(error, this.#directory) ?? { kind: 'unavailable', message: String(error) };
    }
  }

  #reopen(directory: string): TroubleFound | null {
    try {
      if (this.#open.database.isOpen) this.#open.database.close();
      this.#open = openState(directory, this.#open.lock);
      this.#tables = new StateTables(this.#open.database);
      const revision = this.#tables.revision();
      if (revision === this.#revision) return this.#open.failure;
      const message = `the state in ${directory} has revision ${revision}, not ${this.#revision}: restart Sluice to use it`;
      return { kind: 'unavailable', message };
    } catch (error) {
      return troubleOf(error, directory) ?? { kind: 'unavailable', message: String(error) };
    }
  }

  #checkpoint(): void {
    try {
      this.#tables.checkpoint();
    } catch {
      // The log stays as long as it is; a disk that is full says so at the next commit.
    }
  }
}
