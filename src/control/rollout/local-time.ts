/**
 * Between instants and what the clock on the wall shows in a time zone.
 *
 *     offset(t)  = what the wall shows at t, read as if it were UTC, − t
 *     instant(w) = w − offset, where that is an instant at which the wall shows w
 *
 * The offset depends on the instant that is looked for, so both that of a day before and that of a day after are tried. Twice a year they
 * differ: a time that the wall shows twice has two instants, and the caller says which of them is meant; one that it skips has none, and
 * the moment of the change stands for it. Intl knows the zones, as Node brings its own table of them; a library would bring a second one.
 *
 * Limits: two changes within two days are not told apart, which no zone has had for decades. A zone that Node does not know counts as
 * UTC; the configuration refuses such names, and a rollout that was kept must not break when the table changes.
 */

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** A date as the milliseconds that its midnight would have in UTC. */
export type CivilDay = number;

const formats = new Map<string, Intl.DateTimeFormat>();

/** The date in `timeZone` at an instant. */
export function civilDay(at: number, timeZone: string): CivilDay {
  return Math.floor(wallTime(at, timeZone) / DAY) * DAY;
}

/** 0 is Sunday. */
export const weekday = (day: CivilDay): number => new Date(day).getUTCDay();

export const dayAfter = (day: CivilDay, days: number): CivilDay => day + days * DAY;

/**
 * @param minutes since midnight; 1440 is the midnight that ends the day.
 * @param which of two instants, where the wall shows the time twice.
 */
export function instantOf(day: CivilDay, minutes: number, timeZone: string, which: 'first' | 'last'): number {
  const wall = day + minutes * MINUTE;
  const earlier = wall - offsetAt(wall - DAY, timeZone);
  const later = wall - offsetAt(wall + DAY, timeZone);
  if (earlier === later) return earlier;
  const fits = [earlier, later].filter((at) => wallTime(at, timeZone) === wall);
  if (fits.length > 0) return which === 'first' ? Math.min(...fits) : Math.max(...fits);
  return changeBetween(wall - DAY, wall + DAY, timeZone);
}

/** The instant at which the offset changes, to the millisecond. */
function changeBetween(from: number, to: number, timeZone: string): number {
  const before = offsetAt(from, timeZone);
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle, timeZone) === before) low = middle;
    else high = middle;
  }
  return high;
}

const offsetAt = (at: number, timeZone: string): number => wallTime(at, timeZone) - at;

function wallTime(at: number, timeZone: string): number {
  const seconds = Math.floor(at / 1000) * 1000;
  const found: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(seconds)) found[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = found;
  return Date.UTC(year, month - 1, day, hour, minute, second) + (at - seconds);
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = newFormat(timeZone) ?? formatOf('UTC');
  formats.set(timeZone, format);
  return format;
}

function newFormat(timeZone: string): Intl.DateTimeFormat | null {
  const part = 'numeric' as const;
  const parts = { year: part, month: part, day: part, hour: part, minute: part, second: part };
  try {
    return new Intl.DateTimeFormat('en-US', { ...parts, calendar: 'gregory', hourCycle: 'h23', timeZone });
  } catch {
    return null;
  }
}
