/**
 * A drain that begins while a crashed worker waits for its replacement: the dead one has nothing to finish, so the drain ends.
 *
 * A drain that forgets this never ends, and neither would this test: the limit makes a failure of that. No request is sent.
 */
import t from 'tap';
import { parseConfig } from '../../src/control/config/load.ts';
import { createLogger } from '../../src/control/log.ts';
import { Supervisor } from '../../src/control/supervisor.ts';
import { configOf } from './sluice-process.ts';

/** Reached only by a test that fails. */
const LIMIT = 10_000;

t.test('a crash, then a drain', async (t) => {
  const replaced = Promise.withResolvers<void>();
  const logger = createLogger((line) => {
    if (line.includes('"worker_replaced"')) replaced.resolve();
  });
  const config = configOf(['http://127.0.0.1:1'], { timeouts: { drain: '100ms' } });
  const supervisor = new Supervisor({ config: parseConfig(config, 'test', {}), logger });
  await supervisor.start();
  t.teardown(() => supervisor.kill());
  await supervisor.workers[1]?.terminate();
  await replaced.promise;

  const late = Promise.withResolvers<string>();
  const timer = setTimeout(() => late.resolve('never ends'), LIMIT);
  t.equal(await Promise.race([supervisor.drain().then(() => 'drained'), late.promise]), 'drained');
  clearTimeout(timer);
});
