/**
 * Weights while somebody changes them: the sum is 100 after every move, so there is no moment at which they could not be applied.
 *
 *     a version but stable moves    stable gives or takes the difference; where it has no more to give, the other versions do, in proportion
 *     stable moves                  the other versions share the difference in proportion; where they have nothing, the canary takes it
 *
 * Counted in hundredths of a percent, whole numbers, because a sum of decimal fractions is seldom 100. What does not divide goes to those who lose most by
 * rounding down. A candidate has no weight and never gets one here, as the API would refuse it.
 *
 * An edit has the entity tag of the weights that it began from. States that come meanwhile do not touch it; where the tag of one is another, the edit is behind.
 */
import type { ServiceView } from '../../api/views.ts';

/** By version name, percent with two decimals. */
export type Weights = Readonly<Record<string, number>>;

export interface Edit {
  /** Of the weights that the edit began from. */
  readonly etag: string;
  readonly from: Weights;
  readonly to: Weights;
  /** The version that was moved last, and the weights before: a move that goes on begins from these, so dragging there and back changes nothing. */
  readonly grip: { readonly name: string; readonly weights: Weights } | null;
}

/** Nothing is edited where there is one version: it has everything. */
export const isEditable = ({ versions, lanes }: Pick<ServiceView, 'versions' | 'lanes'>): boolean =>
  versions.filter(({ name }) => name !== lanes.candidate).length > 1;

export const begun = ({ etag, weights }: Pick<ServiceView, 'etag' | 'weights'>): Edit => ({
  ...{ etag, from: weights, to: weights, grip: null },
});

/** @param to percent. */
export function edited(edit: Edit, lanes: ServiceView['lanes'], name: string, to: number): Edit {
  const grip = edit.grip?.name === name ? edit.grip : { name, weights: edit.to };
  return { ...edit, grip, to: moved(grip.weights, lanes, name, to) };
}

/** The same goal, begun from other weights; null where there are other versions by now. */
export function rebased(edit: Edit, now: Pick<ServiceView, 'etag' | 'weights'>): Edit | null {
  const names = Object.keys(now.weights);
  const same = names.length === Object.keys(edit.to).length && names.every((name) => edit.to[name] !== undefined);
  return same ? { ...begun(now), to: edit.to } : null;
}

const ALL = 10_000;

/** @param to percent; beyond 0 and 100 it counts as these. */
export function moved(weights: Weights, lanes: ServiceView['lanes'], name: string, to: number): Weights {
  const { stable, canary, candidate } = lanes;
  const parts = new Map(Object.entries(weights).map(([each, weight]) => [each, hundredths(weight)]));
  if (name === candidate || !parts.has(name)) return weights;
  const others = [...parts.keys()].filter((each) => each !== name && each !== candidate);
  if (others.length === 0) return weights;
  const given = Math.min(ALL, Math.max(0, hundredths(to)));
  const rest = ALL - given;
  parts.set(name, given);
  if (name === stable) {
    share(parts, others, rest, canary !== undefined && others.includes(canary) ? canary : others[0]);
  } else {
    const bystanders = others.filter((each) => each !== stable);
    const kept = sumOf(parts, bystanders);
    if (others.includes(stable) && kept <= rest) parts.set(stable, rest - kept);
    else {
      if (others.includes(stable)) parts.set(stable, 0);
      share(parts, bystanders, rest, bystanders[0]);
    }
  }
  return Object.fromEntries([...parts].map(([each, part]) => [each, part / 100]));
}

export const sumOfWeights = (weights: Weights): number =>
  Object.values(weights).reduce((sum, weight) => sum + hundredths(weight), 0) / 100;

/** Divides `whole` in the proportion that the names have now. @param otherwise takes it where they have nothing. */
function share(
  parts: Map<string, number>,
  names: readonly string[],
  whole: number,
  otherwise: string | undefined,
): void {
  const sum = sumOf(parts, names);
  if (sum === 0) {
    if (otherwise !== undefined) parts.set(otherwise, whole);
    return;
  }
  const exact = names.map((name) => ({ name, part: ((parts.get(name) ?? 0) * whole) / sum }));
  let left = whole;
  for (const { name, part } of exact) {
    parts.set(name, Math.floor(part));
    left -= Math.floor(part);
  }
  for (const { name } of exact.toSorted((a, b) => (b.part % 1) - (a.part % 1)).slice(0, left)) {
    parts.set(name, (parts.get(name) ?? 0) + 1);
  }
}

const hundredths = (percent: number): number => Math.round(percent * 100);

const sumOf = (parts: ReadonlyMap<string, number>, names: readonly string[]): number =>
  names.reduce((sum, name) => sum + (parts.get(name) ?? 0), 0);

export const sameWeights = (a: Weights, b: Weights): boolean =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].every(
    (name) => hundredths(a[name] ?? 0) === hundredths(b[name] ?? 0),
  );
