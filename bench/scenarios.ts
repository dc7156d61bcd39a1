/**
 * What is asked of every proxy. One entry is one table of the report; a new scenario is a new entry.
 *
 * Connections are chosen so that the proxy's core is busy and no queue hides it: 64 for small messages, 16 where one message is a mebibyte.
 * `newConnection` sends Connection: close, so that each request costs an accept and a close; the connections to the upstream stay.
 */

/** Which upstream answers: nginx with static files, or the Node origin that truly reads a body. */
export type UpstreamKind = 'static' | 'origin';

export interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly upstream: UpstreamKind;
  readonly path: string;
  readonly connections: number;
  readonly headers: readonly string[];
  /** Bytes of request body; 0 sends a GET. */
  readonly uploadBytes: number;
  /** Different values of the cookie `sluice_session`, one per request in turn; 0 sends none. */
  readonly sessions: number;
  /** Bytes of the body of every correct response. */
  readonly responseBytes: number;
  /** Times as many rounds as the others: budgets are judged by it. */
  readonly roundsFactor: number;
  /** Part of a --quick run. */
  readonly quick: boolean;
}

export const smallBody = 'a small answer, as an API gives it: {"status":"ok","items":[1,2,3,4,5,6,7,8,9,10]}\n';
export const kibibyte = 1024;
export const mebibyte = 1024 * kibibyte;

/** What a current browser sends with a same-origin request, Host and Connection aside: together 13 header fields. */
const browserHeaders = [
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: en-GB,en;q=0.9,de;q=0.7',
  'Cache-Control: no-cache',
  'Cookie: session=5f2b1c9e7a4d4c0f9b1e; theme=dark; consent=necessary.statistics',
  'Referer: http://shop.example.com/catalogue?page=2&sort=price',
  'Sec-CH-UA-Platform: "Linux"',
  'Sec-Fetch-Dest: document',
  'Sec-Fetch-Mode: navigate',
  'Sec-Fetch-Site: same-origin',
];

const base = {
  upstream: 'static',
  path: '/small',
  connections: 64,
  headers: [] as readonly string[],
  uploadBytes: 0,
  sessions: 0,
  responseBytes: Buffer.byteLength(smallBody),
  roundsFactor: 1,
  quick: true,
} as const;

export const scenarios: readonly Scenario[] = [
  { ...base, id: 'small', title: 'Small GET, keep-alive', roundsFactor: 3 },
  {
    ...base,
    id: 'headers',
    title: 'GET with 13 request headers, keep-alive',
    headers: ['Connection: keep-alive', ...browserHeaders],
  },
  {
    ...base,
    id: 'session',
    title: 'Small GET with one of 10,000 session cookies, keep-alive',
    sessions: 10_000,
    roundsFactor: 3,
  },
  { ...base, id: '10k', title: '10 KiB response', path: '/10k', responseBytes: 10 * kibibyte, quick: false },
  { ...base, id: 'download', title: '1 MiB download', path: '/1m', connections: 16, responseBytes: mebibyte },
  {
    ...base,
    id: 'upload',
    title: '1 MiB upload (POST)',
    upstream: 'origin',
    path: '/upload',
    connections: 16,
    uploadBytes: mebibyte,
    responseBytes: Buffer.byteLength(`${mebibyte}\n`),
  },
  { ...base, id: 'connect', title: 'A new connection per request', headers: ['Connection: close'], quick: false },
  { ...base, id: '1000', title: '1,000 keep-alive connections', connections: 1000, quick: false },
];
