/**
 * Other people's programs as peers: whether they are here, and one run of them to the end.
 *
 * A test that needs a program asks `lacking` and skips with its answer where the program is missing. What a program printed and how it
 * ended comes back as a value; a program that does not end is killed after a time that only a broken proxy uses up.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** Debian keeps servers where an ordinary user's path does not reach. */
const FOLDERS = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];

export function programPath(name: string): string | null {
  for (const folder of FOLDERS) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

/** A reason to skip, for the options of a test, or false. */
export const lacking = (...names: readonly string[]): string | false => {
  const missing = names.filter((name) => programPath(name) === null);
  return missing.length > 0 && `${missing.join(' and ')} not installed`;
};

export interface Finished {
  /** Null where a signal ended the program. */
  readonly status: number | null;
  readonly output: Buffer;
  readonly errors: string;
}

/**
 * The environment for programs and for Sluice itself: this test's own, without what the test runner adds to make a child of node take part
 * in the test.
 */
export const plainEnvironment = (): NodeJS.ProcessEnv => {
  const environment = { ...process.env, LC_ALL: 'C' };
  for (const name of Object.keys(environment)) {
    if (name === 'NODE_OPTIONS' || name.startsWith('TAP') || name.startsWith('_TAPJS') || /_proxy$/i.test(name)) {
      delete (environment as NodeJS.ProcessEnv)[name];
    }
  }
  return environment;
};

export function run(name: string, args: readonly string[], input: Buffer | string = ''): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(programPath(name) ?? name, args, {
      env: plainEnvironment(),
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: 30_000,
    });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    // The program may end before it has read all its input; how it ended is what the test looks at.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ status, output: Buffer.concat(output), errors: Buffer.concat(errors).toString() });
    });
  });
}
