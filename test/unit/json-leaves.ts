/** Every single value in a JSON value, and the same JSON with one of them changed: what a digest has to notice. */

type Path = readonly string[];

/** Paths of all values that are no lists or mappings. */
export function leaves(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, part]) => leaves(part, [...path, key]));
}

/** A copy in which the value at `path` is another one of its kind. */
export function tampered<T>(value: T, path: Path): T {
  const copy = structuredClone(value);
  const last = path.at(-1)!;
  let at = copy as Record<string, unknown>;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
  at[last] = other(at[last]);
  return copy;
}

function other(value: unknown): unknown {
  if (typeof value === 'string') return `${value}x`;
  if (typeof value === 'number') return value + 1;
  return value === null ? 0 : !value;
}
