/**
 * Lists of events that were: those behind a number, or the newest.
 *
 * The log is read forwards in pages and filtered here. For the newest there is no number to begin at: numbers have gaps (a restart after a kill
 * leaves a large one), and a filter may want few of them. So the look begins a little before the end and goes on to what is before that, ten times
 * as far each time, while it has found too little. One answer looks at so many events and no more; what a rare type has beyond that is found by
 * `since`.
 */
import type { SluiceEvent } from '../events/event.ts';
import type { EventSource } from '../events/event-log.ts';
import type { EventFilter } from './event-filter.ts';

const PAGE = 500;
/** Events that one answer looks at. */
const MOST_READ = 10_000;

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

/** Fewer than `limit` where there are no more, or not among the last MOST_READ. */
export async function newestEvents(
  source: EventSource,
  limit: number,
  filter: EventFilter,
): Promise<readonly SluiceEvent[]> {
  let found: readonly SluiceEvent[] = [];
  let left = MOST_READ;
  let end = source.lastId;
  let span = Math.max(limit, PAGE);
  while (end > 0 && left > 0 && found.length < limit) {
    const begin = Math.max(0, end - span);
    const part = await eventsBetween(source, begin, end, left);
    // Those next to what has been found are then the ones that are missing.
    if (part === null) break;
    found = [...part.filter(filter), ...found].slice(-limit);
    left -= part.length;
    end = begin;
    // Where hardly a number is missing no more numbers are asked for than events may be read.
    span = part.length > span / 2 ? Math.min(span * 10, left) : span * 10;
  }
  return found;
}

/** Those later than `begin` and no later than `end`; null where these are more than `most`. */
async function eventsBetween(
  source: EventSource,
  begin: number,
  end: number,
  most: number,
): Promise<readonly SluiceEvent[] | null> {
  const found: SluiceEvent[] = [];
  for (let next = begin; ; ) {
    const page = await source.since(next, PAGE);
    for (const event of page) {
      if (event.id > end) return found;
      if (found.length === most) return null;
      found.push(event);
    }
    if (page.length < PAGE) return found;
    next = page.at(-1)!.id;
  }
}
