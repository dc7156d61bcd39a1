/**
 * One burst of load: wrk for a fixed time, and a verdict on whether its answers may be counted.
 *
 * wrk is a closed loop: each connection sends its next request when the answer has come. So requests/s is what the proxy can do, and the
 * latencies are those of a proxy at its limit; they compare proxies, they do not forecast a service. wrk counts statuses from 400 on
 * as errors and takes any body; therefore the bytes it read are held against what as many correct answers weigh.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { launch, stop } from './processes.ts';
import type { Scenario } from './scenarios.ts';

export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Why the figures must not be used; null when every answer was right. */
  readonly fault: string | null;
}

interface Summary {
  readonly requests: number;
  readonly durationUs: number;
  readonly bytes: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly errors: Readonly<Record<'connect' | 'read' | 'write' | 'status' | 'timeout', number>>;
}

/** wrk ends by itself; this is for the day when it does not. */
const patienceSeconds = 15;
const script = new URL('./load.lua', import.meta.url).pathname;

export async function applyLoad(
  port: number,
  scenario: Scenario,
  seconds: number,
  cpus: string | null,
  directory: string,
): Promise<LoadResult> {
  const args = ['-t1', `-c${scenario.connections}`, `-d${seconds}s`, '--timeout', '10s', '--latency', '-s', script];
  for (const header of scenario.headers) args.push('-H', header);
  args.push(`http://127.0.0.1:${port}${scenario.path}`);
  const output = join(directory, 'wrk-output');
  rmSync(output, { force: true });
  const env = { BENCH_UPLOAD_BYTES: String(scenario.uploadBytes), BENCH_SESSIONS: String(scenario.sessions) };
  const wrk = launch('wrk', { command: 'wrk', args, env }, cpus, output);
  await Promise.race([wrk.exited, sleep((seconds + patienceSeconds) * 1000, undefined, { ref: false })]);
  if (wrk.isRunning()) await stop(wrk);
  const stdout = readFileSync(output, 'utf8');
  const line = /^BENCH (.*)$/m.exec(stdout)?.[1];
  if (line === undefined) throw new Error(`wrk gave no summary: ${stdout.slice(-300)}`);
  const summary = JSON.parse(line) as Summary;
  return {
    requests: summary.requests,
    requestsPerSecond: summary.requests / (summary.durationUs / 1e6),
    p50Us: summary.p50Us,
    p99Us: summary.p99Us,
    fault: faultOf(summary, scenario.responseBytes),
  };
}

function faultOf(summary: Summary, responseBytes: number): string | null {
  const faults: string[] = [];
  for (const [kind, count] of Object.entries(summary.errors)) {
    if (count > 0) faults.push(`${count} ${kind === 'status' ? 'non-2xx answers' : `${kind} errors`}`);
  }
  if (summary.requests === 0) faults.push('no answer at all');
  if (summary.bytes < summary.requests * responseBytes) faults.push('answers shorter than the right ones');
  return faults.length === 0 ? null : faults.join(', ');
}
