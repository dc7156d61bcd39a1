/**
 * A command that is only the common name of others: `sluice rollout start`, `sluice rollout watch`.
 *
 * What belongs together is looked for in one place, and each of them has options and a help text of its own; a flat list of a dozen more
 * commands, or one command with the options of all of them, would have neither. The group by itself does nothing but say what there is.
 */
import { nearestName } from '../control/config/nearest-name.ts';
import { type Command, lastWord, UsageError } from './command.ts';
import { wrapped } from './command-description.ts';

export interface GroupDescription {
  readonly name: string;
  readonly summary: string;
  /** What the group is about, in sentences. */
  readonly about: string;
  readonly exit: string;
  readonly examples: readonly string[];
}

/** @param subcommands with names such as `rollout start` */
export function defineGroup(description: GroupDescription, subcommands: readonly Command[]): Command {
  const { name, summary } = description;
  return {
    name,
    summary,
    help: helpText(description, subcommands),
    subcommands,
    async run([word]) {
      const known = subcommands.map((command) => lastWord(command.name));
      if (word === undefined) throw new UsageError(`which one? There are: ${known.join(', ')}`);
      if (word.startsWith('-')) throw new UsageError(`the command comes first: sluice ${name} COMMAND [OPTIONS]`);
      const guess = nearestName(word, known);
      throw new UsageError(
        `unknown command ${JSON.stringify(word)}${guess === null ? `; there are: ${known.join(', ')}` : `; did you mean ${guess}?`}`,
      );
    },
  };
}

function helpText({ name, about, exit, examples }: GroupDescription, subcommands: readonly Command[]): string {
  const width = Math.max(...subcommands.map((command) => lastWord(command.name).length));
  return `${wrapped(about, '')}
Usage: sluice ${name} COMMAND [OPTIONS]

Commands:
${subcommands.map((command) => `  ${lastWord(command.name).padEnd(width)}  ${command.summary}\n`).join('')}
Options:
  -h, --help  this text; behind a command its own, as in "sluice ${name} ${lastWord(subcommands[0]?.name ?? '')} --help"

${wrapped(exit, 'Exit code: ')}
Examples:
${examples.map((example) => `  ${example}\n`).join('')}`;
}
