/**
 * A thread that takes tokens as fast as it can, for rate-limit.test.ts. It says that it is ready, waits for the gate, and reports what it got.
 *
 * `one`: every take is of one bucket. `many`: a bucket of one token per key, all threads through the same keys in the same order, while
 * short-lived keys of each thread's own keep filling and leaving the table.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { RateLimitConfig } from '../../src/model/policy-config.ts';
import { RateTable } from '../../src/model/rate-table.ts';
import { RateLimit } from '../../src/proxy/admit/rate-limit.ts';
import { NO_KEY } from '../../src/proxy/balance/policy.ts';

export interface HammerOrder {
  readonly memory: SharedArrayBuffer;
  readonly gate: SharedArrayBuffer;
  readonly config: RateLimitConfig;
  readonly mode: 'one' | 'many';
  readonly takes: number;
  /** Distinguishes the threads. */
  readonly index: number;
}

export interface HammerResult {
  readonly admitted: number;
  /** Process-wide milliseconds. */
  readonly first: number;
  readonly last: number;
}

const SHORT_LIVED_PER_TAKE = 8;

const clock = (): number => performance.timeOrigin + performance.now();

function hammer(order: HammerOrder): HammerResult {
  const table = new RateTable(order.memory);
  const limit = new RateLimit(order.config, 'route hammer', table);
  const passing = new RateLimit({ rate: 100_000, burst: 1 }, 'route passing', table);
  let passer = order.index << 24;
  let admitted = 0;
  const first = clock();
  for (let i = 0; i < order.takes; i++) {
    if (order.mode === 'many') {
      for (let n = 0; n < SHORT_LIVED_PER_TAKE; n++) passing.tryTake(passer++, clock());
    }
    if (limit.tryTake(order.mode === 'one' ? NO_KEY : i, clock()) === 0) admitted++;
  }
  return { admitted, first, last: clock() };
}

const order: HammerOrder = workerData;
parentPort!.postMessage('ready');
Atomics.wait(new Int32Array(order.gate), 0, 0);
parentPort!.postMessage(hammer(order));
