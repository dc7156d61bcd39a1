/**
 * The pages name nothing that is not there: scripts of npm, commands and options of `sluice`, keys of the configuration, files of this repository.
 *
 * Only what is written as code is looked at, and only where its form says what it is; a name in plain words is for the reader to judge.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { COMMANDS } from '../../src/cli/cli.ts';
import { commandOf } from '../../src/cli/command.ts';
import { optionsIn } from '../../src/cli/completion-words.ts';
import { configSchema } from '../../src/control/config/schema.ts';
import { EVENT_TYPES } from '../../src/control/events/event.ts';
import { schemaKeys } from '../config/reference-table.ts';
import { pagePaths, ROOT, readPage } from './doc-tree.ts';
import { blocksOf, spansOf } from './markdown.ts';

interface Code {
  readonly place: string;
  readonly text: string;
}

/** Decisions and plans tell of their day, when names were others. */
const pages = pagePaths().filter((path) => !path.startsWith('docs/adr/'));

/** Lines of blocks and spans, those of output and of other languages included: they look like nothing that is searched for. */
const code: readonly Code[] = pages.flatMap((page) => {
  const text = readPage(page);
  const spans = spansOf(text).map((span) => ({ place: `${page}:${span.line}`, text: span.text }));
  const lines = blocksOf(text).flatMap((block) =>
    block.text.split('\n').map((line, at) => ({ place: `${page}:${block.line + at + 1}`, text: line })),
  );
  return [...spans, ...lines];
});

const scripts: Readonly<Record<string, string>> = JSON.parse(readPage('package.json')).scripts;

t.test('scripts of npm', async (t) => {
  let found = 0;
  for (const { place, text } of code) {
    // `npm ci --prefix …` and the like are npm's own.
    for (const [, name = ''] of text.matchAll(/\bnpm (?:--silent )?run (?:--silent )?([a-z][a-z:-]*)/g)) {
      found++;
      if (scripts[name] === undefined) t.fail(`${place}: npm run ${name}`, { at: null, stack: '' });
    }
  }
  t.ok(found > 20, `${found} of them`);
});

/** The words behind `sluice` where a line calls it, up to what ends a command in a shell. */
function callsIn(text: string): readonly string[] {
  return [
    ...text.matchAll(/(?:^|[$;&|(] ?|-- |`)(?:npx )?(?:sluice|npm run(?: --silent)? sluice --) ([a-z][^;|&#`)]*)/g),
  ].map(([, words = '']) => words.trim());
}

t.test('commands and options', async (t) => {
  t.strictSame(callsIn('sluice rollout start a --wait; echo "sluice x"'), ['rollout start a --wait']);
  t.strictSame(callsIn('a && npm run sluice -- status | less'), ['status']);
  t.strictSame(callsIn('the sluice is open'), []);
  let found = 0;
  for (const { place, text } of code) {
    for (const call of callsIn(text)) {
      found++;
      const words = call.split(/\s+/);
      // What a command prints begins with its name and a colon.
      if (words[0]?.endsWith(':')) continue;
      const called = commandOf(words, COMMANDS);
      const isHelp = words[0] === 'help';
      if (called === null && !isHelp) t.fail(`${place}: sluice ${call}`, { at: null, stack: '' });
      if (called === null) continue;
      const [word] = called.rest;
      const { command } = called;
      const alternatives = (word ?? '').split('|');
      if (command.subcommands !== undefined && /^[a-z|]+$/.test(word ?? '')) {
        for (const name of alternatives) {
          const known = commandOf([...command.name.split(' '), name], COMMANDS)?.command !== command;
          if (!known) t.fail(`${place}: sluice ${command.name} ${name}`, { at: null, stack: '' });
        }
        continue;
      }
      const known = new Set(optionsIn(command.help).flatMap(({ names }) => names));
      for (const option of called.rest.filter((each) => /^\[?--[a-z]/.test(each))) {
        const name = option.replace(/^\[|[=\],].*$/g, '');
        if (!known.has(name)) t.fail(`${place}: sluice ${command.name} ${name}`, { at: null, stack: '' });
      }
    }
  }
  t.ok(found > 100, `${found} of them`);
});

t.test('keys of the configuration', async (t) => {
  const paths = schemaKeys(configSchema).map(({ path }) => path.replaceAll('[]', ''));
  // Pages say `split.weights` for `services.<service>.split.weights`, and `weights.v1` for its entry.
  const parts = paths.map((path) => path.split('.'));
  const sections = new Set(paths.filter((path) => paths.some((other) => other.startsWith(`${path}.`))).map(lastOf));
  let found = 0;
  for (const { place, text } of code.filter((each) => !each.place.startsWith('docs/api-reference.md'))) {
    const written = text.replaceAll('[]', '');
    if (!/^[a-z][A-Za-z]*(\.(<[a-z]+>|[a-zA-Z][A-Za-z0-9]*))+$/.test(written)) continue;
    const [first = ''] = written.split('.');
    if (!sections.has(first) || written in EVENT_TYPES || FILE.test(written)) continue;
    found++;
    const known = parts.some((path) => endsWith(path, written.split('.')));
    if (!known) t.fail(`${place}: ${text}`, { at: null, stack: '' });
  }
  t.ok(found > 10, `${found} of them`);
});

const FILE = /\.(ya?ml|json|md|ts|js|db|html|log|pem|service)$/;
const lastOf = (path: string): string => path.slice(path.lastIndexOf('.') + 1);

/** Whether a path ends with these words, any word being good for a name. */
function endsWith(path: readonly string[], words: readonly string[]): boolean {
  const end = path.slice(-words.length);
  return end.length === words.length && end.every((part, at) => part.startsWith('<') || part === words[at]);
}

t.test('files of this repository', async (t) => {
  let found = 0;
  for (const { place, text } of code) {
    for (const [path] of text.matchAll(
      /(?<![\w/.~-])(?:src|test|bench|config|docs)\/[\w./-]*\w\.(?:ts|md|yaml|json|lua|js)\b/g,
    )) {
      // Results of the benchmark are there once it has run.
      if (path.startsWith('bench/results/')) continue;
      found++;
      if (!existsSync(join(ROOT, path))) t.fail(`${place}: ${path}`, { at: null, stack: '' });
    }
  }
  t.ok(found > 20, `${found} of them`);
});
