/**
 * `sluice status`: what the server, its services and their versions are doing, once or again and again.
 *
 * Once, rates are those of the monitor's window; with `--watch` they are what happened between two looks, and percentiles stay those of the window. A
 * server that goes away while it is watched is waited for, since watching a restart is what this is for; one that is not there at the
 * first look ends the command with its exit code.
 */
import { parseDuration } from '../control/config/units.ts';
import type { ServerStatus, ServiceView } from '../control/operations.ts';
import { isOver } from '../control/rollout/rollout.ts';
import type { RolloutSummary } from '../control/rollout/view.ts';
import { type AdminClient, pathOf } from './client/admin-client.ts';
import { type ClientCall, clientCommand } from './client/client-command.ts';
import { CommandFailure, EXIT } from './client/failure.ts';
import { listenForInterrupt, pause, unlessInterrupted } from './client/interruption.ts';
import { type Reading, ratesBetween } from './client/live-rates.ts';
import { printableJson } from './client/printable.ts';
import { openScreen } from './client/screen.ts';
import { statusText } from './client/status-page.ts';
import { UsageError } from './command.ts';
import type { OptionTable } from './command-description.ts';

const OPTIONS = {
  watch: { short: 'w', about: 'draw it again and again, with the rates since the last look; Ctrl-C ends it' },
  interval: { value: 'TIME', about: 'between two looks; default 1s, at least 100ms' },
} as const satisfies OptionTable;

const SHORTEST_INTERVAL = 100;

export const statusCommand = clientCommand(
  {
    name: 'status',
    summary: 'show services, versions, rates and latency',
    about:
      'Show the server and its services: for each version its lane, weight, requests per second, share of failed ones, latency, endpoints and ' +
      'requests in flight; with a SERVICE its endpoints too. REQ/S counts what was sent to a version, repeated requests included.',
    usage: ['[SERVICE] [--watch [--interval TIME]] [OPTIONS]'],
    options: OPTIONS,
    examples: [
      'sluice status',
      'sluice status demo',
      'sluice status --watch',
      'sluice status demo --json | jq .weights',
    ],
  },
  async (call) => {
    const [name, extra] = call.words;
    if (extra !== undefined) throw new UsageError(`unexpected argument ${JSON.stringify(extra)}`);
    const interval = parseDuration(call.options.interval ?? '1s');
    if (interval === null || interval < SHORTEST_INTERVAL) {
      throw new UsageError(`--interval must be a time from 100ms on, not ${JSON.stringify(call.options.interval)}`);
    }
    if (call.options.watch) return watch(call, name ?? null, interval);
    if (call.options.interval !== undefined) throw new UsageError('--interval needs --watch');
    const look = await lookAt(call, name ?? null);
    call.show(answerOf(look, name), () => textOf(call, look, null, 0));
    return 0;
  },
);

type StatusCall = ClientCall<typeof OPTIONS>;

interface Look {
  readonly server: ServerStatus;
  readonly services: readonly ServiceView[];
  /** Those that are not over; none with `--json`, which shows the answers as they came. */
  readonly rollouts: readonly RolloutSummary[];
  readonly one: boolean;
}

async function lookAt({ admin, options }: StatusCall, name: string | null): Promise<Look> {
  const [server, services, rollouts] = await Promise.all([
    admin.get<ServerStatus>(pathOf('status')),
    name === null
      ? admin.get<{ readonly services: readonly ServiceView[] }>(pathOf('services')).then(({ services }) => services)
      : admin.get<ServiceView>(pathOf('services', name)).then((service) => [service]),
    options.json ? [] : rolloutsOf(admin, name),
  ]);
  return { server, services, rollouts, one: name !== null };
}

async function rolloutsOf(admin: AdminClient, service: string | null): Promise<readonly RolloutSummary[]> {
  const query = service === null ? {} : { service };
  const { rollouts } = await admin.get<{ readonly rollouts: readonly RolloutSummary[] }>(pathOf('rollouts'), query);
  return rollouts.filter(({ phase }) => !isOver(phase));
}

/** Of one service its own view, which is what a script asked for; else both answers. */
const answerOf = ({ server, services }: Look, name: string | undefined): unknown =>
  name === undefined ? { server, services } : services[0];

function textOf({ paint }: StatusCall, look: Look, before: Reading | null, at: number): string {
  const live = ratesBetween(before, { services: look.services, at });
  const { server, services, rollouts, one } = look;
  return statusText({ server, services, rollouts, endpoints: one, live, paint });
}

async function watch(call: StatusCall, name: string | null, interval: number): Promise<number> {
  const { clock, io, options, paint } = call;
  const interruption = listenForInterrupt(io);
  const screen = openScreen(io);
  let before: Reading | null = null;
  let seen = false;
  try {
    while (!interruption.signal.aborted) {
      try {
        const look = await unlessInterrupted(lookAt(call, name), interruption.signal);
        if (look === null) break;
        const at = clock.now();
        if (options.json) io.out(`${printableJson(answerOf(look, name ?? undefined))}\n`);
        else screen.draw(textOf(call, look, before, at));
        before = { services: look.services, at };
        seen = true;
      } catch (error) {
        if (!seen || !(error instanceof CommandFailure) || error.exitCode !== EXIT.unreachable) throw error;
        if (io.terminal === undefined || options.json) io.err(`sluice status: ${error.message}\n`);
        else screen.draw(`${paint(error.message, 'bad')}; still trying\n`);
      }
      await pause(interval, clock, interruption.signal);
    }
    return 0;
  } finally {
    screen.close();
    interruption.stop();
  }
}
