/** What the quick start says to paste is pasted, in its order, and what it promises is seen. */
import t from 'tap';
import { lacking } from '../peers/commands.ts';
import { PageSession } from './page-session.ts';
import { checkBlocks } from './promised.ts';

// Half a minute on a machine of its own; it starts the program a dozen times.
t.setTimeout(300_000);

t.test('docs/quick-start.md', { skip: lacking('bash', 'curl', 'npm') }, async (t) => {
  const session = await PageSession.open(t);
  checkBlocks(t, await session.run('docs/quick-start.md'), [
    ...['versions take turns', 'taken back', 'no user saw it', 'says why', 'becomes stable'],
  ]);
});
