/**
 * Kept values as the API shows them: the same fields, with times as text.
 *
 * What is kept counts milliseconds, because decisions compare and subtract; what is shown has ISO 8601, because people and other programs read
 * it. Which fields are times follows from their names (`at`, `since`, `expires`, and what ends in `At`), so that a new field needs no line
 * here; the type {@link Shown} has the same rule, and the schemas of the admin API are held equal to it. Fields of the value itself
 * are looked at, and those of what it lists, but of no other value within it: free `data` may hold an `at` that is no time. Null stays null.
 */
import type { Approval } from './rollout.ts';
import type { ApprovalView, Shown } from './view.ts';

const isTime = (key: string): boolean => key === 'at' || key === 'since' || key === 'expires' || key.endsWith('At');

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** @param time milliseconds since 1970. */
export const iso = (time: number): string => new Date(time).toISOString();

export const isoOrNull = (time: number | null): string | null => (time === null ? null : iso(time));

export function shown<T extends object>(value: T): Shown<T> {
  const entries = Object.entries(value).map(([key, entry]): [string, unknown] => {
    if (Array.isArray(entry)) return [key, entry.map((each) => (isObject(each) ? shown(each) : each))];
    return [key, isTime(key) && typeof entry === 'number' ? iso(entry) : entry];
  });
  return Object.fromEntries(entries) as Shown<T>;
}

/** Without the signature itself, which proves nothing to whoever has not the payload. */
export const approvalView = ({ approver, role, at, expires, signature }: Approval): ApprovalView => ({
  approver,
  role,
  at: iso(at),
  expires: iso(expires),
  signed: signature !== null,
});
