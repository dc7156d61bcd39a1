/**
 * Were requests dealt as they should have been? The sequential test for a sample-ratio mismatch.
 *
 * Counts n_i against shares θ_i, betting with a Dirichlet prior around the shares themselves, α_i = c·θ_i:
 *
 *     A = Σα, N = Σn;  ln E = lnΓ(A) − lnΓ(A+N) + Σ[lnΓ(α_i+n_i) − lnΓ(α_i) − n_i·ln θ_i]
 *
 * The concentration c says what one expects to find: 1000 looks for shares that are wrong by about √(θ(1−θ)/1000), a percentage point at
 * 10 %; less of it looks for cruder faults and takes longer to see a fine one. No requests are no evidence. A side whose share is 0 can have no
 * count: one that has proves the mismatch at once (Infinity).
 *
 * Pedigree: Lindon and Malek, arXiv 2011.03567.
 */
import { lnGamma } from './beta.ts';

export const CONCENTRATION = 1000;

/** @param shares sum to 1. */
export function sampleRatioLogE(
  counts: readonly number[],
  shares: readonly number[],
  concentration = CONCENTRATION,
): number {
  let total = 0;
  let logE = 0;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!;
    const share = shares[i]!;
    if (count <= 0) continue;
    if (share <= 0) return Number.POSITIVE_INFINITY;
    total += count;
    logE += rising(concentration * share, count) - count * Math.log(share);
  }
  return logE - rising(concentration, total);
}

/** ln(x·(x+1)·…·(x+n−1)). */
const rising = (x: number, n: number): number => (n === 0 ? 0 : lnGamma(x + n) - lnGamma(x));
