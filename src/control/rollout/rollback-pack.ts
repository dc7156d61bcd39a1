/**
 * The rollback pack: what a service was like before a rollout, so that it can be put back and be compared afterwards. Pure, plain JSON.
 *
 *     parts      weights, lanes, versions, overrides, flags, config
 *     manifest   per part: SHA-256 and bytes of its canonical JSON (digest.ts)
 *     checksum   SHA-256 of the canonical JSON of { createdAt, id, manifest, rollout, service }
 *
 * So whatever is changed in a pack, a part or what is said of it, the checksum or the part's own sum does not fit any more, and {@link isIntact}
 * names it. That finds damage; somebody who can write the store can also compute sums, so the checksum belongs into the audit, whose chain is
 * another thing to forge.
 *
 * Taking traffic back does not wait for a pack: it needs nothing but the name of stable. The pack is what comes after: it says which lanes,
 * weights and flags to set, and what is not as it was. Of the weights one thing is meant to differ: what the version that failed had before
 * goes to stable. Where a version or flag of the pack is gone by now, the rest is put back, and the difference is said.
 *
 * The configuration is in it as it may be shown (config/redacted.ts), never put back, and only compared: the file belongs to whoever wrote
 * it. What cannot be seen in the shown form, a secret's value, is not compared.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ServiceConfig, SluiceConfig } from '../../model/config.ts';
import { differences, redactedConfig } from '../config/redacted.ts';
import type { FlagView } from '../operations.ts';
import { type OverrideEntries, overriddenKeys } from '../state/overrides.ts';
import { canonicalJson, sha256 } from './digest.ts';
import type { RollbackPackView } from './view.ts';

type Lanes = ServiceConfig['lanes'];
type Weights = Readonly<Record<string, number>>;

/** Percent of the users, and the runtime change of it; null where the file's value holds. */
export interface PackedFlag {
  readonly value: number;
  readonly override: number | null;
}

export interface PackParts {
  readonly weights: Weights;
  readonly lanes: Lanes;
  /** Endpoints by version. */
  readonly versions: Readonly<Record<string, ServiceConfig['versions'][number]['endpoints']>>;
  /** Runtime changes of the service, by key without `override/services/SERVICE/`. */
  readonly overrides: Readonly<Record<string, unknown>>;
  readonly flags: Readonly<Record<string, PackedFlag>>;
  readonly config: unknown;
}

export interface RollbackPack {
  readonly id: string;
  readonly rollout: string;
  readonly service: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly parts: PackParts;
  readonly manifest: RollbackPackView['manifest'];
  readonly checksum: string;
}

/** What runs. */
export interface PackState {
  readonly service: ServiceConfig;
  readonly config: SluiceConfig;
  readonly flags: readonly Pick<FlagView, 'name' | 'value' | 'override'>[];
}

const PARTS = ['weights', 'lanes', 'versions', 'overrides', 'flags', 'config'] as const satisfies (keyof PackParts)[];

export const packId = (rollout: string): string => `pack-${rollout}`;

/** Shares nothing with what it is given. */
export function packOf({
  rollout,
  service,
  config,
  flags,
  entries,
  now,
}: PackState & { readonly rollout: string; readonly entries: OverrideEntries; readonly now: number }): RollbackPack {
  const keys = overriddenKeys(entries, service.name);
  const state: PackParts = {
    weights: service.weights,
    lanes: service.lanes,
    versions: Object.fromEntries(service.versions.map(({ name, endpoints }) => [name, endpoints])),
    overrides: Object.fromEntries(keys.map((key) => [key, entries.get(`override/services/${service.name}/${key}`)])),
    flags: packedFlags(flags),
    config: redactedConfig(config),
  };
  // As the store will give it back.
  const parts: PackParts = JSON.parse(canonicalJson(state));
  const manifest = PARTS.map((part) => ({ part, ...sumOf(parts[part]) }));
  const head = { id: packId(rollout), rollout, service: service.name, createdAt: now };
  return { ...head, parts, manifest, checksum: checksumOf({ ...head, manifest }) };
}

