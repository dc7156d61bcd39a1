/** Commands as hooks run them, as real processes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { GRACE } from '../../src/control/rollout/tasks/command.ts';
import type { HookTask } from '../../src/control/rollout/tasks/hook.ts';
import { OutputTail, TAIL } from '../../src/control/rollout/tasks/output-tail.ts';
import { plainLine, plainText } from '../../src/control/rollout/tasks/plain-text.ts';
import { turns, until } from '../kit/signal.ts';
import { newStage, passing, targetOf } from './rollout-tasks-stage.ts';

const hook = (command: readonly string[], env: Readonly<Record<string, string>> = {}, timeout = 30_000): HookTask => ({
  kind: 'hook',
  point: 'start',
  hook: { name: 'migrate', run: { kind: 'command', command, env }, timeout, onFailure: 'rollback' },
});

const shell = (script: string, timeout?: number): HookTask => hook(['/bin/sh', '-c', script], {}, timeout);

/** Whether a process is there and not only its entry in the table. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function pidIn(file: string): Promise<number> {
  await until(`a pid in ${file}`, () => existsSync(file) && /^\d+\n$/.test(readFileSync(file, 'utf8')));
  return Number(readFileSync(file, 'utf8'));
}

const fileOf = (t: Test, name: string): string => join(t.testdir({}), name);

t.test('exit code 0 passes, every other one fails, and what was written is kept', async (t) => {
  const { runner, lines } = newStage(t);
  const good = await runner.run('hook:start:0', shell('echo out; echo err >&2'), targetOf());
  t.match(good, { ok: true, message: /^the hook migrate ended with code 0 after \d+ ms$/ });
  t.strictSame(good.output.split('\n').sort(), ['', 'err', 'out']);
  t.match(lines[0], { level: 'info', event: 'rollout_task_ended', fields: { rollout: 'r-1', task: 'hook:start:0' } });
  const bad = await runner.run('hook:start:1', shell('echo no; exit 3'), targetOf());
  t.match(bad, { ok: false, message: /^the hook migrate ended with code 3/, output: 'no\n' });
  t.match(lines[1], { level: 'warn', event: 'rollout_task_failed', fields: { ok: false } });
  const shot = await runner.run('hook:start:2', shell('kill -SEGV $$'), targetOf());
  t.match(shot, { ok: false, message: /^the hook migrate was ended by SIGSEGV/ });
  t.notOk('again' in shot);
});

/** Prints its environment, without what the test runner gives to every child and what a shell adds. */
const ENVIRONMENT = [
  ...['sh', '-c'],
  "env -0 | grep -zvE '^(_*TAP[A-Z_0-9]*|NODE_OPTIONS|PWD|SHLVL|OLDPWD|_)=' | tr '\\0' '\\n'",
];

t.test('a command sees where the rollout stands, its own variables, and nothing else of Sluice', async (t) => {
  const { runner } = newStage(t, {
    PATH: process.env.PATH,
    HOME: '/home/x',
    LANG: 'C',
    SLUICE_CI_TOKEN: 'secret',
    B: 'b',
  });
  const own = { A: 'b', HOME: '/elsewhere', SLUICE_VERSION: 'forged' };
  const task: HookTask = { ...hook(ENVIRONMENT, own), data: { cause: 'budget' } };
  const { output } = await runner.run('hook:start:0', task, targetOf());
  const expected = [
    'A=b',
    'HOME=/elsewhere',
    'LANG=C',
    `PATH=${process.env.PATH}`,
    'SLUICE_DATA={"cause":"budget"}',
    'SLUICE_PHASE=Preflight',
    'SLUICE_POINT=start',
    'SLUICE_ROLLOUT=r-1',
    'SLUICE_SERVICE=shop',
    'SLUICE_STABLE=v1',
    'SLUICE_STEP=checks',
    'SLUICE_VERSION=v2',
    'SLUICE_WEIGHT=5',
  ];
  // The output is cut to its last 4 KiB, which a long PATH may be part of.
  t.strictSame(output.trim().split('\n').sort(), expected);
});

t.test('without a PATH the usual one, and data that is too large is left out', async (t) => {
  const { runner } = newStage(t, {});
  const task: HookTask = { ...hook(ENVIRONMENT), data: { text: 'x'.repeat(20_000) } };
  const { ok, output } = await runner.run('hook:start:0', task, targetOf());
  t.ok(ok);
  t.match(output, /^PATH=\/usr\/local\/bin:\/usr\/bin:\/bin$/m);
  t.notMatch(output, /SLUICE_DATA|HOME=|LANG=/);
});

t.test('no shell: arguments arrive as they are', async (t) => {
  const { runner } = newStage(t);
  const { output } = await runner.run('h', hook(['printf', '%s|', '$HOME; echo x', '`id`', '*']), targetOf());
  t.equal(output, '$HOME; echo x|`id`|*|');
});

