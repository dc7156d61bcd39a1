/**
 * One endpoint as a worker sees it: its connections, what is in flight on it, how fast it has been, and what is recorded of it.
 *
 * It outlives snapshots: an endpoint that a new generation still has keeps its connections, its latency average and its place in shared
 * memory. Whether it may be used is not its own affair: the flags are in model/endpoint-table.ts, the list of those that may be used in
 * endpoint-set.ts. Only `full` is asked here, because it changes with every request.
 *
 * @hotpath bench/micro/exchange.ts
 */
import { ENDPOINT_SLOTS, endpointSlot, latencyRow, type WorkerMemory } from '../../model/counters.ts';
import { latencyBucket } from '../../model/latency-buckets.ts';
import type { EndpointSnapshot } from '../../model/snapshot.ts';
import { LatencyMeter } from '../balance/latency-meter.ts';
import type { Candidate } from '../balance/policy.ts';
import type { EndpointPool } from './pool.ts';

/** An answer slower than this is counted as this slow, milliseconds; it keeps the sum of microseconds a small integer. */
const SLOWEST = 1_000_000;

export class Endpoint implements Candidate {
  readonly id: number;
  readonly url: string;
  readonly pool: EndpointPool;
  weight = 1;
  maxRequests = 0;
  barred = false;
  active = 0;
  /** Clock time at which it became available; its share grows from there. */
  availableSince = Number.NEGATIVE_INFINITY;
  /** Whether it was among the available ones when the set was last looked at. */
  wasAvailable = true;
  /** Whether the running snapshot has it. */
  current = true;
  #meter = new LatencyMeter(1);
  #decay = 0;
  readonly #own: WorkerMemory;
  readonly #all: readonly WorkerMemory[];
  readonly #slot: number;
  readonly #latencies: number;

  /** @param own this worker's memory. @param all every worker's, own included. */
  constructor(snapshot: EndpointSnapshot, pool: EndpointPool, own: WorkerMemory, all: readonly WorkerMemory[]) {
    this.id = snapshot.id;
    this.url = snapshot.url;
    this.pool = pool;
    this.#own = own;
    this.#all = all;
    this.#slot = endpointSlot(snapshot.id);
    this.#latencies = latencyRow(snapshot.id);
  }

  get full(): boolean {
    if (this.maxRequests === 0) return false;
    let active = 0;
    for (let i = 0; i < this.#all.length; i++) active += this.#all[i]!.endpoints[this.#slot + ENDPOINT_SLOTS.active]!;
    return active >= this.maxRequests;
  }

  /** Sets the time constant of the latency average, milliseconds; another one begins it anew. */
  averageOver(decay: number): void {
    if (decay === this.#decay) return;
    this.#decay = decay;
    this.#meter = new LatencyMeter(decay);
  }

  latencyAt(now: number): number {
    return this.#meter.valueAt(now);
  }

  attemptStarted(): void {
    this.active++;
    this.#add(ENDPOINT_SLOTS.active, 1);
  }

  /** @param end the ENDPOINT_SLOTS count that the attempt ends in. */
  attemptEnded(end: number): void {
    this.active--;
    this.#add(ENDPOINT_SLOTS.active, -1);
    this.#add(end, 1);
  }

  /** The gauge is added to and not set: what is in flight on an endpoint that has been removed may share its place with its successor. */
  #add(slot: number, by: number): void {
    const { endpoints } = this.#own;
    endpoints[this.#slot + slot] = endpoints[this.#slot + slot]! + by;
  }

  /** Records the time to a response head. @param latency @param now milliseconds. */
  answered(latency: number, now: number): void {
    this.#meter.observe(latency, now);
    const micros = latency < SLOWEST ? (latency * 1000) | 0 : SLOWEST * 1000;
    const bucket = this.#latencies + latencyBucket(micros);
    this.#own.latencies[bucket] = this.#own.latencies[bucket]! + 1;
  }

  /** An attempt that got no answer in time was at least this slow. One that failed at once says nothing about speed. */
  timedOut(latency: number, now: number): void {
    this.#meter.observe(latency, now);
  }
}
