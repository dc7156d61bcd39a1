/**
 * The safe test of two proportions: do canary and stable fail at the same rate? For charts and as a cross-check, never for a decision.
 *
 * Requests come in blocks of `stable` and `canary` requests each, fixed by their order of arrival. Before a block the rates are guessed from
 * all that came before, smoothed by a prior; the block then multiplies the e-value by how much better the two guesses say it than the one
 * guess that they share:
 *
 *     thA = (SA + pA)/(NA + pA + qA), thB likewise;  th0 = (na·thA + nb·thB)/(na + nb);  E *= Π (th/th0)^y · ((1−th)/(1−th0))^(n−y)
 *
 * It is two-sided and learns from successes too, so it says how far apart two rates are, which attribution does not; but it must have whole
 * blocks, loses power when the share changes, and is slower for rare failures. Without a block it is 0.
 *
 * Pedigree: Turner, Ly and Grünwald, arXiv 2106.02693; the R package safestats.
 */

export interface BlockSide {
  /** Requests of this side in a block. */
  readonly size: number;
  /** Failures and successes that are assumed before the first block. */
  readonly prior: readonly [failures: number, successes: number];
}

const USUAL_PRIOR = [0.18, 0.18] as const;

export class TwoByTwo {
  readonly #stable: BlockSide;
  readonly #canary: BlockSide;
  #blocks = 0;
  #stableFailures = 0;
  #canaryFailures = 0;
  #logE = 0;

  constructor(
    stable: BlockSide = { size: 1, prior: USUAL_PRIOR },
    canary: BlockSide = { size: 1, prior: USUAL_PRIOR },
  ) {
    this.#stable = stable;
    this.#canary = canary;
  }

  /** A whole block. */
  add(stableFailures: number, canaryFailures: number): void {
    const na = this.#stable.size;
    const nb = this.#canary.size;
    const a = rateOf(this.#stable, this.#stableFailures, this.#blocks);
    const b = rateOf(this.#canary, this.#canaryFailures, this.#blocks);
    const both = (na * a + nb * b) / (na + nb);
    this.#logE += gain(a, both, stableFailures, na) + gain(b, both, canaryFailures, nb);
    this.#blocks++;
    this.#stableFailures += stableFailures;
    this.#canaryFailures += canaryFailures;
  }

  /** Natural logarithm of the e-value that the rates differ. */
  get logE(): number {
    return this.#logE;
  }
}

function rateOf({ size, prior: [failures, successes] }: BlockSide, seen: number, blocks: number): number {
  return (seen + failures) / (blocks * size + failures + successes);
}

const gain = (rate: number, both: number, failures: number, size: number): number =>
  failures * Math.log(rate / both) + (size - failures) * Math.log((1 - rate) / (1 - both));
