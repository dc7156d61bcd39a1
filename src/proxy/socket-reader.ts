/**
 * Reading sockets without a buffer per read.
 *
 * `net.Socket`'s `onread` option delivers bytes into a buffer of our choice instead of allocating 64 KiB, shrinking it and pushing it
 * through the Readable machinery; that alone takes 15 to 20 % off a proxied request (docs/adr/0002). All sockets of a worker
 * share one buffer, because a read is consumed before the next begins. What must outlive the read is copied: small pieces as strings
 * anyway, large ones into a buffer of their own.
 *
 * Bulk. A socket that fills the whole buffer is moving a large body. It gets a private buffer, so that its data can be
 * written on without a copy; while such a write is pending the next read takes another, and once it is done both serve again. The
 * socket returns to the shared buffer at the first small read, so an idle stream of events costs no buffer.
 *
 * @hotpath bench/micro/exchange.ts
 */
import net from 'node:net';
import { FLUSHED, type FlushState } from './codec.ts';

export const READ_SIZE = 65_536;
const SMALL_READ = 8_192;

export interface ByteSink {
  /** @param shared whether `buf` will be overwritten by the next read of any socket. */
  onBytes(buf: Buffer, start: number, end: number, shared: boolean): void;
}

export class SocketReader {
  readonly #shared: Buffer;
  /** Who gets the bytes; set before the socket is resumed. */
  sink: ByteSink | null;
  #own: Buffer | null = null;
  /** Private buffers that a pending write still reads from, and those that none does any more. */
  #lent: Buffer[] = [];
  #free: Buffer[] = [];
  #bulk = false;
  readonly onread: net.OnReadOpts;

  constructor(shared: Buffer, sink: ByteSink | null = null) {
    this.#shared = shared;
    this.sink = sink;
    this.onread = {
      buffer: () => this.#next(),
      callback: (size, buf) => {
        this.#read(size, buf as Buffer);
        return true;
      },
    };
  }

  #read(size: number, buf: Buffer): void {
    if (size === buf.length) this.#bulk = true;
    else if (size < SMALL_READ) this.#bulk = false;
    this.sink?.onBytes(buf, 0, size, buf === this.#shared);
  }

  /** The sink says after each read how far the bytes that it was given have been written on. */
  settle(state: FlushState): void {
    if (state !== FLUSHED) {
      if (this.#own !== null) this.#lent.push(this.#own);
      this.#own = null;
    } else if (this.#lent.length > 0) {
      this.#free = this.#free.concat(this.#lent);
      this.#lent = [];
    }
  }

  /**
   * The message is over, and the next bytes go somewhere else: flushes there say nothing about the writes that hold lent buffers, so these
   * must never be used again.
   */
  forget(): void {
    this.#bulk = false;
    this.#lent = [];
    this.#free = [];
  }

  #next(): Buffer {
    if (!this.#bulk) {
      if (this.#own !== null || this.#lent.length > 0 || this.#free.length > 0) this.#drop();
      return this.#shared;
    }
    this.#own ??= this.#free.pop() ?? Buffer.allocUnsafeSlow(READ_SIZE);
    return this.#own;
  }

  /** Back to the shared buffer; what is lent stays alive until it is written. */
  #drop(): void {
    this.#own = null;
    this.#lent = [];
    this.#free = [];
  }
}

interface HandleOwner {
  _handle: { readStart?: unknown } | null;
}

/**
 * Puts an accepted, paused connection under a reader. Server sockets take no `onread` option, so the connection's handle moves to a new
 * Socket; the one it came with is left empty and destroyed. Should a future Node hide the handle, bytes arrive by 'data' events
 * instead: slower, and just as right.
 */
export function adopt(accepted: net.Socket, reader: SocketReader): net.Socket {
  const owner = accepted as unknown as HandleOwner;
  const handle = owner._handle;
  if (handle === null || typeof handle?.readStart !== 'function') {
    accepted.on('data', (chunk) => reader.sink?.onBytes(chunk, 0, chunk.length, false));
    return accepted;
  }
  owner._handle = null;
  const options = { handle, allowHalfOpen: true, onread: reader.onread };
  const socket = new net.Socket(options as net.SocketConstructorOpts);
  // With its handle gone this only settles the books of the server that counted it.
  accepted.on('error', () => {});
  accepted.destroy();
  return socket;
}
