/**
 * Chunked framing as it is written (RFC 9112 section 7.1).
 *
 * @hotpath bench/micro/head-writer.ts
 */

export const chunkStart = (size: number): string => `${size.toString(16)}\r\n`;

export const chunkEnd = '\r\n';

/** The last chunk and the trailer section, whose field lines bring their own CRLF. */
export const lastChunk = (trailers: string): string => (trailers === '' ? '0\r\n\r\n' : `0\r\n${trailers}\r\n`);
