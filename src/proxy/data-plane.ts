/**
 * The data plane of one worker: listeners, connections, pools and the running snapshot.
 *
 * It knows nothing of threads. `worker.ts` runs one in a worker thread; tests run one in their own thread, with a clock that they turn.
 */
import net from 'node:net';
import type { ListenConfig } from '../model/config.ts';
import { newLedgerTable } from '../model/connection-table.ts';
import { newCounterBlock } from '../model/counters.ts';
import type { EndpointSnapshot, ServiceSnapshot, Snapshot } from '../model/snapshot.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { type Logger, silentLogger } from '../runtime/logger.ts';
import { type Random, systemRandom } from '../runtime/random.ts';
import { TimerWheel } from '../runtime/timer-wheel.ts';
import { ConnectionLedger } from './connection-ledger.ts';
import { Listener } from './listener.ts';
import { Counters } from './record/counters.ts';
import { RandomRequestIds } from './request-ids.ts';
import { READ_SIZE } from './socket-reader.ts';
import { EndpointPool } from './upstream/pool.ts';
import { RunningSnapshot, type WorkerContext } from './worker-context.ts';

/** Resolution of all timeouts, milliseconds. */
const TICK = 50;
/** How long an idle client may still send a request that it began before it could know of the drain, milliseconds. */
const DRAIN_GRACE = 500;

export interface DataPlaneOptions {
  readonly snapshot: Snapshot;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  /** Shared block of this worker; private memory where it is left out. */
  readonly counters?: Float64Array;
  readonly ledger?: ConnectionLedger;
}

export interface DataPlaneStats {
  readonly downstream: number;
  readonly upstreamActive: number;
  readonly upstreamIdle: number;
  readonly exchanges: number;
}

export class DataPlane {
  readonly #context: { -readonly [K in keyof WorkerContext]: WorkerContext[K] };
  readonly #ledger: ConnectionLedger;
  readonly #logger: Logger;
  readonly #listeners: Listener[] = [];
  #pools = new Map<string, EndpointPool>();
  #trusted = new net.BlockList();
  #ticks = 0;

  constructor(options: DataPlaneOptions) {
    const clock = options.clock ?? systemClock;
    const random = options.random ?? systemRandom;
    this.#logger = options.logger ?? silentLogger;
    this.#ledger = options.ledger ?? new ConnectionLedger(newLedgerTable(1), 0, 0);
    this.#context = {
      clock,
      random,
      wheel: new TimerWheel(clock, TICK, () => this.#onTick()),
      counters: new Counters(options.counters ?? newCounterBlock()),
      ids: new RandomRequestIds(),
      readBuffer: Buffer.allocUnsafeSlow(READ_SIZE),
      // Set by apply before anything can read it.
      current: null as unknown as RunningSnapshot,
    };
    this.apply(options.snapshot);
  }

  get snapshot(): Snapshot {
    return this.#context.current.snapshot;
  }

  /** Swaps in a new generation; connections, requests in flight and the pools of endpoints that stay are untouched. */
  apply(snapshot: Snapshot): void {
    const { ids, random } = this.#context;
    const pools = new Map<string, EndpointPool>();
    const poolOf = (endpoint: EndpointSnapshot, service: ServiceSnapshot): EndpointPool =>
      this.#poolOf(pools, endpoint, service);
    this.#trusted = blockList(snapshot.trustedProxies);
    this.#context.current = new RunningSnapshot(snapshot, ids, random, poolOf);
    for (const [key, pool] of this.#pools) if (!pools.has(key)) pool.close();
    this.#pools = pools;
  }

  #poolOf(pools: Map<string, EndpointPool>, endpoint: EndpointSnapshot, service: ServiceSnapshot): EndpointPool {
    const key = `${service.name}\n${endpoint.url}`;
    let pool = pools.get(key) ?? this.#pools.get(key);
    if (pool === undefined) pool = new EndpointPool(endpoint, service.pool, service.timeouts, this.#context);
    pool.config = service.pool;
    pool.timeouts = service.timeouts;
    pools.set(key, pool);
    return pool;
  }

  async listen(address: ListenConfig, reusePort: boolean): Promise<ListenConfig> {
    const isTrusted = (client: string): boolean =>
      this.#context.current.snapshot.trustedProxies.length > 0 &&
      this.#trusted.check(client, net.isIPv6(client) ? 'ipv6' : 'ipv4');
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
    this.close();
  }

  /** Closes everything at once. */
  close(): void {
    for (const listener of this.#listeners) {
      listener.stop();
      listener.destroyAll();
    }
    for (const pool of this.#pools.values()) pool.close();
    this.#context.wheel.close();
  }

  stats(): DataPlaneStats {
    let upstreamActive = 0;
    let upstreamIdle = 0;
    for (const pool of this.#pools.values()) {
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
    if (this.#ticks % (1000 / TICK) === 0) this.#context.current.refreshDate();
  }
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
