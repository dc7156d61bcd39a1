/**
 * Times of the week in which no rollout moves forward.
 *
 * A window is a day, a beginning and an end on the clock of some place; whether a clock jumps in between is the matter of whoever reads it. One
 * that covers the whole week would never let a rollout go on, so it is refused.
 */
import type { FreezeWindow } from '../../model/rollout-config.ts';
import type { ConfigPath } from './faults.ts';
import type { RawFreeze } from './raw-rollouts.ts';
import type { Review } from './review.ts';
import { ROLLOUT_DEFAULTS } from './rollout-settings.ts';
import { DAYS } from './schema-strategy.ts';
import { shown } from './structure.ts';

const DAY = 24 * 60;

export function resolveFreeze(raw: readonly RawFreeze[], path: ConfigPath, review: Review): FreezeWindow[] {
  return raw.flatMap((window, index) => {
    const place = [...path, index];
    if (!review.sound(place)) return [];
    const days = window.days?.map((day) => DAYS.indexOf(day)) ?? DAYS.map((_, day) => day);
    const from = minutesOf(window.from ?? ROLLOUT_DEFAULTS.freezeFrom);
    const to = minutesOf(window.to ?? ROLLOUT_DEFAULTS.freezeTo);
    const isWholeWeek = new Set(days).size === DAYS.length && from === 0 && to === DAY;
    if (from === DAY) review.report([...place, 'from'], '24:00 is the end of a day; write 00:00 and the day after');
    else if (from === to)
      review.report(place, `begins and ends at ${shown(window.from ?? window.to)}; give it a length`);
    else if (isWholeWeek) review.report(place, 'is the whole week; say on which days, or from when to when');
    const timeZone = window.timeZone ?? ROLLOUT_DEFAULTS.timeZone;
    if (!isTimeZone(timeZone)) {
      const message = `no time zone ${timeZone}; write one such as Europe/Berlin or UTC`;
      review.report([...place, 'timeZone'], message);
    }
    return { name: window.name, days: [...new Set(days)].sort((a, b) => a - b), from, to, timeZone };
  });
}

function minutesOf(clock: string): number {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number);
  return hours * 60 + minutes;
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
