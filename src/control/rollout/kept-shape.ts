/**
 * The shape of a rollout as it is kept, and whether a value from the store has it.
 *
 * A shape is plain data: the name of a kind of value, `[shape]` for a list, `maybe` for what may be null, `map` for names of one's own, `kinds` for
 * alternatives that a field tells apart, and otherwise the fields that must be there. Further fields are not looked at, so that what a later
 * version adds is no fault, and so are those that nothing is done with but showing or comparing them. It is a table and not a JSON schema,
 * because it is read once, at the start, and a compiler for it would take longer than the rollouts.
 */
type Kind = 'text' | 'number' | 'integer' | 'time' | 'percent' | 'flag' | 'zone' | 'anything';

export type Shape =
  | Kind
  | readonly [Shape]
  | { readonly maybe: Shape }
  | { readonly map: Shape }
  | { readonly kinds: string; readonly of: Readonly<Record<string, Shape>> }
  | { readonly fields: Readonly<Record<string, Shape>> };

/** Of a Date. */
const LATEST = 8.64e15;

const KINDS: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string',
  number: (value) => Number.isFinite(value),
  integer: (value) => Number.isSafeInteger(value),
  time: (value) => typeof value === 'number' && Math.abs(value) <= LATEST,
  percent: (value) => typeof value === 'number' && value >= 0 && value <= 100,
  flag: (value) => typeof value === 'boolean',
  zone: isZone,
  anything: () => true,
};

function isZone(value: unknown): boolean {
  try {
    return typeof value === 'string' && new Intl.DateTimeFormat('en', { timeZone: value }) !== null;
  } catch {
    return false;
  }
}

/** @returns the first that is wrong, such as `strategy.steps.0.weight is no percent`; null where nothing is. */
export function misshapen(value: unknown, shape: Shape, at = 'it'): string | null {
  if (typeof shape === 'string') return KINDS[shape](value) ? null : `${at} is no ${shape}`;
  if ('maybe' in shape) return value === null ? null : misshapen(value, shape.maybe, at);
  const below = (key: string): string => (at === 'it' ? key : `${at}.${key}`);
  if (isList(shape)) {
    if (!Array.isArray(value)) return `${at} is no list`;
    return first(value, (each, index) => misshapen(each, shape[0], below(String(index))));
  }
  if (!isMapping(value)) return `${at} is no mapping`;
  if ('map' in shape) return first(Object.entries(value), ([key, each]) => misshapen(each, shape.map, below(key)));
  if ('kinds' in shape) {
    const kind = own(value, shape.kinds);
    const found = typeof kind === 'string' && Object.hasOwn(shape.of, kind) ? shape.of[kind] : undefined;
    return found === undefined ? `${below(shape.kinds)} is none that is known` : misshapen(value, found, at);
  }
  return first(Object.entries(shape.fields), ([key, each]) => misshapen(own(value, key), each, below(key)));
}

function first<T>(things: readonly T[], fault: (thing: T, index: number) => string | null): string | null {
  for (const [index, thing] of things.entries()) {
    const found = fault(thing, index);
    if (found !== null) return found;
  }
  return null;
}

const own = (value: Readonly<Record<string, unknown>>, key: string): unknown =>
  Object.hasOwn(value, key) ? value[key] : undefined;

const isList = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape);

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
