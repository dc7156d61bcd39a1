/**
 * The process that `store-kill.test.ts` kills: says `opening`, then commits until it dies and prints each revision once it is acknowledged.
 *
 * Each commit puts a key of the revision's number and has an audit row and an event; now and then old rows are pruned in between.
 * Ends with status 3 and the message where the directory is in use.
 */
import { writeSync } from 'node:fs';
import { openStore } from '../../src/control/store/sqlite-store.ts';
import { DataLockedError } from '../../src/control/store/state-lock.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { auditRow } from '../kit/store.ts';

const PRUNE_EVERY = 25;
const KEPT = 200;

const say = (line: string): void => void writeSync(1, `${line}\n`);

async function write(directory: string): Promise<never> {
  say('opening');
  const store = openStore({ directory, clock: systemClock, logger: silentLogger });
  for (;;) {
    const next = store.state().revision + 1;
    const id = (await store.lastEventId()) + 1;
    const at = new Date().toISOString();
    const revision = await store.commit({
      puts: [
        { key: `key/${next}`, value: next },
        { key: 'last', value: next },
      ],
      audit: [auditRow(`key/${next}`)],
      events: [{ id, at, type: 'weights.changed', level: 'info', message: `change ${next}` }],
    });
    say(`${revision}`);
    if (revision % PRUNE_EVERY === 0) {
      const before = Date.now() - KEPT;
      await store.prune({ audit: before, events: before, history: before });
    }
  }
}

try {
  await write(process.argv[2] ?? '');
} catch (error) {
  if (!(error instanceof DataLockedError)) throw error;
  say(error.message);
  process.exitCode = 3;
}
