/** `sluice rollback`: all traffic of a service back to its stable version, at once or step by step; it needs a reason, for whoever reads the audit log later. */
import { parseDuration } from '../control/config/units.ts';
import type { WeightsChanged } from '../control/operations.ts';
import { pathOf } from './client/admin-client.ts';
import { appliedLine } from './client/applied.ts';
import { readShare } from './client/assignments.ts';
import { clientCommand, namedWords } from './client/client-command.ts';
import { printable } from './client/printable.ts';
import { UsageError } from './command.ts';
import { weightsText } from './weights.ts';

export const rollbackCommand = clientCommand(
  {
    name: 'rollback',
    summary: 'take all traffic back to stable',
    about:
      'Take all traffic of a service back to its stable version: now, or with --gradual in steps. Sessions of the other versions move too. ' +
      'The weights stay so until they are set again.',
    usage: ['SERVICE --reason TEXT', 'SERVICE --reason TEXT --gradual [--by PERCENT] [--every TIME]'],
    options: {
      reason: { value: 'TEXT', about: 'why, for the audit log; needed' },
      gradual: { about: 'in steps in place of at once' },
      by: { value: 'PERCENT', about: 'percentage points per step; default 20' },
      every: { value: 'TIME', about: 'time between steps; default 1m' },
    },
    examples: [
      'sluice rollback demo --reason "checkout fails"',
      'sluice rollback demo --reason "slower than v1" --gradual --by 10 --every 30s',
    ],
  },
  async ({ admin, words, options, show, paint }) => {
    const [service] = namedWords(words, ['SERVICE']);
    const { reason, gradual, by, every } = options;
    if (reason === undefined || reason.trim() === '')
      throw new UsageError('--reason TEXT is missing: say why, for whoever reads the audit log');
    if (!gradual && (by !== undefined || every !== undefined)) throw new UsageError('--by and --every need --gradual');
    if (every !== undefined && parseDuration(every) === null) {
      throw new UsageError(`--every must be a time such as 30s or 1m, not ${JSON.stringify(every)}`);
    }
    const body = {
      reason,
      mode: gradual ? 'gradual' : 'immediate',
      ...(by !== undefined && { by: readShare(by, '--by') }),
      ...(every !== undefined && { every }),
    };
    const changed = await admin.send<WeightsChanged & { readonly note?: string }>(
      'POST',
      pathOf('services', service, 'rollback'),
      { body },
    );
    const begun = gradual ? 'The gradual rollback has begun; sluice status shows how far it is.\n' : '';
    const { note } = changed;
    // What a rollout does, or nobody, is neither begun here nor taken up by a worker.
    show(changed, () =>
      note === undefined
        ? begun + weightsText(changed, paint) + appliedLine(changed)
        : `${weightsText(changed, paint)}${printable(note)}\n`,
    );
  },
);
