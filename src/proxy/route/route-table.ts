/**
 * Finds the route of a request. The order of precedence is fixed by how specific a route is, and the first difference decides:
 *
 *   1. host: exact, then wildcards from the longest domain, then routes without a host
 *   2. path: exact, then regular expressions, then prefixes from the longest
 *   3. routes that name methods
 *   4. more header predicates, flags counted among them
 *   5. more query predicates
 *   6. earlier in the file
 *
 * The most specific route that matches wins; where no route of the most specific host matches, the next host is asked. Hosts are Maps,
 * paths are a Map and two trees per host (path-table.ts), so that a lookup costs the same with 10,000 routes as with one; only routes that
 * differ in nothing but their predicates are tried one after the other. Places 3 to 6 are one number, the rank, settled here.
 *
 * @hotpath bench/micro/routes.ts
 */
import type { RouteConfig, RouteMatch } from '../../model/route-config.ts';
import type { FieldNames } from '../http1/field-names.ts';
import type { ClientFacts } from '../http1/field-rules.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { FlagSet } from './flags.ts';
import { keyHeaders } from './key-reader.ts';
import { PathTable, PathTableDraft, type RouteEntry } from './path-table.ts';
import { RoutePredicates } from './predicates.ts';
import { pathPattern } from './route-pattern.ts';

export class RouteTable<T> {
  readonly #only: T | null;
  readonly #exact = new Map<string, PathTable<T>>();
  /** By the domain with its dot: `.example.com`. */
  readonly #wildcard = new Map<string, PathTable<T>>();
  readonly #any: PathTable<T>;
  /** Length of the longest key of `#wildcard`; no longer part of a host is looked up, whatever a client sends. */
  #longestDomain = 0;

  /**
   * @param names must number what {@link routeHeaders} gives. @param targetOf is called once per route.
   * @param only takes every request where there are no routes. @param flags null where there are none.
   */
  constructor(
    routes: readonly RouteConfig[],
    names: FieldNames,
    targetOf: (route: RouteConfig, index: number) => T,
    only: T | null,
    flags: FlagSet | null = null,
  ) {
    this.#only = routes.length === 0 ? only : null;
    const drafts = new Map<string, PathTableDraft<T>>([['', new PathTableDraft()]]);
    for (const { match } of routes) drafts.set(match.host ?? '', new PathTableDraft());
    const ranked = routes.map((route, index) => ({ route, target: targetOf(route, index) })).sort(byRank);
    const pool = new PredicatePool(names, flags);
    ranked.forEach(({ route: { match }, target }, rank) => {
      addRoute(drafts.get(match.host ?? '')!, match, target, rank, pool.of(match));
    });
    this.#any = new PathTable(drafts.get('')!);
    drafts.delete('');
    for (const [host, draft] of drafts) this.#addHost(host, new PathTable(draft));
  }

  #addHost(host: string, table: PathTable<T>): void {
    if (!host.startsWith('*.')) {
      this.#exact.set(host, table);
      return;
    }
    const domain = host.slice(1);
    this.#wildcard.set(domain, table);
    this.#longestDomain = Math.max(this.#longestDomain, domain.length);
  }

  match(head: RequestHead, client: ClientFacts): T | null {
    if (this.#only !== null) return this.#only;
    const { target } = head;
    const query = target.indexOf('?');
    const path = query < 0 ? target : target.slice(0, query);
    if (this.#exact.size > 0 || this.#wildcard.size > 0) {
      const host = hostOf(head.authority);
      const table = this.#exact.get(host);
      const found = table === undefined ? null : table.find(path, head, client);
      if (found !== null) return found;
      if (this.#wildcard.size > 0) {
        const match = this.#matchWildcard(host, path, head, client);
        if (match !== null) return match;
      }
    }
    return this.#any.find(path, head, client);
  }

  #matchWildcard(host: string, path: string, head: RequestHead, client: ClientFacts): T | null {
    const from = Math.max(1, host.length - this.#longestDomain);
    for (let dot = host.indexOf('.', from); dot > 0; dot = host.indexOf('.', dot + 1)) {
      const table = this.#wildcard.get(host.slice(dot));
      const found = table === undefined ? null : table.find(path, head, client);
      if (found !== null) return found;
    }
    return null;
  }
}

/** Lower-case names of the headers that routes read: no client may take them away by naming them in Connection. */
export function routeHeaders(routes: readonly RouteConfig[]): string[] {
  const names = new Set<string>();
  for (const { match, rateLimit, fault } of routes) {
    for (const { name } of match.headers) names.add(name);
    if (rateLimit?.key !== undefined) for (const name of keyHeaders(rateLimit.key)) names.add(name);
    if (fault?.header !== undefined) names.add(fault.header);
  }
  return Array.from(names);
}

/** Lower-case names of the fields that routes set or take off. */
export function editedHeaders(routes: readonly RouteConfig[]): string[] {
  const names = new Set<string>();
  for (const { requestHeaders, responseHeaders } of routes) {
    for (const edits of [requestHeaders, responseHeaders]) {
      for (const [name] of edits.set) names.add(name.toLowerCase());
      for (const name of edits.remove) names.add(name.toLowerCase());
    }
  }
  return Array.from(names);
}

interface Ranked {
  readonly route: RouteConfig;
}

/** Places 3 to 5 of the order; sorting is stable, which makes the sixth. */
function byRank(a: Ranked, b: Ranked): number {
  const left = a.route.match;
  const right = b.route.match;
  const methods = Math.sign(right.methods.length) - Math.sign(left.methods.length);
  const headers = right.headers.length + right.flags.length - left.headers.length - left.flags.length;
  return methods || headers || right.query.length - left.query.length;
}

/**
 * Equal predicates are one object: thousands of routes tend to ask for the same few things, and memory that is shared is memory that is in the
 * processor's cache when a request needs it.
 */
class PredicatePool {
  readonly #names: FieldNames;
  readonly #flags: FlagSet | null;
  readonly #known = new Map<string, RoutePredicates>();

  constructor(names: FieldNames, flags: FlagSet | null) {
    this.#names = names;
    this.#flags = flags;
  }

  of(match: RouteMatch): RoutePredicates | null {
    const { methods, headers, query, flags } = match;
    if (methods.length + headers.length + query.length + flags.length === 0) return null;
    const key = JSON.stringify([methods, headers, query, flags]);
    const predicates = this.#known.get(key) ?? new RoutePredicates(match, this.#names, this.#flags);
    this.#known.set(key, predicates);
    return predicates;
  }
}

function addRoute<T>(
  draft: PathTableDraft<T>,
  match: RouteMatch,
  target: T,
  rank: number,
  predicates: RoutePredicates | null,
): void {
  const pattern = match.pathRegex === undefined ? null : pathPattern(match.pathRegex);
  const entry: RouteEntry<T> = { target, rank, predicates, pattern };
  if (match.path !== undefined) draft.addExact(match.path, entry);
  else if (match.pathRegex !== undefined) draft.addPattern(match.pathRegex, entry);
  else draft.addPrefix(match.pathPrefix ?? '/', entry);
}

/** Host name in lower case, without port and without the final dot of a fully qualified name. */
function hostOf(authority: string): string {
  const colon = authority.startsWith('[') ? authority.indexOf(':', authority.indexOf(']')) : authority.indexOf(':');
  const host = (colon < 0 ? authority : authority.slice(0, colon)).toLowerCase();
  return host.endsWith('.') ? host.slice(0, -1) : host;
}
