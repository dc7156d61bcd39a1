/**
 * How a latency of the canary stands beside stable's, for whoever looks at both.
 *
 * Percentiles of a few hundred requests differ by a quarter from chance alone, and under a millisecond by anything, so only what is a third and some milliseconds
 * more is called slower. This colours a number and decides nothing: that is the evidence's work.
 */

/** Percent and milliseconds. */
const SLOWER = 33;
const SLOWER_BY = 3;
/** Below it a difference says nothing, milliseconds. */
const TINY = 1;
/** Of fewer requests a percentile is the slowest of them, and a comparison would be noise. */
const FEWEST = 20;

export interface Beside {
  /** Percent more than stable; negative where it is less. */
  readonly more: number;
  readonly isSlower: boolean;
}

/**
 * @param requests of the side that has fewer; left out: enough.
 * @returns null where there is nothing to compare.
 */
export function besideStable(own: number | null, stable: number | null, requests = FEWEST): Beside | null {
  if (own === null || stable === null || stable <= 0 || Math.max(own, stable) < TINY || requests < FEWEST) return null;
  const more = (100 * (own - stable)) / stable;
  return { more, isSlower: more > SLOWER && own - stable > SLOWER_BY };
}

/** `+14 %` */
export function difference(more: number): string {
  const whole = Math.round(Math.abs(more));
  return whole === 0 ? '±0 %' : `${more > 0 ? '+' : '−'}${whole} %`;
}
