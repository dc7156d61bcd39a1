/**
 * The response head, read as strictly as the request head: an upstream that answers ambiguously is a 502, and its connection is
 * closed, because the next response on it could not be trusted to be one.
 *
 * Leniency, on purpose: an empty or missing reason phrase; HTTP/1.0 upstreams; `Content-Length` in a 204, which is common in the
 * wild, cannot be misread and is dropped.
 *
 * @hotpath bench/micro/response-head.ts
 */
import type { LimitsConfig } from '../../model/config.ts';
import {
  OPTION_CLOSE,
  OPTION_INVALID,
  OPTION_KEEP_ALIVE,
  OPTION_UPGRADE,
  readConnectionOptions,
} from './connection-options.ts';
import { equalsLower, FIELD, type FieldNames, NOMINATED } from './field-names.ts';
import { FAULT, FieldBlock, INCOMPLETE, scanFields, TOO_MANY, VALUE, VALUE_END } from './fields.ts';
import { CR, FIELD_CHAR, LF, parseDecimal, SP } from './grammar.ts';
import { BODY_CHUNKED, BODY_CLOSE, BODY_LENGTH, BODY_NONE } from './request-head.ts';

const CONNECTION = FIELD.connection;
const CONTENT_LENGTH = FIELD['content-length'];
const TRANSFER_ENCODING = FIELD['transfer-encoding'];
const KEEP_ALIVE_FIELD = FIELD['keep-alive'];
const UPGRADE = FIELD.upgrade;

const CHUNKED = Buffer.from('chunked');
const KEEP_ALIVE = Buffer.from('keep-alive');
const HTTP_1 = Buffer.from('HTTP/1.');
const TIMEOUT = /(?:^|[,; \t])timeout[ \t]*=[ \t]*(\d{1,6})/i;
const NO_GUARDED: ReadonlySet<string> = new Set();

export class ResponseHead extends FieldBlock {
  status = 0;
  /** Status code, space and reason phrase, as they were sent; the space is added where it is missing. */
  statusText = '';
  minor = 1;
  /** Whether the upstream keeps the connection open behind this message. */
  keepAlive = true;
  /** Seconds of the upstream's `Keep-Alive: timeout=` hint, 0 where it gave none. */
  keepAliveHint = 0;
  body = BODY_NONE;
  contentLength = 0;
  /** Value of Upgrade in a 101. */
  upgrade = '';

  readonly #limits: LimitsConfig;
  readonly #names: FieldNames;

  constructor(limits: LimitsConfig, names: FieldNames) {
    super(limits.headerCount);
    this.#limits = limits;
    this.#names = names;
  }

