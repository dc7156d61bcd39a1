/**
 * Bundles the dashboard: `src/dashboard` becomes the four files that the admin API serves, in `src/dashboard/bundle`.
 *
 *     npm run dashboard
 *
 * They are committed, so that nobody who runs Sluice needs a bundler; `bundle.test.ts` fails while they differ from the source. The same source gives the same
 * bytes with the version of esbuild that package-lock.json names. The licences of what is bundled stand beside it, as they ask for.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const source = fileURLToPath(new URL('../../src/dashboard/', import.meta.url));
export const BUNDLE = join(source, 'bundle');
const PACKAGES = ['preact', 'uplot'];

/** Text by file name. */
export async function bundled(): Promise<Record<string, string>> {
  const { outputFiles } = await build({
    absWorkingDir: source,
    entryPoints: { app: 'main.tsx', style: 'styles/app.css' },
    outdir: 'out',
    write: false,
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2022'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'silent',
  });
  const text = (ending: string): string => outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? '';
  return {
    'app.js': text('app.js'),
    'app.css': text('style.css'),
    'index.html': readFileSync(join(source, 'index.html'), 'utf8'),
    'icon.svg': readFileSync(join(source, 'icon.svg'), 'utf8'),
    'LICENSES.txt': PACKAGES.map(licenceOf).join('\n\n'),
  };
}

function licenceOf(name: string): string {
  const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  return `${name} ${version}\n\n${readFileSync(join(folder, 'LICENSE'), 'utf8').trim()}\n`;
}

if (import.meta.main) {
  mkdirSync(BUNDLE, { recursive: true });
  for (const [name, text] of Object.entries(await bundled())) writeFileSync(join(BUNDLE, name), text);
}
