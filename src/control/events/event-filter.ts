/**
 * Which events a reader wants: a list of types, or prefixes of types that end in `*`. An empty list is everything.
 *
 * `endpoint.*` matches what begins with `endpoint.`, `*` everything. A type that there is not matches nothing; that it is a mistake has
 * to be said by whoever read it from a person.
 */
import type { EventType } from './event.ts';

export function matchesTypes(types: readonly string[], type: EventType): boolean {
  if (types.length === 0) return true;
  return types.some((wanted) => (wanted.endsWith('*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted));
}
