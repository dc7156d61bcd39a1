/**
 * Answers to requests that are not admitted and that no fixed text will do for: they carry a number of the moment or a status that the
 * configuration chose. They are rare, so they are put together when they are needed, and an injected fault says in its text and its flag that
 * it is one: whoever finds it in a log must not look for its cause elsewhere.
 */
import { STATUS_CODES } from 'node:http';
import type { LocalAnswer } from '../codec.ts';
import { ownAnswer } from '../http1/local-reply.ts';

/** With the wait in whole seconds, as RFC 9110 10.2.3 has it. @param base the answer of `rate_limited`. @param wait milliseconds. */
export function limitedAnswer(base: LocalAnswer, wait: number): LocalAnswer {
  const { status, reason, body } = base;
  return { status, reason, lines: `${base.lines}Retry-After: ${Math.ceil(wait / 1000)}\r\n`, body };
}

/** @param name who speaks, as in Via. */
export function faultAnswer(status: number, name: string): LocalAnswer {
  const reason = STATUS_CODES[status] ?? '';
  const body = `sluice: ${status} ${reason}: fault injected on purpose (FI)\n`;
  return ownAnswer(name, status, reason, 'FI', 'http_request_denied', body);
}
