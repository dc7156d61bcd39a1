/** The command line as a process: what it printed, when it printed it, and how it ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export class SluiceProcess {
  out = '';
  err = '';
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, [MAIN, ...args], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
    });
    // `close` and not `exit`, so that everything printed has been read.
    this.exited = once(this.#child, 'close').then(([code]) => code as number | null);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves with the match once standard output has it; rejects if the process ends without. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.out);
      if (match !== null) return match;
      const more = once(this.#child.stdout!, 'data');
      const ended = await Promise.race([more.then(() => false), this.exited.then(() => true)]);
      if (ended && pattern.exec(this.out) === null) {
        throw new Error(`ended without printing ${pattern}:\n${this.out}${this.err}`);
      }
    }
  }
}

/** Runs to the end. */
export async function sluice(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const run = new SluiceProcess(args, env);
  const code = await run.exited;
  return { code, out: run.out, err: run.err };
}
