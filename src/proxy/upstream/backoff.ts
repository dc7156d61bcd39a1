/**
 * How long to wait before a retry: uniform between nothing and a bound that doubles with each retry.
 *
 *     pause(n) = random in [0, min(longest, first × 2^(n−1)))
 *
 * "Full jitter". Requests that failed together, because one thing broke, would otherwise come back together; spreading them over the
 * whole range spreads the load best and finishes soonest on average, better than a fixed pause with a little jitter added.
 *
 * Pedigree: M. Brooker, "Exponential Backoff and Jitter", 2015.
 *
 * @hotpath bench/micro/admit.ts
 */
import type { Random } from '../../runtime/random.ts';

/** Doubling more often than this reaches every pause that there is, and keeps 0 × 2^n from being no number. */
const MOST_DOUBLINGS = 40;

/** Milliseconds. @param retry from 1. @param first bound of the first pause. @param longest bound of all. */
export function fullJitter(retry: number, first: number, longest: number, random: Random): number {
  const bound = Math.min(longest, first * 2 ** Math.min(retry - 1, MOST_DOUBLINGS));
  return random.next() * bound;
}
