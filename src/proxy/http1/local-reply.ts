/**
 * Writes the answers that Sluice gives itself.
 *
 * The text says for a person what happened, `Proxy-Status` (RFC 9209) says it for a machine, with the response flag as its details.
 */
import { LOCAL_REPLIES, type ReplyCode, type ResponseFlag } from '../../model/local-reply.ts';
import type { LocalAnswer } from '../codec.ts';

export type LocalAnswers = Readonly<Record<ReplyCode, LocalAnswer>>;

/** The answer of each code. @param name who speaks, as in Via. */
export function localAnswers(name: string): LocalAnswers {
  const entries = Object.entries(LOCAL_REPLIES).map(([code, { status, reason, flag, error, text }]) => {
    const body = `sluice: ${status} ${reason}: ${text} (${flag})\n`;
    return [code, ownAnswer(name, status, reason, flag, error, body)] as const;
  });
  return Object.fromEntries(entries) as LocalAnswers;
}

/** An answer with the fields that tell why Sluice gave it. */
export function ownAnswer(
  name: string,
  status: number,
  reason: string,
  flag: ResponseFlag,
  error: string,
  body: string,
): LocalAnswer {
  const bodiless = status === 204 || status === 304;
  const content = `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n`;
  const proxyStatus = `Proxy-Status: ${name}; error=${error}; details="${flag}"\r\n`;
  return { status, reason, lines: (bodiless ? '' : content) + proxyStatus, body: bodiless ? '' : body };
}

/**
 * @param date complete Date line. @param connection complete Connection line or nothing.
 * @param toHead whether the request was a HEAD, whose answer carries no body.
 */
export function localReply(answer: LocalAnswer, date: string, connection: string, toHead: boolean): string {
  const { status, reason, lines, body } = answer;
  return `HTTP/1.1 ${status} ${reason}\r\n${lines}${date}${connection}\r\n${toHead ? '' : body}`;
}
