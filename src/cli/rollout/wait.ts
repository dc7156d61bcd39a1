/**
 * `--wait`: a line per change until the rollout is over, with an exit code that a build can go by.
 *
 * With `--json` standard output gets nothing but the view as it was last seen, so the lines go to standard error. Ctrl-C and a time that is up leave
 * the rollout as it is: who started it by a build that was cancelled may still want it, and who does not can abort it.
 */
import { parseDuration } from '../../control/config/units.ts';
import type { RolloutView } from '../../control/rollout/view.ts';
import type { ClientCall } from '../client/client-command.ts';
import { EXIT, EXIT_TEXT } from '../client/failure.ts';
import { span } from '../client/format.ts';
import { listenForInterrupt } from '../client/interruption.ts';
import { printable, printableJson } from '../client/printable.ts';
import { UsageError } from '../command.ts';
import type { OptionTable } from '../command-description.ts';
import { ChangeLines } from './change-lines.ts';
import { exitOf, followRollout, USUAL_INTERVAL, USUAL_PATIENCE } from './follow-rollout.ts';
import { endText } from './summary-text.ts';

export const WAIT_OPTIONS = {
  wait: { about: 'until it is over, with a line per change' },
  timeout: {
    value: 'TIME',
    about: 'with --wait: longest wait for the end; default none. Else for an answer; default 10s',
  },
} as const satisfies OptionTable;

const ENDS = '0 the version is stable, 1 it was taken back, 6 the time is up, 130 interrupted';

export const WAIT_EXIT = `${EXIT_TEXT} With --wait: ${ENDS}; the rollout goes on after these two.`;

/** @param name of the command, for messages */
export async function waitForEnd(
  call: ClientCall<typeof WAIT_OPTIONS>,
  first: RolloutView,
  name: string,
): Promise<number> {
  const { admin, clock, io, options, paint } = call;
  const timeout = readTimeout(options.timeout);
  const lines = new ChangeLines(paint);
  const tell = (text: string): void => (options.json ? io.err(text) : io.out(text));
  const complain = (text: string): void => io.err(`sluice ${name}: ${text}\n`);
  const interruption = listenForInterrupt(io);
  try {
    const { end, view } = await followRollout({
      ...{ admin, clock, first, timeout, signal: interruption.signal },
      interval: USUAL_INTERVAL,
      patience: USUAL_PATIENCE,
      seen: (view) => tell(lines.of(view)),
      lost: (reason) => complain(`${reason}; trying again for ${span(USUAL_PATIENCE)}`),
    });
    if (options.json) io.out(`${printableJson(view, 2)}\n`);
    if (end === 'over') {
      tell(endText(view, paint));
      return exitOf(view);
    }
    const state = `rollout ${printable(view.id)} is still ${printable(view.phase)} and goes on`;
    const how = `sluice rollout watch ${printable(view.id)} follows it, sluice rollout abort ${printable(view.id)} ends it`;
    complain(`${end === 'timed-out' ? `after ${span(timeout ?? 0)} ` : 'interrupted; '}${state}\n${how}`);
    return end === 'timed-out' ? EXIT.timedOut : EXIT.interrupted;
  } finally {
    interruption.stop();
  }
}

/** Of a command without --wait the same option is the one of every command, which has been read. */
export function readTimeout(text: string | undefined): number | null {
  if (text === undefined) return null;
  const timeout = parseDuration(text);
  if (timeout === null || timeout === 0) {
    throw new UsageError(`--timeout must be a time such as 30s or 45m, not ${JSON.stringify(text)}`);
  }
  return timeout;
}
