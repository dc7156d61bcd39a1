/**
 * Text of others, made fit for a report, a log and a terminal.
 *
 * What a hook prints and what a gate answers is shown to people and kept. Control characters go, above all those that begin an escape sequence,
 * and those that turn the direction of writing; each becomes a middle dot, so that one sees that something was there. Line ends stay in
 * output, tabs become blanks. It is done here, before it is kept, and not only where it is shown: nobody can forget it later.
 */
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
const LONGEST_LINE = 500;

/** Several lines. */
export const plainText = (text: string): string =>
  text.replaceAll('\t', ' ').replace(/\r\n?/g, '\n').replace(CONTROL, '·').toWellFormed();

/** One line of at most 500 characters. */
export function plainLine(text: string): string {
  const line = plainText(text).replace(/\s+/g, ' ').trim();
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE - 1).toWellFormed()}…` : line;
}
