/**
 * `sluice rollout watch`: a rollout on one page, live, until it is over.
 *
 * On a terminal the page is drawn in place and a server that goes away is waited for without end, since watching a restart is what this is for.
 * Elsewhere it is a line per change and the patience of `--wait`, because nobody is there to press Ctrl-C.
 */
import { parseDuration } from '../../control/config/units.ts';
import type { RolloutView } from '../../control/rollout/view.ts';
import { type ClientCall, clientCommand } from '../client/client-command.ts';
import { EXIT_TEXT } from '../client/failure.ts';
import { span } from '../client/format.ts';
import { listenForInterrupt } from '../client/interruption.ts';
import { printableJson } from '../client/printable.ts';
import { openScreen } from '../client/screen.ts';
import { type Terminal, UsageError } from '../command.ts';
import type { OptionTable } from '../command-description.ts';
import { ChangeLines } from './change-lines.ts';
import { findRollout } from './find-rollout.ts';
import { exitOf, type Followed, followRollout, USUAL_PATIENCE } from './follow-rollout.ts';
import { idWord, ROLLOUT_USAGE } from './rollout-word.ts';
import { rolloutScreen, type Size } from './screen/rollout-screen.ts';
import { endText, summaryText } from './summary-text.ts';

const OPTIONS = {
  interval: { value: 'TIME', about: 'between two looks; default 1s, at least 100ms' },
} as const satisfies OptionTable;

const SHORTEST_INTERVAL = 100;
const USUAL_COLUMNS = 80;

export const watchCommand = clientCommand(
  {
    name: 'rollout watch',
    summary: 'follow a rollout live until it is over',
    about:
      'Follow a rollout on one page: step, weights, rates, latency, evidence, conditions, what it waits for and the last events. ' +
      'Without a terminal it ' +
      'is a line per change. It ends with the rollout; Ctrl-C ends it earlier and changes nothing.',
    usage: [`${ROLLOUT_USAGE} [--interval TIME] [OPTIONS]`],
    options: OPTIONS,
    exit: `${EXIT_TEXT} Of a rollout that ends: 0 the version is stable, 1 it was taken back.`,
    examples: ['sluice rollout watch', 'sluice rollout watch shop', 'sluice rollout watch shop --json | jq .canary'],
  },
  async (call) => {
    const interval = parseDuration(call.options.interval ?? '1s');
    if (interval === null || interval < SHORTEST_INTERVAL) {
      throw new UsageError(`--interval must be a time from 100ms on, not ${JSON.stringify(call.options.interval)}`);
    }
    const first = await findRollout(call.admin, idWord(call.words), true);
    const { end, view } = await follow(call, first, interval);
    return end === 'over' ? exitOf(view) : 0;
  },
);

type WatchCall = ClientCall<typeof OPTIONS>;

interface Show {
  seen(view: RolloutView): void;
  lost(reason: string): void;
  ended(view: RolloutView): void;
}

async function follow(call: WatchCall, first: RolloutView, interval: number): Promise<Followed> {
  const { admin, clock, io, options } = call;
  const interruption = listenForInterrupt(io);
  const screen = openScreen(io);
  const live = io.terminal !== undefined && !options.json;
  const show = live
    ? onPage(call, screen.draw.bind(screen), io.terminal)
    : options.json
      ? asJson(call)
      : asLines(call, first);
  try {
    const followed = await followRollout({
      ...{ admin, clock, first, interval, signal: interruption.signal },
      patience: live ? Number.POSITIVE_INFINITY : USUAL_PATIENCE,
      timeout: null,
      seen: show.seen,
      lost: show.lost,
    });
    if (followed.end === 'over') show.ended(followed.view);
    return followed;
  } finally {
    screen.close();
    interruption.stop();
  }
}

function onPage({ paint }: WatchCall, draw: (page: string) => void, terminal: Terminal): Show {
  let last: RolloutView | null = null;
  const size = (): Size => ({ columns: terminal.columns?.() ?? USUAL_COLUMNS, rows: terminal.rows() - 1 });
  return {
    seen(view) {
      last = view;
      draw(rolloutScreen(view, size(), paint));
    },
    lost(reason) {
      const { columns, rows } = size();
      const page = last === null ? '' : rolloutScreen(last, { columns, rows: rows - 1 }, paint);
      draw(`${paint(`${reason}; still trying`.slice(0, columns), 'bad')}\n${page}`);
    },
    ended() {},
  };
}

function asLines({ io, paint }: WatchCall, first: RolloutView): Show {
  const lines = new ChangeLines(paint);
  io.out(summaryText({ ...first, waiting: null, outcome: null }, paint));
  return {
    seen: (view) => io.out(lines.of(view)),
    lost: (reason) => io.err(`sluice rollout watch: ${reason}; trying again for ${span(USUAL_PATIENCE)}\n`),
    ended: (view) => io.out(endText(view, paint)),
  };
}

function asJson({ io }: WatchCall): Show {
  return {
    seen: (view) => io.out(`${printableJson(view)}\n`),
    lost: (reason) => io.err(`sluice rollout watch: ${reason}; trying again for ${span(USUAL_PATIENCE)}\n`),
    ended() {},
  };
}
