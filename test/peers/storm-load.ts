/**
 * What runs beside users in a storm: wrk, held back, and changes that are due by the clock.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { plainEnvironment, programPath } from './commands.ts';

/** Changes of one kind that may be under way at once. */
const MOST_OPEN = 16;
const NEVER = new Promise<never>(() => {});

export interface ChangeCounts {
  readonly made: number;
  readonly skipped: number;
  readonly faults: readonly string[];
}

/** Calls `act` every `every` milliseconds by the clock until `until`, waiting for nobody. Resolves when all calls are through. */
export async function drumbeat(
  every: number,
  until: Promise<unknown>,
  act: (nth: number) => Promise<string | null>,
): Promise<ChangeCounts> {
  const faults: string[] = [];
  const open = new Set<Promise<void>>();
  let going = true;
  void until.then(() => {
    going = false;
  });
  let made = 0;
  let skipped = 0;
  for (
    const began = performance.now();
    going;
    await pause(Math.max(0, began + (made + skipped) * every - performance.now()))
  ) {
    if (open.size >= MOST_OPEN) {
      skipped++;
      continue;
    }
    const call = act(++made).then(
      (fault) => void (fault !== null && faults.push(fault)),
      (error: Error) => void faults.push(error.message),
    );
    open.add(call);
    void call.then(() => open.delete(call));
  }
  await Promise.all(open);
  return { made, skipped, faults };
}

export interface WrkReport {
  readonly requests: number;
  /** What it says of socket errors and of answers other than 2xx and 3xx. */
  readonly complaints: readonly string[];
}

/** How hard wrk pulls, over 8 connections. */
export interface WrkPlan {
  readonly port: number;
  /** It ends by itself after so long, or when told. */
  readonly seconds: number;
  /** Milliseconds between an answer and the next request of a connection. */
  readonly pauseMs: number;
}

/** Resolves when wrk is done, with null where it is not installed. @param until ends it early. */
export async function runWrk({ port, seconds, pauseMs }: WrkPlan, until?: Promise<unknown>): Promise<WrkReport | null> {
  const wrk = programPath('wrk');
  if (wrk === null) {
    await Promise.race([until ?? NEVER, pause(seconds * 1_000)]);
    return null;
  }
  const script = join(import.meta.dirname, 'storm.lua');
  const args = ['-t1', '-c8', `-d${seconds}s`, '--timeout', '10s', '-s', script, `http://127.0.0.1:${port}/shop/wrk`];
  const child = spawn(wrk, args, {
    env: { ...plainEnvironment(), STORM_PAUSE: String(pauseMs) },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: (seconds + 30) * 1_000,
  });
  const closed = once(child, 'close');
  // Told to stop, it still says what it has counted.
  void until?.then(() => child.kill('SIGINT'));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part) => {
      text += String(part);
    });
  }
  const [code] = await closed;
  const complaints = text.split('\n').filter((line) => /Socket errors|Non-2xx/.test(line));
  if (code !== 0) complaints.push(`wrk ended with ${code}: ${text}`);
  return { requests: Number(/(\d+) requests in/.exec(text)?.[1] ?? 0), complaints };
}
