/**
 * Writing sockets with as few system calls as a read event allows.
 *
 * Heads, chunk framing and small bodies collect in one latin1 string and leave in one write: V8 joins the pieces once, and libuv tries
 * the write at once. A large run of body bytes goes out as the buffer it came in, joined with what precedes and follows it by
 * `writev` (cork). The threshold is where copying starts to cost more than the second entry of a `writev`.
 *
 * @hotpath bench/micro/exchange.ts
 */
import type { Socket } from 'node:net';
import { FLUSHED, type FlushState, FULL, PENDING } from './codec.ts';
import { chunkEnd, chunkStart } from './http1/chunks.ts';

/** libuv's stream layer writes strings up to this size from a buffer on its stack. */
const TEXT_LIMIT = 16_384;

export class SocketWriter {
  readonly #socket: Socket;
  #text = '';
  #corked = false;
  /** Length of the text before the message that may still be taken back, -1 where there is none. */
  #mark = -1;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** From here on a message begins that `rewind` can take back as long as nothing is flushed. */
  mark(): void {
    this.#mark = this.#corked ? -1 : this.#text.length;
  }

  /** Takes back what was queued since the mark; false where some of it may have left. */
  rewind(): boolean {
    if (this.#mark < 0) return false;
    this.#text = this.#text.slice(0, this.#mark);
    this.#mark = -1;
    return true;
  }

  text(text: string): void {
    this.#text += text;
  }

  /** @param shared whether `buf` will be overwritten by the next read, so that it cannot wait to be written. */
  data(buf: Buffer, start: number, end: number, shared: boolean): void {
    if (this.#text.length + end - start <= TEXT_LIMIT) {
      this.#text += buf.toString('latin1', start, end);
      return;
    }
    if (!this.#corked) {
      this.#socket.cork();
      this.#corked = true;
      this.#mark = -1;
    }
    if (this.#text !== '') {
      this.#socket.write(this.#text, 'latin1');
      this.#text = '';
    }
    const slice = buf.subarray(start, end);
    this.#socket.write(shared ? Buffer.from(slice) : slice);
  }

  /** Body bytes, as a chunk of their own where the message is chunked. */
  body(buf: Buffer, start: number, end: number, shared: boolean, chunked: boolean): void {
    if (!chunked) return this.data(buf, start, end, shared);
    this.text(chunkStart(end - start));
    this.data(buf, start, end, shared);
    this.text(chunkEnd);
  }

  flush(): FlushState {
    const socket = this.#socket;
    this.#mark = -1;
    if (this.#text !== '') {
      const text = this.#text;
      this.#text = '';
      socket.write(text, 'latin1');
    }
    if (this.#corked) {
      this.#corked = false;
      socket.uncork();
    }
    return this.state;
  }

  get state(): FlushState {
    const socket = this.#socket;
    if (socket.writableLength === 0) return FLUSHED;
    return socket.writableNeedDrain ? FULL : PENDING;
  }
}
