/** When trouble is told, when it is probed for, and what counts as trouble at all. */
import t from 'tap';
import { StoreError } from '../../src/control/store/store.ts';
import { type TroubleFound, troubleOf } from '../../src/control/store/trouble.ts';
import { TroubleWatch } from '../../src/control/store/trouble-watch.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { START } from '../kit/store.ts';

const full: TroubleFound = { kind: 'full', message: 'no space' };
const broken: TroubleFound = { kind: 'unavailable', message: 'broken' };

t.test('told once per change, probed once a second', async (t) => {
  const clock = new FakeClock();
  let found: TroubleFound | null = full;
  let probes = 0;
  const watch = new TroubleWatch({
    clock,
    wallClock: () => START + clock.now(),
    logger: silentLogger,
    probe: () => {
      probes++;
      return found;
    },
  });
  const told: (string | null)[] = [];
  watch.onChange(() => {
    throw new Error('a listener of no good');
  });
  const end = watch.onChange((trouble) => told.push(trouble && `${trouble.kind} since ${trouble.since}`));
  clock.advance(5_000);
  t.equal(probes, 0, 'nothing is probed while all is well');

  watch.report(full);
  watch.report(full);
  t.strictSame(told, ['full since 2026-01-01T00:00:05.000Z']);
  clock.advance(3_000);
  t.equal(probes, 3);
  t.equal(told.length, 1);
  found = broken;
  clock.advance(1_000);
  t.equal(told.at(-1), 'unavailable since 2026-01-01T00:00:05.000Z', 'another kind, the same beginning');
  found = { ...broken, message: 'broken otherwise' };
  clock.advance(1_000);
  t.equal(told.length, 2);
  t.equal(watch.trouble?.message, 'broken otherwise');
  found = null;
  clock.advance(1_000);
  t.equal(told.at(-1), null);
  t.equal(watch.trouble, null);
  clock.advance(5_000);
  t.equal(probes, 6, 'no probe behind the end');

  watch.report(full);
  t.equal(told.length, 4);
  end();
  clock.advance(1_000);
  t.equal(told.length, 4);
  watch.report(full);
  watch.close();
  clock.advance(5_000);
  t.equal(probes, 7, 'no probe behind the close');
});

t.test('a slow probe is followed by a long rest', async (t) => {
  const clock = new FakeClock();
  let probes = 0;
  const slow = { now: () => clock.now() + probes * 500, setInterval: clock.setInterval.bind(clock) };
  const probe = (): TroubleFound => {
    probes++;
    return full;
  };
  const watch = new TroubleWatch({ clock: slow, wallClock: () => START, logger: silentLogger, probe });
  watch.report(full);
  clock.advance(1_000);
  t.equal(probes, 1);
  clock.advance(4_000);
  t.equal(probes, 1, 'it took half a second, so nothing for five');
  clock.advance(1_000);
  t.equal(probes, 2);
  watch.close();
});

t.test('what is trouble', async (t) => {
  const sqlite = (errcode: number): Error =>
    Object.assign(new Error('as SQLite says'), { code: 'ERR_SQLITE_ERROR', errcode });
  const system = (code: string): Error => Object.assign(new Error('as the system says'), { code });
  const kind = (error: unknown): string | undefined => troubleOf(error, '/')?.kind;
  t.equal(kind(sqlite(13)), 'full');
  for (const code of [5, 6, 8, 10, 778, 11, 14, 26, 1032]) t.equal(kind(sqlite(code)), 'unavailable', `SQLite ${code}`);
  for (const code of [1, 19, 20, 21]) t.equal(troubleOf(sqlite(code), '/'), null, `SQLite ${code} is our mistake`);
  for (const code of ['ENOSPC', 'EDQUOT']) t.equal(kind(system(code)), 'full');
  for (const code of ['EROFS', 'EIO', 'EACCES']) t.equal(kind(system(code)), 'unavailable');
  t.equal(troubleOf(new TypeError('x'), '/'), null);
  t.equal(troubleOf('x', '/'), null);
  t.equal(troubleOf(new StoreError('conflict', 'x'), '/'), null);
  t.match(troubleOf(sqlite(11), '/data'), { message: /\/data is damaged.*restore a backup/ });
});
