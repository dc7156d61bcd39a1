/** `sluice events`: what has happened lately, or what happens from now on, one line an event; `--follow` survives restarts of the server without a gap. */
import type { SluiceEvent } from '../control/events/event.ts';
import { systemRandom } from '../runtime/random.ts';
import { pathOf } from './client/admin-client.ts';
import { type ClientCall, clientCommand, namedWords } from './client/client-command.ts';
import { followEvents } from './client/follow-events.ts';
import { latency, time } from './client/format.ts';
import { listenForInterrupt } from './client/interruption.ts';
import { printable, printableJson } from './client/printable.ts';
import { readCount } from './client/read-count.ts';
import type { Paint } from './client/table.ts';
import { UsageError } from './command.ts';
import type { OptionTable } from './command-description.ts';

const OPTIONS = {
  follow: { short: 'f', about: 'go on with events as they happen; Ctrl-C ends it' },
  since: { value: 'ID', about: 'those behind this number' },
  limit: { value: 'COUNT', about: 'at most so many; default 100' },
  types: { value: 'TYPES', about: 'only these, separated by commas; endpoint.* is all that begin with endpoint.' },
} as const satisfies OptionTable;

export const eventsCommand = clientCommand(
  {
    name: 'events',
    summary: 'show what happened, or follow what happens',
    about:
      'Show events, oldest first, or follow them. --follow connects again by itself after a break and resumes behind the last event that it printed. ' +
      'With --json each event is one line.',
    usage: ['[OPTIONS]', '--follow [OPTIONS]'],
    options: OPTIONS,
    examples: [
      'sluice events',
      'sluice events --follow',
      'sluice events --follow --types "weights.changed,endpoint.*"',
      'sluice events --since 120 --json | jq .message',
    ],
  },
  async (call) => {
    namedWords(call.words, []);
    const since = readCount(call.options.since, '--since');
    return call.options.follow ? follow(call, since) : list(call, since);
  },
);

type EventsCall = ClientCall<typeof OPTIONS>;

async function list({ admin, io, options, paint }: EventsCall, since: number | null): Promise<number> {
  const limit = readCount(options.limit, '--limit') ?? 100;
  const query = { since: since ?? undefined, limit, types: options.types };
  const events = await admin.get<readonly SluiceEvent[]>(pathOf('events'), query);
  for (const event of events) io.out(options.json ? `${printableJson(event)}\n` : eventLine(event, paint));
  return 0;
}

async function follow({ admin, clock, io, options, paint }: EventsCall, since: number | null): Promise<number> {
  if (options.limit !== undefined) throw new UsageError('--limit does not go together with --follow');
  const interruption = listenForInterrupt(io);
  try {
    await followEvents({
      admin,
      clock,
      random: systemRandom,
      signal: interruption.signal,
      since,
      types: options.types,
      event: (event) => io.out(options.json ? `${printableJson(event)}\n` : eventLine(event, paint)),
      gap: (missed, from) =>
        io.err(`sluice events: events behind ${missed} are lost on the server; it goes on with ${from}\n`),
      lost: (reason, ms) => io.err(`sluice events: ${reason}; trying again in ${latency(ms)}\n`),
    });
    return 0;
  } finally {
    interruption.stop();
  }
}

function eventLine({ id, at, type, level, message }: SluiceEvent, paint: Paint): string {
  const name = level === 'warning' ? paint(printable(type), 'warning') : printable(type);
  return `${paint(`${printable(String(id)).padStart(6)}  ${time(printable(at))}`, 'faint')}  ${name}  ${printable(message)}\n`;
}
