/** Writes numbered lines to standard output as the access log does, and tells on standard error how many were dropped. */
import { LogWriter } from '../../src/proxy/record/log-writer.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';

let dropped = 0;
const counters = {
  logLinesDropped(count: number): void {
    dropped += count;
  },
};
const writer = new LogWriter({ clock: systemClock, logger: silentLogger, counters });
writer.open('-', 1 << 20);
for (let i = 0; i < 5_000; i++) writer.add(`${String(i).padStart(6, '0')} ${'x'.repeat(92)}\n`);
console.error('added');
await writer.close();
console.error(`dropped ${dropped}`);
