/**
 * One parameter out of the query of a request target, percent-decoded; for route predicates and for keys alike.
 *
 * The target is searched where it stands: parameters end at `&`, name and value part at the first `=`, the first parameter of the
 * name wins. Only a name that could still turn out right, and the value that is asked for, are decoded. `%XX` becomes a byte, `+` a space,
 * and the bytes are read as UTF-8; a `%` without two hexadecimal digits stays as it is, and bytes that are not UTF-8 become U+FFFD, so
 * that no input is an error.
 *
 * Rejected: URLSearchParams, which decodes and copies every parameter of the target into an object; decodeURIComponent, which throws on
 * malformed input, and an exception for each of a thousand parameters is a way to keep a worker busy.
 *
 * @hotpath bench/micro/split.ts
 */
import { HEX } from '../http1/grammar.ts';

const AMPERSAND = 38;
const EQUALS = 61;
const PERCENT = 37;
const PLUS = 43;
const SPACE = 32;

/** The decoded value of the first parameter `name` (decoded form), empty where it has none; null where the target has no such parameter. */
export function queryValue(target: string, name: string): string | null {
  const question = target.indexOf('?');
  if (question < 0) return null;
  const end = target.length;
  let from = question + 1;
  while (from < end) {
    let equals = -1;
    let encoded = false;
    let to = from;
    for (; to < end; to++) {
      const c = target.charCodeAt(to);
      if (c === AMPERSAND) break;
      if (equals >= 0) continue;
      if (c === EQUALS) equals = to;
      else if (c === PERCENT || c === PLUS) encoded = true;
    }
    const nameEnd = equals < 0 ? to : equals;
    if (nameEnd > from && isNamed(target, from, nameEnd, name, encoded)) {
      return equals < 0 ? '' : decode(target.slice(equals + 1, to));
    }
    from = to + 1;
  }
  return null;
}

function isNamed(target: string, from: number, to: number, name: string, encoded: boolean): boolean {
  if (encoded) return to - from >= name.length && decode(target.slice(from, to)) === name;
  return to - from === name.length && target.startsWith(name, from);
}

function decode(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  const bytes = Buffer.from(text, 'latin1');
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    let c = bytes[i]!;
    if (c === PLUS) {
      c = SPACE;
    } else if (c === PERCENT && i + 2 < bytes.length) {
      const high = HEX[bytes[i + 1]!]!;
      const low = HEX[bytes[i + 2]!]!;
      if (high < 16 && low < 16) {
        c = high * 16 + low;
        i += 2;
      }
    }
    bytes[length++] = c;
  }
  return bytes.toString('utf8', 0, length);
}
