/**
 * What a faulty configuration looks like to the rest of the program: one error that carries every fault.
 *
 * A loader that stops at the first fault costs its user one run per mistake, so faults are collected and thrown together. Each
 * says what is wrong, where it is, and how to mend it; `line` 0 marks a fault of the file as a whole (it cannot be read).
 */

/** A function is called only where the fault is reported; for what takes a search. */
export type Message = string | (() => string);

/** As many as are reported one by one. */
export const MOST_FAULTS = 100;

/** The way to a value: keys of mappings and indices of lists. */
export type ConfigPath = readonly (string | number)[];

export interface ConfigProblem {
  readonly file: string;
  /** From 1; 0 where no line is meant. */
  readonly line: number;
  /** From 1; 0 where no line is meant. */
  readonly column: number;
  /** As {@link formatPath} writes it; empty for the whole file. */
  readonly path: string;
  readonly message: string;
}

export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];
  /** Absolute paths of the secret and TLS files that it names: a change of one may be what mends it. */
  readonly dependencies: readonly string[];

  constructor(problems: readonly ConfigProblem[], dependencies: readonly string[] = []) {
    super(problems.map(formatProblem).join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
    this.dependencies = dependencies;
  }
}

/** `services.shop.versions["v1.2"].endpoints[0]`: a key with a dot in it is quoted, so that a path reads one way only. */
export function formatPath(path: ConfigPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!/^[A-Za-z0-9_-]+$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** The same as a JSON pointer (RFC 6901), for faults of a request's body. */
export const formatPointer = (path: ConfigPath): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** One line in the form that editors and terminals make clickable: `file:line:column: path: message`. */
export function formatProblem(problem: ConfigProblem): string {
  const place = problem.line === 0 ? problem.file : `${problem.file}:${problem.line}:${problem.column}`;
  return problem.path === '' ? `${place}: ${problem.message}` : `${place}: ${problem.path}: ${problem.message}`;
}

export function startsWith(path: ConfigPath, prefix: ConfigPath): boolean {
  return prefix.length <= path.length && prefix.every((step, index) => step === path[index]);
}
