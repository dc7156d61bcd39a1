/**
 * Names of headers that a configuration reads or sets for the user's own purposes.
 */
import type { ConfigPath } from './faults.ts';
import type { Review } from './review.ts';

/** Headers that the proxy takes off or that mean something to it; a client cannot say anything of its own with them. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export const isReservedHeader = (name: string): boolean => RESERVED_HEADERS.has(name.toLowerCase());

/** Reports a reserved name. @returns the name in lower case. */
export function checkHeaderName(header: string, path: ConfigPath, review: Review): string {
  if (isReservedHeader(header)) {
    review.report(path, `${header} has a meaning of its own in HTTP; use another, such as X-Canary-Deploy`);
  }
  return header.toLowerCase();
}
