/**
 * The data plane of one worker: listeners, connections, pools and the running snapshot.
 *
 * It knows nothing of threads. `worker.ts` runs one in a worker thread; tests run one in their own thread, with a clock that they turn.
 */
import net from 'node:net';
import type { ListenConfig } from '../model/config.ts';
import { newLedgerTable } from '../model/connection-table.ts';
import { newWorkerMemory, type WorkerMemory } from '../model/counters.ts';
import { type EndpointTable, newEndpointTable } from '../model/endpoint-table.ts';
import { type EvidenceTable, newEvidenceTable } from '../model/evidence-table.ts';
import { newRateMemory, RateTable } from '../model/rate-table.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { TraceRecord } from '../model/trace-record.ts';
import { newWeightTable, type WeightTable } from '../model/weight-table.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { type Logger, silentLogger } from '../runtime/logger.ts';
import { type Random, systemRandom } from '../runtime/random.ts';
import { TimerWheel } from '../runtime/timer-wheel.ts';
import { readHeaders } from './compile.ts';
import { ConnectionLedger } from './connection-ledger.ts';
import { FieldNames } from './http1/field-names.ts';
import { LastingParts } from './lasting-parts.ts';
import { Listener } from './listener.ts';
import { AccessLog, loggedHeaders } from './record/access-log.ts';
import { Counters } from './record/counters.ts';
import { Evidence, type EvidenceEvents } from './record/evidence.ts';
import { LogWriter } from './record/log-writer.ts';
import { RequestCounts } from './record/request-counts.ts';
import { Tracing, tracedHeaders } from './record/tracing.ts';
import { RandomRequestIds } from './request-ids.ts';
import { Choice } from './route/choice.ts';
import { editedHeaders } from './route/route-table.ts';
import { READ_SIZE } from './socket-reader.ts';
import { Setback } from './upstream/recovery.ts';
import { RunningSnapshot, type WorkerContext } from './worker-context.ts';

/** Resolution of all timeouts, milliseconds. */
const TICK = 50;
/** Resolution of pauses, hedges and injected delays. */
const FINE_TICK = 5;
/** How long an idle client may still send a request that it began before it could know of the drain, milliseconds. */
const DRAIN_GRACE = 500;

/** Memory that a worker shares with the others and with the control plane. */
export interface SharedMemory {
  readonly own: WorkerMemory;
  /** Of every worker, own included. */
  readonly all: readonly WorkerMemory[];
  readonly endpoints: EndpointTable;
  readonly weights: WeightTable;
  readonly rates: SharedArrayBuffer;
  /** With the worker's index in it. Private where it is left out. */
  readonly evidence?: { readonly table: EvidenceTable; readonly index: number };
}

export interface DataPlaneOptions {
  readonly snapshot: Snapshot;
  readonly clock?: Clock;
  /** What must be added to the clock's time for milliseconds that all workers agree on. */
  readonly origin?: number;
  readonly random?: Random;
  readonly logger?: Logger;
  /** Private memory where it is left out. */
  readonly memory?: SharedMemory;
  readonly ledger?: ConnectionLedger;
  /** Is told of failed requests and thrown switches of rollouts. */
  readonly events?: EvidenceEvents;
  /** Is given records of traced requests and answers with `tracesTaken`. Left out, no request is traced. */
  readonly onTraces?: (records: readonly TraceRecord[]) => void;
}

export interface DataPlaneStats {
  readonly downstream: number;
  readonly upstreamActive: number;
  readonly upstreamIdle: number;
  readonly exchanges: number;
}

export class DataPlane {
  readonly memory: SharedMemory;
  readonly evidence: EvidenceTable;
  readonly #context: { -readonly [K in keyof WorkerContext]: WorkerContext[K] };
  readonly #ledger: ConnectionLedger;
  readonly #logger: Logger;
  readonly #listeners: Listener[] = [];
  readonly #lasting: LastingParts;
  readonly #log: AccessLog;
  readonly #tracing: Tracing;
  readonly #rates: RateTable;
  #names = new FieldNames();
  #trusted = new net.BlockList();
  #ticks = 0;

  constructor(options: DataPlaneOptions) {
    const clock = options.clock ?? systemClock;
    const origin = options.origin ?? (clock === systemClock ? performance.timeOrigin : 0);
    this.memory = options.memory ?? privateMemory(clock.now() + origin);
    this.#rates = new RateTable(this.memory.rates);
    this.#logger = options.logger ?? silentLogger;
    this.#ledger = options.ledger ?? new ConnectionLedger(newLedgerTable(1), 0, 0);
    const random = options.random ?? systemRandom;
    const counters = new Counters(this.memory.own.counters);
    // The monotonic clock drifts from the time of day over weeks, and what is told of requests is read beside what others tell.
    const wall = clock === systemClock ? Date.now : () => clock.now() + origin;
    const { table, index } = this.memory.evidence ?? { table: newEvidenceTable(1), index: 0 };
    this.evidence = table;
    const events = options.events === undefined ? {} : { events: options.events };
    this.#context = {
      clock,
      origin,
      random,
      wheel: new TimerWheel(clock, TICK, { onTick: () => this.#onTick() }),
      fineWheel: new TimerWheel(clock, FINE_TICK, { resting: true }),
      counters,
      requests: new RequestCounts(this.memory.own.requests),
      evidence: new Evidence({ table, index, clock, wall, ...events }),
      log: null,
      tracing: null,
      ids: new RandomRequestIds(),
      readBuffer: Buffer.allocUnsafeSlow(READ_SIZE),
      choice: new Choice(),
      setback: new Setback(),
      // Set by apply before anything can read it.
      current: null as unknown as RunningSnapshot,
    };
    this.#lasting = new LastingParts(this.#context, this.memory.own, this.memory.all);
    this.#log = new AccessLog({
      writer: new LogWriter({ clock, logger: this.#logger, counters }),
      random,
      wall,
      isTrusted: (address) => this.#isTrusted(address),
    });
    this.#tracing = new Tracing({
      ...{ random, wall, origin, counters, ids: this.#context.ids, rates: this.#rates },
      isTrusted: (address) => this.#isTrusted(address),
      send: options.onTraces,
    });
    this.apply(options.snapshot);
  }

