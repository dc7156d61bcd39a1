/**
 * What a failed write says about the disk: full, unavailable, or nothing because the fault is ours.
 *
 * SQLite says FULL only where a write met ENOSPC; where the shared-memory file or a new file finds no room it says IOERR or CANTOPEN,
 * so for those the file system is asked how much it has left. The answer is for people and for the status code (507 or 503): both kinds
 * are treated alike, writing is tried again until it works. Errors in a statement or a value are mistakes of the program and no trouble of
 * the disk: they are null here and reach the caller as they are.
 */
import { statfsSync } from 'node:fs';
import { StoreError, type StoreTrouble } from './store.ts';

/** Primary result codes of SQLite. */
export const SQLITE = {
  PERM: 3,
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  PROTOCOL: 15,
  NOTADB: 26,
} as const;

/** Bytes below which a failure is put down to want of space. */
const NO_ROOM = 128 * 1024;

export interface TroubleFound {
  readonly kind: StoreTrouble;
  readonly message: string;
}

/** `ENOSPC`, `ERR_SQLITE_ERROR`, …; empty where there is none. */
export const errorCode = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** SQLite's primary result code, 0 for errors of others. */
export const primaryCode = (error: unknown): number =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** @param directory of the state; null in memory. */
export function troubleOf(error: unknown, directory: string | null): TroubleFound | null {
  if (error instanceof StoreError) {
    return error.trouble === 'conflict' ? null : { kind: error.trouble, message: error.message };
  }
  const place = directory ?? 'memory';
  const full: TroubleFound = {
    kind: 'full',
    message: `there is no space left for the state in ${place}: free some, writing resumes by itself`,
  };
  const unavailable = (why: string): TroubleFound => ({
    kind: 'unavailable',
    message: `the state in ${place} cannot be written (${why}); writing resumes by itself when it can`,
  });
  switch (primaryCode(error)) {
    case SQLITE.FULL:
      return full;
    case SQLITE.IOERR:
    case SQLITE.CANTOPEN:
      return noRoom(directory) ? full : unavailable(reason(error));
    case SQLITE.BUSY:
    case SQLITE.LOCKED:
      return unavailable('another program holds a lock on it');
    case SQLITE.CORRUPT:
    case SQLITE.NOTADB:
      return {
        kind: 'unavailable',
        message: `the state in ${place} is damaged (${reason(error)}): stop Sluice and restore a backup`,
      };
    case SQLITE.READONLY:
    case SQLITE.PERM:
    case SQLITE.PROTOCOL:
      return unavailable(reason(error));
  }
  switch (errorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return full;
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
    case 'EIO':
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EMFILE':
    case 'ENFILE':
    case 'ERR_INVALID_STATE':
      return unavailable(reason(error));
    default:
      return null;
  }
}

function noRoom(directory: string | null): boolean {
  if (directory === null) return false;
  try {
    const { bavail, bsize, files, ffree } = statfsSync(directory);
    return bavail * bsize < NO_ROOM || (files > 0 && ffree === 0);
  } catch {
    return false;
  }
}
