/**
 * Freeze windows: whether a rollout may move forward now, and if not, until when.
 *
 *     open(window, t)  = t in [instant(day, from), instant(day', to)) for a day of the window; day' is the next one where to <= from
 *     frozen until     = the least fixed point of t ↦ latest end of the windows open at t, from now on
 *
 * Times are those of the wall in the window's own zone, so `from: 17:00` is five o'clock in summer and in winter. Windows that overlap or touch
 * are one, whatever their zones: "frozen until 17:00" would be a lie where another window begins at 16:00. The day is that on which a
 * window begins. Where the clock is set back, a window begins at the first and ends at the last instant of its time; where it is set
 * forward and the time is skipped, the moment of the change stands for it. Both make a freeze longer, never shorter, which is the safe side.
 *
 * Pure: it is asked anew each time and remembers nothing, so a restart or a changed clock cannot leave a rollout frozen. No windows: never
 * frozen. Windows that cover the whole week: frozen for ever, which is told as an end that moves on (at least a week ahead).
 */
import type { FreezeWindow } from '../../model/rollout-config.ts';
import { type CivilDay, civilDay, dayAfter, instantOf, weekday } from './local-time.ts';

const LONGEST = 8 * 24 * 3_600_000;

export interface Freeze {
  /** Of the window that is open now; of several, the one that ends last. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** @param now milliseconds since 1970. @returns null where nothing is frozen. */
export function frozenUntil(windows: readonly FreezeWindow[], now: number): Freeze | null {
  const first = latestEnd(windows, now);
  if (first === null) return null;
  let { until } = first;
  while (until - now < LONGEST) {
    const next = latestEnd(windows, until);
    if (next === null) break;
    until = next.until;
  }
  return { name: first.name, until };
}

function latestEnd(windows: readonly FreezeWindow[], at: number): Freeze | null {
  let latest: Freeze | null = null;
  for (const window of windows) {
    const until = endOf(window, at);
    if (until !== null && (latest === null || until > latest.until)) latest = { name: window.name, until };
  }
  return latest;
}

/** When the window ends that is open at an instant. Tomorrow counts too: a clock that is set back over midnight returns to yesterday. */
function endOf(window: FreezeWindow, at: number): number | null {
  const today = civilDay(at, window.timeZone);
  let end: number | null = null;
  for (const day of [dayAfter(today, -1), today, dayAfter(today, 1)]) {
    if (!window.days.includes(weekday(day))) continue;
    const { from, to } = spanOf(window, day);
    if (from <= at && at < to && (end === null || to > end)) end = to;
  }
  return end;
}

function spanOf({ from, to, timeZone }: FreezeWindow, day: CivilDay): { readonly from: number; readonly to: number } {
  return {
    from: instantOf(day, from, timeZone, 'first'),
    to: instantOf(to > from ? day : dayAfter(day, 1), to, timeZone, 'last'),
  };
}
