/**
 * What everything in one worker shares, and the snapshot as the worker runs it.
 *
 * `current` is the one reference that a new generation swaps; a request reads it once when it begins and keeps what it read. The head
 * parsers live here, one per kind and worker, because a head is parsed and used within one turn of the event loop.
 */
import type { EndpointSnapshot, ServiceSnapshot, Snapshot } from '../model/snapshot.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { TimerWheel } from '../runtime/timer-wheel.ts';
import { FieldNames } from './http1/field-names.ts';
import { FieldRules, type RequestIds } from './http1/field-rules.ts';
import { FieldBlock } from './http1/fields.ts';
import { RequestHead } from './http1/request-head.ts';
import { ResponseHead } from './http1/response-head.ts';
import type { Counters } from './record/counters.ts';
import { RouteTable } from './route/route-table.ts';
import { Service } from './route/service.ts';
import type { EndpointPool } from './upstream/pool.ts';

export interface WorkerContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly wheel: TimerWheel;
  readonly counters: Counters;
  readonly ids: RequestIds;
  /** Shared by every socket of the worker; see socket-reader.ts. */
  readonly readBuffer: Buffer;
  readonly current: RunningSnapshot;
}

export class RunningSnapshot {
  readonly snapshot: Snapshot;
  readonly names: FieldNames;
  readonly requestHead: RequestHead;
  readonly responseHead: ResponseHead;
  readonly trailerBlock: FieldBlock;
  readonly rules: FieldRules;
  readonly routes: RouteTable<Service>;
  #date = '';

  constructor(
    snapshot: Snapshot,
    ids: RequestIds,
    random: Random,
    poolOf: (endpoint: EndpointSnapshot, service: ServiceSnapshot) => EndpointPool,
  ) {
    this.snapshot = snapshot;
    const overrides = snapshot.services.flatMap((service) => service.overrideHeader ?? []);
    this.names = new FieldNames(overrides);
    this.requestHead = new RequestHead(snapshot.limits, this.names, new Set(overrides));
    this.responseHead = new ResponseHead(snapshot.limits, this.names);
    this.trailerBlock = new FieldBlock(snapshot.limits.headerCount);
    this.rules = new FieldRules(snapshot.headers, ids);
    const services = snapshot.services.map((service) => new Service(service, this.names, random, poolOf));
    const byName = new Map(services.map((service) => [service.name, service]));
    // The configuration has proved that every route names a service and that there is at least one.
    this.routes = new RouteTable(snapshot.routes, (name) => byName.get(name)!, services[0] ?? null);
  }

  /** `Date` line of the present second. */
  dateLine(): string {
    return this.#date === '' ? this.refreshDate() : this.#date;
  }

  /** Called by the worker's clock; formatting a date per request would cost more than parsing the request. */
  refreshDate(): string {
    this.#date = `Date: ${new Date().toUTCString()}\r\n`;
    return this.#date;
  }
}
