/**
 * The messages that the micro-benchmarks work on, and the tables that a worker would have for them.
 */
import type { LimitsConfig } from '../../src/model/config.ts';
import { FieldNames } from '../../src/proxy/http1/field-names.ts';
import { clientFacts } from '../../src/proxy/http1/field-rules.ts';

export const LIMITS: LimitsConfig = {
  headSize: 16_384,
  headerCount: 100,
  targetLength: 8_192,
  bodySize: 0,
  connections: 20_000,
  connectionsPerAddress: 5_000,
};

export const CLIENT = clientFacts('192.0.2.7', false, 'http');

export const NAMES = new FieldNames(['x-canary-deploy']);

export const SMALL_REQUEST = Buffer.from('GET /index.html HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n');

export const BROWSER_REQUEST = Buffer.from(
  [
    'GET /products/list?page=2&sort=price HTTP/1.1',
    'Host: shop.example.com',
    'Connection: keep-alive',
    'sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24"',
    'sec-ch-ua-mobile: ?0',
    'sec-ch-ua-platform: "Linux"',
    'Upgrade-Insecure-Requests: 1',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
    'Sec-Fetch-Site: same-origin',
    'Sec-Fetch-Mode: navigate',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Accept-Language: en-GB,en;q=0.9',
    'Cookie: session=8f14e45fceea167a5a36dedd4bea2543; theme=dark; consent=1',
    '',
    '',
  ].join('\r\n'),
);

export const RESPONSE = Buffer.from(
  [
    'HTTP/1.1 200 OK',
    'Server: nginx/1.22.1',
    'Date: Sat, 21 Nov 2026 06:00:00 GMT',
    'Content-Type: application/json',
    'Content-Length: 12',
    'Connection: keep-alive',
    'Cache-Control: no-store',
    '',
    '',
  ].join('\r\n'),
);
