/**
 * Bytes of a connection that cannot be used yet: an incomplete head, or requests pipelined behind the one in flight.
 *
 * They are copied out of the read buffer, which the next read overwrites.
 *
 * @hotpath bench/micro/exchange.ts
 */
import { LF } from './grammar.ts';

/** Bytes of pipelined requests that may wait before reading stops. */
const LIMIT = 65_536;

export class Backlog {
  #bytes: Buffer | null = null;

  get empty(): boolean {
    return this.#bytes === null;
  }

  get isFull(): boolean {
    return this.#bytes !== null && this.#bytes.length >= LIMIT;
  }

  keep(buf: Buffer, start: number, end: number): void {
    this.#bytes = Buffer.from(buf.subarray(start, end));
  }

  /** All bytes, which are the caller's from here on; null where there are none. */
  take(): Buffer | null {
    const bytes = this.#bytes;
    this.#bytes = null;
    return bytes;
  }

  /**
   * Adds bytes and takes all; null where they still cannot be a whole head. A head that grows without a line end is not looked at again
   * before it has one or reaches `headSize`: parsing it anew for each byte would be a gift to attackers.
   */
  join(buf: Buffer, start: number, end: number, headSize: number): Buffer | null {
    const fresh = buf.subarray(start, end);
    const joined = this.#bytes === null ? Buffer.from(fresh) : Buffer.concat([this.#bytes, fresh]);
    const wait = fresh.indexOf(LF) < 0 && joined.length < headSize;
    this.#bytes = wait ? joined : null;
    return wait ? null : joined;
  }
}
