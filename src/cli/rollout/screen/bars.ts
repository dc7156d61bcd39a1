/**
 * Bars of block characters: a part of a whole, and shares of one.
 *
 *     cells = round(part · width), but at least 1 where there is anything and at most width − 1 where there is not all
 *
 * Nothing and all look like nothing and all, and nothing else does: a canary at 1 % is there, and a test at 99 % of its threshold has not
 * crossed it. A part that is no number is an empty bar. Width 0 is an empty text.
 */
const FULL = '█';
const HALF = '▓';
const EMPTY = '░';

/** @param part 0 to 1 */
export function bar(part: number, width: number): string {
  const filled = cells(part, width);
  return FULL.repeat(filled) + EMPTY.repeat(width - filled);
}

/** Stable, canary, and what belongs to neither. @param stable percent, @param canary percent */
export function splitBar(stable: number, canary: number, width: number): string {
  const both = cells((stable + canary) / 100, width);
  const second = stable + canary === 0 ? 0 : cells(canary / (stable + canary), both);
  return FULL.repeat(both - second) + HALF.repeat(second) + EMPTY.repeat(width - both);
}

function cells(part: number, width: number): number {
  if (width <= 0 || !(part > 0)) return 0;
  if (part >= 1) return width;
  return Math.min(Math.max(1, Math.round(part * width)), Math.max(1, width - 1));
}
