/**
 * The combined format of the access log, byte for byte as nginx writes it under that name, so that what reads one reads the other.
 *
 *   CLIENT - - [TIME] "METHOD TARGET PROTOCOL" STATUS BYTES "REFERER" "USER-AGENT"
 *
 * The user's name, which nginx takes from Basic credentials, is always `-`: nothing of credentials is logged. What a request does not have
 * is `-`, the request line of a refused head too.
 *
 * @hotpath bench/micro/access-log.ts
 */
import type { LogEntry } from './log-entry.ts';
import { escapeCombined } from './log-escape.ts';
import type { LogTime } from './log-time.ts';

/** @param now milliseconds since 1970. @returns the line, newline included. */
export function combinedLine(entry: LogEntry, time: LogTime, now: number): string {
  const { client, method, target, protocol, status, bytesOut, referer, userAgent } = entry;
  const request = method === '' ? '-' : `${method} ${escapeCombined(target)} ${protocol}`;
  const from = referer === '' ? '-' : escapeCombined(referer);
  const agent = userAgent === '' ? '-' : escapeCombined(userAgent);
  return `${client} - - [${time.common(now)}] "${request}" ${status} ${bytesOut} "${from}" "${agent}"\n`;
}
