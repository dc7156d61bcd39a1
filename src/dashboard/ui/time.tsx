/**
 * A moment: the time of day, with the date in front where it is another day; all of it on the pointer.
 */
import type { JSX } from 'preact';
import { clock, date } from '../format.ts';

export function Time({ at }: { readonly at: string }): JSX.Element {
  return (
    <time class="time" dateTime={at} title={date(at)}>
      {dayOf(new Date(at), new Date())} {clock(at)}
    </time>
  );
}

/** Empty today; the year only where it is another one. */
function dayOf(then: Date, now: Date): string {
  if (then.toDateString() === now.toDateString()) return '';
  const year = then.getFullYear() === now.getFullYear() ? {} : ({ year: 'numeric' } as const);
  return then.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', ...year });
}
