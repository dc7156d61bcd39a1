/**
 * Which endpoints of a version fail much more often than their peers: the detector for those that never fail several times in a row.
 *
 * An endpoint is an outlier when its success rate over the interval is
 *
 *     1. below   mean − factor × standard deviation   of its peers' rates, and
 *     2. below its peers' pooled rate by more than CHANCE standard errors of the difference of the two.
 *
 * Rule 1 is Envoy's with one change: mean and deviation are the peers', without the endpoint in question. Envoy counts it in, so that one bad
 * endpoint among n is at most √(n − 1) deviations below the mean: with the usual factor of 1.9 nobody among fewer than five could ever be
 * an outlier, and two bad ones among ten shield each other. Rule 2 is added because endpoints that are all alike differ too, by luck: with rule 1
 * alone, of twenty equal endpoints one is ejected in every other interval, and four flawless peers make a single failure an outlier. At
 * five standard errors luck ejects between none and two in ten thousand, most where failures are very rare (simulated: 400,000 judgements
 * each of 3 to 20 equal endpoints that fail 0.1 % to 20 %), and a tenth of failures in a hundred requests among four still shows.
 *
 * No data: endpoints with fewer than `successRateMinimumRequests` requests neither judge nor are judged, and with fewer than
 * `successRateMinimumHosts` that have enough there is no verdict at all. All bad alike: no outliers.
 * Pedigree: Envoy's outlier detection; the two-proportion z-test.
 */
import type { OutlierConfig } from '../../model/policy-config.ts';

/** What an endpoint did in one interval. */
export interface IntervalCounts {
  readonly endpointId: number;
  readonly requests: number;
  readonly successes: number;
}

export interface RateOutlier {
  readonly endpointId: number;
  /** 0 to 1. */
  readonly rate: number;
  /** Its peers' pooled rate, 0 to 1. */
  readonly peers: number;
}

export type SuccessRateLimits = Pick<
  OutlierConfig,
  'successRateMinimumHosts' | 'successRateMinimumRequests' | 'successRateStdevFactor'
>;

const CHANCE = 5;

/** The outliers of one version, the worst first. */
export function rateOutliers(counts: readonly IntervalCounts[], limits: SuccessRateLimits): RateOutlier[] {
  if (limits.successRateMinimumHosts === 0) return [];
  const judged = counts.filter(({ requests }) => requests > 0 && requests >= limits.successRateMinimumRequests);
  // Without a peer there is nobody to compare with, whatever the configured minimum.
  if (judged.length < Math.max(2, limits.successRateMinimumHosts)) return [];

  const all = judged.reduce((sum, { requests }) => sum + requests, 0);
  const good = judged.reduce((sum, { successes }) => sum + successes, 0);
  const rates = judged.map(({ successes, requests }) => successes / requests);
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  const squares = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0);
  const others = rates.length - 1;
  const found: RateOutlier[] = [];
  judged.forEach(({ endpointId, requests, successes }, at) => {
    const rate = rates[at]!;
    // Mean and variance of the others, by taking one out of the sums over all.
    const shift = (rate - mean) / others;
    const variance = (squares - (rate - mean) ** 2) / others - shift ** 2;
    const threshold = mean - shift - (limits.successRateStdevFactor / 1_000) * Math.sqrt(Math.max(0, variance));
    const peers = (good - successes) / (all - requests);
    const pooled = good / all;
    const error = Math.sqrt(pooled * (1 - pooled) * (1 / requests + 1 / (all - requests)));
    if (rate < threshold && peers - rate > CHANCE * error) found.push({ endpointId, rate, peers });
  });
  return found.sort((a, b) => a.rate - b.rate);
}
