/**
 * Whether a reader that resumes has missed what nobody can tell any more.
 *
 *     later than the last event    the server has lost its state, and counts anew
 *     older than what is kept      events behind it have been forgotten
 *
 * Numbers have gaps of their own, so a number that is missing says nothing, but every event behind the number before the oldest is there. Who asks
 * for what is later than 0 asks for whatever is kept, and misses nothing. A server that has lost its state and has come further than the
 * reader since cannot be told from one that has not.
 */
import type { EventSource } from '../events/event-log.ts';

export interface EventGap {
  /** The number that the reader has come to. */
  readonly since: number;
  /** Number of the oldest event that is kept; of the next one where none is. */
  readonly from: number;
  /** Of the last event. */
  readonly last: number;
}

export async function eventGap(source: EventSource, since: number): Promise<EventGap | null> {
  const last = source.lastId;
  if (since === 0 || since === last) return null;
  const [oldest] = await source.since(0, 1);
  const from = oldest?.id ?? last + 1;
  return since > last || since < from - 1 ? { since, from, last } : null;
}

/** Behind which number the reader goes on. */
export const resumedFrom = (since: number, gap: EventGap | null): number =>
  gap !== null && gap.since > gap.last ? 0 : since;

/** As a message of the stream. It has no id: a reader that breaks off here has come no further. */
export const formatGap = (gap: EventGap): string => `event: gap\ndata: ${JSON.stringify(gap)}\n\n`;

/** As the field of a list. */
export const gapField = ({ since, from, last }: EventGap): string => `since=${since}, from=${from}, last=${last}`;
