/**
 * Does something for each of many things, at most so many at a time.
 *
 * As many workers as are allowed take the next thing from one iterator; so the order of beginnings is that of the things, and a slow one holds up
 * nothing but its own worker. Batches of equal size would wait for the slowest of each. `work` must not reject.
 */
export async function atMost<T>(many: number, things: Iterable<T>, work: (thing: T) => Promise<void>): Promise<void> {
  const left = things[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = left.next(); !next.done; next = left.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: many }, worker));
}
