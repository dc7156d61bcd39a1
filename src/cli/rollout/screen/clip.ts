/**
 * Text that is too long for the page: a line cut to so many columns, colours and all, and a sentence folded into a few lines.
 *
 * Only the colour sequences that the palette writes can be in a line: whatever came from others has been made harmless before. They take no column
 * and are kept, so that what was opened in front of the cut is closed behind it. Every other character counts as one column, by code point;
 * a wide one may leave the line a column too long, which the terminal cuts, as it does not wrap.
 */
const PARTS = /\x1b\[\d+m|[\s\S]/gu;

/** @param columns Infinity: the line as it is */
export function clipped(line: string, columns: number): string {
  if (line.length <= columns) return line;
  let width = 0;
  let kept = '';
  for (const [part] of line.matchAll(PARTS)) {
    if (part.startsWith('\x1b')) kept += part;
    else if (++width <= columns) kept += part;
  }
  return kept;
}

/** @param text without colours. @returns at most `most` lines; what does not fit ends in an ellipsis */
export function folded(text: string, columns: number, most: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > columns && lines.length < most - 1) {
    const space = rest.lastIndexOf(' ', columns);
    const end = space > 0 ? space : Math.max(1, columns);
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest.length > columns ? `${rest.slice(0, Math.max(0, columns - 1))}…` : rest];
}
