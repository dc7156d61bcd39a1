/**
 * Runs one command to its end, whatever it does.
 *
 *     running ──exit──────────────────────▶ clearing ──nothing left──▶ over
 *        │                                     │  ▲
 *        └──time is up, cut short──▶ ending ───┼──┘ exit
 *                                      │       │
 *                                      └─2 s───┴──▶ killed ──nothing left, or 2 s──▶ over
 *
 *   running    the command's process is there
 *   ending     the process group has had SIGTERM
 *   clearing   the process has ended; what it left behind in its group has had SIGTERM
 *   killed     the group has had SIGKILL
 *   over       the result is out; outputs are closed
 *
 * No shell: arguments are what the file says, and nobody can smuggle in another command by a version's name. The command leads a process group of its
 * own (`detached`), so that what it starts ends with it: a hook is done when it is done, and a build that goes on in the background would
 * write into nothing. Somebody who wants a daemon lets it leave the group (setsid); such a one is not waited for longer than 4 s. "Nothing left" is
 * the end of both outputs, which every process that was started has inherited.
 *
 * A command never outlives Sluice's orderly end: closing cuts it short and waits, and at `exit` of the process, which waits for nothing, all groups
 * get SIGKILL. It does outlive `kill -9` of Sluice, which nobody sees coming.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Interval } from '../../../runtime/clock.ts';
import { OutputTail } from './output-tail.ts';
import { plainLine } from './plain-text.ts';
import type { Finding, TaskRun } from './task.ts';

/** Between SIGTERM and SIGKILL, milliseconds. */
export const GRACE = 2_000;

export interface Command {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeout: number;
}

/** Leaders of the process groups that may still have somebody in them. */
const groups = new Set<number>();
const killAll = (): void => {
  for (const group of groups) signalGroup(group, 'SIGKILL');
};

/** @param who how messages call it: `the hook migrate`. Never rejects. */
export function runCommand(who: string, command: Command, run: TaskRun): Promise<Finding> {
  return new Promise((resolve) => {
    try {
      new Running(who, command, run, resolve).start();
    } catch (error) {
      resolve(notStarted(who, command, error));
    }
  });
}

class Running {
  readonly #who: string;
  readonly #command: Command;
  readonly #run: TaskRun;
  readonly #settle: (finding: Finding) => void;
  readonly #tail = new OutputTail();
  readonly #child: ChildProcess;
  readonly #began: number;
  #timer: Interval | null = null;
  #exited = false;
  #timedOut = false;
  /** SIGTERM has been sent, SIGKILL has been sent. */
  #ending = false;
  #killed = false;
  #over = false;

  constructor(who: string, command: Command, run: TaskRun, settle: (finding: Finding) => void) {
    this.#who = who;
    this.#command = command;
    this.#run = run;
    this.#settle = settle;
    this.#began = run.clock.now();
    const [program = '', ...args] = command.command;
    this.#child = spawn(program, args, { env: command.env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  }

  start(): void {
    const child = this.#child;
    const { clock, signal } = this.#run;
    child.on('error', (error) => {
      // Also told of signals that found nobody; those decide nothing.
      if (child.pid === undefined) this.#end(notStarted(this.#who, this.#command, error));
    });
    if (child.pid === undefined) return;
    remember(child.pid);
    for (const output of [child.stdout, child.stderr]) output?.on('data', (part: Buffer) => this.#tail.push(part));
    child.once('exit', () => this.#onExit());
    child.once('close', () => this.#onClose());
    this.#timer = clock.setInterval(() => {
      this.#timedOut = true;
      this.#terminate();
    }, this.#command.timeout);
    signal.addEventListener('abort', this.#cutShort);
    if (signal.aborted) this.#terminate();
  }

  readonly #cutShort = (): void => this.#terminate();

  /** SIGTERM now, SIGKILL after the grace, and after another one nobody waits any more. */
  #terminate(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#signal('SIGTERM');
    this.#timer?.stop();
    this.#timer = this.#run.clock.setInterval(() => {
      if (this.#killed) {
        this.#end(this.#finding());
      } else {
        this.#killed = true;
        this.#signal('SIGKILL');
      }
    }, GRACE);
  }

  #onExit(): void {
    this.#exited = true;
    // Again where it was ended: who was being forked at that moment may not have heard of it.
    if (this.#ending) this.#signal('SIGTERM');
    else this.#terminate();
  }

  #onClose(): void {
    // Whoever of the group is left has closed its outputs, and works for nobody.
    this.#signal('SIGKILL');
    this.#end(this.#finding());
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    // An empty group's number may soon be another's, so it is forgotten at once.
    if (pid !== undefined && groups.has(pid) && !signalGroup(pid, signal) && this.#exited) forget(pid);
  }

  #end(finding: Finding): void {
    if (this.#over) return;
    this.#over = true;
    const { pid, stdout, stderr } = this.#child;
    this.#timer?.stop();
    this.#run.signal.removeEventListener('abort', this.#cutShort);
    if (pid !== undefined) forget(pid);
    stdout?.destroy();
    stderr?.destroy();
    this.#child.unref();
    this.#settle(finding);
  }

  #finding(): Finding {
    const { exitCode, signalCode } = this.#child;
    const took = Math.round(this.#run.clock.now() - this.#began);
    const output = this.#tail.text();
    const end = endOf(exitCode, signalCode);
    if (this.#timedOut) {
      return {
        ok: false,
        message: `${this.#who} took longer than ${this.#command.timeout} ms and was stopped: it ${end}`,
        output,
      };
    }
    return { ok: exitCode === 0, message: `${this.#who} ${end} after ${took} ms`, output };
  }
}

function endOf(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `was ended by ${signal}`;
  return code === null ? 'did not end' : `ended with code ${code}`;
}

function notStarted(who: string, { command }: Command, error: unknown): Finding {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such program',
    EACCES: 'it may not be executed',
    E2BIG: 'its arguments and environment are too large',
  };
  const reason = reasons[code] ?? plainLine(message);
  const program = plainLine(command[0] ?? '');
  return { ok: false, message: `${who} could not be started: ${program}: ${reason}`, output: '' };
}

/** @returns false where nobody is in the group. */
function signalGroup(leader: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(-leader, signal);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function remember(leader: number): void {
  if (groups.size === 0) process.on('exit', killAll);
  groups.add(leader);
}

function forget(leader: number): void {
  groups.delete(leader);
  if (groups.size === 0) process.removeListener('exit', killAll);
}
