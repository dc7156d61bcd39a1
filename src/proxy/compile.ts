/**
 * Snapshot → the objects that a worker's requests meet: services with their versions and endpoints, and routes.
 *
 * Done once when a snapshot arrives. What has a life of its own (endpoints with their connections, session tables, retry budgets) is not
 * made here but asked for, so that it survives from one generation to the next.
 */

import type { WorkerMemory } from '../model/counters.ts';
import type { EndpointTable } from '../model/endpoint-table.ts';
import type { KeySource, RateLimitConfig } from '../model/policy-config.ts';
import type { RateTable } from '../model/rate-table.ts';
import type { HeaderEdits, RouteConfig } from '../model/route-config.ts';
import type { ServiceSnapshot, Snapshot, VersionSnapshot } from '../model/snapshot.ts';
import type { WeightTable } from '../model/weight-table.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import { Circuit } from './admit/circuit.ts';
import { FaultInjector } from './admit/fault.ts';
import { RateGate } from './admit/rate-gate.ts';
import { RateLimit } from './admit/rate-limit.ts';
import { type FieldNames, UNKNOWN } from './http1/field-names.ts';
import type { RequestIds } from './http1/field-rules.ts';
import type { Counters } from './record/counters.ts';
import { Affinity } from './route/affinity.ts';
import type { AffinityTable } from './route/affinity-table.ts';
import { Experiment } from './route/experiment.ts';
import { flagHeaders } from './route/flags.ts';
import { HeaderEditor } from './route/header-edits.ts';
import { type IsTrusted, KeyReader, keyHeaders } from './route/key-reader.ts';
import { LiveWeights } from './route/live-weights.ts';
import { Route } from './route/route.ts';
import { routeHeaders } from './route/route-table.ts';
import { type Division, Service } from './route/service.ts';
import { SessionCookie } from './route/session-cookie.ts';
import { Version, type WaitingLine } from './route/version.ts';
import { createSplit, splitHeaders } from './route/version-split.ts';
import type { Endpoint } from './upstream/endpoint.ts';
import { EndpointSet } from './upstream/endpoint-set.ts';
import { OutlierDetector } from './upstream/outlier.ts';
import { Recovery } from './upstream/recovery.ts';
import type { RetryBudget } from './upstream/retry-budget.ts';
import { RetryPolicy } from './upstream/retry-policy.ts';

/** What outlives a snapshot. */
export interface Lasting {
  endpoint(service: ServiceSnapshot, version: VersionSnapshot, index: number): Endpoint;
  sessions(service: ServiceSnapshot): AffinityTable<string, Endpoint>;
  budget(service: ServiceSnapshot): RetryBudget;
  waiting(service: ServiceSnapshot, version: VersionSnapshot): WaitingLine;
  /** @param weights hundredths of a percent, in the order of the versions. */
  divisionNumber(service: ServiceSnapshot, weights: readonly number[]): number;
}

/** What compiling needs of the worker. */
export interface Compiler {
  readonly names: FieldNames;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: RequestIds;
  readonly counters: Counters;
  readonly memory: WorkerMemory;
  readonly memories: readonly WorkerMemory[];
  readonly table: EndpointTable;
  readonly weights: WeightTable;
  /** Of the versions (model/evidence-table.ts). */
  readonly marks: Int32Array;
  readonly rates: RateTable;
  readonly isTrusted: IsTrusted;
  readonly lasting: Lasting;
}

/** Lower-case names of the headers that the snapshot reads. */
export const readHeaders = (snapshot: Snapshot): string[] =>
  snapshot.services.flatMap(serviceHeaders).concat(routeHeaders(snapshot.routes), flagHeaders(snapshot.flags));

function serviceHeaders(service: ServiceSnapshot): string[] {
  const keys = [service.affinity?.key, service.split.key, service.balance.key, service.rateLimit?.key];
  for (const experiment of service.experiments) keys.push(experiment.key);
  const named = keys.flatMap((key) => (key === undefined ? [] : keyHeaders(key)));
  if (service.overrideHeader !== null) named.push(service.overrideHeader);
  return named.concat(splitHeaders(service));
}

export function compileService(snapshot: ServiceSnapshot, compiler: Compiler): Service {
  const { names } = compiler;
  const reader = (key: KeySource | undefined): KeyReader | null =>
    key === undefined ? null : new KeyReader(key, names, compiler.isTrusted);
  const versions = snapshot.versions.map((version) => compileVersion(version, snapshot, compiler));
  const byName = new Map<string, Version>();
  snapshot.versions.forEach((version, i) => {
    byName.set(version.name, versions[i]!);
    if (version.lane !== null) byName.set(version.lane, versions[i]!);
  });
  const indexOf = (name: string): number => snapshot.versions.findIndex((version) => version.name === name);
  const keyed = snapshot.balance.policy === 'ring_hash' || snapshot.balance.policy === 'maglev';
  const retry = snapshot.retry === null ? null : new RetryPolicy(snapshot.retry, compiler.random);
  return new Service({
    name: snapshot.name,
    weights: liveWeights(snapshot, compiler.weights),
    marks: compiler.marks,
    divide: (weights) => divide(snapshot, weights, versions, compiler),
    timeouts: snapshot.timeouts,
    versions,
    stable: versions[snapshot.stable]!,
    byName,
    overrideHeader: snapshot.overrideHeader === null ? UNKNOWN : names.idOf(snapshot.overrideHeader),
    overrideCookie: snapshot.overrideCookie === null ? null : reader({ from: 'cookie', name: snapshot.overrideCookie }),
    experiments: snapshot.experiments.map((each) => new Experiment(each, indexOf, names, compiler.isTrusted)),
    affinity: compileAffinity(snapshot, compiler),
    splitKey: reader(snapshot.split.key),
    balanceKey: keyed && !isSameKey(snapshot.balance.key, snapshot.affinity?.key) ? reader(snapshot.balance.key) : null,
    rate: compileRate(snapshot.rateLimit ?? undefined, `service ${snapshot.name}`, compiler),
    recovery: new Recovery(retry, compiler.lasting.budget(snapshot), snapshot.shield, snapshot.hedge),
  });
}

