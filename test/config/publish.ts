/**
 * Writes what is derived from the schema: `config/sluice.schema.json` and the table in `docs/configuration.md`.
 *
 *     node test/config/publish.ts
 *
 * `published.test.ts` fails while they differ from the source.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configSchema } from '../../src/control/config/schema.ts';
import { referenceTable } from './reference-table.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const schemaFile = `${root}config/sluice.schema.json`;
writeFileSync(schemaFile, `${JSON.stringify(configSchema, null, 2)}\n`);
execFileSync(process.execPath, [`${root}node_modules/@biomejs/biome/bin/biome`, 'format', '--write', schemaFile], {
  cwd: root,
});

const page = `${root}docs/configuration.md`;
const text = readFileSync(page, 'utf8');
writeFileSync(
  page,
  text.replace(/(<!-- keys -->\n).*?(\n<!-- \/keys -->)/s, (_, open: string, close: string) => {
    return open + referenceTable(configSchema) + close;
  }),
);
