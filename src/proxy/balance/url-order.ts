/**
 * The order in which policies that hash see their candidates: by url, character by character.
 *
 * The order of a configuration, or of the moments at which endpoints became healthy, differs between workers and machines; the urls do
 * not. Where two endpoints compete for the same point of a ring or the same entry of a table, this order says who has it everywhere.
 *
 * @hotpath bench/micro/balance.ts
 */
import type { Candidate } from './policy.ts';

function byUrl(a: Candidate, b: Candidate): number {
  if (a.url === b.url) return 0;
  return a.url < b.url ? -1 : 1;
}

/** A sorted copy. */
export const inUrlOrder = <C extends Candidate>(candidates: readonly C[]): C[] => candidates.slice().sort(byUrl);
