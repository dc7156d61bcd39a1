/** Standard output as access log: a socket whose reader is late, a pipe, and a file. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const PROGRAM = new URL('./access-log-to-stdout.ts', import.meta.url).pathname;
const COUNT = 5_000;

const numbers = (text: string): number[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => (line.length === 99 ? Number(line.slice(0, 6)) : Number.NaN));
const ALL = Array.from({ length: COUNT }, (_, i) => i);

t.test('a socket: whoever reads late gets every line whole', async (t) => {
  const child = spawn(process.execPath, [PROGRAM], { stdio: ['ignore', 'pipe', 'pipe'] });
  let told = '';
  let text = '';
  const read = (more: string): void => {
    text += more;
  };
  child.stderr.setEncoding('utf8').on('data', (data: string) => {
    told += data;
    // More than fits is on its way by now: its reader begins behind its writer.
    if (told.includes('added')) child.stdout.setEncoding('latin1').on('data', read);
  });
  await new Promise((resolve) => child.on('close', resolve));
  t.match(told, /dropped 0\n/);
  t.strictSame(numbers(text), ALL);
});

t.test('a pipe, through the shell', async (t) => {
  const child = spawn('sh', ['-c', `'${process.execPath}' '${PROGRAM}' 2>/dev/null | cat`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  child.stdout.setEncoding('latin1').on('data', (more: string) => {
    text += more;
  });
  await new Promise((resolve) => child.on('close', resolve));
  t.strictSame(numbers(text), ALL);
});

t.test('a file: what others write to standard output stays', async (t) => {
  const path = join(t.testdir(), 'out.txt');
  const fd = openSync(path, 'w');
  writeSync(fd, 'before\n');
  const child = spawn(process.execPath, [PROGRAM], { stdio: ['ignore', fd, 'ignore'] });
  await new Promise((resolve) => child.on('close', resolve));
  writeSync(fd, 'behind\n');
  closeSync(fd);
  const text = readFileSync(path, 'latin1');
  t.ok(text.startsWith('before\n') && text.endsWith('\nbehind\n'));
  t.strictSame(numbers(text.slice(7, -7)), ALL);
});
