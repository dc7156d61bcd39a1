/**
 * What every request goes through before its call: host, origin, CORS, closing, token.
 *
 *     well-formed ─▶ Host ─▶ Origin ─▶ preflight? answered ─▶ closing? 503 ─▶ address known? ─▶ token and role ─▶ the call
 *
 * All of it happens before a byte of the body is read. Addresses that nobody has are told so without a token: the list of calls is
 * public. Configuration (rules, tokens) is read anew for each request, so a reload holds for the next one on any connection.
 */
import type { IncomingMessage } from 'node:http';
import { OperationError } from '../problems.ts';
import { corsHeaders, preflightHeaders, securityHeaders } from './answer-headers.ts';
import { type GuardRules, hostFault, isConfiguredOrigin, originFault } from './browser-guard.ts';
import { clientAddress } from './client-address.ts';
import type { Gate } from './gate.ts';
import type { CallId } from './permissions.ts';
import type { Identity } from './token-book.ts';

export interface VisitRules {
  readonly guard: GuardRules;
  readonly gate: Gate;
  readonly closing: boolean;
}

export const pathOf = (target: string | undefined): string => (target ?? '/').split('?', 1)[0] ?? '/';

/** What goes on the answer whatever it will be. */
export function dress(request: IncomingMessage, requestId: string, { guard }: VisitRules): Record<string, string> {
  const { host, origin } = request.headers;
  return {
    'x-request-id': requestId,
    ...securityHeaders(pathOf(request.url), guard.scheme === 'https', host),
    ...(origin !== undefined && isConfiguredOrigin(guard, origin) && corsHeaders(origin)),
  };
}

/** @throws OperationError invalid_request, misdirected, foreign_origin */
export function checkSender(request: IncomingMessage, { guard }: VisitRules): void {
  const { headers, url = '/' } = request;
  const hosts = request.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts > 1) throw new OperationError('invalid_request', 'The request has more than one Host field.');
  if (!url.startsWith('/')) throw new OperationError('invalid_request', 'The request target must be a path.');
  const misdirected = hostFault(guard, headers.host, clientAddress(request.socket.localAddress));
  if (misdirected !== null) throw new OperationError('misdirected', misdirected);
  const foreign = originFault(guard, {
    method: request.method ?? '',
    path: pathOf(url),
    host: headers.host,
    origin: headers.origin,
    fetchSite: one(headers['sec-fetch-site']),
    fetchMode: one(headers['sec-fetch-mode']),
  });
  if (foreign !== null) throw new OperationError('foreign_origin', foreign);
}

/** The fields of the answer to OPTIONS. @param allowed methods that the address takes. */
export function optionsHeaders(request: IncomingMessage, guard: GuardRules, allowed: string): Record<string, string> {
  const asks = request.headers['access-control-request-method'] !== undefined;
  const preflight = asks && isConfiguredOrigin(guard, request.headers.origin);
  return { allow: allowed, ...(preflight && preflightHeaders(allowed)) };
}

/** @param id null for pages that anyone may see. @throws OperationError draining, and what the gate throws */
export function admit(request: IncomingMessage, id: CallId | null, { gate, closing }: VisitRules): Identity | null {
  if (closing) throw new OperationError('draining', 'This server is closing; ask the one that takes its place.', [], 1);
  if (id === null) return null;
  return gate.admit(id, request.headers.authorization, clientAddress(request.socket.remoteAddress));
}

const one = (field: string | string[] | undefined): string | undefined => (Array.isArray(field) ? field[0] : field);
