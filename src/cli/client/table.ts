/**
 * Tables for people: columns as wide as their widest cell, numbers to the right, colour where the palette has any.
 *
 * A cell's width is counted before it is coloured. The last column is not padded, so that no line ends in blanks. A table without rows is
 * its header: that there is nothing is an answer too.
 */
import { printable } from './printable.ts';

/** What a cell says about itself; the palette knows the colour. */
export type Tone = 'good' | 'warning' | 'bad' | 'faint' | 'strong';

export type Paint = (text: string, tone: Tone) => string;

export type Cell = string | { readonly text: string; readonly tone: Tone };

const SGR: Readonly<Record<Tone, number>> = { good: 32, warning: 33, bad: 31, faint: 2, strong: 1 };

export const coloured: Paint = (text, tone) => `\x1b[${SGR[tone]}m${text}\x1b[0m`;
export const plain: Paint = (text) => text;

const GAP = '  ';

/** @param titles of the columns; one that begins with `>` is of a column of numbers. */
export function table(titles: readonly string[], rows: readonly (readonly Cell[])[], paint: Paint): string {
  const columns = titles.map((title) => ({ title: title.replace(/^>/, ''), right: title.startsWith('>') }));
  const lines = [columns.map(({ title }): Cell => ({ text: title, tone: 'faint' })), ...rows];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => textOf(line[at]).length)));
  return lines
    .map((line) => {
      const cells = columns.map(({ right }, at) =>
        padded(line[at], widths[at]!, right, at === columns.length - 1, paint),
      );
      return `${cells.join(GAP).trimEnd()}\n`;
    })
    .join('');
}

function padded(cell: Cell | undefined, width: number, right: boolean, last: boolean, paint: Paint): string {
  const text = textOf(cell);
  const blanks = ' '.repeat(width - text.length);
  const shown = typeof cell === 'object' && text !== '' ? paint(text, cell.tone) : text;
  if (right) return blanks + shown;
  return last ? shown : shown + blanks;
}

const textOf = (cell: Cell | undefined): string => printable(typeof cell === 'object' ? cell.text : (cell ?? ''));
