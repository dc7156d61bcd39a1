/**
 * W3C Trace Context: the `traceparent` of a request, where it is one.
 *
 *     00-<32 hex, not all 0>-<16 hex, not all 0>-<2 hex>
 *
 * Versions later than 00 may carry more behind another hyphen; `ff` is none. Hexadecimal digits are lower case. What is malformed counts as
 * absent, as the recommendation has it, and so does one of several.
 *
 * Walked by hand, where it stands in the head: behind a mesh every request has one, and the regular expression that says the same takes three
 * times as long. The loops do not stop at the first fault, because nearly every value is well-formed.
 *
 * @hotpath bench/micro/tracing.ts
 */
import { FIELD } from './field-names.ts';
import { VALUE, VALUE_END } from './fields.ts';
import type { RequestHead } from './request-head.ts';

const TRACEPARENT = FIELD.traceparent;

const HYPHEN = 0x2d;
const ZERO = 0x30;
const LOWER_F = 0x66;
const LENGTH = 55;
/** Where the trace id, the parent id and the flags begin, each behind a hyphen. */
const TRACE_ID = 3;
const PARENT_ID = 36;
const FLAGS = 53;

/** 0 for `0-9a-f`, 1 for any other character. */
const NO_DIGIT = new Uint8Array(256).fill(1);
for (const digit of '0123456789abcdef') NO_DIGIT[digit.charCodeAt(0)] = 0;

/** The only `traceparent` of a request, where it is well-formed, else nothing. */
export function traceParentOf(head: RequestHead): string {
  if (!head.has(TRACEPARENT) || head.isRepeated(TRACEPARENT)) return '';
  const row = head.rowOf(TRACEPARENT);
  const start = head.rows[row + VALUE]!;
  const end = head.rows[row + VALUE_END]!;
  return isTraceParent(head.text, start, end) ? head.text.slice(start, end) : '';
}

/** @param text latin1. */
export function isTraceParent(text: string, start: number, end: number): boolean {
  if (end - start < LENGTH || (end - start > LENGTH && !mayGoOn(text, start))) return false;
  if (text.charCodeAt(start) === LOWER_F && text.charCodeAt(start + 1) === LOWER_F) return false;
  let bad = 0;
  bad |= text.charCodeAt(start + TRACE_ID - 1) ^ HYPHEN;
  bad |= text.charCodeAt(start + PARENT_ID - 1) ^ HYPHEN;
  bad |= text.charCodeAt(start + FLAGS - 1) ^ HYPHEN;
  bad |= NO_DIGIT[text.charCodeAt(start)]! | NO_DIGIT[text.charCodeAt(start + 1)]!;
  bad |= NO_DIGIT[text.charCodeAt(start + FLAGS)]! | NO_DIGIT[text.charCodeAt(start + FLAGS + 1)]!;
  let trace = 0;
  for (let i = start + TRACE_ID; i < start + PARENT_ID - 1; i++) {
    const char = text.charCodeAt(i);
    bad |= NO_DIGIT[char]!;
    trace |= char ^ ZERO;
  }
  let parent = 0;
  for (let i = start + PARENT_ID; i < start + FLAGS - 1; i++) {
    const char = text.charCodeAt(i);
    bad |= NO_DIGIT[char]!;
    parent |= char ^ ZERO;
  }
  return bad === 0 && trace !== 0 && parent !== 0;
}

/** Version 00 says all that there is in it. */
function mayGoOn(text: string, start: number): boolean {
  if (text.charCodeAt(start) === ZERO && text.charCodeAt(start + 1) === ZERO) return false;
  return text.charCodeAt(start + LENGTH) === HYPHEN;
}
