/**
 * Opens `state.db`: creates it whole or not at all, refuses what it does not understand, and falls back to reading where it cannot write.
 *
 * - A new file is made as `state.db.new` with its schema and renamed. So a `state.db` that is empty or has no schema was never ours to
 *   complete: it is damage, and it is refused like any other damage. `PRAGMA quick_check` reads the whole file (0.1 s for 100 MB).
 * - A write-ahead log without its database would be played into the next one; it is refused too.
 * - Where the file can be read and not written (a disk that is full or read-only at the start) it is opened for reading, so that a proxy
 *   that restarts comes up with the weights it had. Where there is nothing to read yet, or it would first have to be migrated, the start fails.
 *
 * The index of the write-ahead log is a mapped file `-shm` by which other programs (`sqlite3`, a backup) read while we run. Where the disk
 * refuses to store such a page the kernel does not return an error, it ends the process with SIGBUS, and the traffic with it. ext4
 * and file systems in memory do not refuse pages that have their place; on any other (btrfs and ZFS when full, XFS when shut down, those nobody has
 * tried) the index is kept in the process, at the price that nobody else can open the file meanwhile.
 *
 * Reading a WAL database wants that file too, which a disk that is full or read-only does not give. Three ways are
 * tried: an ordinary read-only connection, which does if the file is still there; exclusive locking, which keeps that memory in the process
 * and needs a file that can be locked; `immutable`, which ignores the write-ahead log and is therefore allowed only where it is empty.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync, type DatabaseSyncOptions } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { APPLICATION_ID, MIGRATIONS, migrate, refuseNewer, schemaVersion } from './migrations.ts';
import { StateFileError } from './state-file-error.ts';
import { createPrivate, type StateLock, takeLock } from './state-lock.ts';
import { StoreError } from './store.ts';
import { primaryCode, SQLITE, type TroubleFound, troubleOf } from './trouble.ts';

/** Milliseconds for which a lock of another program is waited for; the main thread stands still meanwhile. */
const BUSY_TIMEOUT = 50;
/** Bytes to which the write-ahead log is cut back once it has been moved into the database. */
const LONGEST_WAL = 4 * 1024 * 1024;

/** Linux's numbers of ext2, 3 and 4, and of tmpfs. */
const SAFE_TO_MAP: ReadonlySet<number> = new Set([0xef53, 0x01021994]);

const EXCLUSIVE = 'PRAGMA locking_mode = EXCLUSIVE';

export interface OpenState {
  readonly database: DatabaseSync;
  /** Null where the directory can only be read. */
  readonly lock: StateLock | null;
  /** Device and inode of the file. */
  readonly identity: string | null;
  /** Whether other connections can read it meanwhile. */
  readonly shared: boolean;
  /** Why it is open for reading only. */
  readonly failure: TroubleFound | null;
}

export const stateFile = (directory: string): string => join(directory, 'state.db');

/** @returns null where the file is not there. */
export function identityOf(directory: string): string | null {
  const stat = statSync(stateFile(directory), { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? null : `${stat.dev}:${stat.ino}`;
}

export function openMemory(): OpenState {
  const database = new DatabaseSync(':memory:');
  migrate(database, 'memory');
  return { database, lock: null, identity: null, shared: false, failure: null };
}

/**
 * @param held the lock, where this process has it already.
 * @throws DataLockedError, StateFileError; StoreError where the state can neither be written nor read.
 */
export function openState(directory: string, held: StateLock | null = null): OpenState {
  const path = stateFile(directory);
  let lock = held;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    lock ??= takeLock(directory);
    if (!existsSync(path)) createStateFile(directory);
    const shared = canBeShared(directory);
    return { database: openWritable(path, shared), lock, identity: identityOf(directory), shared, failure: null };
  } catch (error) {
    const failure = troubleOf(error, directory);
    const database = failure === null ? null : openReader(directory);
    if (failure !== null && database !== null) {
      if (schemaVersion(database) === MIGRATIONS.length) {
        return { database, lock, identity: identityOf(directory), shared: false, failure };
      }
      database.close();
    }
    if (held === null) lock?.release();
    throw failure === null ? error : new StoreError(failure.kind, failure.message);
  }
}

/** A connection for reading only, or null where there is no way to read. @throws StateFileError */
export function openReader(directory: string): DatabaseSync | null {
  const path = stateFile(directory);
  if (!existsSync(path)) return null;
  const ways: (() => DatabaseSync)[] = [
    () => connect(path, path, { readOnly: true }),
    () => connect(path, path, {}, EXCLUSIVE),
  ];
  if (walSize(path) === 0) {
    const url = pathToFileURL(path);
    url.search = '?mode=ro&immutable=1';
    ways.push(() => connect(path, url, { readOnly: true }));
  }
  for (const open of ways) {
    try {
      return open();
    } catch (error) {
      if (error instanceof StateFileError) throw error;
    }
  }
  return null;
}

function openWritable(path: string, shared: boolean): DatabaseSync {
  const database = connect(path, path, {}, shared ? '' : EXCLUSIVE);
  try {
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = ${LONGEST_WAL}`);
    migrate(database, path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Whether others can read the state while it is open; the directory must exist. */
export const canBeShared = (directory: string): boolean =>
  process.platform === 'linux' && SAFE_TO_MAP.has(statfsSync(directory).type);

/** Opens and inspects. @param first what has to be said before anything is read. */
function connect(path: string, location: string | URL, options: DatabaseSyncOptions, first = ''): DatabaseSync {
  const database = new DatabaseSync(location, { timeout: BUSY_TIMEOUT, ...options });
  try {
    database.exec(first);
    inspect(database, path);
    return database;
  } catch (error) {
    database.close();
    const code = primaryCode(error);
    throw code === SQLITE.CORRUPT || code === SQLITE.NOTADB ? damaged(path, String(error)) : error;
  }
}

function inspect(database: DatabaseSync, path: string): void {
  const schema = schemaVersion(database);
  if (schema === 0) throw damaged(path, 'it has no tables of ours');
  if (database.prepare('PRAGMA application_id').get()?.application_id !== APPLICATION_ID) {
    throw new StateFileError(
      path,
      `${path} is the database of another program: give Sluice a data directory of its own`,
    );
  }
  refuseNewer(schema, path);
  const finding = String(database.prepare('PRAGMA quick_check(1)').get()?.quick_check);
  if (finding !== 'ok') throw damaged(path, finding.replace(/\s+/g, ' '));
}

const damaged = (path: string, why: string): StateFileError =>
  new StateFileError(
    path,
    `${path} is damaged (${why}): move it away together with ${path}-wal and ${path}-shm, then put a backup in its place, or start ` +
      'without one and lose runtime changes, flags and audit',
  );

const walSize = (path: string): number => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;

function createStateFile(directory: string): void {
  const path = stateFile(directory);
  if (walSize(path) > 0) {
    throw new StateFileError(
      path,
      `${path} is missing while ${path}-wal, which belongs to it, is there: put it back, or move ${path}-wal away to start without it`,
    );
  }
  const unfinished = `${path}.new`;
  for (const leftover of [unfinished, `${unfinished}-journal`]) rmSync(leftover, { force: true });
  createPrivate(unfinished);
  const database = new DatabaseSync(unfinished);
  try {
    migrate(database, unfinished);
  } finally {
    database.close();
  }
  renameSync(unfinished, path);
  syncFolder(directory);
  syncFolder(dirname(directory));
}

/** A new name survives a power cut only once its folder is on the disk; Windows has no such call. */
function syncFolder(directory: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
