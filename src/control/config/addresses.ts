/**
 * Addresses as the configuration writes them: where to listen, where an endpoint is, who is told, which peers are trusted, which
 * hosts match.
 *
 * Pure functions. One that can fail for several reasons answers the reason, a sentence that says how to mend it; `http://` URLs
 * are read by the WHATWG parser so that what is checked here is what a browser or curl would have understood.
 */
import { BlockList, isIP } from 'node:net';
import type { ListenConfig } from '../../model/config.ts';

export type Parsed<T> = { readonly ok: T } | { readonly fault: string };

const HOST_NAME = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

/** A DNS name or an IPv4 address. A name that ends in a number is a mistyped address to every resolver. */
export function isHostName(text: string): boolean {
  if (text.length > 253 || !HOST_NAME.test(text)) return false;
  return !/(^|\.)[0-9]+$/.test(text) || isIP(text) === 4;
}

/** `host:port`, `:port`, `[::1]:port` or a port. Without a host: every IPv4 address, as nginx and HAProxy have it. */
export function parseListen(value: string | number): Parsed<ListenConfig> {
  const fault = {
    fault: `must be an address such as 127.0.0.1:8080, :8080 or [::1]:8080, not ${JSON.stringify(value)}`,
  };
  const match = /^(?:(\[[^\]]*\]|[^:[\]]*):)?([0-9]{1,5})$/.exec(String(value));
  if (match === null) return fault;
  const port = Number(match[2]);
  if (port > 65535) return { fault: `port ${port} is too high; a port is at most 65535` };
  const host = match[1] ?? '';
  if (host === '') return { ok: { host: '0.0.0.0', port } };
  if (host.startsWith('[')) return isIP(host.slice(1, -1)) === 6 ? { ok: { host: host.slice(1, -1), port } } : fault;
  return isHostName(host) ? { ok: { host, port } } : fault;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether only this machine reaches what listens there. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  return family === 0 ? host.toLowerCase() === 'localhost' : LOOPBACK.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/** Whether both cannot be bound: the same port, and one host is the other or has it in it. Two ports 0 are two ports. */
export function shareAddress(a: ListenConfig, b: ListenConfig): boolean {
  if (a.port === 0 || a.port !== b.port) return false;
  const [one, other] = [boundHost(a.host), boundHost(b.host)];
  return one === other || isWithin(one, other) || isWithin(other, one);
}

/** A name is most likely one of IPv4; `localhost` is in any case. */
const boundHost = (host: string): string => (host.toLowerCase() === 'localhost' ? '127.0.0.1' : host.toLowerCase());

const isWithin = (host: string, wildcard: string): boolean =>
  wildcard === '::' || (wildcard === '0.0.0.0' && isIP(host) !== 6);

/** The endpoint's canonical URL: `http://host:port`, lower case, without a trailing slash. */
export function parseEndpointUrl(text: string): Parsed<string> {
  if (/^https:/i.test(text)) return { fault: 'https is not supported yet; use an http:// endpoint' };
  if (!/^http:\/\//i.test(text)) {
    return { fault: `must be a URL such as http://127.0.0.1:3000, not ${JSON.stringify(text)}` };
  }
  if (/[\s\\]/.test(text) || !URL.canParse(text)) return { fault: `cannot be read as a URL: ${JSON.stringify(text)}` };
  const url = new URL(text);
  if (text.includes('@')) return { fault: 'must not have a user or a password; remove what stands before the "@"' };
  if (/[?#]/.test(text) || url.pathname !== '/') {
    return { fault: `must not have a path, a query or a fragment; write ${url.origin}` };
  }
  if (url.port === '0') return { fault: 'port 0 cannot be connected to; write the port of the endpoint' };
  if (!isUrlHost(url.hostname)) return { fault: noSuchHost(url.hostname) };
  return { ok: url.origin };
}

/** Where alerts are posted: an http or https URL. User and password in it would never be sent, so they are refused. */
export function parseWebhookUrl(text: string): Parsed<string> {
  if (!/^https?:\/\//i.test(text)) {
    return { fault: `must be a URL such as https://hooks.example.com/sluice, not ${JSON.stringify(text)}` };
  }
  if (/[\s\\]/.test(text) || !URL.canParse(text)) return { fault: `cannot be read as a URL: ${JSON.stringify(text)}` };
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    return { fault: 'must not have a user or a password; put a secret into the path or the query' };
  }
  if (url.port === '0') return { fault: 'port 0 cannot be connected to; write the port of the receiver' };
  if (!isUrlHost(url.hostname)) return { fault: noSuchHost(url.hostname) };
  return { ok: url.href };
}

