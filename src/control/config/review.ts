/**
 * The faults of one configuration while it is being checked.
 *
 * The checks of meaning see it as a {@link Review}: somewhere to report to, and the answer to "may I rely on this part?". A part
 * is sound while no fault of shape is at, above or below it; so one bad value hides only what depends on it.
 *
 * Faults beyond MOST_FAULTS are only counted: nobody mends more of them at a time, and looking up where each stands, or what may have been meant, is
 * what a file with ten thousand would keep the process busy with.
 */
import type { ConfigDocument, Position } from './document.ts';
import { type ConfigPath, type ConfigProblem, formatPath, type Message, MOST_FAULTS } from './faults.ts';
import { PathTree } from './path-tree.ts';
import { checkStructure } from './structure.ts';

export interface Review {
  /** A fault of the value at `path`. */
  report(path: ConfigPath, message: Message): void;
  /** A fault of the key at the end of `path`. */
  reportKey(path: ConfigPath, message: Message): void;
  /** Nothing at, above or below `path` has a fault of shape. */
  sound(path: ConfigPath): boolean;
}

export class FaultCollector implements Review {
  readonly #document: ConfigDocument;
  readonly #misshapen = new PathTree();
  readonly #problems: ConfigProblem[] = [];
  /** How many there are besides. */
  #more: number;

  constructor(document: ConfigDocument) {
    this.#document = document;
    this.#more = document.moreFaults;
    for (const { position, path, message, harmless } of document.faults) {
      this.#add(() => position, path, message);
      if (!harmless) this.#misshapen.add(path);
    }
  }

  get isEmpty(): boolean {
    return this.#problems.length === 0;
  }

  /** A value that could not be read is not reported again for the shape of what stands in its place. */
  checkShape(): void {
    const unread = new PathTree();
    for (const { path, harmless } of this.#document.faults) if (!harmless && path.length > 0) unread.add(path);
    for (const { path, message, atKey, spoils } of checkStructure(this.#document.value)) {
      if (unread.leadsTo(path)) continue;
      if (atKey) this.reportKey(path, message);
      else this.report(path, message);
      if (spoils !== null) this.#misshapen.add(spoils);
    }
  }

  report(path: ConfigPath, message: Message): void {
    this.#add(() => this.#document.locate(path), path, message);
  }

  reportKey(path: ConfigPath, message: Message): void {
    this.#add(() => this.#document.locateKey(path), path, message);
  }

  sound(path: ConfigPath): boolean {
    return !this.#misshapen.touches(path);
  }

  #add(locate: () => Position, path: ConfigPath, message: Message): void {
    if (this.#problems.length === MOST_FAULTS) {
      this.#more++;
      return;
    }
    const { file, line, column } = locate();
    const text = typeof message === 'string' ? message : message();
    this.#problems.push({ file, line, column, path: formatPath(path), message: text });
  }

  /** File by file, from top to bottom; behind them how many more there are. */
  sorted(): readonly ConfigProblem[] {
    const { files } = this.#document;
    const sorted = this.#problems.toSorted(
      (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
    );
    if (this.#more === 0) return sorted;
    const rest = this.#more === 1 ? 'one more fault' : `${this.#more} more faults`;
    const message = `there ${this.#more === 1 ? 'is' : 'are'} ${rest}; mend these first`;
    return [...sorted, { file: files.at(-1) ?? '', line: 0, column: 0, path: '', message }];
  }
}
