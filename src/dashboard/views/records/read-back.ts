/**
 * Older rows out of a list that can only be read forwards: "those behind number N, oldest first".
 *
 *     … ─────────|─ span ─|─ span ─| before
 *                 read it whole, then the one in front of it, until there is enough
 *
 * Numbers grow, and a range of numbers has no more rows than numbers, so a range no longer than one answer is always read whole: nothing is left out between what is
 * known and what is read. Events have gaps in their numbers, a large one after a kill: where a range is empty the next one is ten times as long, and where that turns
 * out too full for one answer the end of the gap is in it, and is found by halves.
 */

/** Rows in one answer at most; the API gives no more. */
export const PAGE = 1_000;
/** A gap of a thousand million numbers needs about thirty. */
const MOST_READS = 40;

export interface Older<T> {
  /** Newest first. */
  readonly rows: readonly T[];
  /** Everything from this number on has been looked at. */
  readonly before: number;
  /** Whether there may be more. */
  readonly more: boolean;
}

/**
 * @param before rows with smaller numbers are wanted.
 * @param wanted reads until there are so many; it may be more.
 * @param read the rows behind `since`, oldest first, `PAGE` at most.
 */
export async function readBack<T>(
  before: number,
  wanted: number,
  numberOf: (row: T) => number,
  read: (since: number) => Promise<readonly T[]>,
): Promise<Older<T>> {
  const rows: T[] = [];
  let end = before;
  let span = PAGE;
  let widening = true;
  for (let reads = 0; end > 1 && rows.length < wanted && reads < MOST_READS; reads += 1) {
    const since = Math.max(0, end - 1 - span);
    const page = (await read(since)).filter((row) => numberOf(row) < end);
    const tooFull = page.length >= PAGE && span > PAGE;
    if (tooFull) widening = false;
    else {
      rows.push(...page.toReversed());
      end = since + 1;
      if (page.length > 0) widening = true;
    }
    if (page.length > 0 && !tooFull) span = PAGE;
    else span = widening ? span * 10 : Math.max(PAGE, Math.floor(span / 2));
  }
  return { rows, before: end, more: end > 1 };
}
