/**
 * Finds the end of a body and strips its framing: by length, chunked (RFC 9112 section 7), or until the connection closes.
 *
 * A pull parser without callbacks: each call of `next` consumes some bytes and leaves at most one run of body bytes in
 * `dataStart..dataEnd`, so that the caller forwards slices of the buffer that the socket was read into. One decoder belongs to a
 * connection and is reset per message.
 *
 * Strict: chunk sizes are 1 to 13 hexadecimal digits with nothing behind them. Chunk extensions are refused: nobody uses them, and
 * how their quoted strings end is a classic of smuggling. Trailers are validated like header fields.
 *
 * @hotpath bench/micro/body-decoder.ts
 */
import type { FieldNames } from './field-names.ts';
import { DROP_TRAILER } from './field-rules.ts';
import { type FieldBlock, scanFields, TOO_MANY } from './fields.ts';
import { CR, HEX, LF } from './grammar.ts';
import { BODY_CHUNKED, BODY_CLOSE, BODY_LENGTH, BODY_NONE } from './request-head.ts';

const SIZE = 0;
const SIZE_LF = 1;
const DATA = 2;
const DATA_CR = 3;
const DATA_LF = 4;
const TRAILER_START = 5;
const TRAILER_LF = 6;
const TRAILER = 7;

const MAX_DIGITS = 13;

const EMPTY = Buffer.alloc(0);

/** The part of the worker's context that reading trailers takes. */
export interface TrailerContext {
  readonly current: {
    readonly names: FieldNames;
    readonly trailerBlock: FieldBlock;
    readonly snapshot: { readonly limits: { readonly headSize: number } };
  };
}

export class BodyDecoder {
  done = true;
  failed = false;
  /** Whether it failed because of the size of the trailer section. */
  oversized = false;
  dataStart = 0;
  dataEnd = 0;
  /** The trailer field lines that may travel on, once `done`. */
  trailers = '';

  #kind = BODY_NONE;
  #state = SIZE;
  #digits = 0;
  #remaining = 0;
  #section = EMPTY;
  readonly #context: TrailerContext;

  constructor(context: TrailerContext) {
    this.#context = context;
  }

  reset(kind: number, length: number): void {
    this.#kind = kind;
    this.#remaining = length;
    this.#state = SIZE;
    this.#digits = 0;
    this.trailers = '';
    this.done = kind === BODY_NONE;
    this.failed = false;
    this.oversized = false;
    this.dataStart = 0;
    this.dataEnd = 0;
  }

  /** Whether the end of the connection is the end of this body. */
  get endsWithConnection(): boolean {
    return this.#kind === BODY_CLOSE && !this.done;
  }

  /** Consumes from `buf[pos..end)`, `pos < end` and not `done`; returns the new position. */
  next(buf: Buffer, pos: number, end: number): number {
    if (this.#kind === BODY_CHUNKED) return this.#chunked(buf, pos, end);
    this.dataStart = pos;
    if (this.#kind === BODY_LENGTH && end - pos >= this.#remaining) {
      this.dataEnd = pos + this.#remaining;
      this.#remaining = 0;
      this.done = true;
      return this.dataEnd;
    }
    this.dataEnd = end;
    this.#remaining -= end - pos;
    return end;
  }

  #chunked(buf: Buffer, from: number, end: number): number {
    this.dataStart = 0;
    this.dataEnd = 0;
    let pos = from;
    while (pos < end) {
      const c = buf[pos]!;
      switch (this.#state) {
        case SIZE: {
          const digit = HEX[c]!;
          if (digit !== 255) {
            if (++this.#digits > MAX_DIGITS) return this.#fail(end);
            this.#remaining = this.#remaining * 16 + digit;
          } else {
            if (c !== CR || this.#digits === 0) return this.#fail(end);
            this.#state = SIZE_LF;
          }
          pos++;
          break;
        }
        case SIZE_LF:
          if (c !== LF) return this.#fail(end);
          this.#state = this.#remaining === 0 ? TRAILER_START : DATA;
          pos++;
          break;
        case DATA: {
          const stop = end - pos < this.#remaining ? end : pos + this.#remaining;
          this.dataStart = pos;
          this.dataEnd = stop;
          this.#remaining -= stop - pos;
          if (this.#remaining === 0) this.#state = DATA_CR;
          return stop;
        }
        case DATA_CR:
          if (c !== CR) return this.#fail(end);
          this.#state = DATA_LF;
          pos++;
          break;
        case DATA_LF:
          if (c !== LF) return this.#fail(end);
          this.#state = SIZE;
          this.#digits = 0;
          pos++;
          break;
        case TRAILER_START:
          this.#state = c === CR ? TRAILER_LF : TRAILER;
          if (c === CR) pos++;
          else this.#section = EMPTY;
          break;
        case TRAILER_LF:
          if (c !== LF) return this.#fail(end);
          this.done = true;
          return pos + 1;
        default:
          return this.#trailer(buf, pos, end);
      }
    }
    return pos;
  }

  /** Collects the trailer section up to its empty line, which may come in any number of pieces. */
  #trailer(buf: Buffer, pos: number, end: number): number {
    const before = this.#section.length;
    const section = Buffer.concat([this.#section, buf.subarray(pos, end)]);
    const close = section.indexOf('\r\n\r\n', before > 3 ? before - 3 : 0, 'latin1');
    const until = close < 0 ? section.length : close;
    for (let lf = section.indexOf(LF, before); lf >= 0 && lf < until; lf = section.indexOf(LF, lf + 1)) {
      if (section[lf - 1] !== CR) return this.#fail(end);
    }
    if (until > this.#context.current.snapshot.limits.headSize) {
      this.oversized = true;
      return this.#fail(end);
    }
    if (close < 0) {
      this.#section = section;
      return end;
    }
    this.#section = EMPTY;
    this.done = true;
    if (!this.#readTrailers(section.subarray(0, close + 4))) return this.#fail(end);
    return pos + (close + 4 - before);
  }

  #readTrailers(section: Buffer): boolean {
    const { trailerBlock, names } = this.#context.current;
    const end = scanFields(trailerBlock, names, section, 0, section.length, 0);
    this.oversized = end === TOO_MANY;
    if (end !== section.length) return false;
    trailerBlock.text = section.toString('latin1');
    this.trailers = trailerBlock.keep(DROP_TRAILER);
    return true;
  }

  #fail(end: number): number {
    this.failed = true;
    this.done = true;
    return end;
  }
}
