/**
 * What a route matches: the host can be asked for, the path can be had, expressions compile, no name stands twice.
 *
 * Path expressions are held against the whole path, so each is compiled here on its own: one whose parentheses are balanced only by what
 * is put around it must not pass.
 */
import type { RouteMatch, ValueMatch } from '../../model/route-config.ts';
import { parseRouteHost } from './addresses.ts';
import type { ConfigPath } from './faults.ts';
import { checkHeaderName } from './header-names.ts';
import type { RawMatch, RawValueMatch } from './raw-route.ts';
import { resolveFlagMatch } from './resolve-flags.ts';
import type { Review } from './review.ts';
import { PLAIN_DEFAULTS } from './settings.ts';
import { shown } from './structure.ts';

/** The longest method that the parser of requests reads. */
const LONGEST_METHOD = 24;
const PATHS = ['path', 'pathPrefix', 'pathRegex'] as const;

/** Every request; also stands in for a match that has not its shape. */
export const EVERY_REQUEST: RouteMatch = {
  pathPrefix: PLAIN_DEFAULTS.pathPrefix,
  methods: [],
  headers: [],
  query: [],
  flags: [],
};

/** Call where the part at `path` is sound. @param flags names of the flags, null where they cannot be told. */
export function resolveMatch(
  raw: RawMatch,
  flags: readonly string[] | null,
  path: ConfigPath,
  review: Review,
): RouteMatch {
  return {
    ...resolveHost(raw.host, [...path, 'host'], review),
    ...resolvePath(raw, path, review),
    methods: resolveMethods(raw.methods ?? [], [...path, 'methods'], review),
    headers: resolveHeaders(raw.headers ?? {}, [...path, 'headers'], review),
    query: resolveQuery(raw.query ?? {}, [...path, 'query'], review),
    flags: resolveFlagMatch(raw.flags ?? {}, flags, [...path, 'flags'], review),
  };
}

function resolveHost(written: string | undefined, path: ConfigPath, review: Review): { readonly host?: string } {
  if (written === undefined) return {};
  const host = parseRouteHost(written);
  if ('ok' in host) return { host: host.ok };
  review.report(path, host.fault);
  return { host: written };
}

function resolvePath(
  raw: RawMatch,
  path: ConfigPath,
  review: Review,
): Pick<RouteMatch, 'path' | 'pathPrefix' | 'pathRegex'> {
  const written = PATHS.filter((key) => raw[key] !== undefined);
  if (written.length > 1) {
    review.report(path, `must have at most one of path, pathPrefix and pathRegex, not ${written.join(' and ')}`);
  }
  if (raw.pathRegex !== undefined) {
    checkPathRegex(raw.pathRegex, [...path, 'pathRegex'], review);
    return { pathRegex: raw.pathRegex };
  }
  const key = raw.path === undefined ? 'pathPrefix' : 'path';
  const value = raw[key] ?? PLAIN_DEFAULTS.pathPrefix;
  checkPath(value, [...path, key], review);
  return { [key]: value };
}

/** A path as a client sends it and an upstream gets it. */
export function checkPath(value: string, path: ConfigPath, review: Review): void {
  if (!value.startsWith('/')) review.report(path, `must begin with "/"; write ${shown(`/${value}`)}`);
  else if (/[^\x21-\x7e]|[?#]/.test(value)) {
    review.report(path, 'must be a path as it is sent: no query, fragment, spaces or unescaped characters');
  }
}

function checkPathRegex(source: string, path: ConfigPath, review: Review): void {
  if (!checkRegex(source, path, review)) return;
  // Only what is sure: a letter, digit or escaped sign that must stand first, and no other alternative.
  if (/^\^?(?:[A-Za-z0-9_-]|\\[.-])(?![*?{])/.test(source) && !source.includes('|')) {
    const message = 'matches no path: it is held against the whole path, which begins with "/"';
    review.report(path, `${message}; write ${shown(`/${source.replace(/^\^/, '')}`)} or ${shown(`.*${source}`)}`);
  }
}

/** Reports an expression that does not compile. */
export function checkRegex(source: string, path: ConfigPath, review: Review): boolean {
  try {
    new RegExp(source);
    return true;
  } catch (error) {
    const reason = String((error as Error).message).replace(/^.*\/[a-z]*: /s, '');
    review.report(path, `is not a regular expression: ${reason}`);
    return false;
  }
}

function resolveMethods(raw: readonly string[], path: ConfigPath, review: Review): readonly string[] {
  raw.forEach((method, index) => {
    const at = [...path, index];
    const upper = method.toUpperCase();
    if (method !== upper) review.report(at, `methods are written in upper case; write ${upper}`);
    else if (method === 'CONNECT') review.report(at, 'CONNECT is not implemented; remove it');
    else if (method.length > LONGEST_METHOD) review.report(at, `is longer than ${LONGEST_METHOD} characters`);
    else if (raw.indexOf(method) !== index) review.report(at, `${method} is there twice; remove one of the two`);
  });
  return raw;
}

function resolveHeaders(raw: NonNullable<RawMatch['headers']>, path: ConfigPath, review: Review): ValueMatch[] {
  const seen = new Set<string>();
  return Object.entries(raw).map(([written, value]) => {
    const at = [...path, written];
    const name = written.toLowerCase();
    if (name === 'host') review.reportKey(at, 'the host is matched by match.host');
    else checkHeaderName(written, at, review);
    if (seen.has(name)) review.reportKey(at, `${name} is there twice; remove one of the two`);
    seen.add(name);
    return resolveValue(name, value, at, review);
  });
}

function resolveQuery(raw: NonNullable<RawMatch['query']>, path: ConfigPath, review: Review): ValueMatch[] {
  return Object.entries(raw).map(([name, value]) => resolveValue(name, value, [...path, name], review));
}

function resolveValue(name: string, raw: RawValueMatch, path: ConfigPath, review: Review): ValueMatch {
  if (typeof raw === 'string') return { name, exact: raw };
  const { regex, present } = raw;
  if ((regex === undefined) === (present === undefined)) {
    const message = 'must be a text, or have exactly one of regex and present';
    // An unknown key has been reported already, and is most likely what the missing one was meant to be.
    if (regex !== undefined || Object.keys(raw).length === 0) review.report(path, message);
    return { name, present: true };
  }
  if (regex === undefined) return { name, present: present! };
  checkRegex(regex, [...path, 'regex'], review);
  return { name, regex };
}

interface Named {
  readonly name: string;
}

/** Equal for two matches that the same requests have. */
export function matchIdentity(match: RouteMatch): string {
  const byName = (a: Named, b: Named): number => (a.name < b.name ? -1 : 1);
  const values = (list: readonly ValueMatch[]): unknown =>
    list.toSorted(byName).map(({ name, exact, regex, present }) => [name, exact, regex, present]);
  const { host, path, pathPrefix, pathRegex, methods, headers, query, flags } = match;
  const asked = flags.toSorted(byName).map(({ name, on }) => [name, on]);
  return JSON.stringify([host, path, pathPrefix, pathRegex, methods.toSorted(), values(headers), values(query), asked]);
}
