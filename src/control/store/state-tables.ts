/**
 * The tables of the state as functions: every SQL statement that reads or writes a row is here and nowhere else.
 *
 * One object per connection, with its statements prepared once. Values are JSON texts; what they mean is the caller's. Four notes in `meta`
 * are kept with the rows they are about, in the same transaction: the revision, the number of the last event (which must grow even when all
 * events have been forgotten), the last audit row, and the last audit row that was forgotten.
 */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { SluiceEvent } from '../events/event.ts';
import { CHAIN_START, type ChainPoint, hashOf, PRUNE_ACTION, type StoredAudit } from './audit-chain.ts';
import { afterPrefix } from './key-range.ts';
import type { AuditQuery, AuditRow, Entry, HistoryPoint, NewAudit } from './store.ts';

type Row = Record<string, SQLOutputValue>;
type Note = 'revision' | 'lastEvent' | 'auditHead' | 'auditAnchor' | 'probe';

const AUDIT_COLUMNS =
  'seq, at, actor, role, address, request_id AS requestId, action, target, before, after, reason, previous, hash';

const LARGEST_SEQ = 2 ** 52;

/** Texts as SQLite stores them: half a surrogate pair would come back as another character, and the hash would not fit. */
const text = (value: string): string => value.toWellFormed();

