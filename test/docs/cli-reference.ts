/**
 * `docs/cli-reference.md`: what `--help` prints of every command, made from the same descriptions that the parser reads.
 *
 * The text stands as the terminal shows it: it is written for that, and a table of options would be a second wording of the same.
 */
import { COMMANDS } from '../../src/cli/cli.ts';
import type { Command } from '../../src/cli/command.ts';
import { slugOf } from './markdown.ts';

const titleOf = ({ name }: Command): string => `sluice ${name}`;

const withSubcommands = (command: Command): readonly Command[] => [command, ...(command.subcommands ?? [])];

export function cliReference(): string {
  const rows = COMMANDS.flatMap(withSubcommands).map(
    (command) => `| [${titleOf(command)}](#${slugOf(titleOf(command))}) | ${command.summary} |`,
  );
  const sections = COMMANDS.flatMap((command) =>
    withSubcommands(command).map(
      (each) => `${each === command ? '##' : '###'} ${titleOf(each)}\n\n\`\`\`\n${each.help.trimEnd()}\n\`\`\``,
    ),
  );
  return `# Every command

Made from the commands by \`npm run docs\`; do not edit. It is what \`sluice COMMAND --help\` prints. What the commands are for, with what they show
and the exit codes, is told in [the command line](cli.md).

| command | |
|---|---|
${rows.join('\n')}

${sections.join('\n\n')}
`;
}
