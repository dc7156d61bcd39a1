/**
 * The faults of one configuration while it is being checked.
 *
 * The checks of meaning see it as a {@link Review}: somewhere to report to, and the answer to "may I rely on this part?". A part
 * is sound while no fault of shape is at, above or below it; so one bad value hides only what depends on it.
 */
import type { ConfigDocument, Position } from './document.ts';
import { type ConfigPath, type ConfigProblem, formatPath, startsWith } from './faults.ts';
import { checkStructure } from './structure.ts';

export interface Review {
  /** A fault of the value at `path`. */
  report(path: ConfigPath, message: string): void;
  /** A fault of the key at the end of `path`. */
  reportKey(path: ConfigPath, message: string): void;
  /** Nothing at, above or below `path` has a fault of shape. */
  sound(path: ConfigPath): boolean;
}

export class FaultCollector implements Review {
  readonly problems: ConfigProblem[] = [];
  readonly #document: ConfigDocument;
  readonly #misshapen: ConfigPath[] = [];

  constructor(document: ConfigDocument) {
    this.#document = document;
    for (const { position, path, message, harmless } of document.faults) {
      this.add(position, path, message);
      if (!harmless) this.#misshapen.push(path);
    }
  }

  /** A value that could not be read is not reported again for the shape of what stands in its place. */
  checkShape(): void {
    const unread = this.#misshapen.slice();
    for (const { path, message, atKey, spoils } of checkStructure(this.#document.value)) {
      if (unread.some((known) => known.length > 0 && startsWith(path, known))) continue;
      if (atKey) this.reportKey(path, message);
      else this.report(path, message);
      if (spoils !== null) this.#misshapen.push(spoils);
    }
  }

  report(path: ConfigPath, message: string): void {
    this.add(this.#document.locate(path), path, message);
  }

  reportKey(path: ConfigPath, message: string): void {
    this.add(this.#document.locateKey(path), path, message);
  }

  sound(path: ConfigPath): boolean {
    return !this.#misshapen.some((bad) => startsWith(bad, path) || startsWith(path, bad));
  }

  add(position: Position, path: ConfigPath, message: string): void {
    const { file, line, column } = position;
    this.problems.push({ file, line, column, path: formatPath(path), message });
  }

  /** File by file, from top to bottom. */
  sorted(): readonly ConfigProblem[] {
    const { files } = this.#document;
    return this.problems.toSorted(
      (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
    );
  }
}
