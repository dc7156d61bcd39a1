/**
 * `sluice rollout pack`: what was set aside before a rollout began, part by part with its checksum; exit code 1 where it is not intact any more.
 */
import type { RollbackPackView } from '../../control/rollout/view.ts';
import { pathOf } from '../client/admin-client.ts';
import { clientCommand } from '../client/client-command.ts';
import { EXIT } from '../client/failure.ts';
import { count, time } from '../client/format.ts';
import { printable } from '../client/printable.ts';
import { type Cell, type Paint, table } from '../client/table.ts';
import { findRollout } from './find-rollout.ts';
import { idWord, ROLLOUT_USAGE } from './rollout-word.ts';

export const packCommand = clientCommand(
  {
    name: 'rollout pack',
    summary: 'show the rollback pack of a rollout',
    about:
      'Show the snapshot of weights, lanes, configuration and flags that was made before a rollout began and that a rollback ' +
      'restores, and check it against ' +
      'its checksums.',
    usage: [`${ROLLOUT_USAGE} [OPTIONS]`],
    options: {},
    examples: ['sluice rollout pack shop'],
  },
  async ({ admin, words, show, paint }) => {
    const { id } = await findRollout(admin, idWord(words), true);
    const pack = await admin.get<RollbackPackView>(pathOf('rollouts', id, 'pack'));
    show(pack, () => packText(pack, paint));
    return pack.intact ? 0 : EXIT.failed;
  },
);

function packText(
  { id, service, rollout, createdAt, manifest, checksum, intact }: RollbackPackView,
  paint: Paint,
): string {
  const rows = manifest.map(({ part, sha256, bytes }): Cell[] => [part, count(bytes), sha256]);
  const state = intact ? paint('intact', 'good') : paint('not what it was when it was made', 'bad');
  return [
    printable(`${id} of ${service}, before rollout ${rollout}, ${time(createdAt)}: `),
    `${state}\n`,
    table(['PART', '>BYTES', 'SHA-256'], rows, paint),
    `checksum ${printable(checksum)}\n`,
  ].join('');
}
