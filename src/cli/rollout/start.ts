/**
 * `sluice rollout start`: begins to give a version to users, step by step.
 *
 * With `--risk` nothing begins; the answer is what the score would be. With `--wait` the command ends with the rollout, which makes a step of a
 * build out of it.
 */
import type { StartRollout } from '../../control/operations.ts';
import type { Risk } from '../../control/rollout/rollout.ts';
import type { RolloutView } from '../../control/rollout/view.ts';
import { pathOf } from '../client/admin-client.ts';
import { REASON_OPTION } from '../client/applied.ts';
import { type ClientCall, clientCommand, namedWords } from '../client/client-command.ts';
import { printable } from '../client/printable.ts';
import { UsageError } from '../command.ts';
import type { OptionTable } from '../command-description.ts';
import { readNotBefore } from './not-before.ts';
import { riskText } from './risk-text.ts';
import { readStrategyFile } from './strategy-file.ts';
import { summaryText } from './summary-text.ts';
import { readTimeout, WAIT_EXIT, WAIT_OPTIONS, waitForEnd } from './wait.ts';

const WHEN_BUSY = ['refuse', 'queue', 'supersede'] as const;

const OPTIONS = {
  strategy: { value: 'STRATEGY', about: 'its name; default standard' },
  'strategy-file': { value: 'FILE', about: 'a strategy written out as in the configuration, YAML or JSON' },
  'not-before': { value: 'TIME', about: 'begin then: 2026-03-02T18:30, with Z or +01:00 behind it, or 45m from now' },
  'when-busy': {
    value: 'WORD',
    about: 'where another rollout of the service runs: refuse, queue or supersede; default as the strategy says',
  },
  risk: { about: 'only show the risk score; nothing begins' },
  ...WAIT_OPTIONS,
  ...REASON_OPTION,
} as const satisfies OptionTable;

export const startCommand = clientCommand(
  {
    name: 'rollout start',
    summary: 'begin to give a version to users, step by step',
    about:
      'Start a rollout of a version of a service. Its traffic is raised step by step as the strategy says, is watched request by ' +
      'request, and is taken ' +
      'back at once where the version fails. When every step has passed the version becomes stable.',
    usage: ['SERVICE VERSION [OPTIONS]'],
    options: OPTIONS,
    exit: WAIT_EXIT,
    examples: [
      'sluice rollout start shop v2',
      'sluice rollout start shop v2 --strategy conservative --reason "release 2.0"',
      'sluice rollout start shop v2 --strategy-file quick.yaml --wait --timeout 45m',
      'sluice rollout start shop v2 --risk',
    ],
  },
  async (call) => {
    const { admin, io, options, paint, show } = call;
    const [service, version] = namedWords(call.words, ['SERVICE', 'VERSION']);
    if (options.wait) readTimeout(options.timeout);
    if (options.wait && options.risk) throw new UsageError('--risk starts nothing that --wait could wait for');
    const body = await bodyOf(call, version);
    if (options.risk) {
      const risk = await admin.send<Risk>('POST', pathOf('services', service, 'rollouts', 'risk'), { body });
      show(risk, () => riskText(risk, paint));
      return 0;
    }
    const view = await admin.send<RolloutView>('POST', pathOf('services', service, 'rollouts'), { body });
    const text = (): string => `${summaryText(view, paint)}Risk ${view.risk.score} of 100.\n`;
    if (options.wait) {
      (options.json ? io.err : io.out)(text());
      return waitForEnd(call, view, 'rollout start');
    }
    show(view, () => `${text()}Follow it: sluice rollout watch ${printable(view.id)}\n`);
    return 0;
  },
);

async function bodyOf(
  { io, options }: ClientCall<typeof OPTIONS>,
  version: string,
): Promise<StartRollout & { readonly reason?: string }> {
  const { strategy, 'strategy-file': file, 'not-before': notBefore, 'when-busy': busy, reason } = options;
  if (strategy !== undefined && file !== undefined) {
    throw new UsageError('--strategy and --strategy-file exclude each other');
  }
  const whenBusy = WHEN_BUSY.find((word) => word === busy);
  if (busy !== undefined && whenBusy === undefined) {
    throw new UsageError(`--when-busy must be refuse, queue or supersede, not ${JSON.stringify(busy)}`);
  }
  const now = (io.wallClock ?? Date.now)();
  return {
    version,
    ...(strategy !== undefined && { strategy }),
    ...(file !== undefined && { strategy: await readStrategyFile(file) }),
    ...(notBefore !== undefined && { notBefore: readNotBefore(notBefore, now) }),
    ...(whenBusy !== undefined && { whenBusy }),
    ...(reason !== undefined && { reason }),
  };
}
