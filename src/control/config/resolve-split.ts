/**
 * How a request gets its version: split, experiments and override.
 *
 * Weights are compared in hundredths of a percent as whole numbers, because 33.33 + 33.33 + 33.34 is not 100 in binary.
 * A key that the chosen strategy would not look at is refused rather than ignored: whoever wrote it expects something of it.
 */
import type { ServiceConfig } from '../../model/config.ts';
import type { ExperimentConfig, SplitConfig, SplitStrategy } from '../../model/policy-config.ts';
import type { ConfigPath } from './faults.ts';
import { checkHeaderName } from './header-names.ts';
import type { RawExperiment, RawService, RawSplit, RawWeights } from './raw-config.ts';
import { resolveKey } from './resolve-key.ts';
import { checkHundredths, resolveSettings } from './resolve-settings.ts';
import { type VersionNames, versionFault } from './resolve-versions.ts';
import type { Review } from './review.ts';
import { EXPERIMENT, PLAIN_DEFAULTS, SPLIT } from './settings.ts';
import { shown } from './structure.ts';
import { parsePercent } from './units.ts';

type Weights = Readonly<Record<string, number>>;

/** Which strategy looks at which key of a split. */
const OWNERS = { key: 'hash', header: 'header', values: 'header', floor: 'latency' } as const;

export function resolveSplit(raw: RawSplit | undefined, versions: VersionNames, path: ConfigPath, review: Review) {
  const strategy: SplitStrategy =
    (review.sound([...path, 'strategy']) && raw?.strategy) || PLAIN_DEFAULTS.splitStrategy;
  const weights = resolveWeights(raw, strategy, versions, path, review);
  const { floor } = resolveSettings(SPLIT, raw, path, review);
  if (raw === undefined || !review.sound(path)) return { weights, split: { strategy, floor } };

  for (const [part, owner] of Object.entries(OWNERS)) {
    if (owner === strategy || !Object.hasOwn(raw, part)) continue;
    review.reportKey([...path, part], `is not used by strategy ${strategy}; remove it, or write strategy: ${owner}`);
  }
  if (strategy === 'hash' && raw.key === undefined) {
    review.report(path, 'key is missing; strategy hash needs it, such as key: {header: X-User-Id}');
  }
  if (strategy === 'latency') {
    const sharing = Object.values(weights).filter((weight) => weight > 0).length;
    if (floor * sharing > 100) {
      review.report([...path, 'floor'], `${sharing} versions cannot have ${floor}% each; lower it`);
    }
  }
  const split: SplitConfig = {
    strategy,
    floor,
    ...(raw.key === undefined ? {} : { key: resolveKey(raw.key, [...path, 'key'], review) }),
    ...(strategy === 'header' ? { header: resolveHeader(raw, versions, path, review) } : {}),
  };
  return { weights, split };
}

function resolveHeader(raw: RawSplit, versions: VersionNames, path: ConfigPath, review: Review) {
  const values = raw.values ?? {};
  for (const part of ['header', 'values'] as const) {
    if (raw[part] !== undefined) continue;
    const example = part === 'header' ? 'header: X-Tenant' : `values: {acme: ${versions.names[0] ?? 'v1'}}`;
    review.report(path, `${part} is missing; strategy header needs it, such as ${example}`);
  }
  for (const [value, version] of Object.entries(values)) {
    const fault = versionFault(version, versions);
    if (fault !== null) review.report([...path, 'values', value], fault);
  }
  const name = raw.header === undefined ? '' : checkHeaderName(raw.header, [...path, 'header'], review);
  return { name, values: Object.fromEntries(Object.entries(values)) };
}

function resolveWeights(
  raw: RawSplit | undefined,
  strategy: SplitStrategy,
  versions: VersionNames,
  path: ConfigPath,
  review: Review,
): Weights {
  const { names, lanes } = versions;
  const written = review.sound([...path, 'weights']) ? raw?.weights : undefined;
  if (written !== undefined) {
    const shares = resolveShares(written, versions, [...path, 'weights'], review);
    return Object.fromEntries(names.map((name) => [name, Object.hasOwn(shares, name) ? shares[name]! : 0]));
  }
  if (strategy === 'latency' || strategy === 'round_robin') return equalWeights(versions);
  if (raw !== undefined && review.sound(path) && strategy !== 'header') {
    const example = lanes.stable === '' ? 'v1' : lanes.stable;
    review.report(path, `weights is missing; strategy ${strategy} needs it, such as weights: {${example}: 100}`);
  }
  return Object.fromEntries(names.map((name) => [name, name === lanes.stable ? 100 : 0]));
}

/** The same for every version but the candidate, in hundredths of a percent; stable gets what does not divide. */
function equalWeights({ names, lanes }: VersionNames): Weights {
  const sharing = names.filter((name) => name !== lanes.candidate);
  const each = Math.floor(10_000 / sharing.length);
  const rest = 10_000 - each * sharing.length;
  return Object.fromEntries(
    names.map((name) => {
      if (name === lanes.candidate) return [name, 0];
      return [name, (each + (name === lanes.stable ? rest : 0)) / 100];
    }),
  );
}

/** Percent per version as written, checked. */
function resolveShares(written: RawWeights, versions: VersionNames, path: ConfigPath, review: Review): Weights {
  let sum = 0;
  const shares: [string, number][] = [];
  for (const [name, value] of Object.entries(written)) {
    const place = [...path, name];
    const weight = parsePercent(value) ?? 0;
    const unknown = versionFault(name, versions);
    if (unknown !== null) review.reportKey(place, unknown);
    else if (name === versions.lanes.candidate && weight > 0) {
      const message = `${name} is in the candidate lane, which gets no weight; set 0, or make it the canary`;
      review.report(place, message);
    }
    if (weight > 100) review.report(place, `must be a percentage from 0 to 100, not ${shown(value)}`);
    else checkHundredths(weight, place, review);
    sum += Math.round(weight * 100);
    shares.push([name, weight]);
  }
  if (sum !== 10_000) {
    const [verb, gap] = sum < 10_000 ? ['raise', 10_000 - sum] : ['lower', sum - 10_000];
    review.report(path, `weights sum to ${sum / 100}, must be 100; ${verb} one by ${gap / 100}`);
  }
  return Object.fromEntries(shares);
}

export function resolveExperiments(
  raw: readonly RawExperiment[] | undefined,
  versions: VersionNames,
  path: ConfigPath,
  review: Review,
): readonly ExperimentConfig[] {
  if (!Array.isArray(raw)) return [];
  const seen = new Set<string>();
  return raw.flatMap((experiment: RawExperiment, index) => {
    const place = [...path, index];
    if (!review.sound(place)) return [];
    const { name } = experiment;
    if (seen.has(name)) review.report([...place, 'name'], `${name} is there twice; give each experiment its own name`);
    seen.add(name);
    return {
      name,
      key: resolveKey(experiment.key, [...place, 'key'], review),
      salt: experiment.salt ?? name,
      ...resolveSettings(EXPERIMENT, experiment, place, review),
      weights: resolveShares(experiment.weights, versions, [...place, 'weights'], review),
    };
  });
}

export function resolveOverride(
  raw: RawService['override'],
  path: ConfigPath,
  review: Review,
): ServiceConfig['override'] {
  if (raw === undefined || !review.sound(path)) return undefined;
  if (raw.header !== undefined) checkHeaderName(raw.header, [...path, 'header'], review);
  return {
    ...(raw.header === undefined ? {} : { header: raw.header }),
    ...(raw.cookie === undefined ? {} : { cookie: raw.cookie }),
  };
}
