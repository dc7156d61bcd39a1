/**
 * The absolute form of a request target (RFC 9112 3.2.2), which clients of a forward proxy send and every server must accept.
 */
import { isHost } from './grammar.ts';

export interface AbsoluteTarget {
  /** Origin-form, or `*` for OPTIONS without a path. */
  readonly target: string;
  readonly authority: string;
}

/**
 * Splits `http://authority/path?query`. The authority replaces the Host field; userinfo is refused, as it only serves to deceive.
 *
 * @returns null for every other form and scheme.
 */
export function parseAbsoluteTarget(target: string, method: string): AbsoluteTarget | null {
  const match = /^https?:\/\/([^/?]*)(.*)$/i.exec(target);
  if (match === null) return null;
  const authority = match[1]!;
  const rest = match[2]!;
  const bytes = Buffer.from(authority, 'latin1');
  if (!isHost(bytes, 0, bytes.length)) return null;
  if (rest === '') return { target: method === 'OPTIONS' ? '*' : '/', authority };
  return { target: rest.startsWith('/') ? rest : `/${rest}`, authority };
}
