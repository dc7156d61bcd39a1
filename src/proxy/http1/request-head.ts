/**
 * The request head: RFC 9112 sections 2 to 3 and 6, strictly.
 *
 * Whatever two parsers could read differently is refused rather than repaired, because a request that this side and the upstream
 * frame differently is request smuggling. Nothing is forwarded before the whole head has been accepted.
 *
 * `parse` is called with all bytes of the head received so far. It returns the offset behind the head, INCOMPLETE, or FAULT with
 * `fault` naming the answer; it may find a fault before the head is complete.
 *
 * @hotpath bench/micro/request-head.ts
 */
import type { LimitsConfig } from '../../model/config.ts';
import type { ReplyCode } from '../../model/local-reply.ts';
import {
  OPTION_CLOSE,
  OPTION_INVALID,
  OPTION_KEEP_ALIVE,
  OPTION_UPGRADE,
  readConnectionOptions,
} from './connection-options.ts';
import { equalsLower, FIELD, type FieldNames, NOMINATED } from './field-names.ts';
import { FAULT, FieldBlock, INCOMPLETE, scanFields, TOO_MANY, VALUE, VALUE_END } from './fields.ts';
import { CR, isHost, LF, parseDecimal, SLASH, SP, TARGET_CHAR, TOKEN_LOWER } from './grammar.ts';
import { parseAbsoluteTarget } from './target.ts';

/** How the end of a body is found. */
export const BODY_NONE = 0;
export const BODY_LENGTH = 1;
export const BODY_CHUNKED = 2;
export const BODY_CLOSE = 3;

const MAX_METHOD = 24;

const HOST = FIELD.host;
const CONNECTION = FIELD.connection;
const CONTENT_LENGTH = FIELD['content-length'];
const TRANSFER_ENCODING = FIELD['transfer-encoding'];
const EXPECT = FIELD.expect;
const UPGRADE = FIELD.upgrade;
const TE = FIELD.te;

