/**
 * Lines below each other behind one label: the eye finds a part of the page by its left edge, without frames that cost columns.
 */
import type { Paint } from '../../client/table.ts';

export const LABEL_WIDTH = 12;

export function labelled(label: string, lines: readonly string[], paint: Paint): string[] {
  return lines.map(
    (line, at) => (at === 0 ? paint(label.padEnd(LABEL_WIDTH), 'faint') : ' '.repeat(LABEL_WIDTH)) + line,
  );
}
