/**
 * A command described once: its help text and its parser come from the same table, so that neither can promise what the other does not keep.
 *
 * Shell completion reads the help text (`completion-words.ts`), which makes three. Usage lines are a small grammar: lower-case words are
 * meant literally, `a|b` is a choice, CAPITALS are places to fill in, `...` repeats, brackets may be left out.
 */
import { type Command, type Io, readArguments } from './command.ts';

export interface OptionDescription {
  /** Place-holder of its value, `FILE` or `DIR` for a path; left out, the option is a switch. */
  readonly value?: string;
  readonly short?: string;
  readonly about: string;
}

export type OptionTable = Readonly<Record<string, OptionDescription>>;

export type OptionValues<Options extends OptionTable> = {
  readonly [Name in keyof Options]: Options[Name] extends { readonly value: string } ? string | undefined : boolean;
};

export interface CommandDescription<Options extends OptionTable = OptionTable> {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What the command does, in sentences. */
  readonly about: string;
  /** Without `sluice NAME`; one form each. */
  readonly usage: readonly string[];
  readonly options: Options;
  readonly exit: string;
  readonly examples: readonly string[];
}

export interface Call<Options extends OptionTable> {
  readonly options: OptionValues<Options>;
  /** What was given besides options. */
  readonly words: readonly string[];
  readonly io: Io;
}

const HELP_OPTION: OptionTable = { help: { short: 'h', about: 'this text' } };

/** Lines of the help stay within this many columns. */
const WIDTH = 110;

export function defineCommand<const Options extends OptionTable>(
  description: CommandDescription<Options>,
  run: (call: Call<Options>) => Promise<number>,
): Command {
  return {
    name: description.name,
    summary: description.summary,
    help: helpText(description),
    run(args, io) {
      const { values, positionals } = readArguments(args, parserTable(description.options), true);
      return run({ options: values as OptionValues<Options>, words: positionals, io });
    },
  };
}

function parserTable(options: OptionTable) {
  return Object.fromEntries(
    Object.entries(options).map(([name, { value, short }]) => [
      name,
      value === undefined
        ? { type: 'boolean' as const, default: false, ...(short !== undefined && { short }) }
        : { type: 'string' as const, ...(short !== undefined && { short }) },
    ]),
  );
}

function helpText({ name, about, usage, options, exit, examples }: CommandDescription): string {
  const forms = usage.map((form) => `sluice ${name} ${form}`.trimEnd());
  const rows = Object.entries({ ...options, ...HELP_OPTION }).map(
    ([option, { value, short, about: text }]) =>
      [
        `${short === undefined ? '' : `-${short}, `}--${option}${value === undefined ? '' : ` ${value}`}`,
        text,
      ] as const,
  );
  const width = Math.max(...rows.map(([left]) => left.length));
  return `${wrapped(about, '')}
Usage: ${forms.join('\n       ')}

Options:
${rows.map(([left, text]) => wrapped(text, `  ${left.padEnd(width)}  `)).join('')}
${wrapped(exit, 'Exit code: ')}
Examples:
${examples.map((example) => `  ${example}\n`).join('')}`;
}

/** Lines of at most so many columns. @param lead what the first line begins with; further lines are indented by as much. */
export function wrapped(text: string, lead: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && lead.length + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines.map((each, index) => `${index === 0 ? lead : ' '.repeat(lead.length)}${each}\n`).join('');
}