  /** @param toHead whether the request was a HEAD, whose response has no body whatever its fields say. */
  parse(buf: Buffer, start: number, end: number, toHead: boolean): number {
    const horizon = end - start > this.#limits.headSize ? start + this.#limits.headSize : end;
    const line = this.#statusLine(buf, start, horizon);
    if (line === FAULT) return FAULT;
    if (line === INCOMPLETE) return horizon < end ? FAULT : INCOMPLETE;
    const done = scanFields(this, this.#names, buf, line, horizon, start);
    if (done === FAULT || done === TOO_MANY) return FAULT;
    if (done === INCOMPLETE) return horizon < end ? FAULT : INCOMPLETE;
    this.text = buf.toString('latin1', start, done);
    this.statusText = this.text.slice(9, line - start - 2);
    if (this.statusText.length === 3) this.statusText += ' ';
    if (this.#readConnection(buf, start) === FAULT) return FAULT;
    return this.#readFraming(buf, start, toHead) === FAULT ? FAULT : done;
  }

  #statusLine(buf: Uint8Array, start: number, end: number): number {
    const present = end - start;
    for (let i = 0; i < HTTP_1.length && i < present; i++) if (buf[start + i] !== HTTP_1[i]) return FAULT;
    if (present < 14) return present > 7 && !isVersionDigit(buf[start + 7]!) ? FAULT : INCOMPLETE;
    if (!isVersionDigit(buf[start + 7]!) || buf[start + 8] !== SP) return FAULT;
    const status = parseDecimal(buf, start + 9, start + 12);
    if (status < 100 || status > 599) return FAULT;
    let pos = start + 12;
    if (buf[pos] !== SP && buf[pos] !== CR) return FAULT;
    while (pos < end && FIELD_CHAR[buf[pos]!] === 1) pos++;
    if (pos < end && buf[pos] !== CR) return FAULT;
    if (pos + 1 >= end) return INCOMPLETE;
    if (buf[pos + 1] !== LF) return FAULT;
    this.status = status;
    this.minor = buf[start + 7] === 48 ? 0 : 1;
    return pos + 2;
  }

  #readConnection(buf: Uint8Array, start: number): number {
    this.keepAlive = this.minor === 1;
    this.keepAliveHint = 0;
    this.upgrade = '';
    if (this.has(CONNECTION)) {
      const row = this.rowOf(CONNECTION);
      const from = start + this.rows[row + VALUE]!;
      if (!this.isRepeated(CONNECTION) && equalsLower(buf, from, start + this.rows[row + VALUE_END]!, KEEP_ALIVE)) {
        this.keepAlive = true;
      } else {
        const options = readConnectionOptions(this, CONNECTION, this.#names, NO_GUARDED);
        if (options === OPTION_INVALID) return FAULT;
        if ((options & OPTION_KEEP_ALIVE) !== 0) this.keepAlive = true;
        if ((options & OPTION_CLOSE) !== 0) this.keepAlive = false;
        if ((options & OPTION_UPGRADE) !== 0) this.upgrade = this.joined(UPGRADE);
      }
    }
    if (this.keepAlive && this.has(KEEP_ALIVE_FIELD)) {
      const hint = TIMEOUT.exec(this.value(KEEP_ALIVE_FIELD));
      if (hint !== null) this.keepAliveHint = Number(hint[1]);
    }
    return 0;
  }

  #readFraming(buf: Uint8Array, start: number, toHead: boolean): number {
    this.contentLength = 0;
    const chunked = this.has(TRANSFER_ENCODING);
    const sized = this.has(CONTENT_LENGTH);
    if (chunked && (sized || this.minor === 0 || !this.#isChunked(buf, start))) return FAULT;
    if (sized) {
      if (this.isRepeated(CONTENT_LENGTH)) return FAULT;
      const row = this.rowOf(CONTENT_LENGTH);
      const length = parseDecimal(buf, start + this.rows[row + VALUE]!, start + this.rows[row + VALUE_END]!);
      if (length < 0) return FAULT;
      this.contentLength = length;
    }
    this.body = BODY_NONE;
    if (this.status < 200 || this.status === 204) {
      if (sized) this.renumber(CONTENT_LENGTH, NOMINATED);
      // An upstream that announces a body here may send one: never let it be read as the next response.
      if (chunked || this.contentLength > 0) this.keepAlive = false;
    } else if (!toHead && this.status !== 304) {
      if (chunked) this.body = BODY_CHUNKED;
      else if (!sized) this.body = BODY_CLOSE;
      else if (this.contentLength > 0) this.body = BODY_LENGTH;
      if (this.body === BODY_CLOSE) this.keepAlive = false;
    }
    return 0;
  }

  #isChunked(buf: Uint8Array, start: number): boolean {
    const row = this.rowOf(TRANSFER_ENCODING);
    const from = start + this.rows[row + VALUE]!;
    return !this.isRepeated(TRANSFER_ENCODING) && equalsLower(buf, from, start + this.rows[row + VALUE_END]!, CHUNKED);
  }
}

const isVersionDigit = (c: number): boolean => c >= 48 && c <= 57;
