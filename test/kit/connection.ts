/**
 * One end of a raw connection: what `RawClient` and `RawUpstream` have in common.
 *
 * Every byte that came is kept, every event is turned into a fact that can be awaited, and nothing is answered by itself: the socket is
 * half-open, so a FIN from the proxy is only noted. Errors are facts too (`error`), since a peer that resets is what many tests want.
 */
import type { Socket } from 'node:net';
import { Signal, show, turns } from './signal.ts';

export class RawConnection {
  readonly socket: Socket;
  readonly signal: Signal;
  /** The peer sent FIN. */
  ended = false;
  /** The connection is gone: both sides done, or reset. */
  closed = false;
  error: NodeJS.ErrnoException | null = null;
  #chunks: Buffer[] = [];
  #text = '';
  /** Counted apart from the text, so that a large body can be measured with `keep` off. */
  bytes = 0;
  /** Off: bytes are counted and handed to `onData` only. */
  keep = true;
  onData: ((chunk: Buffer) => void) | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    this.signal = new Signal(this);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      if (this.keep) this.#chunks.push(chunk);
      this.onData?.(chunk);
      this.signal.notify();
    });
    socket.on('end', () => {
      this.ended = true;
      this.signal.notify();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error;
      this.signal.notify();
    });
    socket.on('close', () => {
      this.closed = true;
      this.signal.notify();
    });
  }

  /** Everything that came, one character a byte. */
  get text(): string {
    if (this.#chunks.length > 0) {
      this.#text += Buffer.concat(this.#chunks).toString('latin1');
      this.#chunks = [];
    }
    return this.#text;
  }

  /** True once no byte can come any more. */
  get over(): boolean {
    return this.ended || this.closed;
  }

  write(text: string): void {
    if (!this.socket.destroyed && this.socket.writable) this.socket.write(text, 'latin1');
  }

  /** Writes part after part as packets of their own: between two writes the event loop goes round, but no time is spent. */
  async writeParts(parts: readonly string[], between = 2): Promise<void> {
    for (let i = 0; i < parts.length; i++) {
      if (i > 0) await turns(between);
      if (this.socket.destroyed) return;
      this.write(parts[i]!);
    }
  }

  /** Half-closes: FIN after what was written. */
  fin(): void {
    if (!this.socket.destroyed) this.socket.end();
  }

  /** RST. */
  reset(): void {
    if (!this.socket.destroyed) this.socket.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  untilText(part: string): Promise<void> {
    return this.signal.wait(`the bytes ${show(part)}`, () => this.text.includes(part));
  }

  untilOver(): Promise<void> {
    return this.signal.wait('the peer to end the connection', () => this.over);
  }

  untilClosed(): Promise<void> {
    return this.signal.wait('the connection to be gone', () => this.closed);
  }

  describe(): string {
    const state = `${this.ended ? 'FIN came' : 'no FIN'}, ${this.closed ? 'closed' : 'open'}${this.error ? `, ${this.error.code}` : ''}`;
    return `${state}, got ${this.bytes} bytes ${show(this.keep ? this.text : '')}`;
  }
}
