/**
 * What a configuration draws on besides its text: environment variables, paths, and the files that secrets and keys are in.
 *
 * A path is relative to the file that writes it, because that is the directory its author sees; the working directory is an accident of how
 * the process was started. Every file that is asked for is remembered, found or not: a change of one means reading the configuration again,
 * whether it holds a new secret or is there at last.
 *
 * Only regular files of up to LARGEST_FILE are read. A secret and a certificate are far below it, and a pipe or a device would keep the
 * process waiting for ever.
 *
 * Of a text that somebody sends to be checked only named files are opened (`readable`), and nothing is looked up: whether a file is there would
 * be an answer to whoever wrote its path.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { ConfigDocument } from './document.ts';
import type { Environment } from './environment.ts';
import type { ConfigPath } from './faults.ts';

export const LARGEST_FILE = 1024 * 1024;

export type FileContent = { readonly ok: string } | { readonly fault: string };

export class Surroundings {
  readonly env: Environment;
  /** Absolute paths of the files that were asked for. */
  readonly dependencies = new Set<string>();
  readonly #document: ConfigDocument;
  readonly #directories: ReadonlyMap<string, string>;
  readonly #readable: ReadonlySet<string> | null;

  /**
   * @param directories where relative paths begin, by the name of a configuration file; default: the directory of that name.
   * @param readable absolute paths of the files that may be read; null: all.
   */
  constructor(
    env: Environment,
    document: ConfigDocument,
    directories: ReadonlyMap<string, string> = new Map(),
    readable: ReadonlySet<string> | null = null,
  ) {
    this.env = env;
    this.#document = document;
    this.#directories = directories;
    this.#readable = readable;
  }

  /** Absolute path of `written`, which stands at `path`. */
  pathOf(written: string, path: ConfigPath): string {
    return resolve(this.#directoryOf(this.#document.locate(path).file), written);
  }

  /** Absolute path of what is called `name` beside the first configuration file. */
  beside(name: string): string {
    return resolve(this.#directoryOf(this.#document.files[0] ?? ''), name);
  }

  /** @param file absolute. */
  read(file: string): FileContent {
    if (this.#readable?.has(file) === false) {
      return { fault: `${file} is not named by the running configuration; check it on the server with sluice check` };
    }
    this.dependencies.add(file);
    try {
      const status = statSync(file);
      if (!status.isFile()) return { fault: `${file} is no regular file; name a file` };
      if (status.size > LARGEST_FILE) return { fault: `${file} is larger than 1MiB; name a smaller file` };
      return { ok: readFileSync(file, 'utf8') };
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOENT') return { fault: `no such file: ${file}` };
      if (code === 'EACCES') return { fault: `${file} cannot be read: permission denied` };
      return { fault: `${file} cannot be read: ${code ?? String(error)}` };
    }
  }

  /** Why nothing can be written to `file`, which need not be there yet; null where no reason is seen. @param file absolute. */
  whyNotWritable(file: string): string | null {
    if (this.#readable !== null) return null;
    if (kindOf(file) === 'directory') return `${file} is a directory; name a file in it`;
    const directory = dirname(file);
    const kind = kindOf(directory);
    return kind === 'directory' || kind === 'unknown'
      ? null
      : `there is no directory ${directory}; create it, or name another`;
  }

  #directoryOf(file: string): string {
    return this.#directories.get(file) ?? dirname(file);
  }
}

/** What is at a path; `unknown` where this process may not look. */
function kindOf(path: string): 'directory' | 'other' | 'nothing' | 'unknown' {
  try {
    return statSync(path).isDirectory() ? 'directory' : 'other';
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'nothing' : 'unknown';
  }
}
