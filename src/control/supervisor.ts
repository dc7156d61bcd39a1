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
 *
 * A new snapshot goes to one worker first. It is compiled the same way everywhere, so what one can run all can; where the first refuses it
 * nothing has changed, and the others never hear of it. Where the first says nothing, because it hangs or dies, a second one is asked; a
 * snapshot that two of them have died over is refused. Live weights are written once, in shared memory, before anyone is told.
 */
import { randomInt } from 'node:crypto';
import os from 'node:os';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ListenConfig, SluiceConfig } from '../model/config.ts';
import { clearSection, newLedgerTable } from '../model/connection-table.ts';
import { clearGauges, newWorkerMemory, type WorkerMemory } from '../model/counters.ts';
import { type EndpointTable, newEndpointTable } from '../model/endpoint-table.ts';
import { type EvidenceTable, type FailedRequest, newEvidenceTable, type SwitchCause } from '../model/evidence-table.ts';
import { newRateMemory } from '../model/rate-table.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { TraceRecord } from '../model/trace-record.ts';
import { newWeightTable, type WeightTable, writeWeights } from '../model/weight-table.ts';
import type { FromWorker, ToWorker, WorkerInit } from '../model/worker-messages.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { systemRandom } from '../runtime/random.ts';
import { type Acknowledged, Acknowledgements } from './acknowledgements.ts';
import { compileSnapshot } from './config/compile.ts';
import type { AlertHandler } from './monitor/alert-handlers.ts';
import { trafficReport } from './traffic-report.ts';
import { Watch, type WatchListener } from './watch.ts';

const FIRST_PAUSE = 50;
const LAST_PAUSE = 5_000;
const CALM = 60_000;
/** How much longer than its own deadline a drained worker may take before it is ended. */
const DRAIN_MARGIN = 1_000;

/** How long a worker may take to take up a snapshot or weights before it is reported. */
const ACKNOWLEDGE = 5_000;

/** How many workers may leave open whether a snapshot can be run before all are given it. */
const TRIALS = 2;

