/**
 * Does one call for one request: checks path, query, body and conditions, tells all faults at once, and hands on what is right.
 *
 * A body is refused where none is expected, and so are If-Match and If-None-Match on changes that have nothing to compare them with: a client that
 * sends them expects an effect.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Actor } from '../operations.ts';
import { type FieldFault, OperationError } from '../problems.ts';
import type { AdminParts, Answer, AnyCall } from './call.ts';
import { refuseConditions } from './precondition.ts';
import { type Check, compileCheck } from './request-faults.ts';

export interface RawInput {
  readonly path: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly headers: IncomingHttpHeaders;
  readonly actor: Actor;
}

export type CallRunner = (input: RawInput, parts: AdminParts) => Promise<Answer>;

export function callRunner(call: AnyCall): CallRunner {
  const checkPath = compileCheck('path', call.pathSchema);
  const checkQuery = compileCheck('query', call.query);
  const checkBody = bodyCheck(call.body);
  const conditions = (['if-match', 'if-none-match'] as const).filter((name) => call.fields[name] === undefined);
  return async (input, parts) => {
    const faults = [...checkPath(input.path), ...checkQuery(input.query), ...checkBody(input.body)];
    if (faults.length > 0) throw new OperationError('invalid_request', sentence(faults), faults);
    if (call.method !== 'GET') refuseConditions(input.headers, conditions);
    return call.handle(input as never, parts);
  };
}

function bodyCheck(body: AnyCall['body']): Check {
  const fault = (message: string): readonly FieldFault[] => [{ field: '', message }];
  if (body === null) return (value) => (isAbsent(value) ? [] : fault('this call takes no body; leave it out'));
  const check = compileCheck('body', body.schema);
  return (value) => {
    if (!isAbsent(value)) return check(value);
    return body.optional === true ? [] : fault('the body is missing; send JSON');
  };
}

/** A body of `null` is one, and is told that it should be something else. */
const isAbsent = (value: unknown): boolean => value === undefined;

function sentence(faults: readonly FieldFault[]): string {
  const shown = faults.slice(0, 3).map(({ field, message }) => (field === '' ? message : `${field} ${message}`));
  const more = faults.length > shown.length ? [`and ${faults.length - shown.length} more`] : [];
  return [...shown, ...more].map((part) => (/[.?]$/.test(part) ? part : `${part}.`)).join(' ');
}
