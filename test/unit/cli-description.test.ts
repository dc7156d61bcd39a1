/** Help, parser, completion and the page in docs/ say the same of every command. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { COMMANDS } from '../../src/cli/cli.ts';
import { type Command, UsageError } from '../../src/cli/command.ts';
import { defineCommand } from '../../src/cli/command-description.ts';
import { type Candidate, complete, type Names, optionsIn, usagesIn } from '../../src/cli/completion-words.ts';

const PAGE = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');

t.test('docs/cli.md has a section for each command and for nothing else', async (t) => {
  const sections = [...PAGE.matchAll(/^## sluice (\S+)$/gm)].map(([, name]) => name);
  t.strictSame(
    sections,
    COMMANDS.map(({ name }) => name),
  );
});

/** Those of groups included, whose section is that of the group. */
const ALL = COMMANDS.flatMap((command) => [command, ...(command.subcommands ?? [])]);

t.test('each command', async (t) => {
  for (const { name, help } of ALL) {
    const [own] = name.split(' ');
    const section = PAGE.split(/^## /m).find((part) => part.startsWith(`sluice ${own}\n`)) ?? '';
    t.ok(section.includes(name.replace(/.* /, '')), `docs/cli.md names ${name}`);
    for (const option of optionsIn(help).flatMap(({ names }) => names.slice(-1))) {
      const shared = ['--json', '--admin', '--token-file', '--cacert', '--timeout', '--help'].includes(option);
      t.ok((shared ? PAGE : section).includes(option), `docs/cli.md says what ${option} of ${name} does`);
    }
    t.ok(help.split('Examples:\n')[1]?.includes(`sluice ${name}`), `${name} has an example`);
    for (const line of help.split('\n')) t.ok(line.length <= 120, `${name}: ${line}`);
  }
});

const sample: Command = defineCommand(
  {
    name: 'sample',
    summary: 'a sample',
    about: 'A sample.',
    usage: ['SERVICE [--fast] [OPTIONS]', 'set SERVICE VERSION on|off|PERCENT LANE=PERCENT... [--file FILE]'],
    options: {
      fast: { short: 'f', about: 'be fast' },
      file: { value: 'FILE', about: 'a file' },
      count: { value: 'COUNT', about: 'a number' },
    },
    exit: '0 done.',
    examples: ['sluice sample'],
  },
  async ({ words, options }) => (options.fast ? 100 : 0) + words.length + (options.file?.length ?? 0),
);

t.test('parser and help are of one table', async (t) => {
  const io = { out() {}, err() {}, env: {} };
  t.equal(await sample.run(['a', '-f', 'b', '--file', 'xyz'], io), 105);
  t.equal(await sample.run(['--', '--fast'], io), 1);
  t.throws(() => sample.run(['--fats'], io), new UsageError('unknown option --fats; did you mean --fast?'));
  t.throws(() => sample.run(['--file'], io), UsageError);
  t.strictSame(
    optionsIn(sample.help).map(({ names, value }) => [...names, value]),
    [
      ['-f', '--fast', null],
      ['--file', 'FILE'],
      ['--count', 'COUNT'],
      ['-h', '--help', null],
    ],
  );
  t.strictSame(usagesIn(sample), [['SERVICE'], ['set', 'SERVICE', 'VERSION', 'on|off|PERCENT', 'LANE=PERCENT...']]);
});

t.test('completion', async (t) => {
  const asked: unknown[] = [];
  const names: Names = async (kind, before) => {
    asked.push([kind, ...before]);
    return kind === 'VERSION' ? ['v1', 'v2'] : ['shop', 'stock'];
  };
  const words = async (...line: string[]): Promise<readonly string[] | string> => {
    const completion = await complete(line, [sample], names);
    return typeof completion === 'string' ? completion : completion.map(({ word }: Candidate) => word);
  };
  t.strictSame(await words(''), ['sample', 'help']);
  t.strictSame(await words('sa'), ['sample']);
  t.strictSame(await words('--v'), ['--version']);
  t.strictSame(await words('help', ''), ['sample']);
  t.strictSame(await words('unknown', ''), []);
  t.strictSame(await words('sample', ''), ['shop', 'stock', 'set']);
  t.strictSame(await words('sample', 'st'), ['stock']);
  t.strictSame(await words('sample', 'set', 's'), ['shop', 'stock']);
  asked.length = 0;
  t.strictSame(await words('sample', 'set', 'shop', 'v'), ['v1', 'v2']);
  t.strictSame(asked, [['VERSION', 'shop']], 'the service is the word that stands for one');
  t.strictSame(await words('sample', 'set', 'shop', 'v1', 'o'), ['on', 'off']);
  t.strictSame(await words('sample', 'set', 'shop', 'v1', 'on', 'v1=3', ''), ['stable=', 'canary=', 'v1=', 'v2=']);
  t.strictSame(await words('sample', '--f'), ['--fast', '--file']);
  t.strictSame(await words('sample', '--fast', '--f'), ['--file'], 'each option once');
  t.strictSame(await words('sample', '-f', '--fa'), [], 'by its short name as well');
  t.strictSame(await words('sample', '--file', ''), 'files');
  t.strictSame(await words('sample', '--count', ''), [], 'nobody knows numbers');
  t.strictSame(await words('sample', '--count', '3', 'sh'), ['shop'], 'a value is no word');
  t.strictSame(await words('sample', 'shop', ''), [], 'one service is enough');
});

t.test('lanes are completed in two halves', async (t) => {
  const lanes = COMMANDS.filter(({ name }) => name === 'lanes');
  const names: Names = async () => ['v1', 'v2'];
  const words = async (word: string) =>
    ((await complete(['lanes', 'demo', word], lanes, names)) as readonly Candidate[]).map((each) => each.word);
  t.strictSame(await words(''), ['stable=', 'canary=', 'candidate=']);
  t.strictSame(await words('canary=v'), ['canary=v1', 'canary=v2']);
  t.strictSame(await words('canary=n'), ['canary=none']);
});
