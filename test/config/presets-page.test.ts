/** The presets that docs/strategies.md shows are those that run. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parseConfig } from '../../src/control/config/load.ts';
import { presetStrategies } from '../../src/control/config/resolve-strategies.ts';
import { oneService } from './fault-cases.ts';

const page = readFileSync(new URL('../../docs/strategies.md', import.meta.url), 'utf8');
const text = page.split('\n## Presets\n')[1]?.match(/```yaml\n(.*?)```/s)?.[1] ?? '';

t.test('written as on the page, every preset is what it is', async (t) => {
  const { strategies } = parseConfig(oneService(text), 'sluice.yaml', {}).rollouts;
  t.strictSame(strategies, presetStrategies());
});

t.test('the page says of each what it is for', async (t) => {
  for (const { name } of presetStrategies()) t.ok(page.includes(`| \`${name}\` |`), name);
});
