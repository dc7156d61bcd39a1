import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import t from 'tap';
import { CALLS } from '../../src/control/admin/call-list.ts';
import { PERMISSIONS, ROLES_WITH } from '../../src/control/admin/permissions.ts';
import { PROBLEMS } from '../../src/control/problems.ts';
import { AdminStage } from './admin-stage.ts';

const page = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
const api = page('admin-api.md');
const ADDRESS = 'http://127.0.0.1:9901';

t.test('the table of problems is the registry', async (t) => {
  const rows = [...api.matchAll(/^\| `(\w+)` \| (\d+) \| (.+) \|$/gm)].map(([, code, status, title]) => [
    code,
    Number(status),
    title,
  ]);
  t.strictSame(
    rows,
    Object.entries(PROBLEMS).map(([code, { status, title }]) => [code, status, title]),
  );
});

t.test('the table of roles is the table of permissions', async (t) => {
  const rows = page('access.md')
    .split('\n')
    .filter((line) => /^\| `[a-z]+` \|/.test(line))
    .map((line) => line.split('|').slice(1, -1))
    .map(([permission = '', _calls, ...cells]) => [permission.trim().replaceAll('`', ''), ...cells] as const);
  const told = rows.map(([permission]) => permission);
  t.strictSame(told, ['open', ...Object.keys(ROLES_WITH)]);
  for (const [permission, ...cells] of rows.slice(1)) {
    const roles = ['viewer', 'approver', 'operator', 'admin'].filter((_, at) => cells[at]?.trim() === 'yes');
    t.strictSame(roles.sort(), [...ROLES_WITH[permission as keyof typeof ROLES_WITH]].sort(), permission);
  }
  t.strictSame([...new Set<string>(Object.values(PERMISSIONS))].sort(), [...told].sort());
});

const hasCurl = ((): boolean => {
  try {
    execFileSync('curl', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** Lines of the blocks of commands. */
const commands = [...api.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block]) => block!.trim().split('\n'));

t.test('every call has a line that works', { skip: hasCurl ? false : 'needs curl' }, async (t) => {
  const stage = await AdminStage.open();
  t.teardown(() => stage.server.close(1_000));
  stage.events.happen();
  const used = new Set<string>();
  const variables: string[] = [];
  for (const line of commands) {
    const command = line.replaceAll(ADDRESS, stage.url).replace(/ # .*$/, '');
    if (/^[A-Z]+=/.test(command)) {
      variables.push(command);
      continue;
    }
    t.match(command, /^curl /, line);
    // A stream does not end by itself; what it has answered by then is enough.
    const options = `-s -o /dev/null -w '%{http_code}' --max-time ${command.includes(' -N ') ? 0.4 : 5}`;
    const script = [...variables, command.replace(/^curl/, `curl ${options}`)].join('\n');
    const { stdout } = await promisify(execFile)('sh', ['-c', script]).catch((error) => error as { stdout: string });
    t.match(stdout, line.endsWith('# 412') ? /^412$/ : /^20[0-2]$/, line);
    const method = / -X (\w+)/.exec(command)?.[1] ?? 'GET';
    const path =
      /(\/[^'" ?]*)(\?[^'" ]*)?['"]?$/.exec(
        line
          .replace(/ # .*$/, '')
          .split(ADDRESS)
          .at(-1) ?? '',
      )?.[1] ?? '';
    const call = CALLS.find((each) => each.method === method && matches(each.path, path));
    used.add(call?.id ?? `no call: ${method} ${path}`);
  }
  t.strictSame([...used].sort(), Object.keys(PERMISSIONS).sort());
});

function matches(pattern: string, path: string): boolean {
  return new RegExp(`^${pattern.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path);
}
