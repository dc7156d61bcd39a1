/**
 * "Did you mean": the known name nearest to a mistyped one.
 *
 * Distance is optimal string alignment (an insertion, a removal, a replacement or a swap of neighbours costs one), case ignored,
 * since swapped and wrongly cased letters are the commonest slips. A guess further away than a third of the word is not
 * offered: a wrong hint is worse than none.
 */
const MOST_NAMES = 30;

/** @param most the distance that is still near. Default: a third of the word. */
export function nearestName(
  word: string,
  known: Iterable<string>,
  most: number = Math.max(1, Math.floor(word.length / 3)),
): string | null {
  let best: string | null = null;
  let bestDistance = most + 1;
  for (const name of known) {
    // Each letter too many or too few is a step.
    if (Math.abs(name.length - word.length) >= bestDistance) continue;
    const distance = alignmentDistance(word.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** What follows "no version v9; " where `word` is not among `known`. */
export function nameHint(word: string, known: readonly string[]): string {
  const guess = nearestName(word, known);
  if (guess !== null) return `did you mean ${guess}?`;
  const rest = known.length > MOST_NAMES ? ` and ${known.length - MOST_NAMES} more` : '';
  return `there are: ${known.slice(0, MOST_NAMES).join(', ')}${rest}`;
}

function alignmentDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      let least = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + cost);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        least = Math.min(least, beforeLast[column - 2]! + 1);
      }
      current.push(least);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length]!;
}
