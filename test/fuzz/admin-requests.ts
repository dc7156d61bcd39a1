/** Strange values, paths, queries and heads for the admin API, by mutation of right ones. */
import type { AnyCall } from '../../src/control/admin/call.ts';
import type { Dice } from './dice.ts';

const STRANGE: readonly unknown[] = [
  ...[null, true, '', 0, -0, -1, 0.005, 1e308, -1e308, 2 ** 53, 2 ** 63, 100.0000001, 33.333],
  ...[
    '\ud800',
    '\0',
    '\x1b[2J',
    '🎈'.repeat(300),
    'a'.repeat(9000),
    '$${BOSS}',
    '__proto__',
    'constructor',
    'toString',
  ],
  ...[
    '../../etc/passwd',
    'http://',
    'http://[::1',
    'http://127.0.0.1:99999',
    'http://a:b@127.0.0.1:1',
    '12.5%',
    '9e9h',
  ],
  ...[[], {}, [[[[]]]], [null], { constructor: 1 }],
];
const KEYS = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'stable',
  'canary',
  'v1',
  'v2',
  'v9',
  'reason',
  '',
  '\0',
  '%',
];
const NAMES = ['demo', 'v1', 'v2', 'v3', 'new-checkout', 'constructor', '__proto__', 'toString', 'hasOwnProperty'];
const ODD_NAMES = [
  '%00',
  '%2e%2e',
  '%2F',
  '%',
  '%ff',
  'a'.repeat(256),
  'a'.repeat(257),
  '%F0%9F%8E%88',
  '..',
  '',
  ';',
  'Demo',
];
const ODD_PATHS = [
  '/docs/static/..%2f..%2f..%2fpackage.json',
  '/docs/static/%2e%2e/',
  '/docs/json',
  '//metrics',
  '/METRICS',
  '/metrics/',
  '/%',
];
const QUERY_VALUES = [
  '',
  '-1',
  'NaN',
  'Infinity',
  '1e999',
  '9007199254740993',
  '0',
  '1',
  '1000',
  '1001',
  '%00',
  '*',
  'a,,b',
  '[]',
  'x'.repeat(2000),
];

/** Changes one part of a value, or a few. */
export function mangled(value: unknown, dice: Dice): unknown {
  if (dice.chance(0.15)) return dice.one(STRANGE);
  if (Array.isArray(value)) {
    const items = value.map((item) => (dice.chance(0.5) ? mangled(item, dice) : item));
    return dice.chance(0.1) ? [...items, ...items, dice.one(STRANGE)] : items;
  }
  if (typeof value === 'number')
    return dice.chance(0.5) ? Number((dice.below(10_001) / 100).toFixed(dice.below(4))) : value;
  if (typeof value === 'string' && dice.chance(0.3)) return value + String(dice.one(['', ' ', '\n', '%', '\0', 's']));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, part]) => [key, dice.chance(0.3) ? mangled(part, dice) : part]);
  if (dice.chance(0.15)) entries.push([dice.one(KEYS), dice.one(STRANGE)]);
  if (dice.chance(0.15)) entries.splice(dice.below(entries.length + 1), 1);
  return Object.fromEntries(entries);
}

export function pathFor(pattern: string, dice: Dice): string {
  if (dice.chance(0.02)) return dice.one(ODD_PATHS);
  const right: Readonly<Record<string, string>> = {
    service: 'demo',
    version: dice.one(['v1', 'v2', 'v3']),
    flag: 'new-checkout',
  };
  const path = pattern.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    if (dice.chance(0.8)) return right[name]!;
    return dice.chance(0.5) ? dice.one(NAMES) : dice.one(ODD_NAMES);
  });
  return dice.chance(0.98)
    ? path
    : dice.one([`/${path}`, `${path}/`, path.toUpperCase(), `${path}%00`, path.replace('a', '%61')]);
}

export function queryFor(call: AnyCall, dice: Dice): string {
  const known = Object.keys((call.query as { properties?: object }).properties ?? {});
  const pairs: string[] = [];
  while (dice.chance(0.3))
    pairs.push(
      `${dice.chance(0.9) && known.length > 0 ? dice.one(known) : dice.one(['x', '__proto__', 'a[b]'])}=${dice.one(QUERY_VALUES)}`,
    );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

/** Heads that no client library would send. */
export function rawHead(dice: Dice, port: number, token: string): Buffer {
  const target = dice.one([
    '/api/v1/status',
    '*',
    'http://127.0.0.1/api/v1/status',
    '//evil/',
    '/api/v1/\xff',
    '/'.repeat(9000),
    '/metrics',
  ]);
  const method = dice.one(['GET', 'OPTIONS', 'POST', 'CONNECT', 'get', 'G\0T', 'X'.repeat(900)]);
  const fields = [
    dice.one([`Host: 127.0.0.1:${port}`, 'Host: evil.test', 'Host:', 'X: y', `Host: 127.0.0.1\r\nHost: evil.test`]),
    dice.one([
      `Authorization: Bearer ${token}`,
      'Authorization: Bearer \xff',
      `Authorization: Basic x`,
      `authorization: bearer ${'z'.repeat(9000)}`,
    ]),
    dice.one([
      'Upgrade: websocket\r\nConnection: upgrade',
      'Transfer-Encoding: chunked',
      'Content-Length: -1',
      'Expect: 100-continue',
      'Expect: x',
      'A: b',
    ]),
    dice.one(['Origin: null\r\nOrigin: http://127.0.0.1', 'Sec-Fetch-Site: cross-site', 'X-Request-Id: \x01', 'A: b']),
  ];
  const end = dice.one(['\r\n\r\n', '\r\n\r\n', '\r\n\r\nzz\r\n', '\r\n\r\n0\r\n\r\n', '\n\n', '']);
  return Buffer.from(
    `${method} ${target} HTTP/1.${dice.one(['0', '1', '2'])}\r\n${fields.join('\r\n')}${end}`,
    'latin1',
  );
}
