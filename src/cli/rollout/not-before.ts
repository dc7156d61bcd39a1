/**
 * `--not-before`: a date and time (of this machine's zone where it names none), or how long from now; sent as ISO 8601 in UTC, so both sides
 * mean the same moment.
 */
import { parseDuration } from '../../control/config/units.ts';
import { UsageError } from '../command.ts';

const DATE_TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?$/;

/** @param now milliseconds since 1970 */
export function readNotBefore(text: string, now: number): string {
  const duration = parseDuration(text);
  const at =
    duration === null ? (DATE_TIME.test(text) ? Date.parse(text.replace(' ', 'T')) : Number.NaN) : now + duration;
  if (Number.isFinite(at)) return new Date(at).toISOString();
  throw new UsageError(
    `--not-before must be a time such as 2026-03-02T18:30 or 2026-03-02T18:30:00Z, or how long from now, such as 45m, not ${JSON.stringify(text)}`,
  );
}
