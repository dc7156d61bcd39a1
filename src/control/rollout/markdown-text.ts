/**
 * Markdown out of values that strangers have written: names, reasons, and the paths of users' requests.
 *
 * A value must come out as it is and do nothing: end no cell, begin no list, heading, link or code, and be no HTML, wherever the page is pasted.
 * Punctuation that Markdown reads gets a backslash. The pipe, the backslash itself, `<`, `>` and `&` become character references instead,
 * because tables are split before backslashes are read, and a pipe behind two of them ends a cell in one implementation and not in another.
 * What means nothing where it stands is left alone, so that the source can be read as well: an underscore within a word, a `<` that begins
 * no tag, a `>` within a line. Line ends, control characters and the marks that turn the direction of writing round, with which a line can
 * be made to look like another, become a space or U+FFFD.
 */
const REFERENCES: Readonly<Record<string, string>> = {
  '|': '&#124;',
  '\\': '&#92;',
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
};

const SPACES = /[\s\u0085\u2028\u2029]+/g;
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]|\p{Cs}/gu;
const PUNCTUATION =
  /[|\\&`*[\]~$!]|<(?=[A-Za-z/!?])|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[>#+=-]|(?<=^\d{1,9})[.)](?= |$)|:(?=\/\/)/g;

/** A value as text within a line. */
export function plain(value: string): string {
  const visible = value.replace(SPACES, ' ').replace(INVISIBLE, '\ufffd').trim();
  return visible.replace(PUNCTUATION, (found) => REFERENCES[found] ?? `\\${found}`);
}

/** Names of columns, with `>` before those whose cells stand to the right. */
export type Columns = readonly string[];

/** A table, or nothing where it has no rows. @param rows cells as they are; they are made plain here. */
export function table(columns: Columns, rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const names = columns.map((column) => column.replace(/^>/, ''));
  const ruler = columns.map((column) => (column.startsWith('>') ? '---:' : '---'));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(names), line(ruler), ...rows.map((row) => line(row.map(plain)))];
}
