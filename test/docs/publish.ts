/**
 * Writes the pages that are made from something else.
 *
 *     npm run docs
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './doc-tree.ts';
import { GENERATED } from './generated-pages.ts';

for (const [path, make] of Object.entries(GENERATED)) writeFileSync(join(ROOT, path), make());
