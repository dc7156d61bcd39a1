/**
 * Notices that a configuration file, or a file that it names, has another content: edited in place, replaced by a rename, or reached over
 * a link that now leads elsewhere (link-trail.ts).
 *
 *     fs.watch, or once a second → look → something differs → SETTLE without news → look again → onChange
 *
 * The look is the truth: the content of each file against what was last reported. fs.watch only makes it happen sooner. It is not enough by
 * itself, because network file systems tell nothing, limits on watches are reached, and a directory that is made anew is another one;
 * so none of its errors matters, and the watches are put right at every look. Directories are watched and not files, since a watch on a
 * file goes away with the file at the first atomic rename. Events of other names in a directory, such as those of a log that is written
 * there, are ignored.
 *
 * A file is read only when its stamp has changed, and once more at the look after that: two writes within one tick of the file system's clock
 * may leave the same stamp. The pause before a report is there so that a file is usually not read half written; news prolongs it, up to
 * LOOK_INTERVAL. A file that has gone is no change until it is back with another content, since editors and deployment tools remove before
 * they write; one that was never there, or was missing when something else was reported, is a change once it appears.
 *
 * Looks are synchronous: a few small files that have just been read, on a thread that no request waits for.
 */
import { createHash } from 'node:crypto';
import { type BigIntStats, type FSWatcher, readFileSync, realpathSync, statSync, watch } from 'node:fs';
import { resolve } from 'node:path';
import type { Clock, Interval } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { linkTrail } from './link-trail.ts';

/** Between looks, milliseconds. */
export const LOOK_INTERVAL = 1_000;
/** Without news before a change is reported, milliseconds. */
export const SETTLE = 50;

export interface ConfigWatcherOptions {
  /** What to watch, asked for at every look. */
  readonly files: () => readonly string[];
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface FileState {
  /** Which file it is and when it was written; null where it is not there. */
  readonly stamp: string | null;
  /** Of the content when it was last there; null where it never was. */
  readonly hash: string | null;
  /** Whether the stamp was the same at two looks. */
  readonly settled: boolean;
}

const NEVER_SEEN: FileState = { stamp: null, hash: null, settled: false };

export class ConfigWatcher {
  readonly #options: ConfigWatcherOptions;
  readonly #states = new Map<string, FileState>();
  /** By file: the hash that was last reported, or that it had when it was first looked at. */
  readonly #reported = new Map<string, string | null>();
  /** By directory and its inode. */
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #unwatched = new Set<string>();
  #names: ReturnType<typeof linkTrail> = new Map();
  #looking: Interval | null = null;
  #settling: Interval | null = null;
  #firstNews = 0;

  constructor(options: ConfigWatcherOptions) {
    this.#options = options;
  }

  /** What the files hold at this moment is taken as known. */
  start(): void {
    this.#look();
    this.#looking ??= this.#options.clock.setInterval(() => {
      if (this.#look()) this.#settle();
    }, LOOK_INTERVAL);
  }

  close(): void {
    this.#looking?.stop();
    this.#looking = null;
    this.#settling?.stop();
    this.#settling = null;
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** @returns whether the content of a file is not the one that was last reported. */
  #look(): boolean {
    const files = this.#options.files().map((file) => resolve(file));
    for (const file of this.#states.keys()) {
      if (files.includes(file)) continue;
      this.#states.delete(file);
      this.#reported.delete(file);
    }
    let differs = false;
    for (const file of files) {
      const state = lookAt(file, this.#states.get(file) ?? NEVER_SEEN);
      this.#states.set(file, state);
      if (!this.#reported.has(file)) this.#reported.set(file, state.hash);
      differs ||= state.stamp !== null && state.hash !== this.#reported.get(file);
    }
    this.#watch(files);
    return differs;
  }

  #settle(): void {
    const now = this.#options.clock.now();
    if (this.#settling === null) this.#firstNews = now;
    else if (now - this.#firstNews >= LOOK_INTERVAL) return;
    this.#settling?.stop();
    this.#settling = this.#options.clock.setInterval(() => {
      this.#settling?.stop();
      this.#settling = null;
      if (this.#look()) this.#report();
    }, SETTLE);
  }

  #report(): void {
    for (const [file, { stamp, hash }] of this.#states) this.#reported.set(file, stamp === null ? null : hash);
    this.#options.onChange();
  }

  #watch(files: readonly string[]): void {
    this.#names = linkTrail(files);
    const wanted = new Map([...this.#names.keys()].map((directory) => [directoryKey(directory), directory]));
    for (const [key, watcher] of this.#watchers) {
      if (wanted.has(key)) continue;
      watcher.close();
      this.#watchers.delete(key);
    }
    for (const [key, directory] of wanted) {
      if (key !== null && !this.#watchers.has(key)) this.#watchDirectory(key, directory);
    }
  }

  #watchDirectory(key: string, directory: string): void {
    const fail = (error: unknown): void => {
      this.#watchers.get(key)?.close();
      this.#watchers.delete(key);
      if (this.#unwatched.has(directory)) return;
      this.#unwatched.add(directory);
      const message = error instanceof Error ? error.message : String(error);
      this.#options.logger.warn('config_watch_failed', { directory, message, instead: 'looked at once a second' });
    };
    try {
      const watcher = watch(directory, { persistent: false }, (_, name) => {
        if (name === null || this.#names.get(directory)?.has(name)) this.#settle();
      });
      watcher.on('error', fail);
      this.#watchers.set(key, watcher);
    } catch (error) {
      fail(error);
    }
  }
}

/** Null where there is no such directory now. */
function directoryKey(directory: string): string | null {
  try {
    // The time of birth tells a directory from one that was made after it with the same inode.
    const { dev, ino, birthtimeNs } = statSync(directory, { bigint: true });
    return `${dev}:${ino}:${birthtimeNs}:${directory}`;
  } catch {
    return null;
  }
}

function lookAt(file: string, before: FileState): FileState {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = regularFile(file);
    const stamp = [realpathSync(file), dev, ino, size, mtimeNs, ctimeNs].join(':');
    const same = stamp === before.stamp;
    if (same && before.settled) return before;
    return { stamp, hash: createHash('sha256').update(readFileSync(file)).digest('hex'), settled: same };
  } catch {
    return { ...before, stamp: null, settled: false };
  }
}

/** A pipe would never end, and a directory is no text. */
function regularFile(file: string): BigIntStats {
  const status = statSync(file, { bigint: true });
  if (!status.isFile()) throw new Error('no regular file');
  return status;
}
