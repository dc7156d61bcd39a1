/**
 * Lists of events that were: those behind a number, or the newest.
 *
 * The log is read forwards in pages and filtered here. For the newest there is no number to begin at: numbers have gaps (a restart after a kill
 * leaves a large one), and a filter may want few of them. So the look begins a little before the end and goes back ten times as far while it
 * finds too little. One answer looks at so many events and no more; what a rare type has beyond that is found by `since`.
 */
import type { SluiceEvent } from '../events/event.ts';
import type { EventSource } from '../events/event-log.ts';
import type { EventFilter } from './event-filter.ts';

const PAGE = 500;
/** Events that one answer looks at. */
const MOST_READ = 50_000;

/** `next`: behind which number the list goes on, null where this is its end. */
export async function eventsSince(
  source: EventSource,
  since: number,
  limit: number,
  filter: EventFilter,
): Promise<{ readonly found: readonly SluiceEvent[]; readonly next: number | null }> {
  const found: SluiceEvent[] = [];
  let next = since;
  for (let read = 0; read < MOST_READ; read += PAGE) {
    const page = await source.since(next, PAGE);
    for (const event of page) {
      if (found.length === limit) return { found, next };
      next = event.id;
      if (filter(event)) found.push(event);
    }
    if (page.length < PAGE) return { found, next: null };
  }
  return { found, next };
}

export async function newestEvents(
  source: EventSource,
  limit: number,
  filter: EventFilter,
): Promise<readonly SluiceEvent[]> {
  const last = source.lastId;
  for (let back = limit; ; back *= 10) {
    const { found, isEnough } = await newestWithin(source, Math.max(0, last - back), limit, filter);
    if (isEnough || back >= last) return found;
  }
}

async function newestWithin(source: EventSource, since: number, limit: number, filter: EventFilter) {
  let found: SluiceEvent[] = [];
  let next = since;
  let read = 0;
  for (;;) {
    const page = await source.since(next, PAGE);
    next = page.at(-1)?.id ?? next;
    read += page.length;
    found = [...found, ...page.filter(filter)].slice(-limit);
    if (page.length < PAGE) return { found, isEnough: found.length >= limit || read >= MOST_READ };
  }
}
