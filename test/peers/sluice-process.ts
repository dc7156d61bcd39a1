/**
 * Sluice as its users run it: `sluice run -c FILE` in a process of its own, two workers, a free port.
 *
 * The configuration is written as JSON, which is YAML too. The process is ready when its log says so and where it listens; until then nothing is
 * tried, so no test waits for a time. Everything it logged is kept and shown when it ends before it is ready, and a test can end
 * it with a signal and see the status. What is still running at the end of a test is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { plainEnvironment } from './commands.ts';

/** Reached only by a test that fails. */
const START_LIMIT = 20_000;

const MAIN = join(import.meta.dirname, '../../src/main.ts');

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SluiceProcess {
  readonly port: number;
  readonly url: string;
  /** The configuration. */
  readonly file: string;
  readonly child: ChildProcess;
  readonly exit: Promise<Exit>;
  /** Every line that it printed so far. */
  readonly log: readonly string[];
}

/** Sluice in front of one service with these endpoints; `more` is merged over the top level, `service` over the service. */
export function configOf(endpoints: readonly string[], more: object = {}, service: object = {}): string {
  const shop = { versions: { v1: { endpoints } }, ...service };
  return JSON.stringify({ listen: '127.0.0.1:0', workers: 2, services: { shop }, ...more }, null, 2);
}

/** @param nodeArguments in front of the program. */
export async function startSluice(
  t: Test,
  config: string,
  nodeArguments: readonly string[] = [],
): Promise<SluiceProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
  const file = join(folder, 'sluice.yaml');
  writeFileSync(file, config);
  const child = spawn(process.execPath, [...nodeArguments, MAIN, 'run', '-c', file], {
    cwd: folder,
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise<Exit>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exit;
    rmSync(folder, { recursive: true });
  });

  const log: string[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        log.push(line);
        const listening = portOf(line);
        if (listening !== null) resolve(listening);
      });
    }
    const fail = (what: string): void => reject(new Error(`sluice ${what}:\n${log.join('\n')}`));
    const late = setTimeout(() => fail('does not say that it listens'), START_LIMIT);
    t.teardown(() => clearTimeout(late));
    void exit.then(({ code }) => fail(`ended with ${code} before it listened`));
  });
  return { port, url: `http://127.0.0.1:${port}`, file, child, exit, log };
}

/** The port in the log line that says that every worker listens, or null for other lines. */
function portOf(line: string): number | null {
  if (!line.startsWith('{')) return null;
  const entry: { event?: string; addresses?: { port: number }[] } = JSON.parse(line);
  return entry.event === 'listening' ? (entry.addresses?.[0]?.port ?? null) : null;
}
