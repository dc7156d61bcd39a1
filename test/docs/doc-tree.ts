/** The pages of the repository: every Markdown file but those of other people's packages and of test runs. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const FOREIGN = /(^|\/)(node_modules|dist|coverage|\.[^/]+)(\/|$)|^bench\/results\//;

/** Paths from the root, `README.md` first. */
export const pagePaths = (): readonly string[] => {
  const found = ['README.md', 'bench', 'config', 'docs', 'test'].flatMap((place) =>
    place.endsWith('.md')
      ? [place]
      : globSync(`${place}/**/*.md`, { cwd: ROOT, exclude: (path) => FOREIGN.test(path) }),
  );
  return found
    .filter((path) => !FOREIGN.test(path))
    .toSorted((a, b) => Number(b === 'README.md') - Number(a === 'README.md'));
};

export const readPage = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
