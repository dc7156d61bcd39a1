/**
 * Children of the benchmark: started on a chosen core, and certain to end.
 *
 * Every process is started through `launch`, which remembers it; `stopAll` ends what is left, and an exit hook kills by pid
 * whatever a crash of the harness would leave behind. taskset replaces itself by the command, so the child's pid is the pid of the
 * measured process. The descendants of a child (nginx workers) are listed before it is told to stop, because they are nobody's
 * children afterwards; a pid counts as the same process only with the same start time.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { descendants, isSameProcess, type ProcessId } from './proc-stat.ts';

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  readonly exited: Promise<void>;
  readonly isRunning: () => boolean;
}

const stopPatienceMs = 3000;
const startPatienceMs = 15_000;
const alive = new Map<number, Child>();

/** Starts `what` on the cores `cpus` (a taskset list), or anywhere when it is null. Output goes to `logFile`. */
export function launch(name: string, what: Launch, cpus: string | null, logFile: string): Child {
  const command = cpus === null ? what.command : 'taskset';
  const args = cpus === null ? [...what.args] : ['-c', cpus, what.command, ...what.args];
  const log = openSync(logFile, 'a');
  const child: ChildProcess = spawn(command, args, {
    cwd: what.cwd,
    env: { ...process.env, ...what.env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const pid = child.pid;
  let running = pid !== undefined;
  const exited = new Promise<void>((resolve) => {
    const done = () => {
      running = false;
      if (pid !== undefined) alive.delete(pid);
      resolve();
    };
    child.once('exit', done);
    child.once('error', done);
  });
  if (pid === undefined) throw new Error(`${name}: ${what.command} could not be started`);
  const handle: Child = { name, pid, logFile, exited, isRunning: () => running };
  alive.set(pid, handle);
  return handle;
}

/** Resolves when `port` accepts a connection; fails with the end of the log when the process ends or takes too long. */
export async function untilListening(child: Child, port: number): Promise<void> {
  const deadline = Date.now() + startPatienceMs;
  while (Date.now() < deadline) {
    if (!child.isRunning()) throw new Error(`${child.name} ended while starting: ${logTail(child)}`);
    if (await accepts(port)) return;
    await sleep(20);
  }
  throw new Error(`${child.name} does not listen after ${startPatienceMs / 1000} s: ${logTail(child)}`);
}

/** Asks the process to end, waits a little, then kills what is left of it and of its descendants. */
export async function stop(child: Child): Promise<void> {
  const family = descendants(child.pid);
  if (child.isRunning()) signal(child.pid, 'SIGTERM');
  await Promise.race([child.exited, sleep(stopPatienceMs, undefined, { ref: false })]);
  if (child.isRunning()) signal(child.pid, 'SIGKILL');
  killAll(family);
  await child.exited;
}

export async function stopAll(): Promise<void> {
  await Promise.all([...alive.values()].map(stop));
}

/** For the paths on which nothing can be awaited. */
export function killAllNow(): void {
  for (const child of alive.values()) {
    const family = descendants(child.pid);
    signal(child.pid, 'SIGKILL');
    killAll(family);
  }
}

export function logTail(child: Child): string {
  const text = readFileSync(child.logFile, 'utf8').trim();
  return text === '' ? 'no output' : text.slice(-600);
}

function killAll(family: readonly ProcessId[]): void {
  for (const member of family) if (isSameProcess(member)) signal(member.pid, 'SIGKILL');
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended between the look and the signal, which is what was wanted.
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
