/**
 * Writes the answers that Sluice gives itself.
 *
 * The text says for a person what happened, `Proxy-Status` (RFC 9209) says it for a machine, with the response flag as its details.
 */
import { LOCAL_REPLIES, type ReplyCode } from '../../model/local-reply.ts';

/**
 * @param name who speaks, as in Via. @param date complete Date line. @param connection complete Connection line or nothing.
 * @param toHead whether the request was a HEAD, whose answer carries no body.
 */
export function localReply(code: ReplyCode, name: string, date: string, connection: string, toHead: boolean): string {
  const { status, reason, flag, error, text } = LOCAL_REPLIES[code];
  const body = `sluice: ${status} ${reason}: ${text} (${flag})\n`;
  return (
    `HTTP/1.1 ${status} ${reason}\r\n` +
    `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n${date}` +
    `Proxy-Status: ${name}; error=${error}; details="${flag}"\r\n${connection}\r\n${toHead ? '' : body}`
  );
}
