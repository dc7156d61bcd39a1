/**
 * What every command is made of.
 *
 * A command gets its arguments and an {@link Io} and answers with an exit code: 0 done, 1 could not be done, 2 wrongly called; the commands
 * that talk to a running Sluice have more (`client/failure.ts`). It never writes to the process's streams or exits by itself, so that
 * a test can call it as `main.ts` does.
 */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import type { Environment } from '../control/config/environment.ts';
import { nearestName } from '../control/config/nearest-name.ts';
import type { Clock } from '../runtime/clock.ts';

export interface Io {
  out(text: string): void;
  err(text: string): void;
  readonly env: Environment;
  /** Left out where standard output is a file or a pipe. */
  readonly terminal?: Terminal;
  /**
   * Calls `listener` when the user ends the command (Ctrl-C, a closed pipe) in place of ending the process. Left out, nobody can end it.
   * @returns what stops the listening.
   */
  onInterrupt?(listener: () => void): () => void;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Milliseconds since 1970. Default: the system's. */
  wallClock?(): number;
}

export interface Terminal {
  /** Rows of the window now. */
  rows(): number;
  /** Default: 80. */
  columns?(): number;
}

export interface Command {
  /** What is written behind `sluice`: `status`, or `rollout start` for a command of a group. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Usage, options and examples; printed by `--help`. */
  readonly help: string;
  /** Of a group; their names begin with its own. */
  readonly subcommands?: readonly Command[];
  run(args: readonly string[], io: Io): Promise<number>;
}

/** The command that the words call, a group's own included, and what is behind its name; null where the first word names none. */
export function commandOf(
  words: readonly string[],
  commands: readonly Command[],
): { readonly command: Command; readonly rest: readonly string[] } | null {
  const [first, ...rest] = words;
  const command = commands.find(({ name }) => lastWord(name) === first);
  if (command === undefined) return null;
  return commandOf(rest, command.subcommands ?? []) ?? { command, rest };
}

/** What a command is called within its group. */
export const lastWord = (name: string): string => name.slice(name.lastIndexOf(' ') + 1);

/** The command was called in a way that it does not understand: exit 2, with the message as a hint. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** `-c`, shared by all commands that read the configuration. */
export const CONFIG_OPTION: {
  config: { type: 'string'; short: 'c'; multiple: true; default: string[] };
} = {
  config: { type: 'string', short: 'c', multiple: true, default: ['sluice.yaml'] },
};

/** The options of a command that takes nothing else. */
export function readOptions<const Options extends ParseArgsOptionsConfig>(args: readonly string[], options: Options) {
  return readArguments(args, options, false).values;
}

/** Options, and the words between and behind them. */
export function readArguments<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
  words: boolean,
) {
  for (const arg of args) {
    if (arg === '--') break;
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name === undefined || Object.hasOwn(options, name)) continue;
    const guess = nearestName(name, [...Object.keys(options), 'help']);
    throw new UsageError(`unknown option --${name}${guess === null ? '' : `; did you mean --${guess}?`}`);
  }
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: words });
  } catch (error) {
    // parseArgs explains itself in several sentences, of which the first says what is wrong.
    const message = error instanceof Error ? error.message : String(error);
    const [first = message] = message.split(/\. (?=[A-Z])/);
    throw new UsageError(first.charAt(0).toLowerCase() + first.slice(1));
  }
}
