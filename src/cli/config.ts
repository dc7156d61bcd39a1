/**
 * `sluice config`: what is running, where it came from, and where changes at run time differ from the files.
 *
 * Secrets are not among it: the server answers with where a secret comes from. Without an option it is the summary with the differences, because
 * "why is it not what the file says" is the question that brings people here.
 */
import type { ConfigDifference, ConfigView } from '../control/operations.ts';
import { pathOf } from './client/admin-client.ts';
import { clientCommand, namedWords } from './client/client-command.ts';
import { time } from './client/format.ts';
import { printable } from './client/printable.ts';
import { type Paint, table } from './client/table.ts';
import { UsageError } from './command.ts';

export const configCommand = clientCommand(
  {
    name: 'config',
    summary: 'show the running configuration and what differs from the files',
    about:
      'Show which files are running and where changes at run time differ from them; --effective prints all that is running, --file all that the files say ' +
      'with their defaults, both as YAML. Secrets are never part of it.',
    usage: ['[--effective | --file | --diff] [OPTIONS]'],
    options: {
      effective: { about: 'what is running, changes at run time included' },
      file: { about: 'what the files say' },
      diff: { about: 'only the differences between the two' },
    },
    examples: ['sluice config', 'sluice config --diff', 'sluice config --effective --json | jq .services'],
  },
  async ({ admin, words, options, show, paint }) => {
    namedWords(words, []);
    if ([options.effective, options.file, options.diff].filter(Boolean).length > 1) {
      throw new UsageError('--effective, --file and --diff exclude each other');
    }
    const view = await admin.get<ConfigView>(pathOf('config'));
    if (options.effective || options.file) {
      const part = options.effective ? view.effective : view.file;
      const { stringify } = await import('yaml');
      show(part, () => stringify(part).split('\n').map(printable).join('\n'));
    } else if (options.diff) {
      show(view.differences, () => differenceTable(view.differences, paint));
    } else {
      show(view, () => summary(view, paint));
    }
  },
);

function summary(view: ConfigView, paint: Paint): string {
  const { generation, environment, files, loadedAt, rejected, differences } = view;
  const lines = [`generation   ${printable(String(generation))}`, `environment  ${printable(environment)}`];
  lines.push(`files        ${printable(files.join(', ')) || '-'}`, `read at      ${time(printable(loadedAt))}`);
  if (rejected !== null) {
    lines.push(paint(`refused at   ${time(printable(rejected.at))}`, 'bad'), ...rejected.problems.map(problemLine));
  }
  const changes =
    differences.length === 0 ? 'Nothing differs from the files.\n' : `\n${differenceTable(differences, paint)}`;
  return `${lines.join('\n')}\n${changes}`;
}

/** Of a fault, which came as JSON. */
function problemLine(problem: unknown): string {
  const { file, line, column, field, message } = Object(problem) as Readonly<Record<string, unknown>>;
  const place = typeof line === 'number' && line > 0 ? `${file}:${line}:${column}` : String(file);
  return printable(field === '' || field === undefined ? `${place}: ${message}` : `${place}: ${field}: ${message}`);
}

function differenceTable(differences: readonly ConfigDifference[], paint: Paint): string {
  const rows = differences.map(({ key, file, override, effective }) => [
    key,
    valueText(file),
    valueText(override),
    valueText(effective),
  ]);
  return table(['KEY', 'FILE', 'OVERRIDE', 'EFFECTIVE'], rows, paint);
}

const valueText = (value: unknown): string => (value === null || value === undefined ? '-' : JSON.stringify(value));
