/**
 * `sluice drain`: takes one endpoint out of service, gives it back, or ends the whole process.
 *
 * Draining lets sessions that are pinned to the endpoint stay until the deadline; `--disable` sends nothing there from the next request on. Requests
 * under way finish either way. The process is drained only by the explicit `--server`, never by leaving something out.
 */
import { parseDuration } from '../control/config/units.ts';
import type { EndpointView } from '../control/operations.ts';
import { pathOf } from './client/admin-client.ts';
import { REASON_OPTION } from './client/applied.ts';
import { clientCommand, namedWords } from './client/client-command.ts';
import { endpointTable } from './client/endpoint-table.ts';
import { UsageError } from './command.ts';

type Switches = { readonly undo: boolean; readonly disable: boolean; readonly server: boolean };

export const drainCommand = clientCommand(
  {
    name: 'drain',
    summary: 'take an endpoint out of service, or end the process gracefully',
    about:
      'Take an endpoint out of service: no request is sent there but those of its sessions, which move at the deadline. Requests under way finish. ' +
      'With --server the whole process stops accepting, finishes what is under way and ends.',
    usage: [
      'SERVICE ENDPOINT [--deadline TIME] [OPTIONS]',
      'SERVICE ENDPOINT --disable [OPTIONS]',
      'SERVICE ENDPOINT --undo [OPTIONS]',
      '--server',
    ],
    options: {
      deadline: { value: 'TIME', about: 'when its sessions must move too; left out, they may stay' },
      disable: { about: 'send nothing there at all, sessions included' },
      undo: { about: 'give the endpoint back its share' },
      server: { about: 'drain the process itself' },
      ...REASON_OPTION,
    },
    examples: [
      'sluice drain demo http://127.0.0.1:3001 --deadline 30s',
      'sluice drain demo 127.0.0.1:3001 --disable --reason "bad disk"',
      'sluice drain demo http://127.0.0.1:3001 --undo',
      'sluice drain --server',
    ],
  },
  async ({ admin, words, options, show, paint }) => {
    const state = wantedState(options);
    const { deadline, reason } = options;
    if (deadline !== undefined && state !== 'drain') throw new UsageError('--deadline is for draining an endpoint');
    if (deadline !== undefined && parseDuration(deadline) === null) {
      throw new UsageError(`--deadline must be a time such as 30s or 5m, not ${JSON.stringify(deadline)}`);
    }
    const query = { reason };
    if (state === 'server') {
      namedWords(words, []);
      const answer = await admin.send('POST', pathOf('drain'), { query });
      show(answer, () => 'Sluice has stopped accepting; it ends when what is under way is finished.\n');
      return;
    }
    const [service, endpoint] = namedWords(words, ['SERVICE', 'ENDPOINT']);
    const url = endpoint.includes('://') ? endpoint : `http://${endpoint}`;
    const answer = await admin.send<{ readonly endpoints: readonly EndpointView[] }>(
      'PUT',
      pathOf('services', service, 'endpoints', 'state'),
      {
        query,
        body: { url, state, ...(deadline !== undefined && { deadline }) },
      },
    );
    show(answer, () => endpointTable(answer.endpoints, paint));
  },
);

function wantedState({ undo, disable, server }: Switches): 'enabled' | 'drain' | 'disabled' | 'server' {
  const several = [undo, disable, server].filter(Boolean).length > 1;
  if (several) throw new UsageError('--undo, --disable and --server exclude each other');
  if (server) return 'server';
  if (undo) return 'enabled';
  return disable ? 'disabled' : 'drain';
}
