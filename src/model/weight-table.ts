/**
 * Live weights: shared memory with the weight of every version, which the control plane writes and every worker reads.
 *
 * A new weight is a store that the very next request sees, in every worker, without a message and without a new snapshot. The weights of
 * a service only make sense together, so they are guarded by a sequence lock: EPOCH is odd while they are being written, and different
 * afterwards. Whoever reads takes EPOCH, copies, and takes EPOCH again; where it was odd or has changed, the copy is thrown away and
 * the old split is used for one more request. There is one writer, and no reader waits for anything, so nobody can be held up by a
 * thread that has died.
 *
 * A row is found by the version's id, which a version keeps from snapshot to snapshot: weights hold whichever snapshot a worker runs.
 * An epoch of 0 says that nothing was ever written; the weights of the snapshot hold then.
 */
import { VERSION_ROWS } from './capacity.ts';

const EPOCH = 0;
/** One cache line. */
const HEADER = 16;

export type WeightTable = Int32Array;

export const newWeightTable = (): WeightTable =>
  new Int32Array(new SharedArrayBuffer((HEADER + VERSION_ROWS) * Int32Array.BYTES_PER_ELEMENT));

/** Plain read, for every request: one that is a few nanoseconds late decides as if the request had come that much earlier. */
export const weightEpoch = (table: WeightTable): number => table[EPOCH]!;

/** @param weights hundredths of a percent by version id. @returns the new epoch. */
export function writeWeights(
  table: WeightTable,
  weights: Iterable<readonly [versionId: number, weight: number]>,
): number {
  Atomics.add(table, EPOCH, 1);
  for (const [versionId, weight] of weights) Atomics.store(table, HEADER + versionId, weight);
  // Within 31 bits, and never 0 again, which stands for a table that nobody has written.
  if (Atomics.load(table, EPOCH) >= 2 ** 30 - 1) Atomics.store(table, EPOCH, 1);
  return Atomics.add(table, EPOCH, 1) + 1;
}

/** Copies the weights of these versions. @returns false where they are being written at this moment; `into` is then of no use. */
export function readWeights(table: WeightTable, versionIds: readonly number[], into: number[]): boolean {
  const before = Atomics.load(table, EPOCH);
  if ((before & 1) !== 0) return false;
  for (let i = 0; i < versionIds.length; i++) into[i] = Atomics.load(table, HEADER + versionIds[i]!);
  return Atomics.load(table, EPOCH) === before;
}