t.test('what cannot be started has failed, with a reason', async (t) => {
  const { runner } = newStage(t);
  const file = join(t.testdir({ 'plain.txt': 'no program' }), 'plain.txt');
  const cases: readonly (readonly [HookTask, RegExp])[] = [
    [
      hook(['/no/such/program']),
      /^the hook migrate could not be started: \/no\/such\/program: there is no such program$/,
    ],
    [hook(['surely-no-such-program']), /there is no such program$/],
    [hook([file]), /it may not be executed$/],
    [hook(['/bin/echo', 'a\0b']), /could not be started/],
    [hook(['/bin/echo'], { A: '\0' }), /could not be started/],
    [hook([]), /could not be started/],
    [hook(['/bin/echo', 'x'.repeat(8_000_000)]), /its arguments and environment are too large$/],
  ];
  for (const [task, expected] of cases) {
    const result = await runner.run('h', task, targetOf());
    t.match(result, { ok: false, message: expected, output: '' });
  }
  t.equal(runner.size, 0);
});

t.test('time is up: SIGTERM, and who obeys is not shot', async (t) => {
  const { runner, clock } = newStage(t);
  const file = fileOf(t, 'pid');
  const script = `trap 'echo tidied; exit 0' TERM; echo $$ > ${file}; while :; do :; done`;
  const done = runner.run('h', shell(script, 5_000), targetOf());
  const pid = await pidIn(file);
  clock.advance(4_999);
  await turns(3);
  t.ok(isAlive(pid), 'until then it may run');
  clock.advance(1);
  const result = await done;
  t.match(result, {
    ok: false,
    message: /^the hook migrate took longer than 5000 ms and was stopped: it ended with code 0$/,
  });
  t.equal(result.output, 'tidied\n');
  t.notOk(isAlive(pid));
});

t.test('time is up: who does not obey gets SIGKILL two seconds later, with all that it started', async (t) => {
  const { runner, clock } = newStage(t);
  const [file, childFile] = [fileOf(t, 'pid'), fileOf(t, 'child')];
  const stubborn = `trap '' TERM; (trap '' TERM; sh -c 'echo $$ > ${childFile}; exec sleep 600') & `;
  const done = runner.run('h', shell(`${stubborn} echo $$ > ${file}; while :; do sleep 600; done`, 5_000), targetOf());
  const [pid, child] = [await pidIn(file), await pidIn(childFile)];
  clock.advance(5_000);
  await turns(20);
  clock.advance(1_999);
  await turns(20);
  t.ok(isAlive(pid) && isAlive(child), 'the grace is not over');
  clock.advance(1);
  t.match(await done, { ok: false, message: /was stopped: it was ended by SIGKILL$/ });
  await until('both to be gone', () => !isAlive(pid) && !isAlive(child));
});

t.test('a command that has ended leaves nobody behind', async (t) => {
  const { runner, clock } = newStage(t);
  const file = fileOf(t, 'child');
  const fork = `sh -c 'echo $$ > ${file}; exec sleep 600' & while [ ! -s ${file} ]; do :; done; echo forked`;
  const result = await runner.run('h', shell(fork), targetOf());
  t.match(result, { ok: true, output: 'forked\n' });
  const child = await pidIn(file);
  await until('the child to be gone', () => !isAlive(child));

  const deaf = fileOf(t, 'deaf');
  const script = `sh -c 'trap "" TERM; echo $$ > ${deaf}; exec sleep 600' >/dev/null 2>&1 & while [ ! -s ${deaf} ]; do :; done`;
  const silent = await runner.run('h', shell(script), targetOf());
  t.ok(silent.ok, 'a child that holds neither output and hears no SIGTERM');
  const left = await pidIn(deaf);
  await until('that child to be gone', () => !isAlive(left));
  t.equal(clock.now(), 0, 'and nobody had to wait');
});

t.test('somebody who left the group and holds the output is not waited for', async (t) => {
  const { runner, clock } = newStage(t);
  const [file, leaderFile] = [fileOf(t, 'daemon'), fileOf(t, 'leader')];
  const script = `echo $$ > ${leaderFile}; setsid sh -c 'echo $$ > ${file}; exec sleep 600' & while [ ! -s ${file} ]; do :; done; echo started`;
  const done = runner.run('h', shell(script), targetOf());
  const [daemon, leader] = [await pidIn(file), await pidIn(leaderFile)];
  t.teardown(() => {
    try {
      process.kill(daemon, 'SIGKILL');
    } catch {}
  });
  await until('the command itself to have ended', () => !existsSync(`/proc/${leader}`));
  await turns(20);
  const result = await passing(clock, done, GRACE);
  t.match(result, { ok: true, output: 'started\n' });
  t.ok(isAlive(daemon), 'it is nobody’s business any more');
});

