/**
 * Requests that must be refused with nothing sent upstream: request line, fields, Host, `Connection`.
 *
 * The tables hold what differs; a request that is valid apart from it is built around each entry.
 */
export interface Malformed {
  readonly name: string;
  readonly send: string;
  readonly status: number;
  /** The refusal may wait for more bytes than these, since they could still be the beginning of something. */
  readonly waits?: true;
  /** Long messages are split at every `step`-th byte only. */
  readonly step?: number;
}

const title = (text: string) => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

function line(status: number, text: string, waits?: true): Malformed {
  const send = `${text}\r\nHost: a\r\n\r\n`;
  return { name: `request line ${title(text)}`, send, status, ...(waits ? { waits } : {}) };
}

function field(status: number, text: string, extra: Partial<Malformed> = {}): Malformed {
  return { name: `field ${title(text)}`, send: `GET / HTTP/1.1\r\nHost: a\r\n${text}\r\n\r\n`, status, ...extra };
}

function host(text: string): Malformed {
  return { name: `Host ${title(text)}`, send: `GET / HTTP/1.1\r\nHost: ${text}\r\n\r\n`, status: 400 };
}

function nominated(option: string): Malformed {
  const connection = `Connection: ${option}`;
  return { name: connection, send: `GET / HTTP/1.1\r\nHost: a\r\n${connection}\r\n\r\n`, status: 400 };
}

const methods = ['', 'G(T', 'GE{T', 'G"T', 'G\xc9T', 'G\0T', 'G\x7fT', 'GET:', '[GET]'];
const targets = [
  '/a#b',
  '/#',
  '/\x7f',
  '/\x01',
  '/a\0b',
  '/\xe9',
  '/\xff',
  '/a\tb',
  '/a b',
  '/a\x0bb',
  '/a\rb',
  'a',
  '?q',
  '*',
  '*/x',
  'a:80',
  'a.example:443',
  '//\x80',
  'http://a@b/',
  'http://a:b@c/',
  'http://@b/',
  'http:///x',
  'http://',
  'http:/a',
  'http://a:99999/',
  'http://a:x/',
  'http://[::1/',
  'http://a/#f',
  'http://a#f',
  'http://a,b/',
  'http://a\\b/',
  'ftp://a/',
  'javascript:alert(1)',
];
const versions = [
  'http/1.1',
  'HTTP/1',
  'HTTP/1.',
  'HTTP/.1',
  'HTTP/1.10',
  'HTTP/11.1',
  'HTTP/01.1',
  'HTTP/1.1x',
  'HTTP/1.a',
];
const moreVersions = [
  'HTTP/ 1.1',
  'HTTP /1.1',
  'HTTP/1,1',
  'HTTP/+1.1',
  'HTTPS/1.1',
  'HTTP-1.1',
  'HTTP/1.1\t',
  'HTTP/1.1 ',
  'x',
];

