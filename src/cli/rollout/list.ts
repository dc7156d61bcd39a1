/**
 * `sluice rollout list`: rollouts, newest first, with what each waits for or how it ended.
 */
import { PHASES } from '../../control/rollout/rollout.ts';
import type { RolloutSummary } from '../../control/rollout/view.ts';
import { pathOf } from '../client/admin-client.ts';
import { clientCommand, namedWords } from '../client/client-command.ts';
import { share, time } from '../client/format.ts';
import { type Cell, type Paint, table } from '../client/table.ts';
import { UsageError } from '../command.ts';
import type { RolloutList } from './find-rollout.ts';
import { phaseTone } from './summary-text.ts';

export const listCommand = clientCommand(
  {
    name: 'rollout list',
    summary: 'show rollouts, newest first',
    about: 'Show rollouts that run, wait or have ended, newest first.',
    usage: ['[--service SERVICE] [--phase PHASE] [OPTIONS]'],
    options: {
      service: { value: 'SERVICE', about: 'only of this service' },
      phase: { value: 'PHASE', about: `only in this phase: ${PHASES.join(', ')}` },
    },
    examples: [
      'sluice rollout list',
      'sluice rollout list --service shop',
      'sluice rollout list --phase Paused --json | jq -r ".rollouts[].id"',
    ],
  },
  async ({ admin, words, options, show, paint }) => {
    namedWords(words, []);
    const { service, phase } = options;
    const known = PHASES.find((each) => each.toLowerCase() === phase?.toLowerCase());
    if (phase !== undefined && known === undefined) {
      throw new UsageError(`--phase must be one of ${PHASES.join(', ')}, not ${JSON.stringify(phase)}`);
    }
    const list = await admin.get<RolloutList>(pathOf('rollouts'), { service, phase: known });
    show(list, () => listText(list.rollouts, paint));
    return 0;
  },
);

function listText(rollouts: readonly RolloutSummary[], paint: Paint): string {
  const rows = rollouts.map((rollout): Cell[] => [
    rollout.id,
    rollout.service,
    rollout.version,
    rollout.strategy,
    { text: rollout.phase, tone: phaseTone(rollout.phase) },
    `${rollout.step}/${rollout.stepCount}`,
    share(rollout.weight),
    time(rollout.startedAt ?? rollout.createdAt),
    rollout.outcome ?? rollout.waiting ?? '',
  ]);
  const titles = ['ID', 'SERVICE', 'VERSION', 'STRATEGY', 'PHASE', '>STEP', '>WEIGHT', 'BEGUN', 'NOTE'];
  return table(titles, rows, paint);
}
