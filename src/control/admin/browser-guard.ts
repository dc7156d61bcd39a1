/**
 * Keeps web pages in an operator's browser from driving the API: rules on the Host field, the Origin field and Fetch Metadata.
 *
 * Three ways lead from a page to a server on the operator's own machine. *A request across origins*: the browser names the page in Origin,
 * and says `cross-site` or `same-site` in Sec-Fetch-Site even where it sends no Origin (images, links); neither is let in unless the
 * configuration names the origin. *DNS rebinding*: the page's own name is made to point at 127.0.0.1, so that to the browser it is one
 * origin; but the Host field still has that name, and names that nobody configured are refused. *Credentials that a browser adds by
 * itself*: there are none, since there are no cookies. Programs such as curl send neither Origin nor Sec-Fetch-Site and are not affected.
 *
 * `same-site` is refused like `cross-site`, because to a browser every port of localhost is the same site. A plain navigation (a link in a chat)
 * may open the pages for people, `/` and `/docs`.
 *
 * A Host that is the very address the connection came in on is always right: rebinding needs a name. Where tokens are configured and the
 * address is no loopback one, any Host is right unless `hosts` is set: names of load balancers are then many, and a page has no token.
 */
import type { AdminConfig } from '../../model/admin-config.ts';

export interface GuardRules {
  readonly scheme: 'http' | 'https';
  /** Lower case, without port; null: any. */
  readonly hosts: ReadonlySet<string> | null;
  /** As `URL.origin` writes them. */
  readonly origins: ReadonlySet<string>;
}

export function guardRules(config: AdminConfig): GuardRules {
  const anyHost = config.tokens.length > 0 && config.hosts.length === 0 && !isLoopback(config.listen.host);
  const own = ['localhost', '127.0.0.1', '::1', config.listen.host, ...config.hosts];
  return {
    scheme: config.tls === undefined ? 'http' : 'https',
    hosts: anyHost ? null : new Set(own.map((host) => bare(host.toLowerCase()))),
    origins: new Set(config.origins.map((origin) => originOf(origin) ?? origin)),
  };
}

export const isLoopback = (host: string): boolean => /^(localhost|127\.[0-9.]+|\[?::1\]?)$/i.test(host);

/** @param local address that the connection came in on. @returns what is wrong with it, null where nothing is. */
export function hostFault(rules: GuardRules, host: string | undefined, local: string): string | null {
  if (host === undefined) return 'The request has no Host field.';
  const name = /^(\[[0-9a-f:.]+\]|[^:[\]/?#@\s]+)(?::[0-9]{1,5})?$/i.exec(host)?.[1]?.toLowerCase();
  if (name === undefined) return 'The Host field is not a host with an optional port.';
  if (rules.hosts === null || rules.hosts.has(bare(name)) || bare(name) === local) return null;
  return `${JSON.stringify(host)} is not a name of this server; names are added under admin.hosts.`;
}

export interface BrowserFacts {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** Sec-Fetch-Site and Sec-Fetch-Mode. */
  readonly fetchSite: string | undefined;
  readonly fetchMode: string | undefined;
}

/** Whether the origin is one that the configuration names, and so gets the fields of CORS. */
export function isConfiguredOrigin(rules: GuardRules, origin: string | undefined): boolean {
  const normal = origin === undefined ? null : originOf(origin);
  return normal !== null && rules.origins.has(normal);
}

/** @returns what is wrong with it, null where nothing is. */
export function originFault(rules: GuardRules, facts: BrowserFacts): string | null {
  if (isConfiguredOrigin(rules, facts.origin)) return null;
  const foreign = facts.fetchSite !== undefined && !['none', 'same-origin'].includes(facts.fetchSite);
  if (facts.origin === undefined) {
    if (!foreign || opensPage(facts)) return null;
    return 'The browser says that a page of another origin asks. Origins that may are named under admin.origins.';
  }
  const own = facts.host === undefined ? null : originOf(`${rules.scheme}://${facts.host}`);
  if (!foreign && own !== null && originOf(facts.origin) === own) return null;
  return `Pages of ${JSON.stringify(facts.origin.slice(0, 200))} may not call this API. Origins that may are named under admin.origins.`;
}

function opensPage({ method, path, fetchMode }: BrowserFacts): boolean {
  const forPeople = path === '/' || path === '/docs' || path.startsWith('/docs/');
  return method === 'GET' && fetchMode === 'navigate' && forPeople;
}

/** Null for `null` and for what is no origin. */
function originOf(text: string): string | null {
  if (!/^https?:\/\/[^/?#@\s]+\/?$/i.test(text) || !URL.canParse(text)) return null;
  return new URL(text).origin;
}

const bare = (host: string): string => host.replace(/^\[|\]$/g, '').replace(/\.$/, '');