  get snapshot(): Snapshot {
    return this.#context.current.snapshot;
  }

  /** The snapshot as this worker runs it; for tests and benchmarks. */
  get running(): RunningSnapshot {
    return this.#context.current;
  }

  /** Swaps in a new generation; connections, requests in flight and what lasts of endpoints and sessions are untouched. */
  apply(snapshot: Snapshot): void {
    const { clock, random, ids, counters } = this.#context;
    const read = readHeaders(snapshot);
    const told = loggedHeaders(snapshot.accessLog).concat(tracedHeaders(snapshot.tracing));
    const named = read.concat(editedHeaders(snapshot.routes), told);
    if (!this.#names.include(named)) this.#names = new FieldNames(named);
    const trusted = blockList(snapshot.trustedProxies);
    this.#lasting.begin();
    const compiler = {
      names: this.#names,
      clock,
      random,
      ids,
      counters,
      memory: this.memory.own,
      memories: this.memory.all,
      table: this.memory.endpoints,
      weights: this.memory.weights,
      marks: this.evidence.marks,
      rates: this.#rates,
      isTrusted: (address: string) => this.#isTrusted(address),
      lasting: this.#lasting,
    };
    try {
      this.#context.current = new RunningSnapshot(snapshot, compiler, read);
    } catch (error) {
      this.#lasting.undo();
      throw error;
    }
    this.#lasting.end();
    this.#trusted = trusted;
    this.#context.log = this.#log.configure(snapshot.accessLog, this.#names);
    this.#context.tracing = this.#tracing.configure(snapshot.tracing, this.#names);
  }

  /** The access log has been moved away: goes on in a new file. */
  reopen(): void {
    this.#log.reopen();
  }

  /** The records that were told last have been taken. */
  tracesTaken(): void {
    this.#tracing.taken();
  }

  /** Takes up live weights at once; requests would do it by themselves. @returns the least epoch that a service runs with. */
  weigh(): number {
    return this.#context.current.services.reduce(
      (least, service) => Math.min(least, service.weigh()),
      Number.POSITIVE_INFINITY,
    );
  }

  #isTrusted(address: string): boolean {
    if (this.#context.current.snapshot.trustedProxies.length === 0) return false;
    return this.#trusted.check(address, net.isIPv6(address) ? 'ipv6' : 'ipv4');
  }

  async listen(address: ListenConfig, reusePort: boolean): Promise<ListenConfig> {
    const isTrusted = (client: string): boolean => this.#isTrusted(client);
    const onError = (error: Error): void => this.#logger.error('listener_error', { message: error.message });
    const listener = new Listener(this.#context, this.#ledger, isTrusted, onError);
    const bound = await listener.listen(address, reusePort);
    this.#listeners.push(listener);
    return bound;
  }

  /** Stops accepting, lets requests finish for up to `ms` milliseconds, then closes what is left. */
  async drain(ms: number): Promise<void> {
    for (const listener of this.#listeners) {
      listener.stop();
      listener.draining = true;
    }
    const empty = Promise.all(this.#listeners.map((listener) => listener.empty()));
    const grace = this.#after(Math.min(DRAIN_GRACE, ms / 2), () => {
      for (const listener of this.#listeners) listener.drain();
    });
    let expire = (): void => {};
    const expired = new Promise<void>((resolve) => {
      expire = resolve;
    });
    const deadline = this.#after(ms, expire);
    await Promise.race([empty, expired]);
    grace.stop();
    deadline.stop();
    await this.close();
  }

  /** Closes everything at once; resolves when the access log has been written. */
  async close(): Promise<void> {
    for (const listener of this.#listeners) {
      listener.stop();
      listener.destroyAll();
    }
    this.#lasting.close();
    this.#context.wheel.close();
    this.#context.fineWheel.close();
    // Requests that were cut are logged when their connections are gone.
    await Promise.all(this.#listeners.map((listener) => listener.empty()));
    this.#tracing.close();
    await this.#log.close();
  }

  stats(): DataPlaneStats {
    let upstreamActive = 0;
    let upstreamIdle = 0;
    for (const { pool } of this.#lasting.endpoints) {
      upstreamActive += pool.active;
      upstreamIdle += pool.idle;
    }
    const downstream = this.#listeners.reduce((sum, listener) => sum + listener.connections.size, 0);
    return { downstream, upstreamActive, upstreamIdle, exchanges: this.#context.counters.inFlight };
  }

  #after(ms: number, call: () => void): { stop(): void } {
    const timer = this.#context.clock.setInterval(() => {
      timer.stop();
      call();
    }, ms);
    return timer;
  }

  #onTick(): void {
    this.#ticks++;
    if (this.#ticks % (1000 / TICK) !== 0) return;
    this.#context.current.refreshDate();
    this.#tracing.flush();
  }
}

function privateMemory(now: number): SharedMemory {
  const own = newWorkerMemory();
  return { own, all: [own], endpoints: newEndpointTable(), weights: newWeightTable(), rates: newRateMemory(now) };
}

function blockList(entries: readonly string[]): net.BlockList {
  const list = new net.BlockList();
  for (const entry of entries) {
    const [address, prefix] = entry.split('/') as [string, string | undefined];
    const family = net.isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}