/** A snapshot that workers cannot run. */
export class RefusedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RefusedError';
  }
}

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
  /** Hears of endpoints and alerts. */
  readonly listener?: WatchListener & AlertHandler;
  /** Told that a worker has died and another will take its place. */
  readonly onReplaced?: (worker: number, afterMs: number) => void;
  /** Told of failed requests of a version that a rollout compares; many at once are only counted. */
  readonly onFailedRequest?: (request: FailedRequest) => void;
  /** Told in the moment in which requests begin to be divided by the weights of this snapshot. */
  readonly onWeights?: (snapshot: Snapshot) => void;
  /** Told that a worker has closed a version. */
  readonly onSwitched?: (row: number, use: number, cause: SwitchCause) => void;
  /** Given requests that were traced. */
  readonly onTraces?: (records: readonly TraceRecord[]) => void;
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
  /** What runs; its weights are those of its time, live ones are in `weights`. */
  snapshot: Snapshot;
  /** Checks, ejections and the monitor. */
  readonly watch: Watch;
  #config: SluiceConfig;
  readonly #acknowledgements = new Acknowledgements();
  readonly #logger: Logger;
  readonly #ledger: Int32Array;
  /** Live weights. */
  readonly weights: WeightTable = newWeightTable();
  /** What rollouts compare; its blocks outlive the workers. */
  readonly evidence: EvidenceTable;
  readonly rates = newRateMemory(performance.timeOrigin + performance.now());
  readonly #salt = randomInt(2 ** 31);
  readonly #reusePort: boolean;
  readonly #options: SupervisorOptions;
  readonly #listening = new Set<Worker>();
  #stopping = false;
  #pause = FIRST_PAUSE;
  #lastCrash = 0;

  constructor(options: SupervisorOptions) {
    this.#config = options.config;
    this.#logger = options.logger;
    this.#options = options;
    this.snapshot = compileSnapshot(options.config, 1);
    writeWeights(this.weights, weightsOf(this.snapshot));
    this.#reusePort = os.platform() === 'linux' || os.platform() === 'freebsd';
    const count = this.#reusePort ? options.config.workers : 1;
    this.memories = Array.from({ length: count }, newWorkerMemory);
    this.evidence = newEvidenceTable(count);
    this.#ledger = newLedgerTable(count);
    this.watch = new Watch({
      ...{ clock: systemClock, random: systemRandom, logger: options.logger, config: options.config },
      ...{ table: this.endpoints, memories: this.memories },
      ...(options.listener === undefined ? {} : { listener: options.listener }),
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

  /** How many workers serve now. */
  get listening(): number {
    return this.#listening.size;
  }

  /** Workers that listen or are about to, with their names. */
  #running(): Map<Worker, string> {
    const running = this.workers.filter((worker) => worker !== undefined && worker.threadId !== -1);
    return new Map(running.map((worker) => [worker, `worker ${this.workers.indexOf(worker)}`]));
  }

  /**
   * Runs another snapshot. Resolves when every worker does, with the workers that have not said so in time.
   *
   * @throws RefusedError where it cannot be run; everything is as before then.
   */
  async apply(config: SluiceConfig, snapshot: Snapshot): Promise<Acknowledged> {
    this.#prepare(config, snapshot);
    const told = new Set<Worker>();
    const tried = await this.#try(snapshot, told);
    if (tried.refusals.length > 0) {
      // Not what was there at the beginning: weights may have been given meanwhile.
      this.#prepare(this.#config, this.snapshot);
      throw new RefusedError(tried.refusals[0]!);
    }
    this.#config = config;
    this.snapshot = snapshot;
    // Those that were started meanwhile began with the snapshot from before.
    const others = new Map([...this.#running()].filter(([worker]) => !told.has(worker)));
    const rest = await this.#send(others, snapshot);
    for (const message of rest.refusals) this.#logger.error('snapshot_refused', { message });
    return {
      taken: tried.taken + rest.taken,
      refusals: [],
      missing: [...tried.missing, ...rest.missing, ...rest.refusals.map((message) => `a worker that says ${message}`)],
    };
  }

  /** Asks one worker, and another one where the first says nothing. @param told takes the workers that were asked. */
  async #try(snapshot: Snapshot, told: Set<Worker>): Promise<Acknowledged> {
    const missing: string[] = [];
    let died = 0;
    while (told.size < TRIALS) {
      const others = [...this.#running()].filter(([worker]) => !told.has(worker));
      // One that is about to listen answers when it has started, which takes a hundred times as long.
      const next = others.find(([worker]) => this.#listening.has(worker)) ?? others[0];
      if (next === undefined) break;
      told.add(next[0]);
      const answer = await this.#send(new Map([next]), snapshot);
      if (answer.taken + answer.refusals.length > 0) return { ...answer, missing };
      if (answer.missing.length === 0) died++;
      missing.push(...answer.missing);
    }
    const refusals = died === TRIALS ? ['workers that were given it have died'] : [];
    return { taken: 0, refusals, missing };
  }

  #prepare(config: SluiceConfig, snapshot: Snapshot): void {
    this.watch.apply(config, snapshot);
    writeWeights(this.weights, weightsOf(snapshot));
    this.#options.onWeights?.(snapshot);
  }

  #send(workers: ReadonlyMap<Worker, string>, snapshot: Snapshot): Promise<Acknowledged> {
    const { generation } = snapshot;
    return this.#acknowledgements.ask(
      workers,
      { type: 'apply', snapshot },
      (message) => {
        if (message.type === 'applied' && message.generation === generation) return 'taken';
        return message.type === 'refused' && message.generation === generation ? { refused: message.message } : null;
      },
      ACKNOWLEDGE,
    );
  }

  /**
   * Writes the live weights of the snapshot; every request from now on is divided by them. Resolves when every worker that listens has said so:
   * one that starts has no request yet, and its first one finds them.
   */
  weigh(snapshot: Snapshot): Promise<Acknowledged> {
    this.snapshot = snapshot;
    const epoch = writeWeights(this.weights, weightsOf(snapshot));
    this.#options.onWeights?.(snapshot);
    return this.#acknowledgements.ask(
      new Map([...this.#running()].filter(([worker]) => this.#listening.has(worker))),
      { type: 'weigh', epoch },
      (message) => (message.type === 'weighed' && message.epoch >= epoch ? 'taken' : null),
      ACKNOWLEDGE,
    );
  }

  /** The access log has been moved: every worker goes on in a new file. */
  reopenLogs(): void {
    for (const worker of this.#running().keys()) worker.postMessage({ type: 'reopen' } satisfies ToWorker);
  }

  async #startWorker(index: number, listen: readonly ListenConfig[]): Promise<readonly ListenConfig[]> {
    const init: WorkerInit = {
      index,
      snapshot: this.snapshot,
      listen,
      reusePort: this.#reusePort,
      memories: this.memories,
      endpoints: this.endpoints,
      weights: this.weights,
      rates: this.rates,
      evidence: this.evidence,
      ledger: this.#ledger,
      ledgerSalt: this.#salt,
    };
    const file = new URL(`../proxy/worker${extname(import.meta.url)}`, import.meta.url);
    const worker = new Worker(file, { workerData: init, name: `sluice-worker-${index}` });
    this.workers[index] = worker;
    return new Promise((resolve, reject) => {
      let listening = false;
      worker.on('message', (message: FromWorker) => {
        this.#acknowledgements.heard(worker, message);
        if (message.type === 'listening') {
          listening = true;
          this.#listening.add(worker);
          resolve(message.addresses);
        } else if (message.type === 'failed') {
          this.#logger.error('worker_failed', { worker: index, message: message.message });
          reject(new ListenError(message.code, message.message));
          // One of its addresses may be bound, and it would go on serving what it was started with.
          void worker.terminate();
        } else if (message.type === 'log') {
          this.#logger.warn(message.event, { worker: index, ...message.fields });
        } else if (message.type === 'failed-request') {
          this.#options.onFailedRequest?.(message.request);
        } else if (message.type === 'switched') {
          this.#options.onSwitched?.(message.row, message.use, message.cause);
        } else if (message.type === 'traces') {
          this.#options.onTraces?.(message.records);
          worker.postMessage({ type: 'traces-taken' } satisfies ToWorker);
        }
      });
      worker.on('error', (error: Error) => {
        this.#logger.error('worker_error', { worker: index, message: error.message, stack: error.stack });
        reject(error);
      });
      worker.on('exit', (code) => {
        this.#acknowledgements.gone(worker);
        this.#listening.delete(worker);
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
    this.#options.onReplaced?.(index, this.#pause);
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

const weightsOf = (snapshot: Snapshot): (readonly [versionId: number, weight: number])[] =>
  snapshot.services.flatMap(({ versions }) => versions.map(({ id, weight }) => [id, weight] as const));

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