const packedFlags = (flags: PackState['flags']): PackParts['flags'] =>
  Object.fromEntries(flags.map(({ name, value, override }) => [name, { value, override }]));

function sumOf(part: unknown): { sha256: string; bytes: number } {
  const text = canonicalJson(part);
  return { sha256: sha256(text), bytes: Buffer.byteLength(text) };
}

function checksumOf({ createdAt, id, manifest, rollout, service }: Omit<RollbackPack, 'parts' | 'checksum'>): string {
  return sha256(canonicalJson({ createdAt, id, manifest, rollout, service }));
}

export interface PackVerdict {
  readonly ok: boolean;
  /** Sentences. */
  readonly faults: readonly string[];
}

/** @param pack as it came from the store: anything may be in there. */
export function isIntact(pack: unknown): PackVerdict {
  const faults = isPack(pack) ? faultsOf(pack) : ['this is not a rollback pack'];
  return { ok: faults.length === 0, faults };
}

function isPack(value: unknown): value is RollbackPack {
  if (typeof value !== 'object' || value === null) return false;
  const { parts, manifest } = value as Partial<RollbackPack>;
  return typeof parts === 'object' && parts !== null && Array.isArray(manifest);
}

function faultsOf(pack: RollbackPack): string[] {
  const { parts, manifest, checksum, id, rollout } = pack;
  const faults: string[] = [];
  if (checksum !== checksumOf(pack)) faults.push('the checksum does not fit what the pack says of itself');
  if (id !== packId(rollout)) faults.push(`${id} is not the pack of ${rollout}`);
  const known = Object.keys(parts);
  for (const part of new Set([...PARTS, ...known])) {
    const entries = manifest.filter((entry) => entry?.part === part);
    const [entry] = entries;
    const isKept = Object.hasOwn(parts, part);
    if (!isKept) faults.push(`${part} is missing`);
    if (entries.length !== 1 || entry === undefined) faults.push(`the manifest names ${part} ${entries.length} times`);
    if (!isKept || entry === undefined) continue;
    const { sha256: sum, bytes } = sumOf(parts[part as keyof PackParts]);
    if (entry.sha256 !== sum || entry.bytes !== bytes) faults.push(`${part} is not what was packed`);
  }
  return faults;
}

export function packView(pack: RollbackPack): RollbackPackView {
  const { id, rollout, service, createdAt, manifest, checksum } = pack;
  return { id, rollout, service, createdAt: shownTime(createdAt), manifest, checksum, intact: isIntact(pack).ok };
}

/** A damaged pack is shown as well, and then this may be anything. */
function shownTime(at: unknown): string {
  const date = new Date(typeof at === 'number' ? at : Number.NaN);
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString();
}

export interface Restoration {
  readonly lanes: Lanes;
  /** Percent, every version that is there named, sum 100. */
  readonly weights: Weights;
  /** To be set to `value` percent; null: the runtime change is to be taken off. */
  readonly flags: readonly { readonly name: string; readonly value: number | null }[];
  /** Whether lanes and weights were runtime changes; where not, the file said so, and may again. */
  readonly overridden: { readonly lanes: boolean; readonly weights: boolean };
}

/**
 * What to set so that everything is as it was, as far as what is there allows. Nothing of a damaged pack is used: then lanes and flags stay as
 * they are, and what the failed version has now goes to stable.
 */
