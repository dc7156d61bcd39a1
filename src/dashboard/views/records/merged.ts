/**
 * Lists of numbered rows as one: newest first, each row once, whichever list it is in.
 */
export function merged<T>(numberOf: (row: T) => number, ...lists: readonly (readonly T[])[]): T[] {
  const rows = new Map<number, T>();
  for (const list of lists) for (const row of list) rows.set(numberOf(row), row);
  return [...rows.values()].sort((a, b) => numberOf(b) - numberOf(a));
}
