/**
 * File + runtime changes = what runs.
 *
 * Pure. A runtime change was right when it was made, but the file may have changed since: a weight for a version that is gone, a lane whose
 * version was renamed. Such a change is given up, and named with its reason, rather than the file refused: the file is what the operator has
 * just written, and it is valid by itself. What still fits stays. The same test decides about a new change, which is refused where
 * anything would have to be given up for it.
 *
 * It goes round in a loop: build the service with all changes, look for the first thing that does not fit, give up the change that it comes
 * from, build again. Without any change left the file's own service remains, so the loop ends.
 */
import type { FlagConfig } from '../../model/admin-config.ts';
import { isLane, LANES, type ServiceConfig, type SluiceConfig, type VersionConfig } from '../../model/config.ts';
import { needsKey } from '../config/resolve-flags.ts';
import {
  endpointKey,
  flagKey,
  flagOverrides,
  lanesKey,
  type OverrideEntries,
  overriddenKeys,
  overriddenServices,
  type ServiceOverrides,
  serviceOverrides,
  versionKey,
  weightsKey,
} from './overrides.ts';

/** A change that was given up. */
export interface Dropped {
  /** Its key in the store. */
  readonly key: string;
  readonly reason: string;
}

export interface Effective {
  readonly config: SluiceConfig;
  readonly dropped: readonly Dropped[];
}

export function withOverrides(file: SluiceConfig, entries: OverrideEntries): Effective {
  const dropped: Dropped[] = [];
  const services = file.services.map((service) => {
    const fitted = fitService(service, file, entries);
    dropped.push(...fitted.dropped);
    return fitted.service;
  });
  const known = new Set(file.services.map(({ name }) => name));
  for (const name of overriddenServices(entries)) {
    if (known.has(name)) continue;
    for (const key of overriddenKeys(entries, name)) {
      dropped.push({ key: `override/services/${name}/${key}`, reason: `there is no service ${name} any more` });
    }
  }
  const shares = new Map(flagOverrides(entries));
  for (const [name, share] of shares) {
    const flag = file.flags.find((each) => each.name === name);
    const reason = flagMisfit(name, share, flag);
    if (reason === null) continue;
    dropped.push({ key: flagKey(name), reason });
    shares.delete(name);
  }
  const flags = file.flags.map((flag) => {
    const share = shares.get(flag.name);
    return share === undefined ? flag : { ...flag, environments: { ...flag.environments, [file.environment]: share } };
  });
  return { config: { ...file, services, flags }, dropped };
}

function flagMisfit(name: string, share: number, flag: FlagConfig | undefined): string | null {
  if (flag === undefined) return `there is no flag ${name} any more`;
  if (flag.key !== undefined || !needsKey(share)) return null;
  return `${name} has no key any more to tell ${share} % of the users by`;
}

/** One service with its changes; the rest of the file is only looked at for references. */
export function fitService(
  service: ServiceConfig,
  file: SluiceConfig,
  entries: OverrideEntries,
): { readonly service: ServiceConfig; readonly dropped: readonly Dropped[] } {
  let changes = serviceOverrides(entries, service.name);
  const dropped: Dropped[] = [];
  for (;;) {
    const built = build(service, changes);
    const misfit = misfitOf(built, service, changes, file);
    if (misfit === null) {
      dropped.push(...spentRemovals(service, changes), ...lostEndpoints(built, changes));
      return { service: built, dropped };
    }
    const { giveUp, reason } = misfit;
    dropped.push({ key: giveUp.key, reason });
    changes = giveUp.from(changes);
  }
}

function build(service: ServiceConfig, changes: ServiceOverrides): ServiceConfig {
  const versions = new Map<string, VersionConfig>(service.versions.map((version) => [version.name, version]));
  for (const [name, endpoints] of changes.versions) {
    if (endpoints === null) versions.delete(name);
    else versions.set(name, { name, endpoints });
  }
  const names = [...versions.keys()];
  const weights = changes.weights ?? service.weights;
  return {
    ...service,
    versions: [...versions.values()],
    lanes: changes.lanes ?? service.lanes,
    weights: {
      ...Object.fromEntries(names.map((name) => [name, 0])),
      // What is given to a version that is gone is kept, to be found as a misfit.
      ...Object.fromEntries(Object.entries(weights).filter(([name, weight]) => versions.has(name) || weight > 0)),
    },
  };
}

interface GiveUp {
  readonly key: string;
  readonly from: (changes: ServiceOverrides) => ServiceOverrides;
}

interface Misfit {
  readonly giveUp: GiveUp;
  readonly reason: string;
}

