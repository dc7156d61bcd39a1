/**
 * From whatever went wrong to problem+json (RFC 9457): the one place where errors become answers.
 *
 * Operations and the checks in front of them throw an {@link OperationError}; fastify's own errors are given the row of the registry they belong
 * to; a store that cannot be written or an exception nobody expected becomes its row too. Of the unexpected a client learns the request id only:
 * a message or stack may hold anything, so it goes to the log. The same id stands in both.
 *
 * What the HTTP parser refuses before there is a request (a head that is no HTTP, or too large, or too slow) has no row: it is no
 * call. It is answered with `about:blank` and the status that HTTP has for it.
 */
import { STATUS_CODES } from 'node:http';
import { type FieldFault, OperationError, PROBLEMS, type ProblemCode } from '../problems.ts';
import { StoreError } from '../store/store.ts';
import { quoted } from './entity-tag.ts';
import { ChangedMeanwhile } from './precondition.ts';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

export interface Problem {
  /** Where the kind is explained, relative to the API's own address. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The request id. */
  readonly instance: string;
  readonly code: ProblemCode;
  readonly errors: readonly FieldFault[];
}

export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Problem;
}

/** An exception that no row was meant for. */
export function isUnexpected(error: unknown): boolean {
  return asOperationError(error) === null;
}

/** @param presented whether the request had an Authorization field. */
export function problemAnswer(error: unknown, requestId: string, presented: boolean): ProblemAnswer {
  const known =
    asOperationError(error) ??
    new OperationError('internal', `An unexpected error occurred; the log has it under request id ${requestId}.`);
  const { status, title } = PROBLEMS[known.code];
  const present = known instanceof ChangedMeanwhile ? known.present : null;
  return {
    status,
    headers: {
      'content-type': PROBLEM_TYPE,
      ...(known.code === 'unauthenticated' && { 'www-authenticate': challenge(presented ? 'invalid_token' : null) }),
      ...(known.code === 'forbidden' && { 'www-authenticate': challenge('insufficient_scope') }),
      ...(known.retryAfter !== null && { 'retry-after': String(Math.ceil(known.retryAfter)) }),
      ...(present !== null && { etag: quoted(present.etag) }),
    },
    body: {
      type: `/docs/problems#${known.code}`,
      title,
      status,
      detail: known.message,
      instance: requestId,
      code: known.code,
      errors: known.faults,
      ...(present !== null && { present }),
    },
  };
}

const challenge = (error: string | null): string =>
  error === null ? 'Bearer realm="sluice"' : `Bearer realm="sluice", error="${error}"`;

/** Of fastify's errors by their code; others with a 4xx status are the client's doing all the same. */
const FRAMEWORK: Readonly<Record<string, readonly [code: ProblemCode, message: string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['too_large', 'The body is larger than this call takes.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported_media_type',
    'Send the body as JSON, with the field "Content-Type: application/json".',
  ],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid_request', 'The body is not as long as Content-Length says.'],
  FST_ERR_MAX_PARAM_LENGTH: ['not_found', 'A name in the path is longer than any that there is.'],
  FST_ERR_BAD_URL: ['invalid_request', 'The path has a "%" that begins no escape of two hexadecimal digits.'],
};

function asOperationError(error: unknown): OperationError | null {
  if (error instanceof OperationError) return error;
  if (error instanceof StoreError) {
    if (error.trouble === 'conflict') return new OperationError('conflict', error.message);
    return new OperationError(error.trouble === 'full' ? 'store_full' : 'store_unavailable', error.message, [], 5);
  }
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  const row = typeof code === 'string' ? FRAMEWORK[code] : undefined;
  if (row !== undefined) return new OperationError(...row);
  const isClients = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
  return isClients ? new OperationError('invalid_request', 'The request cannot be read.') : null;
}

/** A whole answer as bytes, for a socket on which the parser has given up. */
export function rawProblem(errorCode: string | undefined, requestId: string): string {
  const [status, detail] =
    errorCode === 'HPE_HEADER_OVERFLOW'
      ? [431, 'The head of the request is too large.']
      : errorCode === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'The request did not arrive in time.']
        : [400, 'This is not HTTP.'];
  const title = STATUS_CODES[status] ?? '';
  const body = JSON.stringify({ type: 'about:blank', title, status, detail, instance: requestId });
  return [
    `HTTP/1.1 ${status} ${title}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'x-content-type-options: nosniff',
    'cache-control: no-store',
    'connection: close',
    '',
    body,
  ].join('\r\n');
}
