/**
 * `sluice health`: is a Sluice alive, or ready for traffic, as an exit code.
 *
 * It is for those who can only run a program and look at how it ended: a container's health check in an image without a shell or curl, a
 * service manager, a script that waits for a start. `sluice status` is no substitute, since it needs a token and says nothing of readiness. Both
 * calls are open, so that no token has to be where the check is. A container engine knows two answers only, 0 and 1, and keeps 2 for
 * itself; so nobody there, a stranger there and a Sluice that is not ready are all 1, and the line on standard error tells them apart.
 */
import { clientCommand, namedWords } from './client/client-command.ts';
import { CommandFailure, EXIT } from './client/failure.ts';
import { printable } from './client/printable.ts';
import type { OptionTable } from './command-description.ts';

const OPTIONS = {
  ready: { about: 'ask whether it should get traffic, not only whether it is alive' },
} as const satisfies OptionTable;

/** What `/readyz` says, with either status. */
interface Readiness {
  readonly state: string;
  readonly reasons: readonly string[];
  readonly notes: readonly string[];
}

export const healthCommand = clientCommand(
  {
    name: 'health',
    summary: 'say with the exit code whether it is alive, or ready',
    about:
      'Ask a running Sluice whether it is alive, or with --ready whether it should get traffic. It needs no token; made for the health checks of ' +
      'containers and service managers.',
    usage: ['[--ready] [OPTIONS]'],
    options: OPTIONS,
    exit: '0 it is, 1 it is not or nobody answers, 2 wrong usage.',
    examples: ['sluice health', 'sluice health --ready --timeout 2s', 'until sluice health --ready; do sleep 1; done'],
  },
  async ({ admin, words, options, show }) => {
    namedWords(words, []);
    try {
      if (options.ready) {
        const readiness = await admin.get<Readiness>('/readyz');
        show(readiness, () => readyText(readiness));
      } else {
        show(await admin.get('/healthz'), () => 'alive\n');
      }
      return 0;
    } catch (error) {
      if (!(error instanceof CommandFailure) || error.exitCode === EXIT.misused) throw error;
      throw notReady(error.answer) ?? new CommandFailure(EXIT.failed, error.message, error.notes, error.answer);
    }
  },
);

const readyText = ({ notes }: Readiness): string => ['ready', ...notes.map(printable), ''].join('\n');

/** Null where the answer is of another kind. */
function notReady(answer: unknown): CommandFailure | null {
  const { state, reasons } = Object(answer) as Partial<Readiness>;
  if (typeof state !== 'string' || !Array.isArray(reasons)) return null;
  const why = reasons.map(String).join(' ');
  return new CommandFailure(EXIT.failed, printable(`not ready, ${state}. ${why}`.trim()), [], answer);
}
