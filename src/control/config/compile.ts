/**
 * Configuration → snapshot: what workers run.
 *
 * Pure: the same configuration, generation and predecessor give the same snapshot. It gives every version and endpoint its number,
 * which is its place in shared memory: one that was in the last snapshot keeps it, so that its counters, flags and connections stay its
 * own, and a new one takes the lowest that is free. It turns weights into whole hundredths of a percent, and takes addresses apart once, so that no request does. The
 * result is frozen; it shares nothing with the configuration. Health checks and the monitor belong to the control plane, which reads
 * them from the configuration itself, so they are not in it.
 */
import { type FlagConfig, flagShare, type TracingConfig } from '../../model/admin-config.ts';
import { type EndpointConfig, LANES, type ServiceConfig, type SluiceConfig } from '../../model/config.ts';
import type {
  EndpointSnapshot,
  FlagSnapshot,
  ServiceSnapshot,
  Snapshot,
  TracingSnapshot,
  VersionSnapshot,
} from '../../model/snapshot.ts';

/** @param previous the snapshot that this one follows. */
export function compileSnapshot(config: SluiceConfig, generation: number, previous?: Snapshot): Snapshot {
  const versionIds = new Numbering();
  const endpointIds = new Numbering();
  for (const service of previous?.services ?? []) {
    for (const version of service.versions) {
      versionIds.keep(versionKey(service.name, version.name), version.id);
      for (const endpoint of version.endpoints) {
        endpointIds.keep(endpointKey(service.name, version.name, endpoint.url), endpoint.id);
      }
    }
  }
  // What goes frees its number only now, so that nothing new can take it in the same snapshot that lets it go.
  const compileEndpoint = (service: string, version: string, endpoint: EndpointConfig): EndpointSnapshot => {
    const url = new URL(endpoint.url);
    return {
      id: endpointIds.of(endpointKey(service, version, endpoint.url)),
      url: endpoint.url,
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? 80 : Number(url.port),
      authority: url.host,
      weight: endpoint.weight,
      maxRequests: endpoint.maxRequests,
    };
  };

  const compileVersions = (service: ServiceConfig): VersionSnapshot[] =>
    service.versions.map((version) => ({
      id: versionIds.of(versionKey(service.name, version.name)),
      name: version.name,
      lane: LANES.find((lane) => service.lanes[lane] === version.name) ?? null,
      weight: Math.round((service.weights[version.name] ?? 0) * 100),
      endpoints: version.endpoints.map((endpoint) => compileEndpoint(service.name, version.name, endpoint)),
    }));

  const compileService = (service: ServiceConfig, id: number): ServiceSnapshot => ({
    id,
    name: service.name,
    versions: compileVersions(service),
    stable: service.versions.findIndex((version) => version.name === service.lanes.stable),
    split: service.split,
    experiments: service.experiments,
    overrideHeader: service.override?.header?.toLowerCase() ?? null,
    overrideCookie: service.override?.cookie ?? null,
    affinity: service.affinity ?? null,
    balance: service.balance,
    outlier: service.outlier ?? null,
    retry: service.retry ?? null,
    retryBudget: service.retryBudget,
    shield: service.shield ?? null,
    hedge: service.hedge ?? null,
    circuit: service.circuit,
    rateLimit: service.rateLimit ?? null,
    timeouts: service.timeouts,
    pool: service.pool,
    exposeVersion: service.exposeVersion,
  });

  const snapshot: Snapshot = {
    generation,
    limits: config.limits,
    timeouts: config.timeouts,
    trustedProxies: config.trustedProxies,
    headers: config.headers,
    services: config.services.map(compileService),
    routes: config.routes,
    flags: config.flags.map((flag) => compileFlag(flag, config.environment)),
    accessLog: config.accessLog,
    tracing: config.tracing === null ? null : compileTracing(config.tracing),
  };
  return freeze(structuredClone(snapshot));
}

const compileTracing = ({ sample, parent, maxPerSecond }: TracingConfig): TracingSnapshot => ({
  sample,
  parent,
  maxPerSecond,
});

const compileFlag = (flag: FlagConfig, environment: string): FlagSnapshot => ({
  name: flag.name,
  share: Math.round(flagShare(flag, environment) * 100),
  key: flag.key ?? null,
  header: flag.header ?? null,
});

const versionKey = (service: string, version: string): string => `${service}\n${version}`;
const endpointKey = (service: string, version: string, url: string): string => `${service}\n${version}\n${url}`;

/** Numbers for names: those kept, else the lowest that neither this snapshot nor the one before it uses. */
class Numbering {
  readonly #known = new Map<string, number>();
  readonly #taken = new Set<number>();
  #next = 0;

  keep(name: string, id: number): void {
    this.#known.set(name, id);
    this.#taken.add(id);
  }

  of(name: string): number {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    while (this.#taken.has(this.#next)) this.#next++;
    this.keep(name, this.#next);
    return this.#next;
  }
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) freeze(part);
    Object.freeze(value);
  }
  return value;
}
