/** Help, versions and wrong calls: exit codes and hints. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { runCli } from '../../src/cli/cli.ts';
import { sluice } from './sluice-process.ts';

async function called(...argv: string[]) {
  const result = { code: -1, out: '', err: '' };
  const io = {
    out: (text: string) => {
      result.out += text;
    },
    err: (text: string) => {
      result.err += text;
    },
    env: {},
  };
  result.code = await runCli(argv, io);
  return result;
}

t.test('help', async (t) => {
  const overview = await called('--help');
  t.match(overview, { code: 0, err: '', out: /^Sluice: .*demo .*run .*check /s });
  t.strictSame(await called('-h'), overview);
  t.strictSame(await called('help'), overview);
  t.strictSame(await called(), { code: 2, out: '', err: overview.out }, 'no command');
  for (const command of ['demo', 'run', 'check']) {
    const help = await called('help', command);
    t.match(help, {
      code: 0,
      err: '',
      out: new RegExp(`Usage: sluice ${command}.*Examples:\n  sluice ${command}`, 's'),
    });
    t.strictSame(await called(command, '--help'), help);
    t.strictSame(await called(command, '-h'), help);
  }
});

t.test('version', async (t) => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  t.strictSame(await called('--version'), { code: 0, out: `${version}\n`, err: '' });
});

t.test('wrong calls', async (t) => {
  const cases: readonly (readonly [argv: string[], err: string])[] = [
    [['rn'], 'sluice: unknown command rn; did you mean run?\nTry: sluice --help\n'],
    [['help', 'chekc'], 'sluice: unknown command chekc; did you mean check?\nTry: sluice --help\n'],
    [['banana'], 'sluice: unknown command banana\nTry: sluice --help\n'],
    [['--hlep'], 'sluice: unknown option --hlep; did you mean --help?\nTry: sluice --help\n'],
    [['run', '--confg', 'x'], 'sluice run: unknown option --confg; did you mean --config?\nTry: sluice run --help\n'],
    [['run', '-c'], "sluice run: option '-c, --config <value>' argument missing\nTry: sluice run --help\n"],
    [['check', '-x'], "sluice check: unknown option '-x'\nTry: sluice check --help\n"],
    [['check', 'file'], "sluice check: unexpected argument 'file'\nTry: sluice check --help\n"],
    [
      ['demo', '--port', 'x'],
      'sluice demo: --port must be a number from 0 to 65535, not "x"\nTry: sluice demo --help\n',
    ],
  ];
  for (const [argv, err] of cases) t.strictSame(await called(...argv), { code: 2, out: '', err }, argv.join(' '));
});

t.test('as a process', async (t) => {
  t.match(await sluice(['--version']), { code: 0, out: /^\d+\.\d+\.\d+\n$/, err: '' });
  t.match(await sluice(['rn']), { code: 2, out: '', err: /did you mean run/ });
});
