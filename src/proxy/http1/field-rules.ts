/**
 * Which fields a proxy takes off a message and which it puts on (RFC 9110 7.6, RFC 7239, W3C Trace Context).
 *
 * What goes is a byte table indexed by field number, what comes is text. Both are settled per snapshot or per connection as far as they
 * can be, so that a request pays for one pass over its rows and a few concatenations.
 *
 * Trust. `X-Forwarded-*`, `Forwarded`, `X-Real-IP` and `X-Request-Id` are claims about the client. From an address in `trustedProxies`
 * they are kept and extended, from any other they are dropped and made anew. Trace context (`traceparent`) is passed on from anyone,
 * as long as it is well-formed and the configuration does not ignore it. A request that is traced has it taken off here, and a line of
 * their own put on its attempts.
 *
 * @hotpath bench/micro/head-writer.ts
 */
import type { ForwardedConfig } from '../../model/config.ts';
import { CLAIMS, FIELD, FIRST_CUSTOM_ID, type KnownName, NOMINATED } from './field-names.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';
import { traceParentOf } from './trace-context.ts';

const HOST = FIELD.host;
const X_FORWARDED_FOR = FIELD['x-forwarded-for'];
const X_FORWARDED_PROTO = FIELD['x-forwarded-proto'];
const X_FORWARDED_HOST = FIELD['x-forwarded-host'];
const FORWARDED = FIELD.forwarded;
const X_REQUEST_ID = FIELD['x-request-id'];
const TRACEPARENT = FIELD.traceparent;
const TRACESTATE = FIELD.tracestate;
const DATE = FIELD.date;
const X_SLUICE_VERSION = FIELD['x-sluice-version'];

const table = (names: readonly KnownName[]): Uint8Array => {
  const drop = new Uint8Array(256);
  drop[NOMINATED] = 1;
  for (const name of names) drop[FIELD[name]] = 1;
  return drop;
};

const HOP_BY_HOP: readonly KnownName[] = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'te',
  'upgrade',
  'http2-settings',
];
/** From a trusted proxy the claims are rebuilt from their old values; the fields that Sluice has nothing to add to stay. */
const DROP_TRUSTED = table(HOP_BY_HOP.concat(['x-forwarded-for', 'forwarded']));
const DROP_UNTRUSTED = table(HOP_BY_HOP.concat(CLAIMS));
const DROP_RESPONSE = table(HOP_BY_HOP);

/** What RFC 9110 6.5.1 keeps out of trailers: framing, routing, authentication, content format, and claims about the client. */
const LATE: readonly KnownName[] = [
  'host',
  'content-length',
  'expect',
  'trailer',
  'authorization',
  'cookie',
  'set-cookie',
  'content-type',
  'content-encoding',
  'content-range',
  'range',
  'cache-control',
];

/** Fields that do not travel in trailers; the snapshot's own names, which it routes by, are among them. */
export const DROP_TRAILER = table(HOP_BY_HOP.concat(CLAIMS, LATE)).fill(1, FIRST_CUSTOM_ID);

/** Identity of one request: 32 hex digits shared by X-Request-Id and the trace id, and 16 for the parent id. */
export interface RequestIds {
  next(): string;
}

/** What a traced request says about itself. */
export interface TraceIdentity {
  /** What RequestIds gave it. */
  readonly ids: string;
  /** Empty where the trace begins with this request. */
  readonly parentId: string;
}

/** What a downstream connection says about its client, the same for all its requests. */
export interface ClientFacts {
  readonly address: string;
  readonly trusted: boolean;
  /** `http` or `https`. */
  readonly scheme: string;
  /** The X-Forwarded-For and X-Forwarded-Proto lines of an untrusted client. */
  readonly lines: string;
}

export function clientFacts(address: string, trusted: boolean, scheme: string): ClientFacts {
  const lines = `X-Forwarded-For: ${address}\r\nX-Forwarded-Proto: ${scheme}\r\n`;
  return { address, trusted, scheme, lines };
}

/** The scheme that the client used, behind a trusted proxy the one that it says. */
export function schemeOf(head: RequestHead, client: ClientFacts): string {
  if (!client.trusted || !head.has(X_FORWARDED_PROTO)) return client.scheme;
  const told = head.value(X_FORWARDED_PROTO).toLowerCase();
  return told === 'https' || told === 'http' ? told : client.scheme;
}

export class FieldRules {
  readonly #config: ForwardedConfig;
  readonly #ids: RequestIds;
  readonly #ignoresTraces: boolean;
  readonly #via: string;
  /** Name used in Via and Proxy-Status. */
  readonly name: string;
  /** X-Request-Id of the request whose lines were written last; to be read in the same turn. */
  id = '';

