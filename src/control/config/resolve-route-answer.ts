/**
 * What a route asks for or answers instead: rewrites, redirects and fixed replies.
 *
 * A replacement for an expression may name its groups; one that is not there would be sent as the text `$3`, so it is a fault.
 */
import { isIP } from 'node:net';
import type { FixedReplyConfig, RedirectConfig, RewriteConfig, RouteMatch } from '../../model/route-config.ts';
import { isHostName } from './addresses.ts';
import type { ConfigPath } from './faults.ts';
import type { RawRoute } from './raw-route.ts';
import { checkFieldValue } from './resolve-route-headers.ts';
import { checkPath } from './resolve-route-match.ts';
import type { Review } from './review.ts';
import { REDIRECT_STATUS, REPLY_DEFAULTS } from './schema-route.ts';
import { shown } from './structure.ts';

const REDIRECT_STATUSES: readonly number[] = [301, 302, 303, 307, 308];
const BODILESS: readonly number[] = [204, 205, 304];
/** A fixed reply is part of the snapshot of every worker. */
const LONGEST_BODY = 64 * 1024;

type Raw<Key extends keyof RawRoute> = NonNullable<RawRoute[Key]>;

export function resolveRewrite(
  raw: Raw<'rewrite'>,
  match: RouteMatch,
  path: ConfigPath,
  review: Review,
): RewriteConfig {
  const { path: newPath, host } = raw;
  if (Object.keys(raw).length === 0) review.report(path, 'must have path, host or both');
  if (newPath !== undefined) checkReplacement(newPath, match, [...path, 'path'], review);
  if (host !== undefined && !isHostWithPort(host)) {
    const message = `must be a host such as internal.example or internal.example:8080, not ${shown(host)}`;
    review.report([...path, 'host'], message);
  }
  return { ...(newPath === undefined ? {} : { path: newPath }), ...(host === undefined ? {} : { host }) };
}

export function resolveRedirect(
  raw: Raw<'redirect'>,
  match: RouteMatch,
  path: ConfigPath,
  review: Review,
): RedirectConfig {
  const { status = REDIRECT_STATUS, ...where } = raw;
  if (Object.keys(where).length === 0) review.report(path, 'must say where to: scheme, host, port or path');
  if (!REDIRECT_STATUSES.includes(status)) {
    review.report([...path, 'status'], `must be 301, 302, 303, 307 or 308, not ${status}`);
  }
  if (where.path !== undefined) checkReplacement(where.path, match, [...path, 'path'], review);
  if (where.host !== undefined && !isHost(where.host)) {
    const port = /^([^:]+):([0-9]+)$/.exec(where.host);
    const mend = port === null ? `not ${shown(where.host)}` : `and port: ${port[2]} beside it`;
    review.report([...path, 'host'], `must be a host without a port such as www.example.com, ${mend}`);
  }
  return { status, ...where };
}

export function resolveReply(raw: Raw<'reply'>, path: ConfigPath, review: Review): FixedReplyConfig {
  const reply = { ...REPLY_DEFAULTS, ...raw };
  if (reply.body !== '' && BODILESS.includes(reply.status)) {
    review.report([...path, 'body'], `an answer of ${reply.status} has no body; remove it, or use another status`);
  }
  if (Buffer.byteLength(reply.body) > LONGEST_BODY) review.report([...path, 'body'], 'is longer than 64 KiB');
  checkFieldValue(reply.contentType, [...path, 'contentType'], review);
  return reply;
}

function checkReplacement(value: string, match: RouteMatch, path: ConfigPath, review: Review): void {
  if (match.pathRegex === undefined) return checkPath(value, path, review);
  // What begins with a group may well begin with a slash; that can only be told when a path is there.
  checkPath(value.startsWith('$') ? `/${value}` : value, path, review);
  const groups = groupsOf(match.pathRegex);
  if (groups === null) return;
  for (const [reference, digits, name] of value.matchAll(/\$(?:\$|(\d{1,2})|<([^>]*)>)/g)) {
    if (name !== undefined && !groups.names.includes(name)) {
      review.report(path, `the expression has no group ${name}; write (?<${name}>…) there`);
    } else if (digits === '0' || digits === '00') {
      review.report(path, `${reference} is no group; write $& for the whole path`);
    } else if (digits !== undefined && Number(digits) > groups.count && Number(digits[0]) > groups.count) {
      const count = groups.count === 1 ? '1 group' : `${groups.count} groups`;
      review.report(path, `${reference} is not there: the expression has ${count}`);
    }
  }
}

/** The groups of an expression; null where it does not compile. */
function groupsOf(source: string): { readonly count: number; readonly names: readonly string[] } | null {
  try {
    // With an empty alternative it matches the empty text, and the result has every group.
    const match = new RegExp(`${source}|`).exec('')!;
    return { count: match.length - 1, names: Object.keys(match.groups ?? {}) };
  } catch {
    return null;
  }
}

const isHost = (text: string): boolean => isHostName(text) || (/^\[.*\]$/.test(text) && isIP(text.slice(1, -1)) === 6);

function isHostWithPort(text: string): boolean {
  const port = /:([0-9]{1,5})$/.exec(text);
  if (port === null) return isHost(text);
  const number = Number(port[1]);
  return number >= 1 && number <= 65_535 && isHost(text.slice(0, -port[0].length));
}
