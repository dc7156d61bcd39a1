/**
 * `sluice weights`: shows a service's weights, or sets them.
 *
 * Two operators that both read 90/10 and both set something else overwrite each other without `--if-match`; the tag to give is printed with the weights.
 * Without it the last one wins, which is what somebody in a hurry wants.
 */
import type { WeightsChanged, WeightsView } from '../control/operations.ts';
import { pathOf } from './client/admin-client.ts';
import { appliedLine, REASON_OPTION } from './client/applied.ts';
import { readAssignments, readShare } from './client/assignments.ts';
import { clientCommand } from './client/client-command.ts';
import { percent } from './client/format.ts';
import { printable } from './client/printable.ts';
import { type Cell, type Paint, table } from './client/table.ts';
import { UsageError } from './command.ts';

export const weightsCommand = clientCommand(
  {
    name: 'weights',
    summary: 'show or set how traffic is split between versions',
    about:
      'Show the weights of a service, or set them by lane or version name. Weights are percent, sum to 100, and what is not named gets 0. ' +
      'The next request of every worker follows; no connection is closed. They outlive reload and restart until --reset.',
    usage: ['SERVICE', 'SERVICE LANE=PERCENT... [OPTIONS]', 'SERVICE --reset [OPTIONS]'],
    options: {
      reset: { about: 'back to what the configuration file says' },
      'if-match': { value: 'ETAG', about: 'change nothing if the weights are no longer those that had this tag' },
      ...REASON_OPTION,
    },
    examples: [
      'sluice weights demo',
      'sluice weights demo stable=90 canary=10',
      'sluice weights demo v1=99.5 v2=0.5 --reason "first users"',
      `sluice weights demo stable=100 --if-match "$(sluice weights demo --json | jq -r .etag)"`,
      'sluice weights demo --reset',
    ],
  },
  async ({ admin, words, options, show, paint }) => {
    const [service, ...assignments] = words;
    if (service === undefined) throw new UsageError('SERVICE is missing');
    if (options.reset && assignments.length > 0) throw new UsageError('--reset takes no weights');
    const path = pathOf('services', service, 'weights');
    if (assignments.length === 0 && !options.reset) {
      const view = await admin.get<WeightsView>(path);
      show(view, () => weightsText(view, paint) + paint(`etag ${printable(view.etag)}\n`, 'faint'));
      return;
    }
    const sending = { query: { reason: options.reason }, ifMatch: quotedTag(options['if-match']) };
    const changed = options.reset
      ? await admin.send<WeightsChanged>('DELETE', path, sending)
      : await admin.send<WeightsChanged>('PUT', path, { ...sending, body: readWeights(assignments) });
    show(changed, () => weightsText(changed, paint) + appliedLine(changed));
  },
);

/** The tag as the views show it, bare; HTTP wants it in quotes, which whoever copies it from a header brings along. */
function quotedTag(tag: string | undefined): string | undefined {
  return tag === undefined || tag === '*' || tag.endsWith('"') ? tag : `"${tag}"`;
}

function readWeights(words: readonly string[]): Readonly<Record<string, number>> {
  const assigned = [...readAssignments(words, 'LANE=PERCENT or VERSION=PERCENT')];
  return Object.fromEntries(assigned.map(([name, text]) => [name, readShare(text, `the weight of ${name}`)]));
}

/** The column of the file is there only where the file says something else. */
export function weightsText({ weights, lanes, file }: WeightsView, paint: Paint): string {
  const laneOf = new Map(Object.entries(lanes).map(([lane, version]) => [version, lane]));
  const differs = Object.keys({ ...weights, ...file }).some((version) => weights[version] !== file[version]);
  const rows = Object.entries(weights).map(([version, weight]): Cell[] => [
    version,
    laneOf.get(version) ?? '-',
    percent(weight),
    ...(differs ? [percent(file[version])] : []),
  ]);
  return table(['VERSION', 'LANE', '>WEIGHT', ...(differs ? ['>FILE'] : [])], rows, paint);
}
