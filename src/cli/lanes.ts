/** `sluice lanes`: shows which version has which role in a service, or assigns the roles; a lane given `none` is empty afterwards. */
import type { Applied, ServiceView } from '../control/operations.ts';
import { isLane, LANES } from '../model/config.ts';
import { pathOf } from './client/admin-client.ts';
import { appliedLine, REASON_OPTION } from './client/applied.ts';
import { readAssignments } from './client/assignments.ts';
import { clientCommand } from './client/client-command.ts';
import { type Paint, table } from './client/table.ts';
import { UsageError } from './command.ts';

const NONE = 'none';

type Lanes = ServiceView['lanes'];

export const lanesCommand = clientCommand(
  {
    name: 'lanes',
    summary: 'show or assign the lanes of a service',
    about:
      'Show which version is stable, canary and candidate, or assign them. A lane that is not named keeps its version; none empties it.',
    usage: ['SERVICE', 'SERVICE LANE=VERSION... [OPTIONS]'],
    options: REASON_OPTION,
    examples: ['sluice lanes demo', 'sluice lanes demo canary=v2', 'sluice lanes demo stable=v2 canary=none'],
  },
  async ({ admin, words, options, show, paint }) => {
    const [service, ...assignments] = words;
    if (service === undefined) throw new UsageError('SERVICE is missing');
    if (assignments.length === 0) {
      const { lanes } = await admin.get<ServiceView>(pathOf('services', service));
      show({ lanes }, () => lanesText(lanes, paint));
      return;
    }
    const changed = await admin.send<Applied & { readonly lanes: Lanes }>('PUT', pathOf('services', service, 'lanes'), {
      query: { reason: options.reason },
      body: readLanes(assignments),
    });
    show(changed, () => lanesText(changed.lanes, paint) + appliedLine(changed));
  },
);

function readLanes(words: readonly string[]): Readonly<Record<string, string | null>> {
  const assigned = [...readAssignments(words, 'LANE=VERSION')];
  for (const [lane] of assigned) {
    if (!isLane(lane)) throw new UsageError(`${lane} is no lane; there are: ${LANES.join(', ')}`);
  }
  return Object.fromEntries(assigned.map(([lane, version]) => [lane, version === NONE ? null : version]));
}

const lanesText = (lanes: Lanes, paint: Paint): string =>
  table(
    ['LANE', 'VERSION'],
    LANES.map((lane) => [lane, lanes[lane] ?? '-']),
    paint,
  );
