/**
 * What a change changed, in as few words as will do: `v1 90 → 60, v2 10 → 40`.
 *
 * Before and after are looked through for values that are not the same; each is named by its place. What a value has become may be a whole thing (a rollout that was
 * started): then its places are named and not their hundred fields.
 */

export interface Change {
  /** `weights.v1`; empty where the whole value is one. */
  readonly place: string;
  /** Short text; null where there was nothing. */
  readonly before: string | null;
  readonly after: string | null;
}

const LONGEST = 48;

export function changesOf(before: unknown, after: unknown): Change[] {
  const changes: Change[] = [];
  collect('', before, after, changes);
  return changes;
}

function collect(place: string, before: unknown, after: unknown, into: Change[]): void {
  if (Object.is(before, after)) return;
  if (isRecord(before) && isRecord(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      collect(place === '' ? key : `${place}.${key}`, before[key], after[key], into);
    }
    return;
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  into.push({ place, before: shown(before), after: shown(after) });
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function shown(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  const text = textOf(value);
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}

function textOf(value: unknown): string {
  if (isRecord(value)) return ofRecord(value);
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(ofItem).join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What a thing in a list is called, where it is called something. */
function ofItem(value: unknown): string {
  const name = isRecord(value) ? (value.name ?? value.url ?? value.id ?? value.key) : value;
  return typeof name === 'string' ? name : JSON.stringify(value);
}

/** Flat ones with their values, others with the names of what they have. */
function ofRecord(value: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(value);
  const flat = entries.every(([, each]) => typeof each !== 'object' || each === null);
  return entries.map(([key, each]) => (flat ? `${key} ${each}` : key)).join(', ');
}