const CHUNKED = Buffer.from('chunked');
const CONTINUE = Buffer.from('100-continue');
const KEEP_ALIVE = Buffer.from('keep-alive');
const HTTP_1 = Buffer.from('HTTP/1.');
const TRAILERS = /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i;
const NOT_TUNNELLED = /(?:^|,)[ \t]*(?:h2c?|http\/[0-9.]+|tls\/[0-9.]+)[ \t]*(?:,|$)/i;
/** One or more tokens before a final chunked. */
const CODINGS = /^(?:[!#$%&'*+\-.^_`|~0-9a-z]+[ \t]*,[ \t]*)+chunked$/;
const NO_GUARDED: ReadonlySet<string> = new Set();

export class RequestHead extends FieldBlock {
  method = '';
  /** Origin-form, or `*`. */
  target = '';
  /** Authority of the request: that of an absolute-form target, else the Host field; empty only in HTTP/1.0. */
  authority = '';
  /** Whether the Host field has to be written anew. */
  replaceHost = false;
  minor = 1;
  keepAlive = true;
  body = BODY_NONE;
  contentLength = 0;
  expectContinue = false;
  /** Value of Upgrade where the client asks for a protocol that Sluice tunnels, else empty. */
  upgrade = '';
  teTrailers = false;
  fault: ReplyCode = 'bad_request_line';

  readonly #limits: LimitsConfig;
  readonly #names: FieldNames;
  readonly #guarded: ReadonlySet<string>;

  constructor(limits: LimitsConfig, names: FieldNames, guarded: ReadonlySet<string> = NO_GUARDED) {
    super(limits.headerCount);
    this.#limits = limits;
    this.#names = names;
    this.#guarded = guarded;
  }

  parse(buf: Buffer, start: number, end: number): number {
    // The limit holds whether or not the end of the head is in sight.
    const horizon = end - start > this.#limits.headSize ? start + this.#limits.headSize : end;
    const line = this.#requestLine(buf, start, horizon);
    if (line === FAULT) return FAULT;
    if (line === INCOMPLETE) return horizon < end ? this.#fail('head_too_large') : INCOMPLETE;
    const done = scanFields(this, this.#names, buf, line, horizon, start);
    if (done === FAULT) return this.#fail('bad_field');
    if (done === TOO_MANY) return this.#fail('head_too_large');
    if (done === INCOMPLETE) return horizon < end ? this.#fail('head_too_large') : INCOMPLETE;
    this.text = buf.toString('latin1', start, done);
    return this.#semantics(buf, start) === FAULT ? FAULT : done;
  }

  #fail(code: ReplyCode): number {
    this.fault = code;
    return FAULT;
  }

  #methodEnd = 0;
  #targetEnd = 0;

  /** Offset behind the request line; remembers where method and target end. */
  #requestLine(buf: Uint8Array, start: number, end: number): number {
    let pos = start;
    while (pos < end && TOKEN_LOWER[buf[pos]!] !== 0) pos++;
    if (pos - start > MAX_METHOD) return this.#fail('unknown_method');
    if (pos >= end) return INCOMPLETE;
    if (buf[pos] !== SP || pos === start) return this.#fail('bad_request_line');
    this.#methodEnd = pos;
    const target = ++pos;
    while (pos < end && TARGET_CHAR[buf[pos]!] === 1) pos++;
    if (pos - target > this.#limits.targetLength) return this.#fail('target_too_long');
    if (pos >= end) return INCOMPLETE;
    if (buf[pos] !== SP) return this.#fail(buf[pos] === CR || buf[pos] === LF ? 'bad_request_line' : 'bad_target');
    if (pos === target) return this.#fail('bad_request_line');
    this.#targetEnd = pos++;
    return this.#version(buf, pos, end);
  }

  #version(buf: Uint8Array, start: number, end: number): number {
    for (let i = 0; i < HTTP_1.length; i++) {
      if (start + i >= end) return INCOMPLETE;
      const c = buf[start + i]!;
      if (c === HTTP_1[i]) continue;
      // `HTTP/2.0` and the like are well-formed versions of something else (RFC 9112 2.3: one digit, dot, one digit).
      const well = i === 5 && c >= 48 && c <= 57;
      if (!well) return this.#fail('bad_request_line');
      if (start + 10 > end) return INCOMPLETE;
      const shape = buf[start + 6] === 46 && buf[start + 7]! >= 48 && buf[start + 7]! <= 57 && buf[start + 8] === CR;
      return this.#fail(shape ? 'bad_version' : 'bad_request_line');
    }
    const pos = start + HTTP_1.length;
    if (pos >= end) return INCOMPLETE;
    const digit = buf[pos]!;
    if (digit < 48 || digit > 57) return this.#fail('bad_request_line');
    if (pos + 1 >= end) return INCOMPLETE;
    if (buf[pos + 1] !== CR) return this.#fail('bad_request_line');
    if (pos + 2 >= end) return INCOMPLETE;
    if (buf[pos + 2] !== LF) return this.#fail('bad_request_line');
    // A later minor version is spoken to as 1.1 (RFC 9110 2.5).
    this.minor = digit === 48 ? 0 : 1;
    return pos + 3;
  }

  #semantics(buf: Buffer, start: number): number {
    const methodEnd = this.#methodEnd - start;
    this.method = this.text.slice(0, methodEnd);
    this.target = this.text.slice(methodEnd + 1, this.#targetEnd - start);
    this.replaceHost = false;
    if (this.method === 'CONNECT') return this.#fail('unknown_method');
    if (this.#readHost(buf, start) === FAULT) return FAULT;
    if (buf[this.#methodEnd + 1] !== SLASH && this.#otherTarget() === FAULT) return FAULT;
    if (this.#readFraming(buf, start) === FAULT) return FAULT;
    return this.#readOptions(buf, start);
  }

  #readHost(buf: Uint8Array, start: number): number {
    if (!this.has(HOST)) {
      this.authority = '';
      return this.minor === 0 ? 0 : this.#fail('bad_host');
    }
    if (this.isRepeated(HOST)) return this.#fail('bad_host');
    const row = this.rowOf(HOST);
    if (!isHost(buf, start + this.rows[row + VALUE]!, start + this.rows[row + VALUE_END]!))
      return this.#fail('bad_host');
    this.authority = this.value(HOST);
    return 0;
  }

  #otherTarget(): number {
    if (this.target === '*') return this.method === 'OPTIONS' ? 0 : this.#fail('bad_target');
    const parsed = parseAbsoluteTarget(this.target, this.method);
    if (parsed === null) return this.#fail('bad_target');
    this.target = parsed.target;
    this.authority = parsed.authority;
    this.replaceHost = true;
    return 0;
  }

  #readFraming(buf: Uint8Array, start: number): number {
    this.body = BODY_NONE;
    this.contentLength = 0;
    if (this.has(TRANSFER_ENCODING)) {
      if (this.has(CONTENT_LENGTH)) return this.#fail('conflicting_framing');
      if (this.minor === 0 || this.isRepeated(TRANSFER_ENCODING)) return this.#fail('bad_transfer_encoding');
      const row = this.rowOf(TRANSFER_ENCODING);
      const from = start + this.rows[row + VALUE]!;
      const to = start + this.rows[row + VALUE_END]!;
      if (!equalsLower(buf, from, to, CHUNKED)) return this.#badCoding();
      this.body = BODY_CHUNKED;
    } else if (this.has(CONTENT_LENGTH)) {
      if (this.isRepeated(CONTENT_LENGTH)) return this.#fail('bad_content_length');
      const row = this.rowOf(CONTENT_LENGTH);
      const length = parseDecimal(buf, start + this.rows[row + VALUE]!, start + this.rows[row + VALUE_END]!);
      if (length < 0) return this.#fail('bad_content_length');
      const limit = this.#limits.bodySize;
      if (limit !== 0 && length > limit) return this.#fail('body_too_large');
      this.contentLength = length;
      if (length > 0) this.body = BODY_LENGTH;
    }
    return 0;
  }

  /** A list of codings that ends in its only chunked asks for one that we do not know (501); anything else is malformed. */
  #badCoding(): number {
    const value = this.value(TRANSFER_ENCODING).toLowerCase();
    const unknown =
      CODINGS.test(value) && value.split(',').filter((coding) => coding.trim() === 'chunked').length === 1;
    return this.#fail(unknown ? 'unknown_coding' : 'bad_transfer_encoding');
  }

  #readOptions(buf: Uint8Array, start: number): number {
    this.keepAlive = this.minor === 1;
    this.expectContinue = false;
    this.upgrade = '';
    this.teTrailers = this.has(TE) && TRAILERS.test(this.joined(TE));
    if (this.has(CONNECTION) && this.#readConnection(buf, start) === FAULT) return FAULT;
    if (this.has(EXPECT)) {
      const row = this.rowOf(EXPECT);
      const from = start + this.rows[row + VALUE]!;
      const known = equalsLower(buf, from, start + this.rows[row + VALUE_END]!, CONTINUE);
      if (!known || this.isRepeated(EXPECT)) return this.#fail('bad_expectation');
      // RFC 9110 10.1.1: in an HTTP/1.0 request, and without a body, the expectation is ignored.
      this.expectContinue = this.minor === 1 && this.body !== BODY_NONE;
      if (!this.expectContinue) this.renumber(EXPECT, NOMINATED);
    }
    return 0;
  }

  #readConnection(buf: Uint8Array, start: number): number {
    const row = this.rowOf(CONNECTION);
    const from = start + this.rows[row + VALUE]!;
    if (!this.isRepeated(CONNECTION) && equalsLower(buf, from, start + this.rows[row + VALUE_END]!, KEEP_ALIVE)) {
      this.keepAlive = true;
      return 0;
    }
    const options = readConnectionOptions(this, CONNECTION, this.#names, this.#guarded);
    if (options === OPTION_INVALID) return this.#fail('bad_connection');
    if ((options & OPTION_KEEP_ALIVE) !== 0) this.keepAlive = true;
    if ((options & OPTION_CLOSE) !== 0) this.keepAlive = false;
    if ((options & OPTION_UPGRADE) !== 0 && this.minor === 1) this.upgrade = this.#tunnelled();
    return 0;
  }

  /** h2c is not passed on: after its 101 the upstream would answer requests that Sluice never sees. */
  #tunnelled(): string {
    const value = this.joined(UPGRADE);
    return value === '' || NOT_TUNNELLED.test(value) ? '' : value;
  }
}
