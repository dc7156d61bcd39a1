/** The writer of the access log, on real files and a clock that the test turns. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { LogWriter } from '../../src/proxy/record/log-writer.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { turns, until } from '../kit/signal.ts';

const LIMIT = 1 << 20;

function setUp(t: Test) {
  const clock = new FakeClock();
  const warnings: Readonly<Record<string, unknown>>[] = [];
  const counts = { dropped: 0 };
  const logger = { info() {}, error() {}, warn: (_: string, fields = {}) => void warnings.push(fields) };
  const counters = {
    logLinesDropped(count: number) {
      counts.dropped += count;
    },
  };
  const writer = new LogWriter({ clock, logger, counters });
  t.teardown(() => void writer.close());
  return { clock, warnings, counts, writer, path: join(t.testdir(), 'access.log') };
}

const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, 'latin1') : '');
const linesOf = (path: string): string[] => textOf(path).split('\n').slice(0, -1);
const untilLines = (path: string, count: number): Promise<void> =>
  until(`${count} lines in ${path}`, () => linesOf(path).length >= count);
const untilIdle = (writer: LogWriter): Promise<void> => until('nothing to be under way', () => !writer.busy);

/** `count` lines of 100 bytes, numbered from `first`. */
function addLines(writer: LogWriter, first: number, count: number): void {
  for (let i = first; i < first + count; i++) writer.add(`${String(i).padStart(6, '0')} ${'x'.repeat(92)}\n`);
}

const numbers = (lines: readonly string[]): number[] => lines.map((line) => Number(line.slice(0, 6)));
const from = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

t.test('lines gather for 100 ms', async (t) => {
  const { clock, writer, path } = setUp(t);
  writer.open(path, LIMIT);
  await untilIdle(writer);
  t.equal(statSync(path).mode & 0o137, 0, 'not for everyone to read');
  addLines(writer, 0, 3);
  clock.advance(99);
  await turns(20);
  t.equal(textOf(path), '');
  clock.advance(1);
  await untilLines(path, 3);
  await untilIdle(writer);
  addLines(writer, 3, 2);
  clock.advance(100);
  await untilLines(path, 5);
  t.strictSame(numbers(linesOf(path)), from(0, 5));
});

t.test('or until there are 64 KiB of them', async (t) => {
  const { writer, path } = setUp(t);
  writer.open(path, LIMIT);
  await untilIdle(writer);
  addLines(writer, 0, 656);
  await untilLines(path, 656);
  t.strictSame(numbers(linesOf(path)), from(0, 656));
});

t.test('what comes while a write is under way waits, up to the limit, and the rest is dropped', async (t) => {
  const { clock, writer, path, counts, warnings } = setUp(t);
  writer.open(path, 20_000);
  await untilIdle(writer);
  addLines(writer, 0, 300);
  t.equal(counts.dropped, 100, 'no turn of the event loop has gone by');
  t.ok(writer.waiting <= 20_000);
  await untilLines(path, 100);
  await untilIdle(writer);
  clock.advance(100);
  await untilLines(path, 200);
  await untilIdle(writer);
  t.strictSame(numbers(linesOf(path)), from(0, 200));
  t.match(warnings, [{ path, message: /cannot keep up/ }]);
  addLines(writer, 300, 1);
  clock.advance(100);
  await untilLines(path, 201);
});

t.test('a file that cannot be opened is tried every second', async (t) => {
  const { clock, writer, path, counts, warnings } = setUp(t);
  const missing = join(path, '..', 'not-yet', 'access.log');
  writer.open(missing, 20_000);
  await until('a warning', () => warnings.length === 1);
  t.match(warnings[0], { path: missing, message: /cannot be opened: ENOENT/ });
  addLines(writer, 0, 250);
  t.equal(counts.dropped, 50);
  for (let second = 0; second < 70; second++) {
    clock.advance(1000);
    await turns(10);
  }
  await until('another warning', () => warnings.length === 2);
  t.match(warnings[1], { dropped: 50 });
  execFileSync('mkdir', [join(path, '..', 'not-yet')]);
  await until('the lines to be written', () => {
    clock.advance(1000);
    return linesOf(missing).length === 200;
  });
  t.strictSame(numbers(linesOf(missing)), from(0, 200));
  t.equal(counts.dropped, 50);
});

t.test(
  'a full disk costs lines, and writing resumes',
  { skip: !existsSync('/dev/full') && 'no /dev/full' },
  async (t) => {
    const { clock, writer, path, counts, warnings } = setUp(t);
    symlinkSync('/dev/full', path);
    writer.open(path, LIMIT);
    addLines(writer, 0, 7);
    await until('the lines to be dropped', () => {
      clock.advance(100);
      return counts.dropped === 7;
    });
    t.match(warnings, [{ path, message: /cannot be written: ENOSPC/ }]);
    addLines(writer, 7, 5);
    rmSync(path);
    await until('the lines to be written', () => {
      clock.advance(100);
      return existsSync(path) && linesOf(path).length === 5;
    });
    t.strictSame(numbers(linesOf(path)), from(7, 5));
    t.equal(counts.dropped, 7);
    t.equal(warnings.length, 1, 'within a minute it is said once');
  },
);

