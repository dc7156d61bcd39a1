/**
 * Starts the workers, keeps them running and ends them.
 *
 *     start ─▶ first worker binds ─▶ the others bind the same ports ─▶ running ─drain─▶ drained
 *                                                          crash ─▶ replaced   └─kill─▶ gone
 *
 * All workers listen on the same addresses with SO_REUSEPORT, and the kernel spreads connections over them. Where the platform lacks
 * it, one worker runs. The first worker binds alone, so that a port of 0 and a port in use are settled before there are others.
 * A worker that dies is replaced after a pause that doubles up to five seconds while it keeps dying, and that a minute without a crash
 * resets: a fault that every worker hits at once must not become a fork bomb.
 */
import { randomInt } from 'node:crypto';
import os from 'node:os';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ListenConfig, SluiceConfig } from '../model/config.ts';
import { clearSection, newLedgerTable } from '../model/connection-table.ts';
import { clearGauges, newWorkerMemory, type WorkerMemory } from '../model/counters.ts';
import { type EndpointTable, newEndpointTable } from '../model/endpoint-table.ts';
import { newRateMemory } from '../model/rate-table.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { FromWorker, ToWorker, WorkerInit } from '../model/worker-messages.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { systemRandom } from '../runtime/random.ts';
import { compileSnapshot } from './config/compile.ts';
import { trafficReport } from './traffic-report.ts';
import { Watch } from './watch.ts';

const FIRST_PAUSE = 50;
const LAST_PAUSE = 5_000;
const CALM = 60_000;
/** How much longer than its own deadline a drained worker may take before it is ended. */
const DRAIN_MARGIN = 1_000;

/** An address that could not be bound. */
export class ListenError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'ListenError';
    this.code = code;
  }
}

export interface SupervisorOptions {
  readonly config: SluiceConfig;
  readonly logger: Logger;
}

export class Supervisor {
  /** Bound addresses, in the order of the file. */
  addresses: readonly ListenConfig[] = [];
  /** Running workers by index; for tests and diagnostics. */
  readonly workers: Worker[] = [];
  /** Counters of each worker index; they outlive the worker. */
  readonly memories: readonly WorkerMemory[];
  /** Which endpoints may be used. */
  readonly endpoints: EndpointTable = newEndpointTable();
  readonly snapshot: Snapshot;
  /** Checks, ejections and the monitor. */
  readonly watch: Watch;
  readonly #config: SluiceConfig;
  readonly #logger: Logger;
  readonly #ledger: Int32Array;
  readonly #rates = newRateMemory(performance.timeOrigin + performance.now());
  readonly #salt = randomInt(2 ** 31);
  readonly #reusePort: boolean;
  #stopping = false;
  #pause = FIRST_PAUSE;
  #lastCrash = 0;

  constructor(options: SupervisorOptions) {
    this.#config = options.config;
    this.#logger = options.logger;
    this.snapshot = compileSnapshot(options.config, 1);
    this.#reusePort = os.platform() === 'linux' || os.platform() === 'freebsd';
    const count = this.#reusePort ? options.config.workers : 1;
    this.memories = Array.from({ length: count }, newWorkerMemory);
    this.#ledger = newLedgerTable(count);
    this.watch = new Watch({
      ...{ clock: systemClock, random: systemRandom, logger: options.logger, config: options.config },
      ...{ table: this.endpoints, memories: this.memories },
    });
  }

  /** Resolves when every worker listens. @throws ListenError where an address cannot be bound. */
  async start(): Promise<void> {
    this.addresses = await this.#startWorker(0, this.#config.listen);
    if (!this.#stopping) this.watch.apply(this.#config, this.snapshot);
    const others = this.memories.slice(1).map((_, i) => this.#startWorker(i + 1, this.addresses));
    await Promise.all(others);
    this.#logger.info('listening', { addresses: this.addresses, workers: this.memories.length, pid: process.pid });
  }

  #startWorker(index: number, listen: readonly ListenConfig[]): Promise<readonly ListenConfig[]> {
    const init: WorkerInit = {
      index,
      snapshot: this.snapshot,
      listen,
      reusePort: this.#reusePort,
      memories: this.memories,
      endpoints: this.endpoints,
      rates: this.#rates,
      ledger: this.#ledger,
      ledgerSalt: this.#salt,
    };
    const file = new URL(`../proxy/worker${extname(import.meta.url)}`, import.meta.url);
    const worker = new Worker(file, { workerData: init, name: `sluice-worker-${index}` });
    this.workers[index] = worker;
    return new Promise((resolve, reject) => {
      let listening = false;
      worker.on('message', (message: FromWorker) => {
        if (message.type === 'listening') {
          listening = true;
          resolve(message.addresses);
        } else if (message.type === 'failed') {
          this.#logger.error('worker_failed', { worker: index, message: message.message });
          reject(new ListenError(message.code, message.message));
        } else if (message.type === 'log') {
          this.#logger.warn(message.event, { worker: index, ...message.fields });
        }
      });
      worker.on('error', (error: Error) => {
        this.#logger.error('worker_error', { worker: index, message: error.message, stack: error.stack });
        reject(error);
      });
      worker.on('exit', (code) => {
        reject(new Error(`worker ${index} ended with code ${code} before it listened`));
        if (listening && !this.#stopping) this.#replace(index);
      });
    });
  }

  #replace(index: number): void {
    const now = performance.now();
    this.#pause = now - this.#lastCrash > CALM ? FIRST_PAUSE : Math.min(this.#pause * 2, LAST_PAUSE);
    this.#lastCrash = now;
    clearSection(this.#ledger, index);
    clearGauges(this.memories[index]!);
    this.#logger.error('worker_replaced', { worker: index, afterMs: this.#pause });
    setTimeout(() => {
      if (this.#stopping) return;
      this.#startWorker(index, this.addresses).catch(() => {
        if (!this.#stopping) this.#replace(index);
      });
    }, this.#pause);
  }

  /** Logs what has become of the requests of each version, and what the monitor sees of it now. */
  report(): void {
    for (const traffic of trafficReport(this.snapshot, this.memories)) this.#logger.info('traffic', { ...traffic });
    for (const reading of this.watch.monitor.snapshot().versions) this.#logger.info('health', { ...reading });
  }

  /** Stops accepting, lets requests finish within `timeouts.drain`, ends the workers. */
  async drain(): Promise<void> {
    this.#stopping = true;
    const ms = this.#config.timeouts.drain;
    this.#logger.info('draining', { deadlineMs: ms });
    await Promise.all(this.workers.map((worker) => drained(worker, ms)));
    this.report();
    await this.watch.close();
    this.#logger.info('drained');
  }

  /** Ends everything at once. */
  async kill(): Promise<void> {
    this.#stopping = true;
    await Promise.all([this.watch.close(), ...this.workers.map((worker) => worker.terminate())]);
  }
}

/** Resolves when the worker has drained and gone, or has been ended for taking too long. */
function drained(worker: Worker, ms: number): Promise<void> {
  return new Promise((resolve) => {
    // One that has crashed and is not replaced yet: it will not say that it exits a second time.
    if (worker.threadId === -1) return resolve();
    const late = setTimeout(() => void worker.terminate(), ms + DRAIN_MARGIN);
    worker.once('exit', () => {
      clearTimeout(late);
      resolve();
    });
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'drained') void worker.terminate();
    });
    worker.postMessage({ type: 'drain', ms } satisfies ToWorker);
  });
}
