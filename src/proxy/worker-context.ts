/**
 * What everything in one worker shares, and the snapshot as the worker runs it.
 *
 * `current` is the one reference that a new generation swaps; a request reads it once when it begins and keeps what it read. The head
 * parsers live here, one per kind and worker, because a head is parsed and used within one turn of the event loop.
 */
import type { RouteConfig } from '../model/route-config.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { TimerWheel } from '../runtime/timer-wheel.ts';
import { type Compiler, compileRoute, compileService, onlyRoute } from './compile.ts';
import { type FieldNames, isClaim } from './http1/field-names.ts';
import { FieldRules, type RequestIds } from './http1/field-rules.ts';
import { FieldBlock } from './http1/fields.ts';
import { type LocalAnswers, localAnswers } from './http1/local-reply.ts';
import { RequestHead } from './http1/request-head.ts';
import { ResponseHead } from './http1/response-head.ts';
import type { AccessLog } from './record/access-log.ts';
import type { Counters } from './record/counters.ts';
import type { Evidence } from './record/evidence.ts';
import type { RequestCounts } from './record/request-counts.ts';
import type { Tracing } from './record/tracing.ts';
import type { Choice } from './route/choice.ts';
import { FlagSet } from './route/flags.ts';
import type { Route } from './route/route.ts';
import { RouteTable } from './route/route-table.ts';
import type { Service } from './route/service.ts';
import type { Setback } from './upstream/recovery.ts';

export interface WorkerContext {
  readonly clock: Clock;
  /** What must be added to the clock's time for milliseconds that all workers agree on. */
  readonly origin: number;
  readonly random: Random;
  readonly wheel: TimerWheel;
  /** For what is short and rare: pauses, hedges, injected delays, slow requests of a rollout. */
  readonly fineWheel: TimerWheel;
  readonly counters: Counters;
  readonly requests: RequestCounts;
  readonly evidence: Evidence;
  /** Null where no request is logged. */
  readonly log: AccessLog | null;
  /** Null where no request is traced. */
  readonly tracing: Tracing | null;
  readonly ids: RequestIds;
  /** Shared by every socket of the worker; see socket-reader.ts. */
  readonly readBuffer: Buffer;
  /** Filled and read in one turn. */
  readonly choice: Choice;
  readonly setback: Setback;
  readonly current: RunningSnapshot;
}

export class RunningSnapshot {
  readonly snapshot: Snapshot;
  readonly names: FieldNames;
  readonly requestHead: RequestHead;
  readonly responseHead: ResponseHead;
  readonly trailerBlock: FieldBlock;
  readonly rules: FieldRules;
  readonly answers: LocalAnswers;
  readonly services: readonly Service[];
  readonly routes: RouteTable<Route>;
  /** Null where there are none. */
  readonly flags: FlagSet | null;
  /** Numbers of the fields that an untrusted client's request is read without; null where nothing reads them. */
  readonly claims: Uint8Array | null;
  #date = '';

  /** @param read lower-case names of the headers that the snapshot reads; `compiler.names` numbers them. */
  constructor(snapshot: Snapshot, compiler: Compiler, read: readonly string[]) {
    const { names } = compiler;
    this.snapshot = snapshot;
    this.names = names;
    this.requestHead = new RequestHead(snapshot.limits, names, new Set(read));
    this.responseHead = new ResponseHead(snapshot.limits, names);
    this.trailerBlock = new FieldBlock(snapshot.limits.headerCount);
    this.claims = names.hasCustomClaims || read.some(isClaim) ? names.claims() : null;
    this.rules = new FieldRules(snapshot.headers, compiler.ids, snapshot.tracing?.parent === 'ignore');
    this.answers = localAnswers(snapshot.headers.via);
    this.services = snapshot.services.map((service) => compileService(service, compiler));
    this.flags = snapshot.flags.length === 0 ? null : new FlagSet(snapshot.flags, names, compiler.isTrusted);
    this.routes = compileRoutes(snapshot, this.services, this.flags, compiler);
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

function compileRoutes(
  snapshot: Snapshot,
  services: readonly Service[],
  flags: FlagSet | null,
  compiler: Compiler,
): RouteTable<Route> {
  const byName = new Map(services.map((service) => [service.name, service]));
  // The configuration has proved that there are routes or exactly one service.
  const only = snapshot.routes.length === 0 ? onlyRoute(services[0]!) : null;
  const targetOf = (route: RouteConfig): Route => compileRoute(route, byName, compiler);
  return new RouteTable(snapshot.routes, compiler.names, targetOf, only, flags);
}
