/**
 * Gives a request another path: the whole of it, the prefix that matched, or what a regular expression makes of it. The query stays.
 *
 *   path: /old          /new         /old?a=1       → /new?a=1
 *   pathPrefix: /api    /            /api/x?a=1     → /x?a=1         /api → /
 *   pathPrefix: /api/   /v2          /api/x         → /v2/x
 *   pathRegex: /u/(\d+) /users/$1    /u/7           → /users/7
 *
 * Where prefix and rest meet there is one slash, never none and never two that were not sent. The result always begins with a slash, whatever
 * a regular expression captures, because anything else would be another form of target. `OPTIONS *` names no path and stays as it is.
 *
 * In the replacement for a regular expression `$1` to `$99`, `$<name>`, `$&` and `$$` mean what they mean in JavaScript; in the others a
 * dollar sign is a dollar sign.
 *
 * @hotpath bench/micro/routes.ts
 */
import type { RouteConfig } from '../../model/route-config.ts';
import { pathPattern } from './route-pattern.ts';

export interface PathRewrite {
  /** @param target a target that the route matches, origin-form or `*`. @returns the target to ask for instead. */
  apply(target: string): string;
}

/** The rewrite of a route or of its redirect; null where the path stays. */
export function compileRewrite(route: RouteConfig): PathRewrite | null {
  const path = route.rewrite?.path ?? route.redirect?.path;
  if (path === undefined) return null;
  const { match } = route;
  if (match.path !== undefined) return new WholePath(path);
  if (match.pathRegex !== undefined) return new PatternPath(match.pathRegex, path);
  return new PrefixPath((match.pathPrefix ?? '/').length, path);
}

class WholePath implements PathRewrite {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  apply(target: string): string {
    return target === '*' ? target : this.#path + target.slice(pathLength(target));
  }
}

class PrefixPath implements PathRewrite {
  readonly #length: number;
  readonly #path: string;
  readonly #endsWithSlash: boolean;

  constructor(length: number, path: string) {
    this.#length = length;
    this.#path = path;
    this.#endsWithSlash = path.endsWith('/');
  }

  apply(target: string): string {
    if (target === '*') return target;
    const path = pathLength(target);
    const rest = target.slice(this.#length);
    if (path <= this.#length) return this.#path + rest;
    const slash = target.startsWith('/', this.#length);
    if (slash === this.#endsWithSlash) return slash ? this.#path + rest.slice(1) : `${this.#path}/${rest}`;
    return this.#path + rest;
  }
}

class PatternPath implements PathRewrite {
  readonly #pattern: RegExp;
  readonly #replacement: string;

  constructor(source: string, replacement: string) {
    this.#pattern = pathPattern(source);
    this.#replacement = replacement;
  }

  apply(target: string): string {
    if (target === '*') return target;
    const end = pathLength(target);
    const path = target.slice(0, end).replace(this.#pattern, this.#replacement);
    return (path.startsWith('/') ? path : `/${path}`) + target.slice(end);
  }
}

function pathLength(target: string): number {
  const query = target.indexOf('?');
  return query < 0 ? target.length : query;
}
