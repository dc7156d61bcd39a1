/**
 * Opening what the access log is written to: a file, a named pipe, or standard output.
 *
 * Everything is opened without blocking, because a write that blocks keeps one of the few threads that Node does all its file work with: a
 * pipe that nobody reads would soon stop everything. Standard output is used as it is handed down, unless it is a pipe: that is
 * opened once more, since whether the inherited one blocks is not ours to change.
 *
 * Several workers write to the same file, each with a descriptor of its own in append mode. A local file system puts each write behind the last
 * as a whole, however long it is; a pipe or a terminal does so up to PIPE_BUF bytes only, so there a write is no longer than that.
 */
import { close, constants, fstat, open } from 'node:fs';

/** Stands for standard output in the configuration. */
export const STDOUT = '-';

/** What POSIX and Linux guarantee to be written in one piece. */
const PIPE_BUF = 4_096;

/** Query strings may hold what is not for everyone. */
const MODE = 0o640;

const STDOUT_FD = 1;

export interface LogFile {
  readonly fd: number;
  /** Longest write that does not mix with those of others, bytes. */
  readonly whole: number;
  close(): void;
}

const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK;

/** @param done gets the file, or the error and null. */
export function openLogFile(path: string, done: (error: Error | null, file: LogFile | null) => void): void {
  if (path === STDOUT) return openStdout(done);
  open(path, FLAGS | constants.O_CREAT, MODE, (error, fd) => {
    if (error !== null) return done(error, null);
    inspect(fd, () => close(fd, () => {}), done);
  });
}

function openStdout(done: (error: Error | null, file: LogFile | null) => void): void {
  fstat(STDOUT_FD, (error, stats) => {
    if (error !== null) return done(error, null);
    if (!stats.isFIFO()) return inspect(STDOUT_FD, () => {}, done);
    open('/dev/stdout', FLAGS, (refused, fd) => {
      if (refused === null) inspect(fd, () => close(fd, () => {}), done);
      else inspect(STDOUT_FD, () => {}, done);
    });
  });
}

function inspect(fd: number, release: () => void, done: (error: Error | null, file: LogFile | null) => void): void {
  fstat(fd, (error, stats) => {
    if (error === null)
      return done(null, { fd, whole: stats.isFile() ? Number.MAX_SAFE_INTEGER : PIPE_BUF, close: release });
    release();
    done(error, null);
  });
}
