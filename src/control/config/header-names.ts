/**
 * Names of headers that a configuration reads or sets for the user's own purposes.
 */
import type { ConfigPath } from './faults.ts';
import type { Review } from './review.ts';

/** Fields that frame a message or belong to its connection. */
export const FRAMING_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Whether the proxy takes the field off or reads it itself; a client cannot say anything of its own with it. */
export const isReservedHeader = (name: string): boolean =>
  name.toLowerCase() === 'host' || FRAMING_HEADERS.has(name.toLowerCase());

/** Reports a reserved name. @returns the name in lower case. */
export function checkHeaderName(header: string, path: ConfigPath, review: Review): string {
  if (isReservedHeader(header)) {
    review.report(path, `${header} has a meaning of its own in HTTP; use another, such as X-Canary-Deploy`);
  }
  return header.toLowerCase();
}