export function restorationOf(
  pack: RollbackPack,
  { service, flags }: Pick<PackState, 'service' | 'flags'>,
  failedVersion: string,
): Restoration {
  const { weights, lanes: was } = service;
  const parts = isIntact(pack).ok ? pack.parts : { weights, lanes: was, flags: {}, overrides: {} };
  const names = service.versions.map(({ name }) => name);
  const lanes = lanesFor(parts.lanes, service);
  const hundredths = new Map(names.map((name) => [name, 0]));
  for (const [name, weight] of Object.entries(parts.weights)) {
    const to = names.includes(name) && name !== failedVersion ? name : lanes.stable;
    hundredths.set(to, (hundredths.get(to) ?? 0) + Math.round(weight * 100));
  }
  return {
    lanes,
    weights: Object.fromEntries([...hundredths].map(([name, share]) => [name, share / 100])),
    flags: flags.flatMap(({ name, override }) => {
      const packed = flagIn(parts, name);
      return packed === undefined || packed.override === override ? [] : [{ name, value: packed.override }];
    }),
    overridden: {
      lanes: Object.hasOwn(parts.overrides, 'lanes'),
      weights: Object.hasOwn(parts.overrides, 'weights'),
    },
  };
}

const flagIn = ({ flags }: Pick<PackParts, 'flags'>, name: string): PackedFlag | undefined =>
  Object.hasOwn(flags, name) ? flags[name] : undefined;

/** Without what is gone; where stable is, the present one stays. */
function lanesFor(packed: Lanes, { versions, lanes }: Pick<ServiceConfig, 'versions' | 'lanes'>): Lanes {
  const isThere = (name: string | undefined): name is string => versions.some((each) => each.name === name);
  const stable = isThere(packed.stable) ? packed.stable : lanes.stable;
  const { canary, candidate } = packed;
  return {
    stable,
    ...(isThere(canary) && canary !== stable ? { canary } : {}),
    ...(isThere(candidate) && candidate !== stable ? { candidate } : {}),
  };
}

/** What a pack says of the state after a rollback. */
export interface Comparison {
  /** Lanes, weights, flags that are not what they should be, or a pack that is damaged: not restored. */
  readonly faults: readonly string[];
  /** What has changed meanwhile and is not for a rollback to change: the file, the versions. */
  readonly notes: readonly string[];
}

export function comparisonWith(pack: RollbackPack, now: PackState, failedVersion: string): Comparison {
  const { ok, faults } = isIntact(pack);
  if (!ok) return { faults: faults.map((fault) => `the rollback pack is damaged: ${fault}`), notes: [] };
  const { parts } = pack;
  return {
    faults: [
      ...laneFaults(parts, now.service),
      ...weightFaults(parts, now.service, failedVersion),
      ...flagFaults(parts, now.flags),
    ],
    notes: [
      ...movedShare(parts, failedVersion),
      ...versionNotes(parts, now.service),
      ...flagNotes(parts, now.flags),
      ...configNotes(parts.config, now.config, pack.service),
    ],
  };
}

/** Sentences: first what was not restored, then what has changed meanwhile. Empty: everything is as it was. */
export function differencesFrom(pack: RollbackPack, now: PackState, failedVersion: string): string[] {
  const { faults, notes } = comparisonWith(pack, now, failedVersion);
  return [...faults, ...notes];
}

/** As a rollout keeps it. */
export function verificationOf(
  pack: RollbackPack,
  now: PackState,
  failedVersion: string,
): { readonly ok: boolean; readonly differences: readonly string[] } {
  const { faults, notes } = comparisonWith(pack, now, failedVersion);
  return { ok: faults.length === 0, differences: [...faults, ...notes] };
}

function laneFaults({ lanes }: PackParts, service: ServiceConfig): string[] {
  return (['stable', 'canary', 'candidate'] as const)
    .filter((lane) => lanes[lane] !== service.lanes[lane])
    .map((lane) => `${lane} is ${service.lanes[lane] ?? 'nothing'}, and was ${lanes[lane] ?? 'nothing'}`);
}

function weightFaults({ weights, lanes }: PackParts, service: ServiceConfig, failed: string): string[] {
  const share = (of: Weights, name: string): number => (Object.hasOwn(of, name) ? Math.round(of[name]! * 100) : 0);
  const moved = failed === lanes.stable ? 0 : share(weights, failed);
  const wanted = (name: string): number =>
    name === lanes.stable ? share(weights, name) + moved : name === failed ? 0 : share(weights, name);
  return [...new Set([...Object.keys(weights), ...Object.keys(service.weights)])]
    .filter((name) => share(service.weights, name) !== wanted(name))
    .map((name) => `${name} has ${share(service.weights, name) / 100} %, and should have ${wanted(name) / 100} %`);
}

