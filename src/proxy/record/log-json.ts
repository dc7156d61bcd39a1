/**
 * The JSON format of the access log: one object a line, keys in a fixed order, what a request does not have left out.
 *
 * Written by hand: JSON.stringify would need an object for each request, and would leave characters above 7E as they are. Only free texts are
 * looked at for what must be escaped. Methods, hosts, addresses and configured names have grammars that admit nothing of the kind.
 *
 * @hotpath bench/micro/access-log.ts
 */
import { type LogEntry, NOT_MEASURED } from './log-entry.ts';
import { escapeJson } from './log-escape.ts';
import { type LogTime, THREE_DIGITS } from './log-time.ts';

/** @param now milliseconds since 1970. @returns the line, newline included. */
export function jsonLine(entry: LogEntry, time: LogTime, now: number): string {
  let line = `{"time":"${time.iso(now)}"`;
  if (entry.id !== '') line += `,"id":"${escapeJson(entry.id)}"`;
  line += `,"client":"${entry.client}"`;
  if (entry.method !== '') {
    line += `,"method":"${entry.method}","target":"${escapeJson(entry.target)}"`;
    if (entry.host !== '') line += `,"host":"${entry.host}"`;
    line += `,"protocol":"${entry.protocol}"`;
  }
  line += `,"status":${entry.status}`;
  if (entry.flags !== '') line += `,"flags":"${entry.flags}"`;
  line += `,"bytesIn":${entry.bytesIn},"bytesOut":${entry.bytesOut},"durationMs":${millis(entry.duration)}`;
  if (entry.upstream !== NOT_MEASURED) line += `,"upstreamMs":${millis(entry.upstream)}`;
  if (entry.route !== '') line += `,"route":"${entry.route}"`;
  if (entry.service !== '') line += forwarded(entry);
  if (entry.userAgent !== '') line += `,"userAgent":"${escapeJson(entry.userAgent)}"`;
  if (entry.referer !== '') line += `,"referer":"${escapeJson(entry.referer)}"`;
  return `${line}}\n`;
}

function forwarded(entry: LogEntry): string {
  let part = `,"service":"${entry.service}","version":"${entry.version}"`;
  if (entry.lane !== '') part += `,"lane":"${entry.lane}"`;
  if (entry.endpoint !== '') part += `,"endpoint":"${entry.endpoint}"`;
  part += `,"attempts":${entry.attempts}`;
  return entry.shieldedFrom === '' ? part : `${part},"shieldedFrom":"${entry.shieldedFrom}"`;
}

/** With three decimals; a number's own way to text is slow where it has a fraction. */
function millis(ms: number): string {
  const micros = Math.round(ms * 1000);
  const whole = Math.floor(micros / 1000);
  return `${whole}.${THREE_DIGITS[micros - whole * 1000]}`;
}