/** What a browser sends as Origin: scheme, host and, where it is not the usual one, port. */
export function parseOrigin(text: string): Parsed<string> {
  const fault = { fault: `must be an origin such as https://ops.example.com, not ${JSON.stringify(text)}` };
  if (!/^https?:\/\/[^\s\\@/?#]+\/?$/i.test(text) || !URL.canParse(text)) return fault;
  const url = new URL(text);
  return isUrlHost(url.hostname) ? { ok: url.origin } : { fault: noSuchHost(url.hostname) };
}

/** The WHATWG parser admits names that no resolver can know, such as `*`, `$host` and `a..b`. The final dot of a full name may be there. */
const isUrlHost = (hostname: string): boolean => hostname.startsWith('[') || isHostName(hostname.replace(/\.$/, ''));

const noSuchHost = (hostname: string): string =>
  `${JSON.stringify(hostname)} cannot be the name of a host; write a name such as shop.internal, or an address`;

/** What a Host header has: a name or an address, and a port where it is not the default one. */
export function isAuthority(text: string): boolean {
  const [, host = '', port = '1'] = /^(\[[^\]]*\]|[^:[\]]*)(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  if (Number(port) < 1 || Number(port) > 65535) return false;
  return host.startsWith('[') ? isIP(host.slice(1, -1)) === 6 : isHostName(host);
}

/** `10.0.0.0/8`, `fd00::/8` or a single address. */
export function isAddressOrBlock(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || address.includes('%')) return false;
  if (prefix === undefined) return true;
  if (!/^(0|[1-9][0-9]{0,2})$/.test(prefix)) return false;
  try {
    new BlockList().addSubnet(address, Number(prefix), family === 4 ? 'ipv4' : 'ipv6');
    return true;
  } catch {
    return false;
  }
}

/** The host of a route in lower case: a name, an address, or `*.` and a domain. */
export function parseRouteHost(text: string): Parsed<string> {
  const host = text.toLowerCase();
  const bare = host.startsWith('*.') ? host.slice(2) : host;
  if (host === '*') return { fault: 'leave host out to match every host' };
  if (bare.includes('*')) return { fault: 'a wildcard stands only at the front: *.example.com' };
  if (host !== bare && isIP(bare) !== 0) return { fault: 'a wildcard stands before a domain, not before an address' };
  if (host === bare && /^\[.*\]$/.test(bare) && isIP(bare.slice(1, -1)) === 6) return { ok: host };
  if (isHostName(bare)) return { ok: host };
  if (/:[0-9]+$/.test(bare)) return { fault: `must be a host without a port; write ${host.replace(/:[0-9]+$/, '')}` };
  return { fault: `must be a host such as shop.example.com or *.example.com, not ${JSON.stringify(text)}` };
}

/** `host:port`, an IPv6 address in brackets. */
export const authority = ({ host, port }: ListenConfig): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** How this machine reaches an address that it listens on: one that stands for all of them at the loopback one; null where there is none. */
export function localUrl(address: ListenConfig | undefined): string | null {
  if (address === undefined) return null;
  const { host, port } = address;
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${authority({ host: reached, port })}`;
}
