/**
 * Draws the pictures of docs/evidence-explained.md, and the table of it that says what alpha costs.
 *
 *     node bench/pictures.ts
 *
 * What comes out depends on nothing but the code, so the files are committed, and a test (test/docs/pictures.test.ts) fails while they differ.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { alphaTable, withTable } from './pictures/alpha.ts';
import { PICTURES } from './pictures/pictures.ts';

const docs = join(import.meta.dirname, '../docs');
mkdirSync(join(docs, 'pictures'), { recursive: true });
for (const [name, draw] of Object.entries(PICTURES)) writeFileSync(join(docs, 'pictures', name), draw());

const page = join(docs, 'evidence-explained.md');
writeFileSync(page, withTable(readFileSync(page, 'utf8'), alphaTable()));
