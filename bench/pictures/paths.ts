/**
 * Simulated rollouts for pictures: how the e-value of the errors test went in each, and when healthy versions were taken back.
 *
 * The evidence is the product's own code, from the beginning of a rollout; evidence that is begun anew beside it is left out, so what is drawn is
 * what a test has against the canary at least, but for a tenth. A path is a list of points that a chart can draw: requests of both versions
 * so far, and the e-value, which begins at 1.
 */
import { Attribution } from '../../src/model/attribution.ts';
import type { Random } from '../../src/runtime/random.ts';
import { gap } from '../simulate/dice.ts';
import type { Point } from './chart.ts';

/** Share of the canary in every picture that does not say otherwise. */
export const SHARE = 0.1;

/** Rates of failure while so many requests of both versions come. */
export interface Stretch {
  readonly requests: number;
  readonly canary: number;
  readonly stable: number;
}

/** One rollout, looked at after every failure, until the e-value is `enough` or the requests are over. */
export function evidencePath(stretches: readonly Stretch[], enough: number, random: Random): Point[] {
  const evidence = new Attribution();
  const path: Point[] = [[0, 1]];
  let before = 0;
  for (const { requests, canary, stable } of stretches) {
    const [ofCanary, ofStable] = [SHARE * canary, (1 - SHARE) * stable];
    const failing = ofCanary + ofStable;
    for (let at = gap(random, failing); at <= requests; at += gap(random, failing)) {
      const isCanary = random.next() * failing < ofCanary;
      evidence.add(SHARE, isCanary ? 1 : 0, isCanary ? 0 : 1, 1);
      path.push([before + at, Math.exp(evidence.logE)]);
      if (path.at(-1)![1] >= enough) return path;
    }
    before += requests;
  }
  path.push([before, path.at(-1)![1]]);
  return path;
}

/** Of several rollouts the one that ends when half of them have ended. */
export function medianPath(paths: readonly (readonly Point[])[]): readonly Point[] {
  const byEnd = paths.toSorted((a, b) => a.at(-1)![0] - b.at(-1)![0]);
  return byEnd[Math.floor(byEnd.length / 2)]!;
}

/** No more than one point in every `step` units of x, the last one kept: a picture has only so many pixels. */
export function thinned(path: readonly Point[], step: number): Point[] {
  return path.filter(([x], index) => {
    const next = path[index + 1];
    return next === undefined || Math.floor(next[0] / step) > Math.floor(x / step);
  });
}

/** The e-value after each failure of a sequence. @param whose `c` for a failure of the canary, `s` for one of stable, in order. */
export function eValuesAfter(whose: string, share = SHARE): number[] {
  const evidence = new Attribution();
  return [...whose].map((side) => {
    evidence.add(share, side === 'c' ? 1 : 0, side === 's' ? 1 : 0, 1);
    return Math.exp(evidence.logE);
  });
}

/** Failures in a row that have to be the canary's until the e-value is `enough`. */
export function failuresNeeded(share: number, enough: number): number {
  const evidence = new Attribution();
  for (let failures = 1; ; failures++) {
    evidence.add(share, 1, 0, 1);
    if (Math.exp(evidence.logE) >= enough) return failures;
  }
}

export interface EqualVersions {
  /** Of either version's requests, those that fail. */
  readonly rate: number;
  /** Of both versions, in one rollout. */
  readonly requests: number;
  /** Requests between two looks. */
  readonly every: number;
}

/** When an equal canary was taken back, by each of two ways to look; Infinity for never. */
export interface FalseAlarms {
  readonly fixedSample: number;
  readonly eValue: number;
}

/**
 * The same rollout of two equal versions, looked at again and again by a fixed-sample test (two proportions, one-sided, 5 %) and by the e-value at
 * the same 5 %.
 */
export function peek({ rate, requests, every }: EqualVersions, random: Random): FalseAlarms {
  const failures = { canary: 0, stable: 0 };
  const evidence = new Attribution();
  let fixedSample = Number.POSITIVE_INFINITY;
  let eValue = Number.POSITIVE_INFINITY;
  for (let at = every; at <= requests; at += every) {
    for (let next = gap(random, rate); next <= every; next += gap(random, rate)) {
      const isCanary = random.next() < SHARE;
      failures[isCanary ? 'canary' : 'stable']++;
      evidence.add(SHARE, isCanary ? 1 : 0, isCanary ? 0 : 1, 1);
      if (eValue > at && evidence.logE >= Math.log(20)) eValue = at;
    }
    if (fixedSample > at && isSignificant(failures, at)) fixedSample = at;
  }
  return { fixedSample, eValue };
}

/** Whether a textbook would call the canary worse at 5 %; with fewer than five failures of either it would not be asked. */
function isSignificant({ canary, stable }: { canary: number; stable: number }, requests: number): boolean {
  if (canary < 5 || stable < 5) return false;
  const [ofCanary, ofStable] = [requests * SHARE, requests * (1 - SHARE)];
  const pooled = (canary + stable) / requests;
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / ofCanary + 1 / ofStable));
  return (canary / ofCanary - stable / ofStable) / error > 1.6449;
}

/** Percent of the runs that had ended by then, as a curve. @param ends of each run, Infinity for never. */
export function endedBy(ends: readonly number[], until: number, points = 100): Point[] {
  return Array.from({ length: points + 1 }, (_, index): Point => {
    const at = (until * index) / points;
    return [at, (100 * ends.filter((end) => end <= at).length) / ends.length];
  });
}
