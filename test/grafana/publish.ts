/**
 * Writes `config/grafana/sluice.json` from the dashboard's description beside this file.
 *
 *     npm run grafana
 *
 * `test/peers/grafana.test.ts` fails while the two differ.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dashboard } from './dashboard.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const file = `${root}config/grafana/sluice.json`;
writeFileSync(file, `${JSON.stringify(dashboard, null, 2)}\n`);
execFileSync(process.execPath, [`${root}node_modules/@biomejs/biome/bin/biome`, 'format', '--write', file], {
  cwd: root,
});
