/**
 * Answers that a route gives itself, without asking a service: a fixed reply or a redirect.
 *
 * A redirect takes from the request what it is not told. The port goes with the host and the scheme: where either is another one, the port of
 * the request means nothing there, so it is left out unless the redirect names one; 80 for http and 443 for https are never written. The
 * location is absolute, except for an HTTP/1.0 request without a Host: it gets a path, which begins with one slash only, since `//x/` would
 * lead to the host `x`.
 *
 * Bodies are bytes as latin1 text, the form in which heads and small bodies leave together (socket-writer.ts).
 */
import { STATUS_CODES } from 'node:http';
import type { FixedReplyConfig, HeaderEdits, RedirectConfig } from '../../model/route-config.ts';
import type { LocalAnswer } from '../codec.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { fieldLines } from './header-edits.ts';
import type { PathRewrite } from './rewrite.ts';

type Field = readonly [name: string, value: string];

const NO_EDITS: HeaderEdits = { set: [], add: [], remove: [] };

/** RFC 9110 15.3.5, 15.3.6 and 15.4.5: no body, and no length of one. */
const isBodiless = (status: number): boolean => status === 204 || status === 205 || status === 304;

export function fixedAnswer(reply: FixedReplyConfig, edits: HeaderEdits = NO_EDITS): LocalAnswer {
  return answer(reply.status, [['Content-Type', reply.contentType]], reply.body, edits);
}

/** @param rewrite of the redirect's path (`compileRewrite`). @param scheme of the client's connection, `http` or `https`. */
export function redirectAnswer(
  redirect: RedirectConfig,
  rewrite: PathRewrite | null,
  head: RequestHead,
  scheme: string,
  edits: HeaderEdits = NO_EDITS,
): LocalAnswer {
  const { status } = redirect;
  const fields: Field[] = [
    ['Location', location(redirect, rewrite, head, scheme)],
    ['Content-Type', 'text/plain; charset=utf-8'],
  ];
  return answer(status, fields, `${status} ${STATUS_CODES[status] ?? ''}\n`, edits);
}

/** The value of Location. */
export function location(
  redirect: RedirectConfig,
  rewrite: PathRewrite | null,
  head: RequestHead,
  clientScheme: string,
): string {
  const asked = head.target === '*' ? '/' : head.target;
  const target = rewrite === null ? asked : rewrite.apply(asked);
  const { authority } = head;
  if (redirect.host === undefined && authority === '') return target.replace(/^\/+/, '/');
  const scheme = redirect.scheme ?? clientScheme;
  const colon = authority.lastIndexOf(':');
  const hasPort = colon > authority.lastIndexOf(']');
  const host = redirect.host ?? (hasPort ? authority.slice(0, colon) : authority);
  const moved = redirect.host !== undefined || scheme !== clientScheme;
  const inherited = hasPort && !moved ? authority.slice(colon + 1) : '';
  const port = redirect.port === undefined ? inherited : String(redirect.port);
  const usual = scheme === 'https' ? '443' : '80';
  return `${scheme}://${host}${port === '' || port === usual ? '' : `:${port}`}${target}`;
}

function answer(status: number, fields: readonly Field[], text: string, edits: HeaderEdits): LocalAnswer {
  const bodiless = isBodiless(status);
  const body = bodiless ? '' : Buffer.from(text, 'utf8').toString('latin1');
  const off = new Set([...edits.set.map(([name]) => name), ...edits.remove].map((name) => name.toLowerCase()));
  const own = bodiless ? fields.filter(([name]) => name !== 'Content-Type') : fields;
  const kept = own.filter(([name]) => !off.has(name.toLowerCase()));
  // 205 does have a length, and it is 0, as clients wait for one.
  const length = status === 204 || status === 304 ? '' : `Content-Length: ${body.length}\r\n`;
  const lines = fieldLines(kept) + length + fieldLines(edits.set) + fieldLines(edits.add);
  return { status, reason: STATUS_CODES[status] ?? '', lines, body };
}
