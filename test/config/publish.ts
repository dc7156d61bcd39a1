/**
 * Writes what is derived from the schema: `config/sluice.schema.json` and `docs/config-reference.md`.
 *
 *     npm run schema
 *
 * `published.test.ts` fails while they differ from the source.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configSchema } from '../../src/control/config/schema.ts';
import { configReference } from '../docs/config-reference.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const schemaFile = `${root}config/sluice.schema.json`;
writeFileSync(schemaFile, `${JSON.stringify(configSchema, null, 2)}\n`);
execFileSync(process.execPath, [`${root}node_modules/@biomejs/biome/bin/biome`, 'format', '--write', schemaFile], {
  cwd: root,
});

writeFileSync(`${root}docs/config-reference.md`, configReference(configSchema));
