/**
 * How long to wait before a webhook is tried again.
 *
 *     pause = min(1 s × 2^(tries − 1), 5 min) × (1 − u/2),  u uniform in [0, 1)
 *
 * Doubling, because a receiver that has been down for long is likely to be down a little longer; the random part, because all who lost the same
 * receiver would otherwise come back in the same instant. A receiver that asks for more patience (Retry-After, in seconds or as a date) gets it,
 * up to an hour: a typing error there must not end a subscription. It cannot ask for less, and what cannot be read counts as not said.
 */
import type { Random } from '../../runtime/random.ts';

export const FIRST_PAUSE = 1_000;
export const LAST_PAUSE = 5 * 60_000;
export const LONGEST_RETRY_AFTER = 3_600_000;

/** @param tries that have failed in a row, at least 1. @param wallNow milliseconds since 1970. @returns milliseconds. */
export function retryPause(tries: number, random: Random, retryAfter: string | null, wallNow: number): number {
  const own = Math.min(FIRST_PAUSE * 2 ** (tries - 1), LAST_PAUSE) * (1 - random.next() / 2);
  return Math.max(own, Math.min(asked(retryAfter, wallNow), LONGEST_RETRY_AFTER));
}

function asked(retryAfter: string | null, wallNow: number): number {
  if (retryAfter === null) return 0;
  if (/^\d+$/.test(retryAfter)) return Number(retryAfter) * 1000;
  const date = Date.parse(retryAfter);
  return Number.isNaN(date) ? 0 : date - wallNow;
}
