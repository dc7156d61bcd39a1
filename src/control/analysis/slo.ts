/**
 * Is the failure rate above a limit, or proved to be below it? Two sequential tests that need nothing but totals.
 *
 * Each bets against its hypothesis with a rate that is not known beforehand: the prior is Jeffreys' B(½, ½), cut off at the limit p0, above it
 * for `bad` (hypothesis: p ≤ p0) and below it for `good` (hypothesis: p ≥ p0). The e-value is what such bettors have made of one unit of
 * capital after s failures in n requests, f = n − s:
 *
 *     bad  = lnB(a+s, b+f) + ln I_{1−p0}(b+f, a+s) − lnB(a,b) − ln I_{1−p0}(b, a) − s·ln p0 − f·ln(1−p0)
 *     good = lnB(a+s, b+f) + ln I_{p0}(a+s, b+f)   − lnB(a,b) − ln I_{p0}(a, b)   − s·ln p0 − f·ln(1−p0)
 *
 * Unlike a confidence interval it may be looked at after every request. It needs no second version, so it is what still sees at 100 %, where
 * there is nobody to compare with; for the same reason it cannot tell a bad canary from a bad day. Before the first request both are 0; a limit
 * of 0 or 1 (or none at all) can be neither broken nor proved, so both stay 0.
 *
 * Pedigree: Robbins 1970; Ramdas and Wang, Hypothesis Testing with E-values.
 */
import { lnIncompleteBeta } from './beta.ts';

const PRIOR = 0.5;
/** Nobody waits for more requests than this. */
const MOST_REQUESTS = 1e9;

export interface SloEvidence {
  /** ln E that the rate is above the limit. */
  readonly bad: number;
  /** ln E that it is below. */
  readonly good: number;
}

/** @param p0 the limit, a fraction. */
export function sloEvidence(failures: number, requests: number, p0: number): SloEvidence {
  return { bad: sloBad(failures, requests, p0), good: sloGood(failures, requests, p0) };
}

export function sloBad(failures: number, requests: number, p0: number): number {
  if (!(p0 > 0 && p0 < 1) || requests <= 0) return 0;
  const f = requests - failures;
  return (
    lnIncompleteBeta(1 - p0, p0, PRIOR + f, PRIOR + failures) -
    lnIncompleteBeta(1 - p0, p0, PRIOR, PRIOR) -
    failures * Math.log(p0) -
    f * Math.log1p(-p0)
  );
}

export function sloGood(failures: number, requests: number, p0: number): number {
  if (!(p0 > 0 && p0 < 1) || requests <= 0) return 0;
  const f = requests - failures;
  return (
    lnIncompleteBeta(p0, 1 - p0, PRIOR + failures, PRIOR + f) -
    lnIncompleteBeta(p0, 1 - p0, PRIOR, PRIOR) -
    failures * Math.log(p0) -
    f * Math.log1p(-p0)
  );
}

/**
 * How many requests without failure are still missing until the rate is proved to be below the limit; null where it would be more than 10⁹.
 *
 * @param alpha chance of a false proof.
 */
export function requestsToProve(failures: number, requests: number, p0: number, alpha: number): number | null {
  const threshold = -Math.log(alpha);
  // A request without failure never takes proof away, so the place where it is enough can be bracketed.
  const isEnough = (more: number): boolean => sloGood(failures, requests + more, p0) >= threshold;
  if (isEnough(0)) return 0;
  if (!isEnough(MOST_REQUESTS)) return null;
  let enough = 1;
  while (!isEnough(enough)) enough = Math.min(enough * 2, MOST_REQUESTS);
  let short = Math.floor(enough / 2);
  while (enough - short > 1) {
    const middle = Math.floor((short + enough) / 2);
    if (isEnough(middle)) enough = middle;
    else short = middle;
  }
  return enough;
}
