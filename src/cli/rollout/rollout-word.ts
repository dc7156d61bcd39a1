/**
 * The word that names a rollout, in every command that takes one; see `find-rollout.ts` for what it may be.
 */
import { UsageError } from '../command.ts';

/** As usage lines have it. */
export const ROLLOUT_USAGE = '[ID|SERVICE]';

export function idWord(words: readonly string[]): string | undefined {
  const [word, extra] = words;
  if (extra !== undefined) throw new UsageError(`unexpected argument ${JSON.stringify(extra)}`);
  return word;
}
