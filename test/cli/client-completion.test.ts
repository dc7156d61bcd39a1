/** The completion scripts: bash in earnest, the others by their syntax where they are installed. */
import { execFile } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { called, FakeAdmin, FLAG, problem, SERVICE, start } from './client-admin-server.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const admin = await new FakeAdmin().listen();
t.teardown(() => admin.close());
admin.on('GET /api/v1/services', { body: { services: [SERVICE] } });
admin.on('GET /api/v1/services/demo', { body: SERVICE });
admin.on('GET /api/v1/flags', { body: { flags: [FLAG] } });

async function words(...line: string[]): Promise<string> {
  const { code, out, err } = await called(admin, ['completion', 'words', '--', ...line]);
  t.strictSame({ code, err }, { code: 0, err: '' }, line.join(' '));
  return out;
}

t.test('words', async (t) => {
  t.match(await words('sta'), /^status\tshow services, /);
  t.equal(await words('weights', ''), 'demo\n');
  t.equal(await words('weights', 'demo', 'v'), 'v1=\nv2=\n');
  t.equal(await words('weights', 'demo', 'stable=9'), '');
  t.equal(await words('drain', 'demo', ''), 'http://127.0.0.1:3001\nhttp://127.0.0.1:3002\n');
  t.equal(await words('flags', 'set', ''), 'new-checkout\n');
  t.equal(await words('flags', 'set', 'new-checkout', ''), 'on\noff\n');
  t.equal(await words('versions', 'remove', 'demo', ''), 'v1\nv2\n');
  t.equal(await words('status', '--help'), '--help\tthis text\n', 'help of the command, not of completion');
  t.equal(await words('check', '-c', ''), ':files\n');
  t.equal(await words('completion', ''), 'bash\nzsh\nfish\nwords\n');
  t.match(await words('weights', 'demo', '--re'), /^--reset\t.*\n--reason\t.*\n$/);
});

t.test('without a server, or one that refuses, there are no names and no errors', async (t) => {
  const other = await new FakeAdmin().listen();
  other.on('GET /api/v1/services', problem(401, 'A token is needed.'));
  const line = ['completion', 'words', '--', 'weights', '--admin', other.url, ''];
  t.strictSame(await start(line).ended, { code: 0, out: '', err: '' });
  t.equal(other.asked.length, 1, 'the server is the one of the line');
  await other.close();
  t.strictSame(await start(line).ended, { code: 0, out: '', err: '' });
  t.strictSame(await start([...line.slice(0, 4), '--token-file', '/nowhere/x', '']).ended, {
    code: 0,
    out: '',
    err: '',
  });
});

t.test('wrong calls', async (t) => {
  t.match(await called(admin, ['completion', 'tcsh']), {
    code: 2,
    err: /no script for tcsh; there are: bash, zsh, fish/,
  });
  t.match(await called(admin, ['completion']), { code: 2, err: /the shell is missing/ });
});

t.test('bash', async (t) => {
  const directory = t.testdir({});
  const program = join(directory, 'sluice');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  chmodSync(program, 0o755);
  const bash = (commands: string) =>
    run('bash', ['--norc', '-c', `source <(sluice completion bash)\n${commands}`], {
      env: { PATH: `${directory}:${process.env.PATH}`, SLUICE_ADMIN: admin.url },
    }).then(({ stdout }) => stdout);
  /** What bash is offered at the end of a line. */
  const offered = (line: string) =>
    bash(
      `COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; COMP_WORDS=(sluice); _sluice; printf '%s\\n' "\${COMPREPLY[@]}"`,
    );
  t.equal(await bash('complete -p sluice'), 'complete -F _sluice sluice\n');
  const lines = [
    'sluice rol',
    'sluice weights ',
    'sluice lanes demo canary=v',
    'sluice drain demo http://127',
    'sluice check -c ',
  ];
  t.strictSame(await Promise.all(lines.map(offered)), [
    'rollout\nrollback\n',
    'demo\n',
    'v1\nv2\n',
    '//127.0.0.1:3001\n//127.0.0.1:3002\n',
    '\n',
  ]);
});

t.test('the other shells read their scripts', async (t) => {
  for (const shell of ['zsh', 'fish']) {
    const { out } = await called(admin, ['completion', shell]);
    t.match(out, `# sluice completion for ${shell}`);
    const file = join(t.testdir({ script: out }), 'script');
    const missing = await run(shell, ['-n', file]).then(
      () => false,
      (error: { code?: unknown }) => {
        if (error.code === 'ENOENT') return true;
        throw error;
      },
    );
    if (missing) t.comment(`${shell} is not installed`);
  }
});
