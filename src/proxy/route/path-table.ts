/**
 * The routes of one host: exact paths first, then regular expressions, then prefixes from the longest to the shortest.
 *
 * Exact paths are a Map. Prefixes are a tree, and match on segment boundaries: `/api` takes `/api` and `/api/x`, not `/apix`; `/api/` takes
 * what lies below it, not `/api`. Regular expressions are a tree as well, by the characters that they must begin with (route-pattern.ts);
 * all that come into question are tried, since among them not the length decides but the rank. Lists are in order of rank, so that the
 * first route in a list whose predicates hold is the one.
 *
 * Paths are compared as they were sent, without decoding or dot segments: that is how they are sent on, too. `OPTIONS *` names no path; the
 * routes that take every path take it.
 *
 * @hotpath bench/micro/routes.ts
 */
import type { ClientFacts } from '../http1/field-rules.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { RoutePredicates } from './predicates.ts';
import { type PrefixNode, PrefixTree } from './prefix-tree.ts';
import { literalPrefix } from './route-pattern.ts';

const SLASH = 47;

/** A route within its host. */
export interface RouteEntry<T> {
  readonly target: T;
  /** Place in the order of precedence; lower goes first. */
  readonly rank: number;
  /** Null where every request will do. */
  readonly predicates: RoutePredicates | null;
  /** Null where the path is known to match already. */
  readonly pattern: RegExp | null;
}

type Entries<T> = RouteEntry<T>[];

/** Collects the routes of one host, in order of rank. */
export class PathTableDraft<T> {
  readonly exact = new Map<string, Entries<T>>();
  readonly patterns = new Map<string, Entries<T>>();
  readonly prefixes = new Map<string, Entries<T>>();

  addExact(path: string, entry: RouteEntry<T>): void {
    add(this.exact, path, entry);
  }

  addPattern(source: string, entry: RouteEntry<T>): void {
    add(this.patterns, literalPrefix(source), entry);
  }

  addPrefix(prefix: string, entry: RouteEntry<T>): void {
    add(this.prefixes, prefix, entry);
  }
}

function add<T>(lists: Map<string, Entries<T>>, key: string, entry: RouteEntry<T>): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [entry]);
  else list.push(entry);
}

export class PathTable<T> {
  readonly #exact: Map<string, Entries<T>> | null;
  readonly #patterns: PrefixTree<Entries<T>> | null;
  readonly #prefixes: PrefixTree<Entries<T>>;
  /** The routes of the prefix `/`. */
  readonly #everyPath: Entries<T>;

  constructor(draft: PathTableDraft<T>) {
    this.#exact = draft.exact.size === 0 ? null : draft.exact;
    this.#patterns = draft.patterns.size === 0 ? null : new PrefixTree(draft.patterns);
    this.#prefixes = new PrefixTree(draft.prefixes);
    this.#everyPath = draft.prefixes.get('/') ?? [];
  }

  /** @param path the target of `head` without its query. */
  find(path: string, head: RequestHead, client: ClientFacts): T | null {
    if (path === '*') return first(this.#everyPath, head, client);
    if (this.#exact !== null) {
      const list = this.#exact.get(path);
      const found = list === undefined ? null : first(list, head, client);
      if (found !== null) return found;
    }
    if (this.#patterns !== null) {
      const found = bestPattern(this.#patterns.longest(path), path, head, client);
      if (found !== null) return found;
    }
    for (let node = this.#prefixes.longest(path); node !== null; node = node.shorter) {
      if (!endsSegment(path, node.length)) continue;
      const found = first(node.value!, head, client);
      if (found !== null) return found;
    }
    return null;
  }
}

/** Whether a prefix of this length of the path ends where a segment ends. */
const endsSegment = (path: string, length: number): boolean =>
  length === path.length || path.charCodeAt(length) === SLASH || path.charCodeAt(length - 1) === SLASH;

function first<T>(list: Entries<T>, head: RequestHead, client: ClientFacts): T | null {
  for (let i = 0; i < list.length; i++) {
    const entry = list[i]!;
    if (entry.predicates === null || entry.predicates.hold(head, client)) return entry.target;
  }
  return null;
}

/** The route of the lowest rank among all whose literal prefix the path has. */
function bestPattern<T>(
  longest: PrefixNode<Entries<T>> | null,
  path: string,
  head: RequestHead,
  client: ClientFacts,
): T | null {
  let best: RouteEntry<T> | null = null;
  for (let node = longest; node !== null; node = node.shorter) {
    const list = node.value!;
    for (let i = 0; i < list.length; i++) {
      const entry = list[i]!;
      if (best !== null && entry.rank > best.rank) break;
      if (!entry.pattern!.test(path)) continue;
      if (entry.predicates !== null && !entry.predicates.hold(head, client)) continue;
      best = entry;
      break;
    }
  }
  return best === null ? null : best.target;
}
