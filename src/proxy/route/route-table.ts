/**
 * Finds the service of a request: host first, then the longest path prefix.
 *
 * Hosts are looked up in maps: the exact name, then the wildcard of each parent domain, then the routes without a host. A prefix matches
 * on segment boundaries: `/api` takes `/api` and `/api/x`, not `/apix`. The order is fixed by specificity, never by position in
 * the file: exact host before wildcard before none; within a host the longer prefix first.
 *
 * @hotpath bench/micro/choose.ts
 */
import type { RouteConfig } from '../../model/config.ts';

interface PrefixRoute<T> {
  readonly prefix: string;
  readonly target: T;
}

export class RouteTable<T> {
  readonly #only: T | null;
  readonly #exact = new Map<string, PrefixRoute<T>[]>();
  readonly #wildcard = new Map<string, PrefixRoute<T>[]>();
  readonly #any: PrefixRoute<T>[] = [];

  /** @param resolve gives the target for a service name. @param only takes every request where there are no routes. */
  constructor(routes: readonly RouteConfig[], resolve: (service: string) => T, only: T | null) {
    this.#only = routes.length === 0 ? only : null;
    for (const route of routes) {
      this.#listFor(route.match.host).push({ prefix: route.match.pathPrefix, target: resolve(route.service) });
    }
    const longestFirst = (a: PrefixRoute<T>, b: PrefixRoute<T>): number => b.prefix.length - a.prefix.length;
    for (const list of this.#exact.values()) list.sort(longestFirst);
    for (const list of this.#wildcard.values()) list.sort(longestFirst);
    this.#any.sort(longestFirst);
  }

  #listFor(host: string | undefined): PrefixRoute<T>[] {
    if (host === undefined) return this.#any;
    const map = host.startsWith('*.') ? this.#wildcard : this.#exact;
    const key = host.startsWith('*.') ? host.slice(1) : host;
    let list = map.get(key);
    if (list === undefined) {
      list = [];
      map.set(key, list);
    }
    return list;
  }

  /** @param authority Host as the client sent it, port included. @param target origin-form or `*`. */
  match(authority: string, target: string): T | null {
    if (this.#only !== null) return this.#only;
    const host = hostOf(authority);
    const exact = this.#exact.get(host);
    const found = exact === undefined ? null : longest(exact, target);
    if (found !== null) return found;
    if (this.#wildcard.size > 0) {
      for (let dot = host.indexOf('.'); dot > 0; dot = host.indexOf('.', dot + 1)) {
        const list = this.#wildcard.get(host.slice(dot));
        const match = list === undefined ? null : longest(list, target);
        if (match !== null) return match;
      }
    }
    return longest(this.#any, target);
  }
}

function longest<T>(list: readonly PrefixRoute<T>[], target: string): T | null {
  for (let i = 0; i < list.length; i++) {
    const { prefix, target: found } = list[i]!;
    if (!target.startsWith(prefix)) {
      // `OPTIONS *` names no path: the routes that take every path take it too.
      if (prefix === '/' && target === '*') return found;
      continue;
    }
    if (prefix.endsWith('/') || target.length === prefix.length) return found;
    const next = target.charCodeAt(prefix.length);
    if (next === 47 || next === 63) return found;
  }
  return null;
}

/** Host name in lower case, without port and without the final dot of a fully qualified name. */
function hostOf(authority: string): string {
  const colon = authority.startsWith('[') ? authority.indexOf(':', authority.indexOf(']')) : authority.indexOf(':');
  const host = (colon < 0 ? authority : authority.slice(0, colon)).toLowerCase();
  return host.endsWith('.') ? host.slice(0, -1) : host;
}