function misfitOf(
  built: ServiceConfig,
  file: ServiceConfig,
  changes: ServiceOverrides,
  config: SluiceConfig,
): Misfit | null {
  const names = new Set(built.versions.map(({ name }) => name));
  const weights: GiveUp | null =
    changes.weights === null ? null : { key: weightsKey(file.name), from: (from) => ({ ...from, weights: null }) };
  const lanes: GiveUp | null =
    changes.lanes === null ? null : { key: lanesKey(file.name), from: (from) => ({ ...from, lanes: null }) };
  const version = (name: string): GiveUp | null => {
    if (!changes.versions.has(name)) return null;
    const from = (all: ServiceOverrides): ServiceOverrides => ({
      ...all,
      versions: new Map([...all.versions].filter(([other]) => other !== name)),
    });
    return { key: versionKey(file.name, name), from };
  };
  const misfit = (reason: string, ...from: readonly (GiveUp | null)[]): Misfit | null => {
    const giveUp = from.find((each) => each !== null);
    return giveUp === undefined || giveUp === null ? null : { giveUp, reason };
  };

  for (const lane of LANES) {
    const name = built.lanes[lane];
    if (name === undefined || names.has(name)) continue;
    const found = misfit(`${lane} names version ${name}, which is not there`, lanes, version(name));
    if (found !== null) return found;
  }
  for (const { name, where } of references(built, config)) {
    if (names.has(name)) continue;
    const found = misfit(`${where} names ${name}, which would not be there`, version(name));
    if (found !== null) return found;
  }
  const removed = [...changes.versions.keys()].map(version);
  for (const [name, weight] of Object.entries(built.weights)) {
    if (names.has(name)) continue;
    const found = misfit(`version ${name} has a weight of ${weight} but is not there`, weights, version(name));
    if (found !== null) return found;
  }
  const sum = Object.values(built.weights).reduce((total, weight) => total + Math.round(weight * 100), 0);
  if (sum !== 10_000) {
    const found = misfit(`the weights sum to ${sum / 100}, not to 100`, weights, ...removed);
    if (found !== null) return found;
  }
  const { candidate } = built.lanes;
  if (candidate !== undefined && (built.weights[candidate] ?? 0) > 0) {
    const found = misfit(`${candidate} is in the candidate lane, which gets no weight`, lanes, weights);
    if (found !== null) return found;
  }
  const tried = built.experiments.find((each) => candidate !== undefined && (each.weights[candidate] ?? 0) > 0);
  if (tried !== undefined) {
    const found = misfit(`${candidate} would be the candidate, but experiment ${tried.name} gives it a share`, lanes);
    if (found !== null) return found;
  }
  const sharing = Object.values(built.weights).filter((weight) => weight > 0).length;
  if (built.split.strategy === 'latency' && built.split.floor * sharing > 100) {
    return misfit(`${sharing} versions cannot have at least ${built.split.floor}% each`, weights, ...removed);
  }
  return null;
}

/** Versions that something outside of the weights names. A route may also name a lane, and one that no version is in. */
function references(
  service: ServiceConfig,
  config: SluiceConfig,
): readonly { readonly name: string; readonly where: string }[] {
  const routes = routeReferences(config).get(service.name) ?? [];
  const experiments = service.experiments.flatMap((experiment) =>
    Object.keys(experiment.weights).map((name) => ({ name, where: `experiment ${experiment.name}` })),
  );
  const values = Object.values(service.split.header?.values ?? {}).map((name) => ({ name, where: 'split.values' }));
  return [...routes, ...experiments, ...values];
}

type RouteReferences = ReadonlyMap<string, readonly { readonly name: string; readonly where: string }[]>;

/** By configuration: thousands of routes are looked through once, not once for every service and change. */
const REFERENCES = new WeakMap<SluiceConfig['routes'], RouteReferences>();

/** Versions that routes name, by service. */
function routeReferences({ routes }: SluiceConfig): RouteReferences {
  const known = REFERENCES.get(routes);
  if (known !== undefined) return known;
  const naming = routes.filter(({ version }) => version !== undefined && !isLane(version));
  const grouped = Map.groupBy(naming, (route) => route.service ?? '');
  const found = new Map(
    Array.from(grouped, ([service, group]) => [
      service,
      group.map(({ name, version }) => ({ name: version!, where: `route ${name}` })),
    ]),
  );
  REFERENCES.set(routes, found);
  return found;
}

/** Versions that were taken out and that the file has no more; kept, it would take out one of that name that comes years later. */
function spentRemovals(file: ServiceConfig, changes: ServiceOverrides): Dropped[] {
  const names = new Set(file.versions.map(({ name }) => name));
  return [...changes.versions]
    .filter(([name, endpoints]) => endpoints === null && !names.has(name))
    .map(([name]) => ({ key: versionKey(file.name, name), reason: `version ${name} is not in the file any more` }));
}

function lostEndpoints(service: ServiceConfig, changes: ServiceOverrides): Dropped[] {
  const urls = new Set(service.versions.flatMap(({ endpoints }) => endpoints.map(({ url }) => url)));
  return [...changes.endpoints.keys()]
    .filter((url) => !urls.has(url))
    .map((url) => ({ key: endpointKey(service.name, url), reason: `there is no endpoint ${url} any more` }));
}
