/**
 * What a probe that got no answer says in logs and in the API: a few words instead of the error text of a library.
 *
 * Codes of the operating system that are not listed are shown as they are, because an operator can look them up.
 */

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  ETIMEDOUT: 'connecting timed out',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENOTFOUND: 'name not found',
  EAI_AGAIN: 'name not found',
  UND_ERR_SOCKET: 'connection closed before the answer was complete',
  UND_ERR_HEADERS_OVERFLOW: 'response head too large',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'connection closed before the answer was complete',
};

export function socketFault(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  // What undici's parser refuses has a code and a text of its own for each of its rules, or no code at all.
  if (error.name === 'HTTPParserError') return 'malformed answer';
  return WORDS[code] ?? (code === '' ? error.message : code);
}
