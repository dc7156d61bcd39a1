/**
 * The regular expressions of routes, made once per snapshot.
 *
 * A path pattern is held against the whole path: `/user/\d+` takes `/user/7` and neither `/user/7/x` nor `/a/user/7`, and `^` and `$` may be
 * written or not. A pattern that were searched for anywhere in the path would let `/x/user/7` in by forgetting one sign. A pattern for a
 * value is searched for, since values are texts in which people look for words.
 *
 * Since a path pattern begins where the path begins, the characters that it must begin with are a key to find it by: of 10,000 patterns
 * only those are tried whose literal prefix the path has. The prefix is read conservatively: anything that is not surely a character of its
 * own ends it, and a pattern of alternatives (`/a|/b`) has none. Too short a prefix costs time, too long a one would lose requests.
 */

const META = new Set('.[](){}*+?^$|\\');
/** Quantifiers that allow the character before them to be absent. */
const OPTIONAL = new Set('*?{');
const ALPHANUMERIC = /[0-9A-Za-z]/;

/** `source` has been compiled on its own when the configuration was checked, so its parentheses are balanced. */
export const pathPattern = (source: string): RegExp => new RegExp(`^(?:${source})$`);

export const valuePattern = (source: string): RegExp => new RegExp(source);

/** What every path that {@link pathPattern} accepts begins with; empty where nothing is certain. */
export function literalPrefix(source: string): string {
  if (hasAlternatives(source)) return '';
  const literals: string[] = [];
  for (let pos = source.startsWith('^') ? 1 : 0; pos < source.length; pos++) {
    let char = source[pos]!;
    if (char === '\\') {
      char = source[++pos] ?? '';
      // A letter or digit behind a backslash is a class, an assertion or a reference to a group.
      if (char === '' || ALPHANUMERIC.test(char)) break;
    } else if (META.has(char)) {
      if (OPTIONAL.has(char)) literals.pop();
      break;
    }
    literals.push(char);
  }
  return literals.join('');
}

/** Whether a `|` stands outside of all groups and classes. */
function hasAlternatives(source: string): boolean {
  let depth = 0;
  let inClass = false;
  for (let pos = 0; pos < source.length; pos++) {
    const char = source[pos]!;
    if (char === '\\') pos++;
    else if (inClass) inClass = char !== ']';
    else if (char === '[') inClass = true;
    else if (char === '(') depth++;
    else if (char === ')') depth--;
    else if (char === '|' && depth === 0) return true;
  }
  return false;
}
