/** The pages that are made from something else are what they would be made of it now, and what they tell to paste works. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { lacking } from '../peers/commands.ts';
import { AdminStage } from '../wire/admin-stage.ts';
import { apiExamples } from './api-reference.ts';
import { compactJson } from './compact-json.ts';
import { ROOT, readPage } from './doc-tree.ts';
import { GENERATED } from './generated-pages.ts';
import { readmeFigures } from './readme-figures.ts';

for (const [path, make] of Object.entries(GENERATED)) {
  t.test(`${path} is current`, async (t) => {
    const page = existsSync(join(ROOT, path)) ? readPage(path) : '';
    const lines = page.split('\n');
    const wanted = make().split('\n');
    const at = wanted.findIndex((line, index) => line !== lines[index]);
    t.equal(at === -1 ? lines.length : `${lines[at]} instead of ${wanted[at]}`, wanted.length, 'run: npm run docs');
  });
}

t.test('examples fit a page', async (t) => {
  t.equal(compactJson({ a: [1, { b: null }], c: {}, d: [] }), '{ "a": [1, { "b": null }], "c": {}, "d": [] }');
  const long = Array.from({ length: 40 }, (_, index) => index);
  t.match(
    compactJson({ long, short: [1] }),
    /^\{\n {2}"long": \[\n {4}0,\n {4}1,(?:.|\n)*\n {2}\],\n {2}"short": \[1\]\n\}$/,
  );
  t.strictSame(JSON.parse(compactJson({ long, 'a "b"': 'c\n' })), { long, 'a "b"': 'c\n' });
});

t.test('the figures of the README are those of the last run', async (t) => {
  const figures = readmeFigures();
  const shown = readPage('README.md')
    .split('\n')
    .filter((line) => /^\|.*\d\.\d\d \(\d/.test(line));
  t.ok(shown.length > 2);
  const plain = (line: string): string =>
    line
      .replaceAll(/\*\*|[¹²³]| \d+\.\d+(?= \|)/g, '')
      .replaceAll(/\s*\|\s*/g, '|')
      .trim();
  for (const line of shown)
    t.ok(
      figures.some((row) => plain(row) === plain(line)),
      line,
    );
});

t.test('how soon a bad canary is gone is told as it was measured last', async (t) => {
  const [, median = '', p95 = ''] =
    /^\| time to 0 % \| (\d+ ms) \| (\d+ ms) /m.exec(readPage('bench/ROLLBACK.md')) ?? [];
  t.match(median, /ms/);
  for (const path of ['README.md', 'docs/comparison.md']) {
    const told = [...readPage(path).matchAll(/(\d+ ms) \((?:median; )?p95 (\d+ ms)/g)];
    t.ok(told.length > 0, `${path} tells it`);
    for (const [text, ...figures] of told) t.strictSame(figures, [median, p95], `${path}: ${text}`);
  }
});

t.test('every call has an example that works', { skip: lacking('curl') }, async (t) => {
  const stage = await AdminStage.open();
  t.teardown(() => stage.server.close(1_000));
  for (const { id, command } of apiExamples) {
    const line = command
      .replaceAll('http://127.0.0.1:9901', stage.url)
      .replace('rollouts/demo-1', 'rollouts/demo-7')
      .replace('strategies/standard', 'strategies/careful')
      .replace(/^curl -s/, "curl -s -o /dev/null -w '%{http_code}' --max-time 5");
    const { stdout } = await promisify(execFile)('sh', ['-c', line]).catch((error) => error as { stdout: string });
    t.match(stdout, /^20[0-2]$/, `${id}: ${command}`);
  }
});
