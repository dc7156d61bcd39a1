/**
 * `sluice rollout report`: what a rollout did and what was measured, as Markdown for people or JSON for programs, to the terminal or into a file.
 *
 * A file gets the bytes that the server made. On standard output control characters are made harmless as everywhere, since versions and paths in it
 * come from others.
 */
import { writeFileSync } from 'node:fs';
import type { RolloutReport } from '../../control/rollout/view.ts';
import { pathOf } from '../client/admin-client.ts';
import { clientCommand } from '../client/client-command.ts';
import { CommandFailure, EXIT } from '../client/failure.ts';
import { printable, printableJson } from '../client/printable.ts';
import { UsageError } from '../command.ts';
import { findRollout } from './find-rollout.ts';
import { idWord, ROLLOUT_USAGE } from './rollout-word.ts';

export const reportCommand = clientCommand(
  {
    name: 'rollout report',
    summary: 'print the report of a rollout',
    about:
      'Print what a rollout did: timeline, requests, errors and latency per step and version, evidence, decisions, approvals. ' +
      'Without a name it is of the one ' +
      'that runs, else of the latest.',
    usage: [`${ROLLOUT_USAGE} [--format FORMAT] [--out FILE] [OPTIONS]`],
    options: {
      format: { value: 'FORMAT', about: 'md (default) or json; --json is the same as the latter' },
      out: { value: 'FILE', about: 'write it there' },
    },
    examples: [
      'sluice rollout report shop',
      'sluice rollout report shop --out report.md',
      'sluice rollout report shop --json | jq .totals',
    ],
  },
  async ({ admin, io, words, options }) => {
    const { format = options.json ? 'json' : 'md', out } = options;
    if (format !== 'md' && format !== 'json') {
      throw new UsageError(`--format must be md or json, not ${JSON.stringify(format)}`);
    }
    if (format === 'md' && options.json) throw new UsageError('--json and --format md exclude each other');
    const { id } = await findRollout(admin, idWord(words), true);
    const path = pathOf('rollouts', id, 'report');
    const text =
      format === 'md'
        ? await admin.text(path, { format }, 'text/markdown')
        : `${printableJson(await admin.get<RolloutReport>(path, { format }), 2)}\n`;
    if (out !== undefined) write(out, text);
    else io.out(format === 'md' ? text.split('\n').map(printable).join('\n') : text);
    return 0;
  },
);

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandFailure(EXIT.failed, `--out: cannot write ${file}: ${printable(reason)}`);
  }
}
