/**
 * The live weights of one service, as one worker follows them (model/weight-table.ts).
 *
 * Per request this is one comparison: has anything been written since the last look? Only then are the service's own weights copied and
 * compared, and only where they differ does the service divide its traffic anew. Weights of which none is above zero are no division:
 * that is a table that does not know these versions yet, or a snapshot about to be replaced, and the weights from before hold.
 *
 * @hotpath bench/micro/choose.ts
 */
import { readWeights, type WeightTable, weightEpoch } from '../../model/weight-table.ts';

export class LiveWeights {
  /** Hundredths of a percent, in the order of the versions. */
  weights: number[];
  readonly #table: WeightTable;
  readonly #ids: readonly number[];
  #copy: number[];
  #epoch = 0;

  /** @param weights those of the snapshot, which hold until others have been written. */
  constructor(table: WeightTable, ids: readonly number[], weights: readonly number[]) {
    this.#table = table;
    this.#ids = ids;
    this.weights = weights.slice();
    this.#copy = weights.slice();
  }

  /** Of the weights that were taken up last; 0 before. */
  get epoch(): number {
    return this.#epoch;
  }

  get stale(): boolean {
    return weightEpoch(this.#table) !== this.#epoch;
  }

  /** Takes up what has been written. @returns whether the weights are others than before. */
  refresh(): boolean {
    const epoch = weightEpoch(this.#table);
    if (!readWeights(this.#table, this.#ids, this.#copy)) return false;
    this.#epoch = epoch;
    let same = true;
    let sum = 0;
    for (let i = 0; i < this.#copy.length; i++) {
      sum += this.#copy[i]!;
      if (this.#copy[i] !== this.weights[i]) same = false;
    }
    if (same || sum === 0) return false;
    const before = this.weights;
    this.weights = this.#copy;
    this.#copy = before;
    return true;
  }
}