const liveWeights = ({ versions }: ServiceSnapshot, table: WeightTable): LiveWeights =>
  new LiveWeights(
    table,
    versions.map((version) => version.id),
    versions.map((version) => version.weight),
  );

function divide(
  snapshot: ServiceSnapshot,
  weights: readonly number[],
  versions: readonly Version[],
  compiler: Compiler,
): Division {
  const weighed = {
    ...snapshot,
    versions: snapshot.versions.map((version, i) => ({ ...version, weight: weights[i]! })),
  };
  return {
    split: createSplit(weighed, compiler.names, compiler.random, (index, now) => versions[index]!.latencyAt(now)),
    holding: holdingVersions(weighed),
    number: compiler.lasting.divisionNumber(snapshot, weights),
  };
}

/** See {@link Division}: the versions that have a weight, where the strategy has no key to decide by. */
function holdingVersions({ split, versions }: ServiceSnapshot): ReadonlySet<string> {
  if (split.strategy !== 'round_robin' && split.strategy !== 'latency') return new Set();
  return new Set(versions.filter((version) => version.weight > 0).map((version) => version.name));
}

const isSameKey = (a: KeySource, b: KeySource | undefined): boolean => JSON.stringify(a) === JSON.stringify(b);

function compileVersion(version: VersionSnapshot, service: ServiceSnapshot, compiler: Compiler): Version {
  const { memory, memories, table, clock, random } = compiler;
  const endpoints = version.endpoints.map((_, index) => compiler.lasting.endpoint(service, version, index));
  const counters = memories.map((each) => each.counters);
  const ids = version.endpoints.map((endpoint) => endpoint.id);
  const isStable = service.versions[service.stable] === version;
  return new Version(
    version,
    service.exposeVersion,
    new EndpointSet(endpoints, service.balance, table, clock, random),
    new Circuit(service.circuit, version.id, memory.counters, counters),
    service.outlier === null ? null : new OutlierDetector(service.outlier, table, ids, !isStable),
    compiler.lasting.waiting(service, version),
  );
}

function compileAffinity(snapshot: ServiceSnapshot, compiler: Compiler): Affinity | null {
  const { affinity } = snapshot;
  if (affinity === null) return null;
  const reader = new KeyReader(affinity.key, compiler.names, compiler.isTrusted);
  const cookie = affinity.key.from === 'cookie' ? new SessionCookie(affinity.key.name, affinity.ttl) : null;
  return new Affinity(compiler.lasting.sessions(snapshot), reader, cookie, compiler.ids, compiler.counters);
}

function compileRate(config: RateLimitConfig | undefined, name: string, compiler: Compiler): RateGate | null {
  if (config === undefined) return null;
  const reader = config.key === undefined ? null : new KeyReader(config.key, compiler.names, compiler.isTrusted);
  return new RateGate(new RateLimit(config, name, compiler.rates), reader);
}

/** @param services by name. */
export function compileRoute(config: RouteConfig, services: ReadonlyMap<string, Service>, compiler: Compiler): Route {
  const service = config.service === undefined ? null : (services.get(config.service) ?? null);
  const edits = (each: HeaderEdits): HeaderEditor | null =>
    each.set.length + each.add.length + each.remove.length === 0 ? null : new HeaderEditor(each, compiler.names);
  return new Route(config, {
    service,
    version: config.version === undefined ? null : (service?.find(config.version) ?? null),
    rate: compileRate(config.rateLimit, `route ${config.name}`, compiler),
    fault: config.fault === undefined ? null : new FaultInjector(config.fault, compiler.names, compiler.random),
    requestEdits: edits(config.requestHeaders),
    responseEdits: edits(config.responseHeaders),
  });
}

/** The route of a configuration that has none: everything goes to its only service. */
export const onlyRoute = (service: Service): Route =>
  new Route(
    {
      name: 'default',
      match: { pathPrefix: '/', methods: [], headers: [], query: [], flags: [] },
      service: service.name,
      requestHeaders: { set: [], add: [], remove: [] },
      responseHeaders: { set: [], add: [], remove: [] },
    },
    { service, version: null, rate: null, fault: null, requestEdits: null, responseEdits: null },
  );
