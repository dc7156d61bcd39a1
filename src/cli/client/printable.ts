/**
 * Text of others made harmless for a terminal: control characters, those that begin an escape sequence above all, become a middle dot.
 *
 * Reasons, names and messages pass through the server from whoever wrote them. JSON escapes only those below a blank by itself; U+009B begins an escape
 * sequence as well, so the others are escaped behind it.
 */
const CONTROL = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Line breaks and tabs become a space. */
export const printable = (text: string): string => text.replace(/[\r\n\t]+/g, ' ').replace(CONTROL, '·');

/** JSON that means the same and holds no control character but the line breaks between its parts. */
export const printableJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(
    /[\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