t.test('a command that writes a lot ends, and its last 4 KiB are kept', async (t) => {
  const { runner } = newStage(t);
  const script =
    'i=0; while [ $i -lt 20000 ]; do echo "line $i of a long output that fills every pipe"; i=$((i+1)); done';
  const { ok, output } = await runner.run('h', shell(script), targetOf());
  t.ok(ok);
  t.ok(output.startsWith('… '));
  t.ok(Buffer.byteLength(output) <= TAIL + Buffer.byteLength('… '), `${Buffer.byteLength(output)} bytes`);
  t.ok(output.endsWith('line 19999 of a long output that fills every pipe\n'));
});

t.test('closing ends what runs and waits until it is gone; it has neither passed nor failed', async (t) => {
  const { runner, clock, lines } = newStage(t);
  const [file, deaf] = [fileOf(t, 'pid'), fileOf(t, 'deaf')];
  const polite = runner.run('a', shell(`echo $$ > ${file}; exec sleep 600`), targetOf());
  const stubborn = runner.run(
    'b',
    shell(`trap '' TERM; echo begun; echo $$ > ${deaf}; while :; do sleep 600; done`),
    targetOf(),
  );
  const pids = [await pidIn(file), await pidIn(deaf)];
  t.equal(runner.size, 2);
  const closing = runner.close();
  t.match(await polite, { ok: false, again: true, message: 'cut short before it was done' });
  t.ok(isAlive(pids[1]!), 'the other one has its grace');
  clock.advance(GRACE);
  await closing;
  t.match(await stubborn, { ok: false, again: true, output: 'begun\n' });
  t.strictSame(pids.map(isAlive), [false, false]);
  t.equal(runner.size, 0);
  t.match(await runner.run('c', shell('exit 0'), targetOf()), { ok: false, again: true }, 'nothing begins any more');
  t.notOk(
    lines.some(({ level }) => level === 'warn'),
    'that is no failure',
  );
});

t.test('cancelling ends the tasks of one rollout', async (t) => {
  const { runner } = newStage(t);
  const [mine, other] = [fileOf(t, 'mine'), fileOf(t, 'other')];
  const cancelled = runner.run('a', shell(`echo $$ > ${mine}; exec sleep 600`), targetOf());
  const stays = runner.run('a', shell(`echo $$ > ${other}; exec sleep 600`), targetOf({ rollout: 'r-2' }));
  const pids = [await pidIn(mine), await pidIn(other)];
  await runner.cancel('r-1');
  t.equal(runner.size, 1, 'it returns when they have ended');
  t.match(await cancelled, { ok: false, again: true });
  t.strictSame(pids.map(isAlive), [false, true]);
  await runner.cancel('r-2');
  t.match(await stays, { ok: false, again: true });
  await runner.cancel('nobody');
});

t.test('the tail is cut between characters, and what could harm a terminal is gone', async (t) => {
  const tail = new OutputTail();
  t.equal(tail.text(), '');
  tail.push(Buffer.from('é'.repeat(TAIL / 2)));
  t.equal(tail.text(), 'é'.repeat(TAIL / 2), 'exactly as much as fits');
  tail.push(Buffer.from('x'));
  t.equal(tail.text(), `… ${'é'.repeat(TAIL / 2 - 1)}x`);
  for (let i = 0; i < 10_000; i++) tail.push(Buffer.from('y'));
  t.equal(tail.text(), `… ${'y'.repeat(TAIL)}`);
  t.equal(plainText('a\x1b[31mred\x07\r\nb\rc\td\u009b2J\u202e\u0000'), 'a·[31mred·\nb\nc d·2J··');
  t.equal(plainLine('  one\n\ttwo\x1b  three '), 'one two· three');
  t.equal(plainLine('x'.repeat(1000)).length, 500);
});

t.test('a process that exits without closing takes its commands with it', async (t) => {
  const file = fileOf(t, 'pid');
  const module = new URL('../../src/control/rollout/tasks/command.ts', import.meta.url).href;
  const program = `
    import { existsSync, readFileSync } from 'node:fs';
    import { runCommand } from ${JSON.stringify(module)};
    const clock = { now: () => 0, setInterval: () => ({ stop() {} }) };
    const command = ['/bin/sh', '-c', 'trap "" TERM; echo $$ > ${file}; while :; do sleep 600; done'];
    runCommand('x', { command, env: process.env, timeout: 1000 }, { clock, signal: new AbortController().signal });
    const look = () => existsSync(${JSON.stringify(file)}) && readFileSync(${JSON.stringify(file)}, 'utf8').endsWith('\\n')
      ? process.exit(0) : setImmediate(look);
    look();`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'inherit' });
  const [code] = await once(parent, 'exit');
  t.equal(code, 0);
  const pid = await pidIn(file);
  await until('the command to be gone', () => !isAlive(pid));
});
