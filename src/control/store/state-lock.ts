/**
 * Keeps two processes from running on one data directory.
 *
 * The lock is an exclusive transaction on an empty SQLite file `lock`, held as long as the process lives. The kernel ends it with the process,
 * whatever ends that, so a `kill -9` leaves nothing to clean up; a file that merely exists would. It is a file of its own because a lock on
 * `state.db` would shut out `sqlite3` and backups. Node has no `flock`, and SQLite is here anyway.
 *
 * `lock.pid` says who holds it, for the message to whoever comes second; written behind the lock, it is missing or old for a moment,
 * and on a full disk. Nothing is decided by it. Never open `lock` by other means in this process: closing any descriptor of a
 * file gives up all POSIX locks on it.
 */
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { errorCode, primaryCode, SQLITE } from './trouble.ts';

export class DataLockedError extends Error {
  readonly directory: string;
  /** Null where it is not known. */
  readonly pid: number | null;

  constructor(directory: string, pid: number | null) {
    const who = pid === null ? 'another process' : `process ${pid}`;
    super(`${directory} is in use by ${who}: stop it, or give this one a data directory of its own`);
    this.name = 'DataLockedError';
    this.directory = directory;
    this.pid = pid;
  }
}

export interface StateLock {
  release(): void;
}

/** @throws DataLockedError where somebody else has it; what SQLite or the system say where the file cannot be used. */
export function takeLock(directory: string): StateLock {
  const path = join(directory, 'lock');
  const pidPath = join(directory, 'lock.pid');
  createPrivate(path);
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    throw primaryCode(error) === SQLITE.BUSY ? new DataLockedError(directory, readPid(pidPath)) : error;
  }
  try {
    writeFileSync(pidPath, `${process.pid}\n`, { mode: 0o600 });
  } catch {
    // It is only for a message.
  }
  return {
    release: () => {
      try {
        rmSync(pidPath, { force: true });
      } catch {
        // A read-only disk; the number is old then.
      }
      database.close();
    },
  };
}

/** An empty file that only its owner can read; one that exists is left as it is. */
export function createPrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

function readPid(path: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(path, 'utf8'), 10);
    return Number.isNaN(pid) ? null : pid;
  } catch {
    return null;
  }
}
