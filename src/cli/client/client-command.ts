/**
 * A command that asks a running Sluice something: the connection's options, the client, and the two ways to print.
 *
 * Every such command is a call or two and a text made of the answer. `--json` prints the answer as it came instead, also where it is a refusal:
 * a script then finds the problem document on standard output and the exit code beside it.
 */
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { type Command, type Io, UsageError } from '../command.ts';
import { type CommandDescription, defineCommand, type OptionTable, type OptionValues } from '../command-description.ts';
import { AdminClient } from './admin-client.ts';
import { CONNECTION_OPTIONS, readConnection } from './connection.ts';
import { CommandFailure, EXIT_TEXT } from './failure.ts';
import { printableJson } from './printable.ts';
import { coloured, type Paint, plain } from './table.ts';

export interface ClientCall<Options extends OptionTable> {
  readonly options: OptionValues<Options> & OptionValues<typeof CONNECTION_OPTIONS>;
  readonly words: readonly string[];
  readonly admin: AdminClient;
  readonly io: Io;
  readonly clock: Clock;
  /** Colours on a terminal, unless NO_COLOR is set. */
  readonly paint: Paint;
  /** Prints an answer: as JSON, or as the text that `text` makes of it. */
  show(answer: unknown, text: () => string): void;
}

/** What a command answers with where everything went well. */
type Ended = number | undefined;

export function clientCommand<const Options extends OptionTable>(
  description: Omit<CommandDescription<Options>, 'exit'> & { readonly exit?: string },
  run: (call: ClientCall<Options>) => Promise<Ended>,
): Command {
  // A command may describe `timeout` in its own words; its options stay in front.
  const options = { ...description.options, ...CONNECTION_OPTIONS, ...description.options };
  return defineCommand({ exit: EXIT_TEXT, ...description, options }, async (call) => {
    const { io } = call;
    const values = call.options as ClientCall<Options>['options'] & { readonly wait?: boolean };
    // A command that waits for more than an answer has its time-out for that; each answer on the way has the usual time.
    const admin = new AdminClient(readConnection(values.wait ? { ...values, timeout: undefined } : values, io.env));
    try {
      const ended = await run({
        options: values,
        words: call.words,
        admin,
        io,
        clock: io.clock ?? systemClock,
        paint: io.terminal !== undefined && !io.env.NO_COLOR ? coloured : plain,
        show(answer, text) {
          io.out(values.json ? `${printableJson(answer, 2)}\n` : text());
        },
      });
      return ended ?? 0;
    } catch (error) {
      const answer = error instanceof CommandFailure ? error.answer : null;
      if (values.json && answer !== null) io.out(`${printableJson(answer, 2)}\n`);
      throw error;
    } finally {
      await admin.close();
    }
  });
}

/** The one word that a command takes, or several by name. @throws UsageError naming the first that is missing or too many. */
export function namedWords<const Names extends readonly string[]>(
  words: readonly string[],
  names: Names,
): { readonly [Index in keyof Names]: string } {
  const missing = names[words.length];
  if (missing !== undefined) throw new UsageError(`${missing} is missing`);
  const extra = words[names.length];
  if (extra !== undefined) throw new UsageError(`unexpected argument ${JSON.stringify(extra)}`);
  return words as unknown as { readonly [Index in keyof Names]: string };
}
