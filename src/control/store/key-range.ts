/**
 * The end of a prefix: keys that begin with `prefix` are exactly those from `prefix` on and before `afterPrefix(prefix)`.
 *
 * So that listing a prefix is one walk along the index. `LIKE` and `GLOB` would do the same only where no key holds `%`, `_`, `*` or a
 * capital letter. The end is the prefix with its last character raised by one; SQLite compares the bytes of UTF-8, whose order is that of
 * the code points, so the raising steps over the surrogates, which are no characters, and a last character that is the very last
 * one is dropped and the one before it raised. Null where nothing is behind: the empty prefix, and one of last characters only.
 */
const LAST = 0x10ffff;
const BEFORE_SURROGATES = 0xd7ff;
const AFTER_SURROGATES = 0xe000;

export function afterPrefix(prefix: string): string | null {
  const points = Array.from(prefix, (character) => character.codePointAt(0)!);
  for (let point = points.pop(); point !== undefined; point = points.pop()) {
    if (point === LAST) continue;
    return String.fromCodePoint(...points, point === BEFORE_SURROGATES ? AFTER_SURROGATES : point + 1);
  }
  return null;
}
