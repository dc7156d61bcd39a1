/**
 * Evidence from the beginning, and evidence begun anew.
 *
 * A bet that has been lost for an hour takes long to win back: a canary that was as good as stable for a thousand failures, and then fails alone, would
 * be found after hundreds of failures in place of four. So every START_EVERY milliseconds the same bet is begun anew with a small part of the
 * capital, and what counts is the sum:
 *
 *     E = 0.9·E₀ + Σ 0.1/(j(j+1))·E_j        j-th start; the weights sum to 1, so E is an e-value where each E_j is one
 *
 * That is the mixture of e-detectors (Shin, Ramdas and Rinaldo, arXiv 2203.03532) with a start that counts more than the others, since most bad
 * versions are bad from the beginning. The first start loses 0.1 of ln E by it; one after an hour needs ln E to be some 14 higher, which is
 * six failures more at 10 %. Only the last few starts are kept: leaving terms out makes E smaller. A restart of the process begins to count j
 * anew, which spends another tenth of alpha.
 */
export const START_EVERY = 10_000;
/** Of those that are kept. */
export const STARTS = 6;

/** ln of the part of the capital that the bet from the beginning has. */
export const FIRST = Math.log(0.9);

/** What a start costs of ln E. @param index from 1. */
export const costOf = (index: number): number => Math.log(10 * index * (index + 1));

export interface Start<T> {
  readonly from: T;
  readonly cost: number;
}

/** ln E of the mixture; without starts the bet from the beginning alone, with all the capital. */
export function mixed<T>(first: number, starts: readonly Start<T>[], since: (from: T) => number): number {
  if (starts.length === 0) return first;
  const terms = [first + FIRST, ...starts.map(({ from, cost }) => since(from) - cost)];
  const most = Math.max(...terms);
  return most + Math.log(terms.reduce((sum, each) => sum + Math.exp(each - most), 0));
}
