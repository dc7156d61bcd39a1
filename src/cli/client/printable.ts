/**
 * Text of others made harmless for a terminal: control characters, those that begin an escape sequence above all, become a middle dot.
 *
 * Reasons, names and messages pass through the server from whoever wrote them. JSON output needs none of this: it escapes them itself.
 */
const CONTROL = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Line breaks and tabs become a space. */
export const printable = (text: string): string => text.replace(/[\r\n\t]+/g, ' ').replace(CONTROL, '·');
