/**
 * All strategies: the presets, those of the file, and what they build on each other.
 *
 * `extends` lays what a strategy says over what another one says, as a later file is laid over an earlier one: mappings are merged, lists and
 * values replaced. A strategy may extend the preset whose place it takes. What comes out is checked as a whole, since two good halves need not make a
 * good strategy; but of what it only inherited, nothing is reported twice: where the strategy below has faults, those are told there.
 */
import { isDeepStrictEqual } from 'node:util';
import type { StrategyConfig } from '../../model/rollout-config.ts';
import type { ConfigPath, Message } from './faults.ts';
import { nameHint } from './nearest-name.ts';
import { PRESETS } from './presets.ts';
import type { RawStrategy } from './raw-rollouts.ts';
import { resolveOne } from './resolve-strategy.ts';
import type { Review } from './review.ts';
import type { StrategyScope } from './strategy-scope.ts';

type RawStrategies = Readonly<Record<string, RawStrategy>>;
type Mapping = Readonly<Record<string, unknown>>;

const PATH: ConfigPath = ['strategies'];

/** How many others a strategy may lie on; nobody reads further, and each costs a place on the stack. */
const MOST_EXTENDED = 16;

let presets: readonly StrategyConfig[] | null = null;

/** In the order of presets.ts. */
export function presetStrategies(): readonly StrategyConfig[] {
  presets ??= Object.entries(PRESETS).map(([name, raw]) => resolveOne(name, raw, [...PATH, name], PRESET_SCOPE));
  return presets;
}

export const isPresetName = (name: string): boolean => Object.hasOwn(PRESETS, name);

/** Whether it is the preset of its name, and not one of the file that has taken its place. */
export const isPreset = (strategy: StrategyConfig): boolean =>
  presetStrategies().some((preset) => isDeepStrictEqual(preset, strategy));

/** A preset with a fault would be a mistake of this program, not of a user. */
const PRESET_SCOPE: StrategyScope = {
  review: {
    report: (path, message) => refusePreset(path, message),
    reportKey: (path, message) => refusePreset(path, message),
    sound: () => true,
  },
  metrics: [],
  approvers: [],
  secret: () => null,
  checkCommand: () => undefined,
};

function refusePreset(path: ConfigPath, message: Message): never {
  throw new Error(`preset ${path.join('.')}: ${typeof message === 'string' ? message : message()}`);
}

/** Those of the file, behind the presets whose place none of them takes. */
export function resolveStrategies(raw: unknown, scope: StrategyScope): StrategyConfig[] {
  const written = isMapping(raw) ? (raw as RawStrategies) : {};
  const file = new FileStrategies(written, scope);
  const own = Object.keys(written).flatMap((name) => file.resolve(name) ?? []);
  const names = new Set(own.map(({ name }) => name));
  return [...presetStrategies().filter(({ name }) => !names.has(name)), ...own];
}

class FileStrategies {
  readonly #written: RawStrategies;
  readonly #scope: StrategyScope;
  /** Of each strategy that has been looked at, merged with what it extends; null where that cannot be told. */
  readonly #merged = new Map<string, RawStrategy | null>();
  /** On how many of the file each lies. */
  readonly #heights = new Map<string, number>();
  readonly #resolved = new Map<string, StrategyConfig | null>();
  readonly #faulty = new Set<string>();

  constructor(written: RawStrategies, scope: StrategyScope) {
    this.#written = written;
    this.#scope = scope;
  }

  resolve(name: string): StrategyConfig | null {
    const known = this.#resolved.get(name);
    if (known !== undefined) return known;
    const merged = this.#mergedOf(name, []);
    const strategy = merged === null ? null : this.#resolve(name, merged);
    this.#resolved.set(name, strategy);
    return strategy;
  }

