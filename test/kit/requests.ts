/** Requests as text. */

export const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
export const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello';

/** A head without a body, or the head of one that follows. */
export function head(method: string, fields: Readonly<Record<string, string>> = {}, target = '/'): string {
  const lines = Object.entries(fields).map(([name, text]) => `${name}: ${text}\r\n`);
  return `${method} ${target} HTTP/1.1\r\nHost: a\r\n${lines.join('')}\r\n`;
}

/** Bytes of every value, so that nothing that is decoded or encoded on the way goes unnoticed. */
export function bytes(count: number): string {
  let text = '';
  for (let i = 0; i < 256; i++) text += String.fromCharCode((i * 167) & 255);
  return text.repeat(Math.ceil(count / 256)).slice(0, count);
}

/** The body in chunks, the last one included. */
export function chunked(body: string, size = 5_000, trailers = ''): string {
  let text = '';
  for (let at = 0; at < body.length; at += size) {
    const piece = body.slice(at, at + size);
    text += `${piece.length.toString(16)}\r\n${piece}\r\n`;
  }
  return `${text}0\r\n${trailers}\r\n`;
}

export const upload = (body: string, method = 'POST'): string =>
  head(method, { 'Content-Length': String(body.length) }) + body;

export const chunkedUpload = (body: string, method = 'POST', trailers = ''): string =>
  head(method, { 'Transfer-Encoding': 'chunked' }) + chunked(body, 5_000, trailers);
