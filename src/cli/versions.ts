/**
 * `sluice versions`: shows the versions of a service with their endpoints, registers one, or takes one out.
 *
 * Registering a version that there is replaces its endpoints as a whole; those that stay keep their connections and their state. A version that
 * is taken out finishes its requests.
 */
import type { Applied, ServiceView, VersionView } from '../control/operations.ts';
import { pathOf } from './client/admin-client.ts';
import { appliedLine, REASON_OPTION } from './client/applied.ts';
import { type ClientCall, clientCommand, namedWords } from './client/client-command.ts';
import { endpointTable } from './client/endpoint-table.ts';
import { percent } from './client/format.ts';
import { printable } from './client/printable.ts';
import type { Paint } from './client/table.ts';
import { UsageError } from './command.ts';

export const versionsCommand = clientCommand(
  {
    name: 'versions',
    summary: 'show, register or remove the versions of a service',
    about:
      'Show the versions of a service with their endpoints, register a version or replace its endpoints, or take a version out. A new version gets ' +
      'no traffic until it has a lane and a weight.',
    usage: ['SERVICE', 'set SERVICE VERSION URL... [OPTIONS]', 'remove SERVICE VERSION [OPTIONS]'],
    options: REASON_OPTION,
    examples: [
      'sluice versions demo',
      'sluice versions set demo v3 http://127.0.0.1:3005 http://127.0.0.1:3006',
      'sluice versions remove demo v3 --reason "never mind"',
    ],
  },
  async (call) => {
    const [verb, ...rest] = call.words;
    if (verb === 'set') return setVersion(call, rest);
    if (verb === 'remove') return removeVersion(call, rest);
    const [service] = namedWords(call.words, ['SERVICE']);
    const view = await call.admin.get<ServiceView>(pathOf('services', service));
    call.show(view.versions, () => view.versions.map((version) => versionText(version, call.paint)).join('\n'));
    return 0;
  },
);

type VersionsCall = ClientCall<typeof REASON_OPTION>;

async function setVersion({ admin, options, show, paint }: VersionsCall, words: readonly string[]): Promise<number> {
  const [service, version, ...urls] = words;
  if (service === undefined || version === undefined || urls.length === 0) {
    throw new UsageError('set takes a service, a version and the URL of each endpoint');
  }
  const changed = await admin.send<Applied & { readonly version: VersionView; readonly created: boolean }>(
    'PUT',
    pathOf('services', service, 'versions', version),
    { query: { reason: options.reason }, body: { endpoints: urls.map((url) => ({ url })) } },
  );
  show(changed, () => {
    const done = changed.created ? 'is registered' : 'has these endpoints now';
    const text = versionText(changed.version, paint);
    return `${text}Version ${printable(version)} ${done}.\n${appliedLine(changed)}`;
  });
  return 0;
}

async function removeVersion({ admin, options, show }: VersionsCall, words: readonly string[]): Promise<number> {
  const [service, version] = namedWords(words, ['SERVICE', 'VERSION']);
  const applied = await admin.send<Applied>('DELETE', pathOf('services', service, 'versions', version), {
    query: { reason: options.reason },
  });
  show(applied, () => `Version ${printable(version)} is taken out.\n${appliedLine(applied)}`);
  return 0;
}

function versionText({ name, lane, weight, source, endpoints }: VersionView, paint: Paint): string {
  const facts = [lane ?? 'no lane', percent(weight), ...(source === 'override' ? ['registered at run time'] : [])];
  return `${paint(printable(name), 'strong')}  ${facts.join(', ')}\n${endpointTable(endpoints, paint)}`;
}