/** Runtime changes of flags that are not what they were; only those can be put back. */
function flagFaults(parts: PackParts, flags: PackState['flags']): string[] {
  return flags.flatMap(({ name, value, override }) => {
    const packed = flagIn(parts, name);
    if (packed === undefined || packed.override === override) return [];
    const how = (set: number | null, at: number): string => (set === null ? `${at} % by the file` : `set to ${at} %`);
    return [`flag ${name} is ${how(override, value)}, and was ${how(packed.override, packed.value)}`];
  });
}

function flagNotes(parts: PackParts, flags: PackState['flags']): string[] {
  return Object.entries(parts.flags).flatMap(([name, packed]) => {
    const flag = flags.find((each) => each.name === name);
    if (flag === undefined) return [`flag ${name} is not there any more; it was at ${packed.value} %`];
    if (flag.override !== packed.override || flag.value === packed.value) return [];
    return [`the file has flag ${name} at ${flag.value} % now, and had it at ${packed.value} %`];
  });
}

function movedShare({ weights, lanes }: PackParts, failed: string): string[] {
  const share = Object.hasOwn(weights, failed) ? weights[failed]! : 0;
  return share === 0 || failed === lanes.stable
    ? []
    : [`${failed} had ${share} % before, which ${lanes.stable} has now`];
}

function versionNotes({ versions }: PackParts, service: ServiceConfig): string[] {
  const present = new Map(service.versions.map(({ name, endpoints }) => [name, endpoints]));
  const lost = Object.keys(versions).filter((name) => !present.has(name));
  const added = [...present.keys()].filter((name) => !Object.hasOwn(versions, name));
  const changed = Object.entries(versions)
    .filter(([name, endpoints]) => present.has(name) && !isDeepStrictEqual(plainly(present.get(name)), endpoints))
    .map(([name]) => name);
  return [
    ...lost.map((name) => `version ${name} is not there any more`),
    ...added.map((name) => `version ${name} was not there before`),
    ...changed.map((name) => `version ${name} has other endpoints than before`),
  ];
}

/** Most changed keys that are named. */
const MOST_KEYS = 5;

function configNotes(packed: unknown, config: SluiceConfig, service: string): string[] {
  const keys = differences(
    withoutTraffic(packed, service),
    withoutTraffic(plainly(redactedConfig(config)), service),
  ).map(({ key }) => key);
  if (keys.length === 0) return [];
  const rest = keys.length > MOST_KEYS ? ` and ${keys.length - MOST_KEYS} more` : '';
  return [`the configuration has changed meanwhile: ${keys.slice(0, MOST_KEYS).join(', ')}${rest}`];
}

type Mapping = Readonly<Record<string, unknown>>;

/** Without what rollouts and operators move: lanes and weights, of this service the versions as well, and how far flags are on. */
function withoutTraffic(config: unknown, service: string): unknown {
  const { services, flags, ...rest } = config as Mapping & { services?: Mapping; flags?: Mapping };
  return {
    ...rest,
    services: mapped(services, (each, name) =>
      omit(each, ['lanes', 'weights', ...(name === service ? ['versions'] : [])]),
    ),
    flags: mapped(flags, (each) => omit(each, ['default', 'environments'])),
  };
}

const mapped = (mapping: Mapping | undefined, change: (value: unknown, name: string) => unknown): Mapping =>
  Object.fromEntries(Object.entries(mapping ?? {}).map(([name, value]) => [name, change(value, name)]));

const omit = (value: unknown, names: readonly string[]): Mapping =>
  Object.fromEntries(Object.entries(value as Mapping).filter(([name]) => !names.includes(name)));

const plainly = (value: unknown): unknown => JSON.parse(canonicalJson(value));
