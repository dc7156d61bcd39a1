/**
 * The part of the configuration that says which requests go where, and what is changed about them on the way.
 *
 * Shapes only, like `config.ts`.
 */
import type { FaultConfig, RateLimitConfig } from './policy-config.ts';

/** A header or query parameter that a request must have; every field given must hold. */
export interface ValueMatch {
  /** Lower case for headers. */
  readonly name: string;
  readonly exact?: string;
  /** Source of a regular expression that must match somewhere in the value. */
  readonly regex?: string;
  /** Whether it must be there at all; `false` asks for its absence. */
  readonly present?: boolean;
}

export interface RouteMatch {
  /** Exact (`shop.example.com`) or `*.` and a domain; lower case, no port. */
  readonly host?: string;
  /** Exactly one of the three. */
  readonly path?: string;
  readonly pathPrefix?: string;
  /** Source of a regular expression over the whole path, without the query. */
  readonly pathRegex?: string;
  /** Upper case. Empty: any. */
  readonly methods: readonly string[];
  readonly headers: readonly ValueMatch[];
  readonly query: readonly ValueMatch[];
  /** Flags that must be on, or off. */
  readonly flags: readonly { readonly name: string; readonly on: boolean }[];
}

/** Order of effect: remove, set, add. Names are kept as written. */
export interface HeaderEdits {
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
  readonly remove: readonly string[];
}

export interface RewriteConfig {
  /** Replaces the whole path, or the matched prefix, or (with `$1` …) what the path regex matched; the query stays. */
  readonly path?: string;
  /** Host field for the upstream. */
  readonly host?: string;
}

export interface RedirectConfig {
  /** 301, 302, 303, 307 or 308. Default 302. */
  readonly status: number;
  /** Each left out is taken from the request; `path` replaces like {@link RewriteConfig.path}. */
  readonly scheme?: 'http' | 'https';
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
}

export interface FixedReplyConfig {
  readonly status: number;
  readonly body: string;
  /** Default `text/plain; charset=utf-8`. */
  readonly contentType: string;
}

/** Exactly one of `service`, `redirect` and `reply` is there. */
export interface RouteConfig {
  /** For logs and limits. Default `routes[n]`. */
  readonly name: string;
  readonly match: RouteMatch;
  readonly service?: string;
  /** Lane or version name that every request of this route goes to. */
  readonly version?: string;
  readonly redirect?: RedirectConfig;
  readonly reply?: FixedReplyConfig;
  readonly rewrite?: RewriteConfig;
  readonly requestHeaders: HeaderEdits;
  readonly responseHeaders: HeaderEdits;
  readonly rateLimit?: RateLimitConfig;
  readonly fault?: FaultConfig;
}
