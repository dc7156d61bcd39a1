/**
 * Every link between the pages leads somewhere, and every page is led to.
 *
 * Links to files, folders and headings are followed; what is on other machines is not asked for, so that the result is the same everywhere.
 * A page that nobody can find by following links from the README or the index of docs/ might as well not be written.
 */
import { existsSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import t from 'tap';
import { pagePaths, ROOT, readPage } from './doc-tree.ts';
import { anchorsOf, linksOf, slugOf } from './markdown.ts';

const FOREIGN = /^([a-z][a-z+.-]*:|\/\/)/i;

interface Target {
  /** From the root. */
  readonly path: string;
  readonly anchor: string;
}

function targetOf(page: string, link: string): Target {
  const [path = '', anchor = ''] = link.split('#');
  return {
    path: path === '' ? page : normalize(join(dirname(page), decodeURIComponent(path))).replace(/\/$/, ''),
    anchor: decodeURIComponent(anchor),
  };
}

/** What is wrong with a link of a page, or null. */
function faultOf(page: string, link: string, read: (path: string) => string | null): string | null {
  if (FOREIGN.test(link)) return URL.canParse(link) ? null : 'is no URL';
  const { path, anchor } = targetOf(page, link);
  if (path.startsWith('..')) return 'leads out of the repository';
  const text = read(path);
  if (text === null) return `there is no ${path}`;
  if (anchor === '' || !path.endsWith('.md') || anchorsOf(text).has(anchor)) return null;
  return `${path} has no heading #${anchor}`;
}

const readFile = (path: string): string | null => {
  const place = join(ROOT, path);
  if (!existsSync(place)) return null;
  return path.endsWith('.md') ? readPage(path) : '';
};

t.test('anchors and links as GitHub makes them', async (t) => {
  for (const [heading, slug] of [
    ['Run it, change it, break it', 'run-it-change-it-break-it'],
    ['`sluice rollout start`', 'sluice-rollout-start'],
    ['PUT /api/v1/services/{service}/weights', 'put-apiv1servicesserviceweights'],
    ['services: rateLimit', 'services-ratelimit'],
    ['What [dies](failures.md), & what_not – ½', 'what-dies--what_not--½'],
  ] as const) {
    t.equal(slugOf(heading), slug);
  }
  t.strictSame([...anchorsOf('# A\n## A\n```sh\n# B\n```\n<a id="own"></a>\n')], ['a', 'a-1', 'own']);
  const page = '[a](b.md "c") `[no](d.md)` ![e](f.png)\n```\n[no](g.md)\n```\n[h]: i.md\n<img src="j.png">\n';
  t.strictSame(
    linksOf(page).map(({ target }) => target),
    ['b.md', 'f.png', 'i.md', 'j.png'],
  );
  const read = (path: string): string | null => ({ 'docs/a.md': '# One\n', 'src/b.ts': '' })[path] ?? null;
  for (const [link, fault] of [
    ['a.md#one', null],
    ['#one', null],
    ['../src/b.ts#L3', null],
    ['https://example.com/x', null],
    ['a.md#two', 'docs/a.md has no heading #two'],
    ['c.md', 'there is no docs/c.md'],
    ['../../etc/passwd', 'leads out of the repository'],
  ] as const) {
    t.equal(faultOf('docs/a.md', link, read), fault, link);
  }
});

const pages = pagePaths();

t.test('every link leads somewhere', async (t) => {
  for (const page of pages) {
    for (const { line, target } of linksOf(readPage(page))) {
      const fault = faultOf(page, target, readFile);
      if (fault !== null) t.fail(`${page}:${line} ${target}: ${fault}`, { at: null, stack: '' });
    }
  }
  t.ok(pages.length > 40, `${pages.length} pages`);
});

t.test('every page is led to', async (t) => {
  const found = new Set(['README.md', 'docs/README.md']);
  for (const page of found) {
    if (!page.endsWith('.md') || !existsSync(join(ROOT, page))) continue;
    for (const { target } of linksOf(readPage(page))) {
      if (FOREIGN.test(target)) continue;
      const { path } = targetOf(page, target);
      found.add(path);
      // A folder shows its own README.
      if (existsSync(join(ROOT, path)) && statSync(join(ROOT, path)).isDirectory()) found.add(`${path}/README.md`);
    }
  }
  for (const page of pages) if (!found.has(page)) t.fail(`nothing leads to ${page}`, { at: null, stack: '' });
  t.pass('all of them');
});