  /** @param ignoresTraces whether the trace context of clients is not passed on. */
  constructor(config: ForwardedConfig, ids: RequestIds, ignoresTraces = false) {
    this.#config = config;
    this.#ids = ids;
    this.#ignoresTraces = ignoresTraces;
    this.#via = `Via: 1.1 ${config.via}\r\n`;
    this.name = config.via;
  }

  /**
   * The field lines of the request as the upstream gets them, framing fields for chunked bodies and connection options excepted; where it is
   * traced without `traceparent`, which each attempt has its own of.
   *
   * @param fallbackHost Host for an HTTP/1.0 request that has none. @param rewrittenHost Host that the route asks for, or nothing.
   */
  request(
    head: RequestHead,
    client: ClientFacts,
    fallbackHost: string,
    rewrittenHost = '',
    traced: TraceIdentity | null = null,
  ): string {
    const trace = this.#identity(head, client.trusted, traced);
    let host = '';
    if (rewrittenHost !== '') host = this.#hostLine(head, rewrittenHost);
    else if (head.authority === '') host = this.#hostLine(head, fallbackHost);
    else if (head.replaceHost) host = this.#hostLine(head, head.authority);
    const via = head.minor === 1 ? this.#via : `Via: 1.0 ${this.#config.via}\r\n`;
    if (client.trusted) return host + this.#trusted(head, client) + via + trace;
    const forwarded = this.#config.forwarded ? `Forwarded: ${forwardedElement(head, client)}\r\n` : '';
    const seen = head.authority === '' ? '' : `X-Forwarded-Host: ${head.authority}\r\n`;
    return host + head.keep(DROP_UNTRUSTED) + client.lines + seen + forwarded + via + trace;
  }

  #hostLine(head: RequestHead, host: string): string {
    head.renumber(HOST, NOMINATED);
    return `Host: ${host}\r\n`;
  }

  #trusted(head: RequestHead, client: ClientFacts): string {
    const chain = head.joined(X_FORWARDED_FOR);
    const element = head.joined(FORWARDED);
    let out = `${head.keep(DROP_TRUSTED)}X-Forwarded-For: ${chain === '' ? client.address : `${chain}, ${client.address}`}\r\n`;
    if (!head.has(X_FORWARDED_PROTO)) out += `X-Forwarded-Proto: ${client.scheme}\r\n`;
    if (!head.has(X_FORWARDED_HOST) && head.authority !== '') out += `X-Forwarded-Host: ${head.authority}\r\n`;
    if (this.#config.forwarded) {
      const own = forwardedElement(head, client);
      out += `Forwarded: ${element === '' ? own : `${element}, ${own}`}\r\n`;
    } else if (element !== '') {
      out += `Forwarded: ${element}\r\n`;
    }
    return out;
  }

  /** X-Request-Id and traceparent lines where the request does not bring its own. */
  #identity(head: RequestHead, trusted: boolean, traced: TraceIdentity | null): string {
    const passesTrace = this.#passesTrace(head, traced);
    const identified = trusted && head.has(X_REQUEST_ID);
    if (identified) this.id = head.value(X_REQUEST_ID);
    if (identified && (passesTrace || traced !== null)) return '';
    const ids = traced === null ? this.#ids.next() : traced.ids;
    const id = ids.slice(0, 32);
    if (!identified) this.id = id;
    const request = identified ? '' : `X-Request-Id: ${id}\r\n`;
    if (passesTrace || traced !== null) return request;
    return `${request}traceparent: 00-${id}-${ids.slice(32, 48)}-00\r\n`;
  }

  /** Whether the client's trace context goes upstream as it is; what does not is marked to be taken off. */
  #passesTrace(head: RequestHead, traced: TraceIdentity | null): boolean {
    if (!head.has(TRACEPARENT)) {
      // By itself it says nothing, and it is not to go with the trace that begins here.
      if (head.has(TRACESTATE)) head.renumber(TRACESTATE, NOMINATED);
      return false;
    }
    if (traced === null && !this.#ignoresTraces && traceParentOf(head) !== '') return true;
    head.renumber(TRACEPARENT, NOMINATED);
    if (traced === null || traced.parentId === '') head.renumber(TRACESTATE, NOMINATED);
    return false;
  }

  /** The field lines of the response as the client gets them, framing and connection options excepted. */
  response(head: ResponseHead, versionLine: string, date: string): string {
    if (versionLine !== '') head.renumber(X_SLUICE_VERSION, NOMINATED);
    const dated = head.has(DATE) || head.status < 200 ? '' : date;
    return head.keep(DROP_RESPONSE) + this.#via + versionLine + dated;
  }
}

/** One element of RFC 7239 `Forwarded`; IPv6 addresses and hosts with a port are quoted as it asks. */
function forwardedElement(head: RequestHead, client: ClientFacts): string {
  const node = client.address.includes(':') ? `"[${client.address}]"` : client.address;
  const host = head.authority === '' ? '' : `;host="${head.authority}"`;
  return `for=${node}${host};proto=${client.scheme}`;
}
