/** What is published is what the code means: the schema file, the page, the examples. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { loadConfigFile } from '../../src/control/config/load.ts';
import { configSchema } from '../../src/control/config/schema.ts';
import { configReference } from '../docs/config-reference.ts';
import { faultsOf } from './fault-cases.ts';
import { schemaKeys } from './reference-table.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const REGENERATE = 'run: npm run schema';

t.test('the published schema is the one that is checked', async (t) => {
  t.strictSame(JSON.parse(readFileSync(`${root}config/sluice.schema.json`, 'utf8')), configSchema, REGENERATE);
});

t.test('the page has every key, with its type, default and meaning', async (t) => {
  const page = readFileSync(`${root}docs/config-reference.md`, 'utf8');
  t.equal(page, configReference(configSchema), REGENERATE);
  for (const { path, node } of schemaKeys(configSchema)) {
    t.ok(page.includes(`\`${path}\``), path);
    t.ok(node.description, `${path} says what it means`);
  }
});

t.test('every example on the page is good', async (t) => {
  const page = readFileSync(`${root}docs/configuration.md`, 'utf8');
  const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text);
  const whole = examples.filter((text) => /^listen:/m.test(text) && /^services:/m.test(text));
  t.ok(whole.length > 0);
  for (const text of whole) t.strictSame(faultsOf(text), []);
});

t.test('every example in config/ is good and names its schema', async (t) => {
  // What is there for other programs says so in its name.
  const files = readdirSync(`${root}config`).filter((name) => name.endsWith('.yaml') && !name.startsWith('github-'));
  t.ok(files.includes('sluice.yaml'));
  for (const name of files) {
    const file = `${root}config/${name}`;
    t.doesNotThrow(() => loadConfigFile(file, {}), name);
    t.match(readFileSync(file, 'utf8'), /^# yaml-language-server: \$schema=\.\/sluice\.schema\.json\n/, name);
  }
});
