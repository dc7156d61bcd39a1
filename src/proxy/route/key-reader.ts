/**
 * The key of a request: the text that stands for its user, from a header, a cookie, a query parameter or the client's address.
 *
 * What is hashed to a version or an endpoint, what a session is found by and what a rate limit counts is read here, so that one form of
 * configuration means one thing. Keys are texts as the client sent them, one character per byte (query values are decoded); a request
 * without the field has the empty key, which is no key.
 *
 * The address is the client's as a chain of proxies tells it. A peer that is not a trusted proxy is the client, whatever it claims. Behind
 * a trusted one, X-Forwarded-For is read from its end: each proxy has added there whom it heard, so the first address from the right that
 * is not itself a trusted proxy is the last one that somebody trusted has seen. Everything further left may be made up. Where all are
 * trusted the left-most is the client; an entry that is no address ends the search, with what was found so far.
 *
 * A key is a slice of the head's text and keeps all of it in memory: whoever stores keys stores copies.
 *
 * @hotpath bench/micro/split.ts
 */

import { isIP } from 'node:net';
import type { KeySource } from '../../model/policy-config.ts';
import { hashKey } from '../balance/key-hash.ts';
import { NO_KEY } from '../balance/policy.ts';
import { FIELD, type FieldNames, UNKNOWN } from '../http1/field-names.ts';
import type { ClientFacts } from '../http1/field-rules.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { requestCookie } from './cookies.ts';
import { queryValue } from './query.ts';

const X_FORWARDED_FOR = FIELD['x-forwarded-for'];

/** Says whether an address belongs to a proxy whose X-Forwarded-For is believed. */
export type IsTrusted = (address: string) => boolean;

/** Lower-case names of the headers that a source reads and that must therefore have a number. */
export const keyHeaders = (source: KeySource): string[] => (source.from === 'header' ? [source.name] : []);

export class KeyReader {
  readonly #from: KeySource['from'];
  readonly #name: string;
  readonly #id: number;
  readonly #isTrusted: IsTrusted;

  constructor(source: KeySource, names: FieldNames, isTrusted: IsTrusted) {
    this.#from = source.from;
    this.#name = source.from === 'address' ? '' : source.name;
    this.#id = source.from === 'header' ? names.idOf(source.name) : UNKNOWN;
    this.#isTrusted = isTrusted;
  }

  /** The key, empty where the request has none. */
  read(head: RequestHead, client: ClientFacts): string {
    switch (this.#from) {
      case 'header':
        return head.value(this.#id);
      case 'cookie':
        return requestCookie(head, this.#name);
      case 'query':
        return queryValue(head.target, this.#name) ?? '';
      case 'address':
        return clientAddress(head, client, this.#isTrusted);
    }
  }

  /** Its hash, NO_KEY where the request has none. */
  hash(head: RequestHead, client: ClientFacts): number {
    const key = this.read(head, client);
    return key === '' ? NO_KEY : hashKey(key);
  }
}

/** The address of the client behind all trusted proxies. */
export function clientAddress(head: RequestHead, client: ClientFacts, isTrusted: IsTrusted): string {
  if (!client.trusted || !head.has(X_FORWARDED_FOR)) return client.address;
  const chain = head.joined(X_FORWARDED_FOR);
  let found = client.address;
  let end = chain.length;
  while (end >= 0) {
    const comma = end === 0 ? -1 : chain.lastIndexOf(',', end - 1);
    const element = chain.slice(comma + 1, end).trim();
    end = comma;
    // Empty elements of a list carry no meaning (RFC 9110 5.6.1).
    if (element === '') continue;
    const address = bareAddress(element);
    // A zone (`fe80::1%eth0`) names an interface of somebody else's machine: it is no client that could be told apart.
    if (isIP(address) === 0 || address.includes('%')) break;
    found = address;
    if (!isTrusted(address)) break;
  }
  return found;
}

/** An element without what some proxies add to the address: quotes, brackets, a port, or the IPv6 form of an IPv4 address. */
function bareAddress(element: string): string {
  const quoted = element.length > 1 && element.startsWith('"') && element.endsWith('"');
  const text = quoted ? element.slice(1, -1) : element;
  if (text.startsWith('::ffff:') && text.includes('.')) return text.slice(7);
  if (text.startsWith('[')) {
    const bracket = text.indexOf(']');
    return bracket < 0 ? text : text.slice(1, bracket);
  }
  const colon = text.indexOf(':');
  return colon > 0 && text.indexOf(':', colon + 1) < 0 ? text.slice(0, colon) : text;
}
