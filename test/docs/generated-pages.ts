/**
 * The pages that are made from something else, by path. `publish.ts` writes them, `published.test.ts` fails while one differs from its source.
 *
 * `docs/config-reference.md` is made together with the schema (`npm run schema`), and its test is beside that one.
 */
import { adrIndex } from './adr-index.ts';
import { apiReference } from './api-reference.ts';
import { cliReference } from './cli-reference.ts';
import { performancePage } from './performance-page.ts';

export const GENERATED: Readonly<Record<string, () => string>> = {
  'docs/adr/README.md': adrIndex,
  'docs/api-reference.md': apiReference,
  'docs/cli-reference.md': cliReference,
  'docs/performance.md': performancePage,
};
