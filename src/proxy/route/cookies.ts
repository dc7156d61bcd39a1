/**
 * The value of one cookie out of the Cookie fields of a request, by the rules of RFC 6265 5.2 and 4.2.
 *
 * Pairs are separated by `;`, name and value by the first `=`; spaces and tabs around both do not count, and names are compared exactly, with
 * case. So the name is looked for with `indexOf`, and a find counts only where a pair begins before it and `=` follows: `xsid=1` and
 * `theme=sid` do not contain the cookie `sid`. The first cookie of the name wins, as browsers put the most specific path first. A value in
 * double quotes is given without them. There is no percent-decoding, since cookies have none.
 *
 * Quotes do not protect a `;`: browsers and most servers read it as the end of the pair, and two readings of one field would let a
 * client be one user here and another upstream.
 *
 * @hotpath bench/micro/split.ts
 */
import { FIELD } from '../http1/field-names.ts';
import type { RequestHead } from '../http1/request-head.ts';

const COOKIE = FIELD.cookie;

const SEMICOLON = 59;
const EQUALS = 61;
const QUOTE = 34;

const isBlank = (c: number): boolean => c === 32 || c === 9;

/** The value of cookie `name` in a Cookie field, empty where it is not there or empty. */
export function cookieValue(field: string, name: string): string {
  for (let at = field.indexOf(name); at >= 0; at = field.indexOf(name, at + 1)) {
    if (!beginsPair(field, at)) continue;
    let pos = at + name.length;
    while (isBlank(field.charCodeAt(pos))) pos++;
    if (field.charCodeAt(pos) !== EQUALS) continue;
    return valueAt(field, pos + 1);
  }
  return '';
}

/** The value of cookie `name` in a request, empty where it is not there or empty; several Cookie lines count as one. */
export function requestCookie(head: RequestHead, name: string): string {
  if (!head.has(COOKIE)) return '';
  if (!head.isRepeated(COOKIE)) return cookieValue(head.value(COOKIE), name);
  for (let i = 0; i < head.count; i++) {
    if (head.idAt(i) !== COOKIE) continue;
    const value = cookieValue(head.valueAt(i), name);
    if (value !== '') return value;
  }
  return '';
}

function beginsPair(field: string, at: number): boolean {
  let pos = at - 1;
  while (pos >= 0 && isBlank(field.charCodeAt(pos))) pos--;
  return pos < 0 || field.charCodeAt(pos) === SEMICOLON;
}

function valueAt(field: string, from: number): string {
  const semicolon = field.indexOf(';', from);
  let start = from;
  let end = semicolon < 0 ? field.length : semicolon;
  while (start < end && isBlank(field.charCodeAt(start))) start++;
  while (end > start && isBlank(field.charCodeAt(end - 1))) end--;
  if (end - start >= 2 && field.charCodeAt(start) === QUOTE && field.charCodeAt(end - 1) === QUOTE) {
    start++;
    end--;
  }
  return field.slice(start, end);
}
