/** A server program that says nothing when it is ready, on a port that it cannot choose itself: it is asked, and tried again where somebody took the port. */
import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import { plainEnvironment, programPath } from './commands.ts';
import { freePort } from './free-port.ts';

export interface ServerProgram {
  readonly name: string;
  readonly folder: string;
  /** May write what the program reads. */
  argumentsFor(port: number, attempt: number): readonly string[];
  isReady(port: number): Promise<boolean>;
  /** Ends it at once. */
  readonly signal: NodeJS.Signals;
}

const ATTEMPTS = 5;
const LOOK_EVERY = 10;

/** @returns its port on 127.0.0.1; it is ended with the test. */
export async function startProgram(t: Test, program: ServerProgram): Promise<number> {
  let problem = '';
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = await freePort();
    const child = spawn(programPath(program.name) ?? program.name, program.argumentsFor(port, attempt), {
      ...{ env: plainEnvironment(), cwd: program.folder },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.on('data', (chunk: Buffer) => {
      problem += chunk.toString();
    });
    let running = true;
    const exit = new Promise<void>((resolve) => {
      child.on('close', () => {
        running = false;
        resolve();
      });
    });
    while (running && !(await program.isReady(port))) await pause(LOOK_EVERY);
    if (!running) continue;
    t.teardown(async () => {
      child.kill(program.signal);
      await exit;
    });
    return port;
  }
  throw new Error(`${program.name} does not start: ${problem}`);
}