export const malformedLines: readonly Malformed[] = [
  ...methods.map((method) => line(400, `${method} / HTTP/1.1`)),
  ...targets.map((target) => line(400, `GET ${target} HTTP/1.1`)),
  ...[...versions, ...moreVersions].map((version) => line(400, `GET / ${version}`)),
  line(400, 'POST * HTTP/1.1'),
  line(400, 'OPTIONS a:80 HTTP/1.1'),
  line(400, 'GET  / HTTP/1.1'),
  line(400, 'GET /  HTTP/1.1'),
  line(400, 'GET\t/ HTTP/1.1'),
  line(400, 'GET /\tHTTP/1.1'),
  line(400, ' GET / HTTP/1.1'),
  line(400, 'GET /'),
  line(400, 'GET'),
  line(400, 'GET HTTP/1.1'),
  line(400, '/ HTTP/1.1'),
  line(400, 'GET / HTTP/1.1\r'),
  line(400, '\0'),
  line(400, '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03'),
  line(400, '\nGET / HTTP/1.1', true),
  line(400, '\rGET / HTTP/1.1'),
  line(501, 'CONNECT a:443 HTTP/1.1'),
  line(501, 'CONNECT a.example:80 HTTP/1.0'),
  line(505, 'GET / HTTP/2.0'),
  line(505, 'GET / HTTP/3.0'),
  line(505, 'GET / HTTP/9.9'),
  line(505, 'PRI * HTTP/2.0'),
  { name: 'HTTP/2 preface', send: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', status: 505 },
  { name: 'HTTP/0.9', send: 'GET /\r\n', status: 400, waits: true },
  { name: 'an empty line, then nonsense', send: '\r\n\0\0\r\n\r\n', status: 400 },
  { name: 'LF only', send: 'GET / HTTP/1.1\nHost: a\n\n', status: 400, waits: true },
  { name: 'LF after the request line', send: 'GET / HTTP/1.1\nHost: a\r\n\r\n', status: 400 },
  { name: 'LF before the empty line', send: 'GET / HTTP/1.1\r\nHost: a\n\r\n', status: 400, waits: true },
  { name: 'LF as the empty line', send: 'GET / HTTP/1.1\r\nHost: a\r\n\n', status: 400, waits: true },
  { name: 'CR only', send: 'GET / HTTP/1.1\rHost: a\r\r', status: 400, waits: true },
  { name: 'CR as the empty line', send: 'GET / HTTP/1.1\r\nHost: a\r\n\r', status: 400, waits: true },
];

const names = [
  '',
  'X A',
  'X\tA',
  'X(A',
  'X\0A',
  'X\x7fA',
  'X\xe9',
  'X"A',
  'X/A',
  'X[A]',
  'X@A',
  'X=A',
  'X;A',
  'X,A',
  'X\x0bA',
  '{X}',
];
const controls = ['\0', '\x01', '\x08', '\x0b', '\x0c', '\r', '\n', '\x1b', '\x1f', '\x7f'];

export const malformedFields: readonly Malformed[] = [
  ...names.map((name) => field(400, `${name}: x`)),
  ...['X-A : x', 'X-A\t: x', 'Content-Length : 0', 'Transfer-Encoding : chunked', 'Host : b'].map((text) =>
    field(400, text),
  ),
  ...controls.flatMap((char) => [
    field(400, `X-A: b${char}c`),
    field(400, `X-A: ${char}`),
    field(400, `X-A: b${char}`),
  ]),
  field(400, 'no colon'),
  field(400, ':'),
  field(400, 'X-A: b\r\n c'),
  field(400, 'X-A: b\r\n\tc'),
  field(400, 'X-A:\r\n b'),
  field(400, 'Transfer-Encoding:\r\n chunked'),
  field(400, 'X-A: b\r\n \r\nX-B: c'),
  { name: 'fold right after the request line', send: 'GET / HTTP/1.1\r\n X-A: b\r\nHost: a\r\n\r\n', status: 400 },
  { name: 'Host behind a fold', send: 'GET / HTTP/1.1\r\nX-A: b\r\n Host: a\r\n\r\n', status: 400 },
  field(417, 'Expect: foo'),
  field(417, 'Expect: 100-continue, foo'),
  field(417, 'Expect: 100-continue=1'),
];

const hosts = [
  '',
  'a, b',
  'a,b',
  'a b',
  'a@b',
  'u:p@b',
  '@a',
  'a/b',
  'a/',
  '/a',
  'a?b',
  'a#b',
  'a\\b',
  '"a"',
  '<a>',
  'a|b',
  'a^b',
  'a`b',
];
const moreHosts = [
  'a{b}',
  '[::1',
  '::1',
  '[::1]x',
  '[::1]:x',
  '[zz]',
  '[]',
  '[::1]@b',
  'a]',
  'a:99999',
  'a:65536',
  'a:b',
  'a:8 0',
  'a:80:80',
];
const evenMoreHosts = [':80', ':', 'a:-1', 'a:+80', 'a:0x50', 'http://a', 'a\tb', 'caf\xe9', 'a\x7f', 'a:80, a:80'];

export const malformedHosts: readonly Malformed[] = [
  ...[...hosts, ...moreHosts, ...evenMoreHosts].map(host),
  { name: 'no Host', send: 'GET / HTTP/1.1\r\nX-A: b\r\n\r\n', status: 400 },
  { name: 'no field at all', send: 'GET / HTTP/1.1\r\n\r\n', status: 400 },
  { name: 'no Host beside an absolute-form target', send: 'GET http://a/ HTTP/1.1\r\nX: y\r\n\r\n', status: 400 },
  {
    name: 'a bad Host beside an absolute-form target',
    send: 'GET http://a/ HTTP/1.1\r\nHost: x@y\r\n\r\n',
    status: 400,
  },
  { name: 'two equal Hosts', send: 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', status: 400 },
  { name: 'two Hosts', send: 'GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhOST: b\r\n\r\n', status: 400 },
  { name: 'two Hosts in HTTP/1.0', send: 'GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n', status: 400 },
  { name: 'a bad Host in HTTP/1.0', send: 'GET / HTTP/1.0\r\nHost: a/b\r\n\r\n', status: 400 },
  { name: 'an empty Host, then a good one', send: 'GET / HTTP/1.1\r\nHost:\r\nHost: a\r\n\r\n', status: 400 },
];

/** What a `Connection` field may not take away; `x-canary` is the override header of the tests' service. */
const essentials = [
  'Host',
  'Content-Length',
  'Content-Type',
  'Content-Encoding',
  'Transfer-Encoding',
  'X-Forwarded-For',
  'X-Forwarded-Proto',
  'X-Forwarded-Host',
  'Forwarded',
  'Via',
  'X-Request-Id',
  'traceparent',
  'tracestate',
  'Authorization',
  'Cookie',
  'Expect',
  'Date',
  'Cache-Control',
  'X-Canary',
];

export const malformedConnections: readonly Malformed[] = [
  ...essentials.map(nominated),
  nominated('close, x-forwarded-for'),
  nominated('keep-alive,AUTHORIZATION'),
  nominated(' ,\tcookie\t,'),
  nominated('upgrade, host'),
  nominated('a b'),
  nominated('"close"'),
  nominated('close;x=1'),
  {
    name: 'Connection nominates Host in a second line',
    send: 'GET / HTTP/1.1\r\nConnection: close\r\nHost: a\r\nConnection: host\r\n\r\n',
    status: 400,
  },
];
