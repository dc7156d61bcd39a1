/** Files that change in every way that files are changed in; and in ways that are no change. */
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { ConfigWatcher, LOOK_INTERVAL, SETTLE } from '../../src/control/config/config-watcher.ts';
import { linkTrail } from '../../src/control/config/link-trail.ts';
import { type Clock, FakeClock, systemClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { PATIENCE } from '../kit/signal.ts';

interface Watched {
  readonly file: string;
  /** Contents of the file at each report. */
  readonly reports: string[];
}

/** A change of the file, in one of the ways that there are. */
interface Way {
  readonly name: string;
  /** Sets up `directory` so that `sluice.yaml` in it has this content. */
  readonly prepare: (directory: string, content: string) => void;
  readonly change: (directory: string, content: string) => void;
}

const configMap = (directory: string, content: string): void => {
  const version = `..${content}`;
  mkdirSync(join(directory, version));
  writeFileSync(join(directory, version, 'sluice.yaml'), content);
  symlinkSync(version, join(directory, '..data_tmp'));
  renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
};

const WAYS: readonly Way[] = [
  {
    name: 'an edit in place',
    prepare: (directory, content) => writeFileSync(join(directory, 'sluice.yaml'), content),
    change: (directory, content) => writeFileSync(join(directory, 'sluice.yaml'), content),
  },
  {
    name: 'an atomic rename',
    prepare: (directory, content) => writeFileSync(join(directory, 'sluice.yaml'), content),
    change(directory, content) {
      writeFileSync(join(directory, 'sluice.yaml~'), content);
      renameSync(join(directory, 'sluice.yaml~'), join(directory, 'sluice.yaml'));
    },
  },
  {
    name: 'a ConfigMap that is swapped',
    prepare(directory, content) {
      configMap(directory, content);
      symlinkSync(join('..data', 'sluice.yaml'), join(directory, 'sluice.yaml'));
    },
    change(directory, content) {
      const old = readFileSync(join(directory, 'sluice.yaml'), 'utf8');
      configMap(directory, content);
      rmSync(join(directory, `..${old}`), { recursive: true });
    },
  },
];

function watching(t: Test, directory: string, clock: Clock, more: readonly string[] = []): Watched {
  const file = join(directory, 'sluice.yaml');
  const reports: string[] = [];
  const watcher = new ConfigWatcher({
    files: () => [file, ...more],
    onChange: () => reports.push(readFileSync(file, 'utf8')),
    clock,
    logger: silentLogger,
  });
  watcher.start();
  t.teardown(() => watcher.close());
  return { file, reports };
}

/** A look, and the pause before a report. */
const look = (clock: FakeClock): void => clock.advance(LOOK_INTERVAL + SETTLE);

for (const { name, prepare, change } of WAYS) {
  t.test(`${name}, found by looking`, async (t) => {
    const directory = t.testdir();
    prepare(directory, 'one');
    const clock = new FakeClock();
    const { reports } = watching(t, directory, clock);
    look(clock);
    t.same(reports, [], 'what it starts with is no change');
    change(directory, 'two');
    look(clock);
    t.same(reports, ['two']);
    change(directory, 'six');
    change(directory, 'ten');
    look(clock);
    t.same(reports, ['two', 'ten'], 'what came and went is not reported');
    look(clock);
    t.same(reports.length, 2);
  });

  t.test(`${name}, told by the file system`, async (t) => {
    const directory = t.testdir();
    prepare(directory, 'one');
    const told = Promise.withResolvers<void>();
    // A watch keeps no process alive, and so a wait for it has to.
    const patience = setTimeout(() => told.reject(new Error('nothing was told')), PATIENCE);
    t.teardown(() => clearTimeout(patience));
    const file = join(directory, 'sluice.yaml');
    // A clock without looks: whatever is reported has been told.
    const clock: Clock = {
      now: () => systemClock.now(),
      setInterval: (tick, ms) => (ms === LOOK_INTERVAL ? { stop: () => {} } : systemClock.setInterval(tick, ms)),
    };
    const watcher = new ConfigWatcher({ files: () => [file], onChange: told.resolve, clock, logger: silentLogger });
    watcher.start();
    t.teardown(() => watcher.close());
    change(directory, 'two');
    await told.promise;
    t.equal(readFileSync(file, 'utf8'), 'two');
  });
}

t.test('the same content again is no change', async (t) => {
  const directory = t.testdir({ 'sluice.yaml': 'one' });
  const clock = new FakeClock();
  const { file, reports } = watching(t, directory, clock);
  writeFileSync(file, 'one');
  look(clock);
  writeFileSync(`${file}~`, 'one');
  renameSync(`${file}~`, file);
  look(clock);
  writeFileSync(file, 'two');
  writeFileSync(file, 'one');
  look(clock);
  t.same(reports, []);
});

t.test('a file that has gone is no change until it is back', async (t) => {
  const directory = t.testdir({ 'sluice.yaml': 'one', secret: 'a' });
  const clock = new FakeClock();
  const secret = join(directory, 'secret');
  const { file, reports } = watching(t, directory, clock, [secret]);
  rmSync(file);
  look(clock);
  writeFileSync(file, 'one');
  look(clock);
  t.same(reports, [], 'back as it was');
  rmSync(file);
  look(clock);
  writeFileSync(file, 'two');
  look(clock);
  t.same(reports, ['two'], 'back as another');
  rmSync(secret);
  look(clock);
  t.same(reports.length, 1);
  writeFileSync(file, 'three');
  look(clock);
  t.same(reports.length, 2, 'what has gone does not hold up what changes');
  writeFileSync(secret, 'a');
  look(clock);
  t.same(reports.length, 3, 'it was missing at the last report, so that it is there is news');
});

t.test('a file that was never there', async (t) => {
  const directory = t.testdir({ 'sluice.yaml': 'one' });
  const clock = new FakeClock();
  const secret = join(directory, 'later', 'secret');
  const { reports } = watching(t, directory, clock, [secret, join(directory, 'sluice.yaml', 'no', 'directory')]);
  look(clock);
  t.same(reports, []);
  mkdirSync(dirname(secret));
  writeFileSync(secret, 'a');
  look(clock);
  t.same(reports, ['one']);
});

t.test('a directory that is made anew is watched again', async (t) => {
  const directory = t.testdir({ etc: { 'sluice.yaml': 'one' } });
  const clock = new FakeClock();
  const { reports } = watching(t, join(directory, 'etc'), clock);
  rmSync(join(directory, 'etc'), { recursive: true });
  look(clock);
  t.same(reports, []);
  mkdirSync(join(directory, 'etc'));
  writeFileSync(join(directory, 'etc', 'sluice.yaml'), 'two');
  look(clock);
  t.same(reports, ['two']);
});

t.test('a report waits a moment, and is of what is there then', async (t) => {
  const directory = t.testdir({ 'sluice.yaml': 'one' });
  const clock = new FakeClock();
  const { file, reports } = watching(t, directory, clock);
  writeFileSync(file, 't');
  clock.advance(LOOK_INTERVAL);
  t.same(reports, [], 'seen, not reported yet');
  writeFileSync(file, 'two');
  clock.advance(SETTLE);
  t.same(reports, ['two']);
});

t.test('files may be others at every look', async (t) => {
  const directory = t.testdir({ a: '1', b: '1' });
  const clock = new FakeClock();
  let files = [join(directory, 'a')];
  let reports = 0;
  const options = { files: () => files, onChange: () => reports++, clock, logger: silentLogger };
  const watcher = new ConfigWatcher(options);
  watcher.start();
  files = [join(directory, 'b')];
  look(clock);
  t.equal(reports, 0, 'a new one is taken as it is');
  writeFileSync(join(directory, 'a'), '2');
  look(clock);
  t.equal(reports, 0);
  writeFileSync(join(directory, 'b'), '2');
  look(clock);
  t.equal(reports, 1);
  watcher.close();
  writeFileSync(join(directory, 'b'), '3');
  look(clock);
  t.equal(reports, 1, 'closed');
});

t.test('the way to a file', async (t) => {
  const directory = t.testdir({ mount: {}, etc: {}, loop: t.fixture('symlink', 'loop') });
  configMap(join(directory, 'mount'), 'one');
  symlinkSync('..data/sluice.yaml', join(directory, 'mount', 'sluice.yaml'));
  symlinkSync('../mount', join(directory, 'etc', 'sluice'));
  const trail = linkTrail([join(directory, 'etc', 'sluice', 'sluice.yaml')]);
  const seen = Object.fromEntries(
    [...trail].map(([path, names]) => [path.slice(directory.length + 1), [...names].toSorted()]),
  );
  t.match(seen, {
    'etc/sluice': ['sluice.yaml'],
    etc: ['sluice'],
    mount: ['..data', 'sluice.yaml'],
    'mount/..one': ['sluice.yaml'],
  });
  t.same(linkTrail([join(directory, 'loop', 'x')]).get(join(directory, 'loop')), new Set(['x']), 'a loop ends');
});
