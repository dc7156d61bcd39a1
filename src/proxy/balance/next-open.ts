/**
 * The first candidate that is not barred, from a given place on and round the list.
 *
 * It is how policies that take turns step over a barred candidate, and the last resort of those that look for one by trial: a
 * walk over everybody ends, trials need not. It costs one look per barred candidate on the way, so nothing as a rule.
 *
 * @hotpath bench/micro/balance.ts
 */
import type { Candidate } from './policy.ts';

/** @param from index, below the length. @returns an index, -1 where everybody is barred or there is nobody. */
export function nextOpen(candidates: readonly Candidate[], from: number): number {
  const n = candidates.length;
  for (let i = from; i < n; i++) if (!candidates[i]!.barred) return i;
  for (let i = 0; i < from && i < n; i++) if (!candidates[i]!.barred) return i;
  return -1;
}
