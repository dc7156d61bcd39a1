/**
 * The character classes of RFC 9110 and RFC 9112 as byte tables, and the few validators that need more than a table.
 *
 * Everything works on bytes: reading a `Uint8Array` costs a fraction of `charCodeAt` on a string, whose representation V8 has to
 * look up each time, and the head is made a string only after it has been proved well-formed.
 *
 * @hotpath bench/micro/request-head.ts
 */

export const CR = 13;
export const LF = 10;
export const SP = 32;
export const HTAB = 9;
export const COLON = 58;
export const SLASH = 47;

/** Lower-case code of a token character (RFC 9110 5.6.2), 0 for every other byte. */
export const TOKEN_LOWER = new Uint8Array(256);
/** 1 for bytes allowed in a field value: HTAB, SP, visible ASCII, obs-text. */
export const FIELD_CHAR = new Uint8Array(256);
/** 1 for bytes allowed in a request target: visible ASCII but the fragment sign, which never travels. */
export const TARGET_CHAR = new Uint8Array(256);
/** 1 for bytes allowed in a host name: unreserved and percent. Sub-delims are left out: a comma would be a list. */
export const HOST_CHAR = new Uint8Array(256);
/** Value of a hexadecimal digit, 255 for every other byte. */
export const HEX = new Uint8Array(256).fill(255);

for (let c = 0; c < 256; c++) {
  const char = String.fromCharCode(c);
  if (/[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(char)) TOKEN_LOWER[c] = char.toLowerCase().charCodeAt(0);
  if (c === HTAB || (c >= SP && c !== 127)) FIELD_CHAR[c] = 1;
  if (c > SP && c < 127 && char !== '#') TARGET_CHAR[c] = 1;
  if (/[A-Za-z0-9\-._~%]/.test(char)) HOST_CHAR[c] = 1;
  if (/[0-9A-Fa-f]/.test(char)) HEX[c] = Number.parseInt(char, 16);
}

const isDigit = (c: number): boolean => c >= 48 && c <= 57;

/**
 * Whether `buf[start..end)` is `uri-host [ ":" port ]` with a non-empty host: no userinfo, no path, no list. IPv6 literals are
 * checked for their characters only; what they mean is up to whoever connects to them, and that is never Sluice.
 */
export function isHost(buf: Uint8Array, start: number, end: number): boolean {
  let pos = start;
  if (buf[pos] === 91) {
    pos++;
    const from = pos;
    while (pos < end && (HEX[buf[pos]!] !== 255 || buf[pos] === COLON || buf[pos] === 46)) pos++;
    if (pos - from < 2 || buf[pos] !== 93) return false;
    pos++;
  } else {
    while (pos < end && HOST_CHAR[buf[pos]!] === 1) pos++;
    if (pos === start) return false;
  }
  if (pos === end) return true;
  if (buf[pos] !== COLON || pos + 1 === end || end - pos > 6) return false;
  let port = 0;
  for (pos++; pos < end; pos++) {
    const c = buf[pos]!;
    if (!isDigit(c)) return false;
    port = port * 10 + (c - 48);
  }
  return port <= 65_535;
}

/** The number that `buf[start..end)` spells in 1 to 15 decimal digits, or -1. */
export function parseDecimal(buf: Uint8Array, start: number, end: number): number {
  if (end === start || end - start > 15) return -1;
  let value = 0;
  for (let pos = start; pos < end; pos++) {
    const c = buf[pos]!;
    if (!isDigit(c)) return -1;
    value = value * 10 + (c - 48);
  }
  return value;
}
