/**
 * What a worker keeps from one generation to the next: endpoints with their connections, session tables, retry budgets and
 * the lines of requests that wait for a connection.
 *
 * Each is found by its name in the configuration. `begin` and `end` stand around the compilation of a snapshot: what was not asked for
 * between them is gone from the configuration and is let go. An endpoint keeps its place in shared memory with its id, so one
 * that comes under another id is a new one.
 */

import type { ServiceTimeoutsConfig } from '../model/config.ts';
import type { WorkerMemory } from '../model/counters.ts';
import type { ServiceSnapshot, VersionSnapshot } from '../model/snapshot.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Lasting } from './compile.ts';
import type { UpstreamContext } from './http1/client-connection.ts';
import { AffinityTable } from './route/affinity-table.ts';
import type { WaitingLine } from './route/version.ts';
import { Endpoint } from './upstream/endpoint.ts';
import { EndpointPool } from './upstream/pool.ts';
import { RetryBudget } from './upstream/retry-budget.ts';

class Kept<T> {
  #before = new Map<string, T>();
  #now = new Map<string, T>();

  begin(): void {
    this.#before = this.#now;
    this.#now = new Map();
  }

  /** @param fits whether what was there before can be kept. */
  take(key: string, make: () => T, fits: (old: T) => boolean = () => true): T {
    const old = this.#now.get(key) ?? this.#before.get(key);
    const value = old !== undefined && fits(old) ? old : make();
    this.#now.set(key, value);
    return value;
  }

  /** Forgets what was asked for since `begin`. */
  undo(): void {
    this.#now = this.#before;
    this.#before = new Map();
  }

  /** What has been let go. */
  end(): T[] {
    const kept = new Set(this.#now.values());
    const gone = [...this.#before.values()].filter((value) => !kept.has(value));
    this.#before = new Map();
    return gone;
  }

  values(): Iterable<T> {
    return this.#now.values();
  }
}

interface DivisionNumber {
  identity: string;
  number: number;
}

export class LastingParts implements Lasting {
  readonly #context: UpstreamContext & { readonly clock: Clock };
  readonly #own: WorkerMemory;
  readonly #all: readonly WorkerMemory[];
  readonly #endpoints = new Kept<Endpoint>();
  readonly #sessions = new Kept<AffinityTable<string, Endpoint>>();
  readonly #budgets = new Kept<RetryBudget>();
  readonly #waiting = new Kept<WaitingLine>();
  readonly #divisions = new Kept<DivisionNumber>();
  #lastDivision = 0;
  /** Endpoints of the first snapshot are not new to the world, those of later ones are. */
  #first = true;

  constructor(context: UpstreamContext, own: WorkerMemory, all: readonly WorkerMemory[]) {
    this.#context = context;
    this.#own = own;
    this.#all = all;
  }

  get endpoints(): Iterable<Endpoint> {
    return this.#endpoints.values();
  }

  begin(): void {
    this.#endpoints.begin();
    this.#sessions.begin();
    this.#budgets.begin();
    this.#waiting.begin();
    this.#divisions.begin();
  }

  /** The snapshot could not be compiled: everything stays as it was. */
  undo(): void {
    this.#endpoints.undo();
    this.#sessions.undo();
    this.#budgets.undo();
    this.#waiting.undo();
    this.#divisions.undo();
  }

  end(): void {
    for (const endpoint of this.#endpoints.end()) {
      endpoint.current = false;
      endpoint.pool.close();
    }
    this.#sessions.end();
    this.#budgets.end();
    this.#waiting.end();
    this.#divisions.end();
    this.#first = false;
  }

  endpoint(service: ServiceSnapshot, version: VersionSnapshot, index: number): Endpoint {
    const snapshot = version.endpoints[index]!;
    const timeouts = attemptTimeouts(service);
    const make = (): Endpoint => {
      const pool = new EndpointPool(snapshot, service.pool, timeouts, this.#context);
      const made = new Endpoint(snapshot, pool, this.#own, this.#all);
      made.wasAvailable = this.#first;
      return made;
    };
    const key = `${service.name}\n${version.name}\n${snapshot.url}`;
    const endpoint = this.#endpoints.take(key, make, (old) => old.id === snapshot.id);
    endpoint.averageOver(service.balance.decay);
    endpoint.weight = snapshot.weight;
    endpoint.maxRequests = snapshot.maxRequests;
    endpoint.pool.config = service.pool;
    endpoint.pool.timeouts = timeouts;
    return endpoint;
  }

  sessions(service: ServiceSnapshot): AffinityTable<string, Endpoint> {
    const { key, ttl, max } = service.affinity!;
    const identity = `${service.name}\n${JSON.stringify(key)}\n${ttl}\n${max}`;
    return this.#sessions.take(identity, () => new AffinityTable({ ttl, max }, this.#context.clock));
  }

  budget(service: ServiceSnapshot): RetryBudget {
    const { percent, minimum } = service.retryBudget;
    const identity = `${service.name}\n${percent}\n${minimum}`;
    return this.#budgets.take(identity, () => new RetryBudget(service.retryBudget, this.#all.length));
  }

  waiting(service: ServiceSnapshot, version: VersionSnapshot): WaitingLine {
    return this.#waiting.take(`${service.name}\n${version.name}`, () => new Map());
  }

  /** The same number for as long as the service's traffic is divided the same way, whatever else of the configuration changes. */
  divisionNumber(service: ServiceSnapshot, weights: readonly number[]): number {
    const names = service.versions.map((version) => version.name);
    const identity = JSON.stringify([service.split, names, weights]);
    const kept = this.#divisions.take(service.name, () => ({ identity: '', number: 0 }));
    if (kept.identity !== identity) {
      kept.identity = identity;
      kept.number = ++this.#lastDivision;
    }
    return kept.number;
  }

  close(): void {
    for (const endpoint of this.#endpoints.values()) endpoint.pool.close();
  }
}

/** An attempt is given up as early as the retry policy says. */
function attemptTimeouts(service: ServiceSnapshot): ServiceTimeoutsConfig {
  const perTry = service.retry?.perTryTimeout ?? 0;
  const { timeouts } = service;
  return perTry > 0 && perTry < timeouts.response ? { ...timeouts, response: perTry } : timeouts;
}