t.test('reopen: what was moved away and what takes its place have every line', async (t) => {
  const { clock, writer, path, counts } = setUp(t);
  writer.open(path, LIMIT);
  await untilIdle(writer);
  let next = 0;
  for (let round = 1; round <= 5; round++) {
    addLines(writer, next, 1000);
    renameSync(path, `${path}.${round}`);
    addLines(writer, next + 1000, 500);
    writer.reopen();
    addLines(writer, next + 1500, 500);
    await untilIdle(writer);
    next += 2000;
  }
  clock.advance(100);
  const files = [1, 2, 3, 4, 5].map((round) => `${path}.${round}`).concat(path);
  const all = () => files.flatMap(linesOf);
  await until('every line', () => {
    clock.advance(100);
    return all().length >= next;
  });
  t.strictSame(numbers(all()), from(0, next), 'in order');
  t.equal(counts.dropped, 0);
});

t.test('reopen while the file is being opened', async (t) => {
  const { clock, writer, path } = setUp(t);
  writer.open(path, LIMIT);
  // No turn of the event loop: another thread opens it.
  while (!existsSync(path));
  renameSync(path, `${path}.1`);
  writer.reopen();
  addLines(writer, 0, 1);
  await until('the line', () => {
    clock.advance(100);
    return linesOf(path).length === 1;
  });
  t.equal(textOf(`${path}.1`), '');
});

t.test('reopen: where the new file cannot be opened the old one goes on', async (t) => {
  const { clock, writer, path, warnings } = setUp(t);
  writer.open(path, LIMIT);
  await untilIdle(writer);
  renameSync(path, `${path}.1`);
  execFileSync('mkdir', [path]);
  writer.reopen();
  await until('a warning', () => warnings.length === 1);
  addLines(writer, 0, 1);
  clock.advance(100);
  await untilLines(`${path}.1`, 1);
  await untilIdle(writer);
  execFileSync('rmdir', [path]);
  clock.advance(1000);
  addLines(writer, 1, 1);
  await until('the new file to be used', () => {
    clock.advance(100);
    return linesOf(path).length === 1;
  });
  t.strictSame(numbers([...linesOf(`${path}.1`), ...linesOf(path)]), [0, 1]);
});

t.test('another path, then none, then the same again', async (t) => {
  const { clock, writer, path } = setUp(t);
  const other = `${path}.other`;
  writer.open(path, LIMIT);
  await untilIdle(writer);
  addLines(writer, 0, 2);
  writer.open(other, LIMIT);
  await untilIdle(writer);
  addLines(writer, 2, 2);
  writer.shut();
  await untilLines(other, 2);
  writer.reopen();
  writer.open(other, LIMIT);
  addLines(writer, 4, 1);
  await until('the line after the pause', () => {
    clock.advance(100);
    return linesOf(other).length === 3;
  });
  t.strictSame(numbers(linesOf(path)), [0, 1], 'what waited goes where it was meant to go');
  t.strictSame(numbers(linesOf(other)), [2, 3, 4]);
});

t.test('close writes what waits', async (t) => {
  const { writer, path, counts } = setUp(t);
  writer.open(path, LIMIT);
  addLines(writer, 0, 2000);
  await writer.close();
  t.strictSame(numbers(linesOf(path)), from(0, 2000));
  addLines(writer, 2000, 1);
  t.equal(counts.dropped, 1, 'nothing comes after');
  await writer.close();
});

t.test('close gives up on what cannot be written', async (t) => {
  const { clock, writer, path, counts } = setUp(t);
  writer.open(join(path, 'nowhere'), LIMIT);
  addLines(writer, 0, 3);
  let done = false;
  const closed = writer.close().then(() => {
    done = true;
  });
  await turns(20);
  t.notOk(done);
  clock.advance(1000);
  await closed;
  t.equal(counts.dropped, 3);
});

const read = (fd: number): string => {
  const buffer = Buffer.alloc(1 << 20);
  try {
    return buffer.toString('latin1', 0, readSync(fd, buffer));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return '';
    throw error;
  }
};

t.test('a pipe that nobody reads', async (t) => {
  const { clock, writer, path, counts, warnings } = setUp(t);
  execFileSync('mkfifo', [path]);
  writer.open(path, 200_000);
  await until('a warning, as nobody has opened the other end', () => warnings.length === 1);
  t.match(warnings[0], { message: /cannot be opened: ENXIO/ });
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  t.teardown(() => closeSync(reader));
  let added = 0;
  await until('pipe and buffer to be full', () => {
    clock.advance(1000);
    addLines(writer, added, 100);
    added += 100;
    const taken = (added - counts.dropped) * 100 - writer.waiting;
    return taken > 60_000 && writer.waiting > 199_000 && counts.dropped > 1_000;
  });
  t.ok(writer.waiting <= 200_000, `${writer.waiting} bytes wait`);
  let text = '';
  await until('the rest to be read', () => {
    clock.advance(100);
    text += read(reader);
    return writer.waiting === 0;
  });
  text += read(reader);
  const lines = text.split('\n').slice(0, -1);
  t.ok(
    lines.every((line) => line.length === 99),
    'whole lines only',
  );
  t.equal(lines.length + counts.dropped, added, 'every line is there or counted');
});

t.test('two writers on one pipe: lines do not mix', async (t) => {
  const { clock, writer, path } = setUp(t);
  const second = setUp(t);
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  t.teardown(() => closeSync(reader));
  const both = [writer, second.writer];
  for (const each of both) each.open(path, LIMIT);
  for (const each of both) addLines(each, 0, 3_000);
  let text = '';
  await until('everything to be read', () => {
    clock.advance(10);
    second.clock.advance(10);
    text += read(reader);
    return both.every(({ waiting, busy }) => waiting === 0 && !busy);
  });
  const lines = (text + read(reader)).split('\n').slice(0, -1);
  t.equal(lines.length, 6_000);
  t.strictSame(
    lines.filter((line) => !/^\d{6} x{92}$/.test(line)),
    [],
  );
});
