/**
 * Routes as written: the shape that the schema admits, before defaults, units and cross-references.
 */
import type { RawRateLimit } from './raw-config.ts';
import type { RawShare } from './raw-flags.ts';

/** Text: the value is exactly this. */
export type RawValueMatch = string | { readonly regex?: string; readonly present?: boolean };

export interface RawMatch {
  readonly host?: string;
  readonly path?: string;
  readonly pathPrefix?: string;
  readonly pathRegex?: string;
  readonly methods?: readonly string[];
  readonly headers?: Readonly<Record<string, RawValueMatch>>;
  readonly query?: Readonly<Record<string, RawValueMatch>>;
  readonly flags?: Readonly<Record<string, RawShare>>;
}

export interface RawHeaderEdits {
  readonly set?: Readonly<Record<string, string>>;
  readonly add?: Readonly<Record<string, string | readonly string[]>>;
  readonly remove?: readonly string[];
}

export interface RawFault {
  readonly header?: string;
  readonly delay?: { readonly by: string; readonly percent?: string | number };
  readonly abort?: { readonly status: number; readonly percent?: string | number };
}

export interface RawRoute {
  readonly name?: string;
  readonly match?: RawMatch;
  readonly service?: string;
  readonly version?: string;
  readonly redirect?: {
    readonly scheme?: 'http' | 'https';
    readonly host?: string;
    readonly port?: number;
    readonly path?: string;
    readonly status?: number;
  };
  readonly reply?: { readonly status?: number; readonly body?: string; readonly contentType?: string };
  readonly rewrite?: { readonly path?: string; readonly host?: string };
  readonly requestHeaders?: RawHeaderEdits;
  readonly responseHeaders?: RawHeaderEdits;
  readonly rateLimit?: RawRateLimit;
  readonly fault?: RawFault;
}
