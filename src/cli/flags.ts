/** `sluice flags`: shows feature flags, sets one for all, nobody or a share of the users, or gives it back to the configuration file. */
import type { Applied, FlagView } from '../control/operations.ts';
import { pathOf } from './client/admin-client.ts';
import { appliedLine, REASON_OPTION } from './client/applied.ts';
import { readShare } from './client/assignments.ts';
import { type ClientCall, clientCommand, namedWords } from './client/client-command.ts';
import { share } from './client/format.ts';
import { type Cell, type Paint, table } from './client/table.ts';

export const flagsCommand = clientCommand(
  {
    name: 'flags',
    summary: 'show, set or reset feature flags',
    about:
      'Show feature flags, or set one: on, off, or the percentage of users for whom it is on. Which users these are depends only on the flag and their key; ' +
      'raising the share only adds some. "reset" goes back to the configuration file.',
    usage: ['', 'FLAG', 'set FLAG on|off|PERCENT [OPTIONS]', 'reset FLAG [OPTIONS]'],
    options: REASON_OPTION,
    examples: [
      'sluice flags',
      'sluice flags set new-checkout 12.5% --reason "first users"',
      'sluice flags set banner off',
      'sluice flags reset new-checkout',
    ],
  },
  async (call) => {
    const { admin, show, paint } = call;
    const [verb, ...rest] = call.words;
    if (verb === 'set') return setFlag(call, rest);
    if (verb === 'reset') return resetFlag(call, rest);
    if (verb === undefined) {
      const answer = await admin.get<{ readonly flags: readonly FlagView[] }>(pathOf('flags'));
      show(answer, () => flagTable(answer.flags, paint));
      return 0;
    }
    const [name] = namedWords(call.words, ['FLAG']);
    const flag = await admin.get<FlagView>(pathOf('flags', name));
    show(flag, () => flagTable([flag], paint));
    return 0;
  },
);

type FlagsCall = ClientCall<typeof REASON_OPTION>;
type FlagChanged = Applied & { readonly flag: FlagView };

async function setFlag({ admin, options, show, paint }: FlagsCall, words: readonly string[]): Promise<number> {
  const [name, text] = namedWords(words, ['FLAG', 'VALUE']);
  const sending = { query: { reason: options.reason }, body: { value: readShare(text, 'the value', true) } };
  const changed = await admin.send<FlagChanged>('PUT', pathOf('flags', name), sending);
  show(changed, () => flagTable([changed.flag], paint) + appliedLine(changed));
  return 0;
}

async function resetFlag({ admin, options, show, paint }: FlagsCall, words: readonly string[]): Promise<number> {
  const [name] = namedWords(words, ['FLAG']);
  const changed = await admin.send<FlagChanged>('DELETE', pathOf('flags', name), { query: { reason: options.reason } });
  show(changed, () => flagTable([changed.flag], paint) + appliedLine(changed));
  return 0;
}

function flagTable(flags: readonly FlagView[], paint: Paint): string {
  const rows = flags.map(({ name, value, default: usual, environments, override, key, header }): Cell[] => [
    name,
    stateText(value),
    stateText(usual),
    Object.entries(environments)
      .map(([environment, percent]) => `${environment} ${stateText(percent)}`)
      .join(', ') || '-',
    override === null ? '-' : stateText(override),
    key ?? '-',
    header ?? '-',
  ]);
  return table(['FLAG', '>VALUE', '>DEFAULT', 'ENVIRONMENTS', '>OVERRIDE', 'KEY', 'HEADER'], rows, paint);
}

function stateText(percent: number): string {
  if (percent === 0) return 'off';
  return percent === 100 ? 'on' : share(percent);
}
