/**
 * Two faults that no error counter shows: a canary that swallows requests, and a split that is not what was set.
 *
 * Swallowed. A request that is never answered ends when its client gives up, which is neither success nor failure. So those that were given
 * up are looked at as attribution looks at failures: whose were they? Comparing what both versions completed by a sample-ratio test finds the same,
 * but only when the missing requests are a visible part of all; attribution needs three or four of them (bench/SIMULATION.md has both).
 * Three precautions keep an equal canary safe. Of a session only the first request that was given up counts: clients that give up always (a
 * scanner, an impatient script) stay with one version. Odds up to GIVEN_UP_TOLERANCE are equal, as clients also give up for being a little
 * slower. And the canary must lose at least LOST of its requests more than stable does; below that there is no evidence, 0.
 *
 * Dealt wrongly. Requests without a key are dealt exactly, so their numbers can only be less scattered than chance, and a sample-ratio
 * mismatch means that something is broken: a worker with old weights, or a version that has no endpoint and hands its requests on. It
 * says nothing against the canary, but whatever was measured meanwhile cannot be trusted. Keyed requests say nothing here: a few busy users are
 * enough to make their number another one. At a share of 0 or 1, and without requests, both are 0.
 */
import { Attribution } from '../../model/attribution.ts';
import type { ShareCounts } from '../../model/evidence-table.ts';
import { sampleRatioLogE } from './sample-ratio.ts';

export const GIVEN_UP_TOLERANCE = 2;
const LOST = 0.02;

/** ln E that clients give up on the canary more than on stable. */
export function swallowedLogE(counts: readonly ShareCounts[]): number {
  const evidence = new Attribution();
  let expected = 0;
  let given = 0;
  let ended = 0;
  for (const { share, canary, stable } of counts) {
    if (share <= 0 || share >= 1) continue;
    evidence.add(share, canary.left, stable.left, GIVEN_UP_TOLERANCE);
    given += canary.aborted;
    ended += canary.ended;
    if (stable.ended > 0) expected += (canary.ended * stable.aborted) / stable.ended;
  }
  return given - expected >= LOST * ended ? evidence.logE : 0;
}

/** ln E that requests without a key were not dealt by the shares that were set. */
export function misdealtLogE(counts: readonly ShareCounts[]): number {
  let logE = 0;
  for (const { share, canary, stable } of counts) {
    if (share <= 0 || share >= 1) continue;
    logE += sampleRatioLogE([canary.keyless, stable.keyless], [share, 1 - share]);
  }
  return logE;
}
