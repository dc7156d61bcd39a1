/**
 * The judge: a small strict reader of HTTP/1.1 messages that shares no line with the engine.
 *
 * It reads text that was decoded as latin1 (one character a byte) and starts over on every call: slow, obvious, without state. Anything
 * that RFC 9112 does not allow a sender to write is `bad`, so both what the proxy sends upstream and what it answers are judged by it.
 */
import { show } from './signal.ts';

export type Field = readonly [name: string, value: string];
export type Framing = 'none' | 'length' | 'chunked' | 'close';

export interface Message {
  readonly version: string;
  readonly fields: readonly Field[];
  readonly framing: Framing;
  readonly body: string;
  readonly trailers: readonly Field[];
}
export interface RequestMessage extends Message {
  readonly method: string;
  readonly target: string;
}
export interface ResponseMessage extends Message {
  readonly status: number;
  readonly reason: string;
}
export type Reading<M> =
  | { readonly state: 'complete'; readonly message: M; readonly end: number }
  /** `head` tells whether at least the head is whole; a stream that ends here was cut. */
  | { readonly state: 'incomplete'; readonly head: boolean }
  | { readonly state: 'bad'; readonly why: string };

const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP\/(1\.[01])$/;
const STATUS_LINE = /^HTTP\/(1\.[01]) ([1-5]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/;
const FIELD_LINE =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[ \t]*$/;

const cut = { state: 'incomplete', head: false } as const;
const cutInBody = { state: 'incomplete', head: true } as const;
const bad = (why: string) => ({ state: 'bad', why }) as const;

/** Every value of a field, names compared without case. */
export function values(message: Message, name: string): string[] {
  return message.fields.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
}

/** A field's only value, null where there is none; several are joined so that a comparison fails visibly. */
export function value(message: Message, name: string): string | null {
  const all = values(message, name);
  return all.length === 0 ? null : all.join(' | ');
}

/** The index of the first character that may not stand there: the end of every line is CR LF and neither occurs alone. */
function readFields(text: string, from: number): { fields: Field[]; end: number } | 'incomplete' | { why: string } {
  const fields: Field[] = [];
  let at = from;
  for (;;) {
    const end = text.indexOf('\r\n', at);
    const line = end < 0 ? text.slice(at) : text.slice(at, end);
    if (/[\n\0]|\r(?!$)/.test(line)) return { why: `bare CR, LF or NUL in ${show(line)}` };
    if (end < 0) return 'incomplete';
    at = end + 2;
    if (line === '') return { fields, end: at };
    const match = FIELD_LINE.exec(line);
    if (match === null) return { why: `field line ${show(line)}` };
    fields.push([match[1]!, match[2]!]);
  }
}

interface Body {
  readonly body: string;
  readonly trailers: readonly Field[];
  readonly end: number;
}

function readChunks(text: string, from: number): Body | 'incomplete' | { why: string } {
  let at = from;
  let body = '';
  for (;;) {
    const end = text.indexOf('\r\n', at);
    if (end < 0) return text.length - at > 18 ? { why: `chunk size ${show(text.slice(at, at + 40))}` } : 'incomplete';
    const digits = text.slice(at, end);
    if (!/^[0-9a-fA-F]{1,13}$/.test(digits)) return { why: `chunk size ${show(digits)}` };
    const size = Number.parseInt(digits, 16);
    at = end + 2;
    if (size === 0) {
      const read = readFields(text, at);
      if (read === 'incomplete' || 'why' in read) return read;
      return { body, trailers: read.fields, end: read.end };
    }
    if (text.length < at + size + 2) return 'incomplete';
    body += text.slice(at, at + size);
    if (text.slice(at + size, at + size + 2) !== '\r\n') return { why: 'no CR LF after chunk data' };
    at += size + 2;
  }
}

/** `none`, `close` or the framing that the fields announce; a string that is not a framing says what is wrong. */
function framingOf(fields: readonly Field[], version: string, absent: Framing): Framing | { why: string } {
  const all = (name: string) => fields.filter(([key]) => key.toLowerCase() === name).map(([, text]) => text);
  const lengths = all('content-length');
  const codings = all('transfer-encoding');
  if (lengths.length + codings.length > 1) return { why: 'more than one framing field' };
  if (codings.length === 1) {
    if (version === '1.0') return { why: 'transfer-encoding in HTTP/1.0' };
    return codings[0]!.toLowerCase() === 'chunked' ? 'chunked' : { why: `transfer-encoding ${show(codings[0]!)}` };
  }
  if (lengths.length === 0) return absent;
  return /^\d{1,15}$/.test(lengths[0]!) ? 'length' : { why: `content-length ${show(lengths[0]!)}` };
}

function readBody(
  text: string,
  from: number,
  framing: Framing,
  fields: readonly Field[],
  ended: boolean,
): Body | 'incomplete' | { why: string } {
  if (framing === 'none') return { body: '', trailers: [], end: from };
  if (framing === 'chunked') return readChunks(text, from);
  if (framing === 'close') return ended ? { body: text.slice(from), trailers: [], end: text.length } : 'incomplete';
  const size = Number(fields.find(([key]) => key.toLowerCase() === 'content-length')![1]);
  if (text.length < from + size) return 'incomplete';
  return { body: text.slice(from, from + size), trailers: [], end: from + size };
}

interface Start {
  readonly match: RegExpExecArray;
  readonly fields: readonly Field[];
  readonly end: number;
}

function readHead(text: string, from: number, line: RegExp): Start | typeof cut | { state: 'bad'; why: string } {
  const end = text.indexOf('\r\n', from);
  if (end < 0) return cut;
  const match = line.exec(text.slice(from, end));
  if (match === null) return bad(`start line ${show(text.slice(from, end))}`);
  const read = readFields(text, end + 2);
  if (read === 'incomplete') return cut;
  return 'why' in read ? bad(read.why) : { match, fields: read.fields, end: read.end };
}

/** Reads one request as a server must be able to: also exactly one Host in HTTP/1.1. */
export function readRequest(text: string, from: number): Reading<RequestMessage> {
  const head = readHead(text, from, REQUEST_LINE);
  if ('state' in head) return head;
  const { fields } = head;
  const [, method, target, version] = head.match as unknown as [string, string, string, string];
  const hosts = fields.filter(([name]) => name.toLowerCase() === 'host');
  if (version === '1.1' && hosts.length !== 1) return bad(`${hosts.length} Host fields`);
  const framing = framingOf(fields, version, 'none');
  if (typeof framing !== 'string') return bad(framing.why);
  const body = readBody(text, head.end, framing, fields, false);
  if (body === 'incomplete') return cutInBody;
  if ('why' in body) return bad(body.why);
  const message = { method, target, version, fields, framing, body: body.body, trailers: body.trailers };
  return { state: 'complete', message, end: body.end };
}

/** Reads one response, interim ones included, to a request with `method`; `ended` says that the stream is over. */
export function readResponse(text: string, from: number, method: string, ended: boolean): Reading<ResponseMessage> {
  const head = readHead(text, from, STATUS_LINE);
  if ('state' in head) return head;
  const { fields } = head;
  const [, version, code, reason] = head.match as unknown as [string, string, string, string];
  const status = Number(code);
  const announced = framingOf(fields, version, 'close');
  if (typeof announced !== 'string') return bad(announced.why);
  const bodiless = status < 200 || status === 204 || status === 304 || method === 'HEAD';
  if ((status < 200 || status === 204) && announced !== 'close') return bad(`framing field in a ${status}`);
  const framing = bodiless ? 'none' : announced;
  const body = readBody(text, head.end, framing, fields, ended);
  if (body === 'incomplete') return cutInBody;
  if ('why' in body) return bad(body.why);
  const message = { status, reason, version, fields, framing, body: body.body, trailers: body.trailers };
  return { state: 'complete', message, end: body.end };
}