/** A row that somebody has tampered with is still shown, so that it can be looked at. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}

const toEntry = (row: Row): Entry => ({
  key: String(row.key),
  // A text that is no JSON is handed on as it is: whoever knows what it should be says so, and the others start.
  value: parsed(String(row.value)),
  revision: Number(row.revision),
});

export class StateTables {
  readonly database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.database = database;
  }

  /** All of it or nothing. */
  transaction<Result>(work: () => Result): Result {
    this.#run('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#run('COMMIT');
      return result;
    } catch (error) {
      // Where the disk failed SQLite has rolled back already.
      if (this.database.isTransaction) this.#run('ROLLBACK');
      throw error;
    }
  }

  revision(): number {
    return Number(this.#note('revision') ?? 0);
  }

  setRevision(revision: number): void {
    this.#setNote('revision', revision);
  }

  entry(key: string): Entry | null {
    const row = this.#get('SELECT key, value, revision FROM entries WHERE key = ?', key);
    return row === undefined ? null : toEntry(row);
  }

  entries(prefix: string): Entry[] {
    const end = afterPrefix(prefix);
    const rows =
      end === null
        ? this.#all('SELECT key, value, revision FROM entries WHERE key >= ? ORDER BY key', prefix)
        : this.#all('SELECT key, value, revision FROM entries WHERE key >= ? AND key < ? ORDER BY key', prefix, end);
    return rows.map(toEntry);
  }

  put(key: string, json: string, revision: number): void {
    this.#run(
      'INSERT INTO entries (key, value, revision) VALUES (?, ?, ?) ' +
        'ON CONFLICT (key) DO UPDATE SET value = excluded.value, revision = excluded.revision',
      key,
      json,
      revision,
    );
  }

  /** @returns whether there was one. */
  delete(key: string): boolean {
    return this.#run('DELETE FROM entries WHERE key = ?', key) > 0;
  }

  /** A row that somebody else put behind the last one keeps its number, if that is one we count to, and stays a break in the chain. */
  appendAudit(rows: readonly NewAudit[], at: string): void {
    const head = this.auditHead() ?? CHAIN_START;
    const present = Number(this.#get('SELECT max(seq) AS seq FROM audit WHERE seq < ?', LARGEST_SEQ)?.seq ?? 0);
    let last: ChainPoint = { seq: Math.max(head.seq, present), hash: head.hash };
    for (const row of rows) {
      const stored = {
        seq: last.seq + 1,
        at,
        actor: text(row.actor),
        role: text(row.role),
        address: text(row.address),
        requestId: text(row.requestId),
        action: text(row.action),
        target: text(row.target),
        before: JSON.stringify(row.before ?? null),
        after: JSON.stringify(row.after ?? null),
        reason: text(row.reason),
        previous: last.hash,
      };
      last = { seq: stored.seq, hash: hashOf(stored) };
      this.#run(
        'INSERT INTO audit (seq, at, actor, role, address, request_id, action, target, before, after, reason, previous, hash) ' +
          'VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        ...Object.values(stored),
        last.hash,
      );
    }
    this.#setNote('auditHead', JSON.stringify(last));
  }

  audit({ since = 0, limit, actor, action, target, newest = false }: AuditQuery): AuditRow[] {
    const rows = this.#all(
      `SELECT ${AUDIT_COLUMNS} FROM audit WHERE seq > ?1 AND seq < ${LARGEST_SEQ} AND (?2 IS NULL OR actor = ?2) ` +
        'AND (?3 IS NULL OR action = ?3) AND (?4 IS NULL OR target = ?4) ' +
        `ORDER BY seq ${newest ? 'DESC' : 'ASC'} LIMIT ?5`,
      Math.max(since, this.auditAnchor()?.seq ?? 0),
      actor ?? null,
      action ?? null,
      target ?? null,
      limit,
    );
    return rows.map((row) => {
      const stored = { ...row } as unknown as StoredAudit;
      return { ...stored, before: parsed(stored.before), after: parsed(stored.after) };
    });
  }

  /** The chain behind its anchor, as it is stored, read while it is walked. */
  auditChain(): Iterator<StoredAudit> {
    const rows = this.database
      .prepare(`SELECT ${AUDIT_COLUMNS} FROM audit WHERE seq > ? ORDER BY seq`)
      .iterate(this.auditAnchor()?.seq ?? 0);
    return rows as Iterator<Row> as Iterator<unknown> as Iterator<StoredAudit>;
  }

  auditHead(): ChainPoint | null {
    return this.#point('auditHead');
  }

  auditAnchor(): ChainPoint | null {
    return this.#point('auditAnchor');
  }

  setAuditAnchor(anchor: ChainPoint): void {
    this.#setNote('auditAnchor', JSON.stringify(anchor));
  }

  /**
   * The last row that may be forgotten: it and all rows before it are from before that time. Null where there is none but rows about
   * pruning: forgetting those would write one more of them, for ever.
   */
  lastAuditBefore(time: string): ChainPoint | null {
    const kept = this.#get(
      'SELECT seq FROM audit WHERE at >= ? AND seq < ? ORDER BY seq LIMIT 1',
      time,
      LARGEST_SEQ,
    )?.seq;
    const row = this.#get(
      'SELECT seq, hash FROM audit WHERE seq > ?1 AND seq < ?2 AND action <> ?3 ORDER BY seq DESC LIMIT 1',
      this.auditAnchor()?.seq ?? 0,
      kept ?? LARGEST_SEQ,
      PRUNE_ACTION,
    );
    return row === undefined ? null : { seq: Number(row.seq), hash: String(row.hash) };
  }

  appendEvents(events: readonly SluiceEvent[]): void {
    for (const event of events) {
      this.#run(
        'INSERT INTO events (id, at, type, level, json) VALUES (?, ?, ?, ?, ?)',
        event.id,
        event.at,
        event.type,
        event.level,
        JSON.stringify(event),
      );
    }
    const last = Math.max(this.lastEventId(), ...events.map((event) => event.id));
    this.#setNote('lastEvent', last);
  }

  events(since: number, limit: number): SluiceEvent[] {
    const rows = this.#all('SELECT json FROM events WHERE id > ? ORDER BY id LIMIT ?', since, limit);
    return rows.map((row) => JSON.parse(String(row.json)));
  }

  lastEventId(): number {
    return Number(this.#note('lastEvent') ?? 0);
  }

  appendHistory(points: readonly HistoryPoint[]): void {
    for (const { service, version, at, values } of points) {
      this.#run(
        'INSERT OR REPLACE INTO history (service, version, at, json) VALUES (?, ?, ?, ?)',
        service,
        version,
        at,
        JSON.stringify(values),
      );
    }
  }

  history(service: string, version: string, since: number): HistoryPoint[] {
    const rows = this.#all(
      'SELECT at, json FROM history WHERE service = ? AND version = ? AND at > ? ORDER BY at',
      service,
      version,
      since,
    );
    return rows.map((row) => ({ at: Number(row.at), service, version, values: JSON.parse(String(row.json)) }));
  }

  /** Each forgets at most `limit` rows. @returns how many those were. */
  forgetAudit(limit: number): number {
    return this.#run(
      'DELETE FROM audit WHERE seq IN (SELECT seq FROM audit WHERE seq <= ? ORDER BY seq LIMIT ?)',
      this.auditAnchor()?.seq ?? 0,
      limit,
    );
  }

  forgetEvents(time: string, limit: number): number {
    const kept = this.#get('SELECT id FROM events WHERE at >= ? ORDER BY id LIMIT 1', time)?.id;
    return this.#run(
      'DELETE FROM events WHERE id IN (SELECT id FROM events WHERE (?1 IS NULL OR id < ?1) ORDER BY id LIMIT ?2)',
      kept ?? null,
      limit,
    );
  }

  forgetHistory(time: number, limit: number): number {
    return this.#run(
      'DELETE FROM history WHERE (service, version, at) IN ' +
        '(SELECT service, version, at FROM history WHERE at < ? ORDER BY at LIMIT ?)',
      time,
      limit,
    );
  }

  /** Writes that many bytes, and keeps them until it is told 0. */
  writeProbe(bytes: number): void {
    this.#setNote('probe', new Uint8Array(bytes));
  }

  checkpoint(): void {
    this.#get('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  #point(note: Note): ChainPoint | null {
    const value = this.#note(note);
    return typeof value === 'string' ? JSON.parse(value) : null;
  }

  #note(note: Note): SQLOutputValue | undefined {
    return this.#get('SELECT value FROM meta WHERE key = ?', note)?.value;
  }

  #setNote(note: Note, value: SQLInputValue): void {
    this.#run(
      'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
      note,
      value,
    );
  }

  #get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values);
  }

  #all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values);
  }

  /** @returns how many rows it changed. */
  #run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