  #resolve(name: string, merged: RawStrategy): StrategyConfig {
    const path = [...PATH, name];
    const own = this.#written[name]!;
    const below = own.extends === undefined ? {} : (this.#below(name, own.extends) ?? {});
    // What is merged is no circle, so this comes to an end; its faults come first.
    if (this.#extendsWritten(name, own)) this.resolve(own.extends!);
    const isInherited = (at: ConfigPath): boolean => inherits(own, below, at.slice(path.length));
    const isBelowFaulty = this.#extendsWritten(name, own) && this.#faulty.has(own.extends!);
    const { review } = this.#scope;
    const told = (at: ConfigPath): boolean => {
      this.#faulty.add(name);
      return !(isBelowFaulty && isInherited(at));
    };
    const screened: Review = {
      report: (at, message) => told(at) && review.report(at, message),
      reportKey: (at, message) => told(at) && review.reportKey(at, message),
      sound: (at) => isInherited(at) || review.sound(at),
    };
    return resolveOne(name, merged, path, { ...this.#scope, review: screened });
  }

  /** Whether it extends one of the file, rather than a preset. */
  #extendsWritten(name: string, own: RawStrategy): boolean {
    return own.extends !== undefined && own.extends !== name && Object.hasOwn(this.#written, own.extends);
  }

  /** The strategy that `name` extends, merged with what it extends itself. */
  #below(name: string, base: string): RawStrategy | null {
    if (base !== name && Object.hasOwn(this.#written, base)) return this.#merged.get(base) ?? null;
    return isPresetName(base) ? PRESETS[base as keyof typeof PRESETS] : null;
  }

  /** @param trail those that led here. */
  #mergedOf(name: string, trail: readonly string[]): RawStrategy | null {
    const known = this.#merged.get(name);
    if (known !== undefined) return known;
    const merged = this.#merge(name, trail);
    this.#merged.set(name, merged);
    return merged;
  }

  #merge(name: string, trail: readonly string[]): RawStrategy | null {
    const { review } = this.#scope;
    const own = this.#written[name];
    const path = [...PATH, name, 'extends'];
    if (!isMapping(own)) return null;
    if (own.extends === undefined) return own;
    if (!review.sound(path)) return null;
    const base = own.extends as string;
    if (this.#extendsWritten(name, own)) {
      const way = [...trail, name];
      if (way.includes(base)) {
        review.report(path, `${[...way.slice(way.indexOf(base)), base].join(' extends ')}; break the circle`);
        return null;
      }
      const below = way.length > MOST_EXTENDED ? null : this.#mergedOf(base, way);
      const height = (this.#heights.get(base) ?? 0) + 1;
      this.#heights.set(name, height);
      if (way.length > MOST_EXTENDED || height > MOST_EXTENDED) {
        review.report(
          path,
          `extends ${base}, and so on, more than ${MOST_EXTENDED} times over; write some of them out`,
        );
        return null;
      }
      // Whether a part that it inherits has its shape is told there.
      return below === null || !review.sound([...PATH, base]) ? null : lay(below, own);
    }
    if (isPresetName(base)) return lay(PRESETS[base as keyof typeof PRESETS], own);
    if (base === name) review.report(path, 'a strategy cannot extend itself; name another one');
    else review.report(path, () => `no strategy ${base}; ${nameHint(base, this.#names(name))}`);
    return null;
  }

  #names(except: string): string[] {
    const names = new Set([...Object.keys(PRESETS), ...Object.keys(this.#written)]);
    return [...names].filter((name) => name !== except || isPresetName(name));
  }
}

/** What `own` says, over what `below` says. */
export function lay(below: RawStrategy, own: RawStrategy): RawStrategy {
  const { extends: _, ...rest } = own;
  return layParts(below as Mapping, rest as Mapping) as RawStrategy;
}

function layParts(below: Mapping, own: Mapping): Mapping {
  const parts = new Map(Object.entries(below));
  for (const [key, over] of Object.entries(own)) {
    const under = parts.get(key);
    parts.set(key, isMapping(under) && isMapping(over) ? layParts(under, over) : over);
  }
  return Object.fromEntries(parts);
}

/** Whether the part at `path` stands in `below` and not in `own`, the one being laid over the other. */
export function inherits(own: unknown, below: unknown, path: ConfigPath): boolean {
  const [step, ...rest] = path;
  if (step === undefined || !isMapping(own) || !isMapping(below)) return false;
  if (!Object.hasOwn(below, step)) return false;
  return !Object.hasOwn(own, step) || inherits(own[step], below[step], rest);
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
