/** `sluice reload`: the server reads its configuration files again; a faulty one changes nothing, and every fault is a line with its place. */
import type { Applied, ReloadResult } from '../control/operations.ts';
import { pathOf } from './client/admin-client.ts';
import { appliedLine, REASON_OPTION } from './client/applied.ts';
import { clientCommand, namedWords } from './client/client-command.ts';
import { printable } from './client/printable.ts';

export const reloadCommand = clientCommand(
  {
    name: 'reload',
    summary: 'read the configuration files again',
    about:
      'Have the server read its configuration files again. A good file is taken up without losing a request; a faulty one changes nothing, and each fault ' +
      'is reported as FILE:LINE:COLUMN.',
    usage: ['[OPTIONS]'],
    options: REASON_OPTION,
    examples: ['sluice check -c sluice.yaml && sluice reload', 'sluice reload --reason "new endpoints"'],
  },
  async ({ admin, words, options, show }) => {
    namedWords(words, []);
    const query = { reason: options.reason };
    const result = await admin.send<ReloadResult>('POST', pathOf('config', 'reload'), { query });
    show(result, () => reloadText(result));
  },
);

function reloadText({ changed, generation, appliedInMs, workers, dropped }: ReloadResult): string {
  if (!changed) return `The files say what is running already, generation ${generation}.\n`;
  const lost = dropped.map(({ key, reason }) => `Given up: ${printable(`${key}: ${reason}`)}\n`).join('');
  if (appliedInMs === undefined || workers === undefined) return `Generation ${generation}.\n${lost}`;
  const applied: Applied = { generation, appliedInMs, workers };
  return appliedLine(applied) + lost;
}
