/**
 * The schema of the state, as the list of the steps that made it.
 *
 * `PRAGMA user_version` of the file says how many of them it has been through. The rest run in order, each in a transaction that also
 * raises the version, so that a process killed in the middle leaves a whole step or none. A step that has been released is never edited:
 * files that went through it do not go again. A file from a newer program is refused, because nothing here knows what its tables
 * mean; there is no way back but a backup.
 */
import type { DatabaseSync } from 'node:sqlite';
import { StateFileError } from './state-file-error.ts';

/** "SLUI": lets `file` and us tell our database from any other. */
export const APPLICATION_ID = 0x534c5549;

/** The step at index i makes version i + 1. */
export const MIGRATIONS: readonly string[] = [
  `
  PRAGMA application_id = ${APPLICATION_ID};
  CREATE TABLE meta (key TEXT PRIMARY KEY, value NUMERIC) WITHOUT ROWID;
  INSERT INTO meta (key, value) VALUES ('auditHead', '{"seq":0,"hash":"${'0'.repeat(64)}"}');
  CREATE TABLE entries (key TEXT PRIMARY KEY, value TEXT NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE audit (
    seq INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, role TEXT NOT NULL, address TEXT NOT NULL,
    request_id TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,
    reason TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL
  );
  CREATE TABLE events (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, type TEXT NOT NULL, level TEXT NOT NULL, json TEXT NOT NULL
  );
  CREATE TABLE history (
    service TEXT NOT NULL, version TEXT NOT NULL, at INTEGER NOT NULL, json TEXT NOT NULL,
    PRIMARY KEY (service, version, at)
  ) WITHOUT ROWID;
  CREATE INDEX history_at ON history (at);
  `,
];

export function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version ?? 0);
}

/** @throws StateFileError where the file is newer than the list. */
export function refuseNewer(present: number, path: string, known: number = MIGRATIONS.length): void {
  if (present <= known) return;
  throw new StateFileError(
    path,
    `${path} was written by a newer Sluice (its schema is ${present}, this program knows ${known}): run the newer program, or restore ` +
      'a backup from before the upgrade',
  );
}

/** @throws StateFileError where the file is newer than the list. */
export function migrate(database: DatabaseSync, path: string, migrations: readonly string[] = MIGRATIONS): void {
  const present = schemaVersion(database);
  refuseNewer(present, path, migrations.length);
  for (let version = present + 1; version <= migrations.length; version++) {
    database.exec('BEGIN IMMEDIATE');
    try {
      database.exec(migrations[version - 1]!);
      database.exec(`PRAGMA user_version = ${version}`);
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }
}
