/**
 * Fields that answers carry whatever they say: that it is Sluice that answers, protection against being framed, sniffed, cached or leaked, and the
 * fields of CORS.
 *
 * Answers of the API are data and may load nothing at all; the pages under /docs may load what this server has, and styles that Swagger UI
 * writes into its elements. Strict-Transport-Security goes out under TLS only, and never for localhost or an address: browsers apply
 * it to every port of a host, and a developer's other servers on localhost would stop working for a year.
 */
import { isIP } from 'node:net';

const COMMON: Readonly<Record<string, string>> = {
  // By which the command line tells this API from whatever else answers in JSON.
  'sluice-api': '1',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

const API_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * Of the dashboard, which loads its own files and speaks to this server alone. Nothing in it may make scripts of text: the names that it shows are
 * other people's. It is kept by browsers, which ask before each use.
 */
export const DASHBOARD_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'cache-control': 'no-cache',
};

/** @param path without query. @param host the Host field. */
export function securityHeaders(path: string, tls: boolean, host: string | undefined): Record<string, string> {
  const isPage = path === '/docs' || path.startsWith('/docs/');
  const name = (host ?? '').replace(/:[0-9]+$/, '').replace(/^\[|\]$/g, '');
  const isName = name !== '' && name !== 'localhost' && isIP(name) === 0;
  return {
    ...COMMON,
    'content-security-policy': isPage ? PAGE_POLICY : API_POLICY,
    ...(!isPage && { 'cache-control': 'no-store' }),
    ...(tls && isName && { 'strict-transport-security': 'max-age=31536000' }),
  };
}

/** For a page whose origin the configuration names. */
export const corsHeaders = (origin: string): Record<string, string> => ({
  'access-control-allow-origin': origin,
  'access-control-expose-headers': 'etag, retry-after, x-request-id, allow, link, sluice-event-gap',
  'cross-origin-resource-policy': 'cross-origin',
  vary: 'origin',
});

export const preflightHeaders = (methods: string): Record<string, string> => ({
  'access-control-allow-methods': methods,
  'access-control-allow-headers':
    'authorization, content-type, if-match, if-none-match, last-event-id, x-request-id, accept',
  'access-control-max-age': '600',
});
