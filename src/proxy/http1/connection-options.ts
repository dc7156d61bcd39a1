/**
 * The Connection header (RFC 9110 7.6.1): what it says of the connection, and which fields it takes off the message.
 *
 * A client may nominate its own hop-by-hop fields, but not fields that the rest of the path relies on: `Connection:
 * X-Forwarded-For` would strip what a trusted proxy said, `Connection: Content-Length` would reframe the message. Those are refused,
 * in requests and responses alike.
 */
import { type FieldNames, NOMINATED, UNKNOWN } from './field-names.ts';
import type { FieldBlock } from './fields.ts';

export const OPTION_CLOSE = 1;
export const OPTION_KEEP_ALIVE = 2;
export const OPTION_UPGRADE = 4;
export const OPTION_INVALID = -1;

const ESSENTIAL = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'content-type',
  'content-encoding',
  'content-range',
  'range',
  'expect',
  'trailer',
  'via',
  'forwarded',
  'x-real-ip',
  'x-request-id',
  'traceparent',
  'tracestate',
  'authorization',
  'cookie',
  'set-cookie',
  'cache-control',
  'vary',
  'etag',
  'date',
  'location',
  'origin',
  'max-forwards',
]);

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const isEssential = (name: string): boolean => ESSENTIAL.has(name) || name.startsWith('x-forwarded-');

/**
 * Reads the options and renumbers nominated fields to NOMINATED.
 *
 * @param guarded further names that may not be nominated, lower case (the override headers of the snapshot).
 * @returns a sum of OPTION_ bits, or OPTION_INVALID.
 */
export function readConnectionOptions(
  block: FieldBlock,
  connectionId: number,
  names: FieldNames,
  guarded: ReadonlySet<string>,
): number {
  const value = block.joined(connectionId);
  let options = 0;
  for (const part of value.split(',')) {
    const option = part.trim().toLowerCase();
    if (option === '') continue;
    if (option === 'close') options |= OPTION_CLOSE;
    else if (option === 'keep-alive') options |= OPTION_KEEP_ALIVE;
    else if (option === 'upgrade') options |= OPTION_UPGRADE;
    else if (!TOKEN.test(option) || isEssential(option) || guarded.has(option)) return OPTION_INVALID;
    else nominate(block, names, option);
  }
  return options;
}

function nominate(block: FieldBlock, names: FieldNames, option: string): void {
  const id = names.idOf(option);
  // A field that Sluice reads itself (TE, Keep-Alive, Upgrade) is hop-by-hop by its own number already.
  if (id !== UNKNOWN) return;
  block.renumberUnknown(option, NOMINATED);
}
