/**
 * What every command is made of.
 *
 * A command gets its arguments and an {@link Io} and answers with an exit code: 0 done, 1 could not be done, 2 wrongly called. It
 * never writes to the process's streams or exits by itself, so that a test can call it as `main.ts` does.
 */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import type { Environment } from '../control/config/environment.ts';
import { nearestName } from '../control/config/nearest-name.ts';

export interface Io {
  out(text: string): void;
  err(text: string): void;
  readonly env: Environment;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Usage, options and examples; printed by `--help`. */
  readonly help: string;
  run(args: readonly string[], io: Io): Promise<number>;
}

/** The command was called in a way that it does not understand: exit 2, with the message as a hint. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** `-c`, shared by all commands that read the configuration. */
export const CONFIG_OPTION = { config: { type: 'string', short: 'c', default: 'sluice.yaml' } } as const;

export function readOptions<const Options extends ParseArgsOptionsConfig>(args: readonly string[], options: Options) {
  for (const arg of args) {
    if (arg === '--') break;
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name === undefined || Object.hasOwn(options, name)) continue;
    const guess = nearestName(name, [...Object.keys(options), 'help']);
    throw new UsageError(`unknown option --${name}${guess === null ? '' : `; did you mean --${guess}?`}`);
  }
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    // parseArgs explains itself in several sentences, of which the first says what is wrong.
    const message = error instanceof Error ? error.message : String(error);
    const [first = message] = message.split(/\. (?=[A-Z])/);
    throw new UsageError(first.charAt(0).toLowerCase() + first.slice(1));
  }
}
