/**
 * Makes any text fit for one line of a log: printable ASCII in, the same out; everything else becomes an escape.
 *
 * What a client sends is bytes, held as one character each, and may be anything but CR, LF and NUL. A log that wrote them as they are could be
 * made to show lines that nobody sent, to confuse a terminal, or to be no valid UTF-8. So quotes, backslashes, control characters and
 * everything above 7E are escaped, whatever the field. That also makes the length of a line in characters its length in bytes.
 *
 * Nearly all text needs nothing, which one look by a regular expression finds out.
 *
 * @hotpath bench/micro/access-log.ts
 */
const UNSAFE = /[^ !#-[\]-~]/;

/** `00` to `FF`. */
const BYTES: readonly string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).toUpperCase().padStart(2, '0'));

/** The inside of a JSON string. A byte above 7E appears as the character of that number. */
export function escapeJson(text: string): string {
  return UNSAFE.test(text) ? escaped(text, true) : text;
}

/** As nginx writes variables: `\x` and two digits. */
export function escapeCombined(text: string): string {
  return UNSAFE.test(text) ? escaped(text, false) : text;
}

function escaped(text: string, json: boolean): string {
  let out = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 31 && code < 127 && code !== 34 && code !== 92) continue;
    out += text.slice(from, i);
    from = i + 1;
    if (!json) out += code > 255 ? `\\x${BYTES[code >> 8]}\\x${BYTES[code & 255]}` : `\\x${BYTES[code]}`;
    else if (code === 34 || code === 92) out += code === 34 ? '\\"' : '\\\\';
    else out += `\\u${BYTES[code >> 8]}${BYTES[code & 255]}`;
  }
  return out + text.slice(from);
}
