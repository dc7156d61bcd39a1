/**
 * What calls about rollouts take besides names: ids, and times.
 *
 * A time must say which zone it is in. `2026-01-01T12:00` would be read as local time of whichever machine looks at it, and a rollout that begins
 * an hour early is not what anyone meant. A day that the calendar has not is refused as well, because the parser would move it to the next month.
 */
import { Type } from 'typebox';
import { OperationError } from '../../problems.ts';
import { closed } from '../schemas/values.ts';

export const ofRollout = closed({
  rollout: Type.String({
    title: 'the id of a rollout',
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$',
    description: 'Id of a rollout.',
  }),
});

export const rolloutAddress = (id: string): string => `/api/v1/rollouts/${encodeURIComponent(id)}`;

const INSTANT = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

/** @param field JSON pointer. @returns milliseconds since 1970. @throws OperationError invalid_request */
export function instantOf(text: string, field: string): number {
  const day = INSTANT.exec(text)?.[1];
  const time = day !== undefined && isDay(day) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  const message = `must be a time with its zone, such as 2026-01-01T12:00:00Z or 2026-01-01T13:00:00+01:00, not ${JSON.stringify(text)}`;
  throw new OperationError('invalid_request', `${field} ${message}.`, [{ field, message }]);
}

function isDay(day: string): boolean {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(day);
}
