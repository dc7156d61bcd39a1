/**
 * Runtime changes: what operators have changed through the API, laid over the configuration file.
 *
 * Each is one value in the store under a key of its own, so that a change writes what it changes and nothing else:
 *
 *     override/services/SERVICE/weights              { v1: 90, v2: 10 }
 *     override/services/SERVICE/lanes                { stable: v1, canary: v2 }
 *     override/services/SERVICE/versions/VERSION     [ endpoints ], or null for a version that was taken out
 *     override/services/SERVICE/endpoints/URL        { state, until }
 *     override/services/SERVICE/rollback             { by, everyMs, reason, nextAt }
 *     override/flags/FLAG                            percent
 *
 * The values in memory are the same as in the store; this file only gives them types. Names of services and versions have no slash; a URL is
 * the last part of its key.
 */
import type { EndpointConfig, ServiceConfig } from '../../model/config.ts';

export const OVERRIDES = 'override/';
const SERVICES = 'override/services/';
const FLAGS = 'override/flags/';

/** By key, as in the store. */
export type OverrideEntries = ReadonlyMap<string, unknown>;

export interface EndpointOverride {
  readonly state: 'draining' | 'disabled';
  /** When draining ends, milliseconds since 1970; null: when somebody ends it. */
  readonly until: number | null;
}

/** A gradual rollback under way. */
export interface RollbackOverride {
  /** Percentage points per step. */
  readonly by: number;
  readonly everyMs: number;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly nextAt: number;
}

export interface ServiceOverrides {
  readonly weights: Readonly<Record<string, number>> | null;
  readonly lanes: ServiceConfig['lanes'] | null;
  /** Null: taken out. */
  readonly versions: ReadonlyMap<string, readonly EndpointConfig[] | null>;
  readonly endpoints: ReadonlyMap<string, EndpointOverride>;
  readonly rollback: RollbackOverride | null;
}

export const weightsKey = (service: string): string => `${SERVICES}${service}/weights`;
export const lanesKey = (service: string): string => `${SERVICES}${service}/lanes`;
export const rollbackKey = (service: string): string => `${SERVICES}${service}/rollback`;
export const versionKey = (service: string, version: string): string => `${SERVICES}${service}/versions/${version}`;
export const endpointKey = (service: string, url: string): string => `${SERVICES}${service}/endpoints/${url}`;
export const isEndpointKey = (key: string): boolean => key.startsWith(SERVICES) && key.includes('/endpoints/');
export const flagKey = (flag: string): string => `${FLAGS}${flag}`;

const NOTHING: ServiceOverrides = {
  weights: null,
  lanes: null,
  versions: new Map(),
  endpoints: new Map(),
  rollback: null,
};

/** The gradual rollback of a service, null where there is none. */
export const rollbackOf = (entries: OverrideEntries, service: string): RollbackOverride | null =>
  (entries.get(rollbackKey(service)) as RollbackOverride | undefined) ?? null;

/** What is changed of one service. */
export function serviceOverrides(entries: OverrideEntries, service: string): ServiceOverrides {
  const prefix = `${SERVICES}${service}/`;
  const versions = new Map<string, readonly EndpointConfig[] | null>();
  const endpoints = new Map<string, EndpointOverride>();
  for (const [key, value] of entries) {
    if (!key.startsWith(prefix)) continue;
    const rest = key.slice(prefix.length);
    if (rest.startsWith('versions/')) versions.set(rest.slice(9), value as readonly EndpointConfig[] | null);
    else if (rest.startsWith('endpoints/')) endpoints.set(rest.slice(10), value as EndpointOverride);
  }
  return {
    ...NOTHING,
    weights: (entries.get(weightsKey(service)) as ServiceOverrides['weights'] | undefined) ?? null,
    lanes: (entries.get(lanesKey(service)) as ServiceOverrides['lanes'] | undefined) ?? null,
    rollback: rollbackOf(entries, service),
    versions,
    endpoints,
  };
}

/** Names of the services that something is changed of. */
export function overriddenServices(entries: OverrideEntries): ReadonlySet<string> {
  const names = new Set<string>();
  for (const key of entries.keys()) {
    if (key.startsWith(SERVICES)) names.add(key.slice(SERVICES.length, key.indexOf('/', SERVICES.length)));
  }
  return names;
}

/** Keys of one service's changes, without the service: `weights`, `versions/v3`. */
export function overriddenKeys(entries: OverrideEntries, service: string): string[] {
  const prefix = `${SERVICES}${service}/`;
  return [...entries.keys()]
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length))
    .sort();
}

/** Percent by flag. */
export function flagOverrides(entries: OverrideEntries): ReadonlyMap<string, number> {
  const flags = new Map<string, number>();
  for (const [key, value] of entries) if (key.startsWith(FLAGS)) flags.set(key.slice(FLAGS.length), value as number);
  return flags;
}
