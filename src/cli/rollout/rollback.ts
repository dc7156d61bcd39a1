/**
 * `sluice rollout rollback`: a rollout is taken back with a reason, at once or step by step; of one that has succeeded, the old stable becomes
 * stable again.
 */
import { clientCommand } from '../client/client-command.ts';
import { UsageError } from '../command.ts';
import { idWord, ROLLOUT_USAGE } from './rollout-word.ts';
import { summaryText } from './summary-text.ts';
import { changeRollout } from './verbs.ts';

const MODES = ['immediate', 'gradual'] as const;

export const rolloutRollbackCommand = clientCommand(
  {
    name: 'rollout rollback',
    summary: 'take a rollout back, also one that has succeeded',
    about:
      'Take a rollout back, at once or as gradually as its strategy says. Of one that has succeeded the version that was stable ' +
      'before becomes stable ' +
      'again; that one has to be named.',
    usage: [`${ROLLOUT_USAGE} --reason TEXT [--mode immediate|gradual]`],
    options: {
      reason: { value: 'TEXT', about: 'why, for the audit log; needed' },
      mode: { value: 'MODE', about: 'immediate (default) or gradual' },
    },
    examples: [
      'sluice rollout rollback shop --reason "checkout fails"',
      'sluice rollout rollback shop --mode gradual --reason "slower than v1"',
    ],
  },
  async ({ admin, words, options, show, paint }) => {
    const { reason, mode = 'immediate' } = options;
    if (reason === undefined || reason.trim() === '') {
      throw new UsageError('--reason TEXT is missing: say why, for whoever reads the audit log');
    }
    if (!MODES.some((each) => each === mode)) {
      throw new UsageError(`--mode must be immediate or gradual, not ${JSON.stringify(mode)}`);
    }
    const view = await changeRollout(admin, idWord(words), 'rollback', { reason, mode });
    show(view, () => summaryText(view, paint));
  },
);
