/**
 * Header edits of a route: only what may be changed without breaking the message, and only values that are one line.
 *
 * Fields that frame a message or belong to its connection are Sluice's, since two parties that write them disagree sooner or later, and that is
 * request smuggling. So are the fields that say who asked and who passed it on; whether those of a client are kept is settled by
 * `trustedProxies`, not by a route.
 */
import type { HeaderEdits } from '../../model/route-config.ts';
import type { ConfigPath } from './faults.ts';
import { FRAMING_HEADERS } from './header-names.ts';
import type { RawHeaderEdits } from './raw-route.ts';
import type { Review } from './review.ts';

export type Direction = 'request' | 'response';

export const NO_EDITS: HeaderEdits = { set: [], add: [], remove: [] };

/** Fields that Sluice writes itself. */
export const OWN_FIELDS: Readonly<Record<Direction, ReadonlySet<string>>> = {
  request: new Set([
    'forwarded',
    'traceparent',
    'via',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-request-id',
  ]),
  response: new Set(['date', 'via', 'x-sluice-version']),
};

type Field = readonly [name: string, value: string];

/** Call where the part at `path` is sound. */
export function resolveHeaderEdits(
  raw: RawHeaderEdits | undefined,
  direction: Direction,
  path: ConfigPath,
  review: Review,
): HeaderEdits {
  if (raw === undefined) return NO_EDITS;
  const seen = new Set<string>();
  const set = Object.entries(raw.set ?? {}).map(([name, value]): Field => {
    const at = [...path, 'set', name];
    checkName(name, direction, at, review);
    if (seen.has(name.toLowerCase())) review.reportKey(at, `${name} is set twice; remove one of the two`);
    seen.add(name.toLowerCase());
    checkFieldValue(value, at, review);
    return [name, value];
  });
  const add = Object.entries(raw.add ?? {}).flatMap(([name, written]): Field[] => {
    const at = [...path, 'add', name];
    checkName(name, direction, at, review);
    if (typeof written === 'string') checkFieldValue(written, at, review);
    else for (const [index, value] of written.entries()) checkFieldValue(value, [...at, index], review);
    return [written].flat().map((value) => [name, value]);
  });
  const remove = raw.remove ?? [];
  for (const [index, name] of remove.entries()) checkName(name, direction, [...path, 'remove', index], review);
  return { set, add, remove };
}

function checkName(written: string, direction: Direction, path: ConfigPath, review: Review): void {
  const name = written.toLowerCase();
  const report = (message: string): void =>
    typeof path.at(-1) === 'number' ? review.report(path, message) : review.reportKey(path, message);
  if (name === 'host' && direction === 'request') report('the host is changed by rewrite.host; use that');
  else if (FRAMING_HEADERS.has(name))
    report(`${written} frames the message or belongs to its connection; remove it here`);
  else if (OWN_FIELDS[direction].has(name)) report(`${written} is written by Sluice itself; remove it here`);
}

/** Anything else would be another line of the head, or bytes that two readers read differently. */
export function checkFieldValue(value: string, path: ConfigPath, review: Review): void {
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) {
    review.report(path, 'must be one line without control characters');
  } else if (/[^\t\x20-\x7e]/.test(value)) {
    review.report(path, 'must be ASCII; encode other characters, for example by percent signs');
  }
}
