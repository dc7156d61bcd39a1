/** Valid requests, what the upstream must see of each, and whether the connection ends after the answer. */

export interface Seen {
  readonly method: string;
  readonly target: string;
  /** Field → its only value, a pattern for it, or null for none. */
  readonly fields?: Readonly<Record<string, string | RegExp | null>>;
  readonly body?: string;
  readonly trailers?: Readonly<Record<string, string>>;
}

export interface ValidRequest {
  readonly name: string;
  readonly send: string;
  readonly seen: readonly Seen[];
  /** Sluice ends the connection after the last answer. */
  readonly closes?: true;
}

const HOP_BY_HOP = {
  'keep-alive': null,
  'proxy-connection': null,
  te: null,
  upgrade: null,
  'x-hop': null,
  'x-end': 'stays',
};
const FORWARDED = {
  'x-forwarded-for': '127.0.0.1',
  'x-forwarded-proto': 'http',
  'x-forwarded-host': 'shop.example.com',
  via: /^1\.1 sluice$/,
  'x-request-id': /^[\w-]{8,}$/,
  traceparent: /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/,
  forwarded: null,
};

export const validRequests: readonly ValidRequest[] = [
  {
    name: 'GET',
    send: 'GET /a/b?c=d&e HTTP/1.1\r\nHost: shop.example.com\r\n\r\n',
    seen: [{ method: 'GET', target: '/a/b?c=d&e', fields: { host: 'shop.example.com', ...FORWARDED }, body: '' }],
  },
  {
    name: 'HEAD',
    send: 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n',
    seen: [{ method: 'HEAD', target: '/' }],
  },
  {
    name: 'a method nobody knows',
    send: 'PURGE!x /c HTTP/1.1\r\nHost: a\r\n\r\n',
    seen: [{ method: 'PURGE!x', target: '/c' }],
  },
  {
    name: 'DELETE without a body',
    send: 'DELETE /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
    seen: [{ method: 'DELETE', target: '/x', body: '' }],
  },
  {
    name: 'POST with Content-Length',
    send: 'POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nContent-Type: text/plain\r\n\r\nhello\r\n\r\nyo',
    seen: [{ method: 'POST', target: '/p', fields: { 'content-type': 'text/plain' }, body: 'hello\r\n\r\nyo' }],
  },
  {
    name: 'GET with a body',
    send: 'GET /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc',
    seen: [{ method: 'GET', target: '/p', body: 'abc' }],
  },
  {
    name: 'Content-Length with whitespace around the value',
    send: 'POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: \t 3 \t\r\n\r\nabc',
    seen: [{ method: 'POST', target: '/p', body: 'abc' }],
  },
  {
    name: 'a body that looks like a request',
    send: 'POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 28\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n',
    seen: [{ method: 'POST', target: '/p', body: 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n' }],
  },
  {
    name: 'chunked',
    send: 'POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n',
    seen: [{ method: 'POST', target: '/p', body: 'hello world' }],
  },
  {
    name: 'chunked, empty',
    send: 'POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    seen: [{ method: 'POST', target: '/p', body: '' }],
  },
  {
    name: 'chunked with CR LF, NUL and bytes above 127 in the data',
    send: 'POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n\r\n0\r\n\r\n\0\r\n2\r\n\xff\x80\r\n0\r\n\r\n',
    seen: [{ method: 'POST', target: '/p', body: '\r\n0\r\n\r\n\0\xff\x80' }],
  },
  {
    name: 'chunk sizes in upper case, lower case and with leading zeros',
    send: `POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\nA\r\n0123456789\r\nb\r\n0123456789a\r\n0001\r\nz\r\n000\r\n\r\n`,
    seen: [{ method: 'POST', target: '/p', body: '01234567890123456789az' }],
  },
  {
    name: 'chunked with trailers',
    send: 'POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 42\r\nX-More:  a b \r\n\r\n',
    seen: [{ method: 'POST', target: '/p', body: 'hi', trailers: { 'x-sum': '42', 'x-more': 'a b' } }],
  },
  {
    name: 'HTTP/1.0',
    send: 'GET /old HTTP/1.0\r\nHost: a\r\n\r\n',
    seen: [{ method: 'GET', target: '/old', fields: { host: 'a', via: '1.0 sluice' } }],
    closes: true,
  },
  {
    name: 'HTTP/1.0 without Host',
    send: 'GET /old HTTP/1.0\r\n\r\n',
    seen: [{ method: 'GET', target: '/old' }],
    closes: true,
  },
  {
    name: 'HTTP/1.0 with a body',
    send: 'POST /old HTTP/1.0\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi',
    seen: [{ method: 'POST', target: '/old', body: 'hi' }],
    closes: true,
  },
  {
    name: 'HTTP/1.0 with keep-alive, twice',
    send: 'GET /1 HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n',
    seen: [
      { method: 'GET', target: '/1' },
      { method: 'GET', target: '/2' },
    ],
  },
  {
    name: 'absolute-form: its authority replaces Host',
    send: 'GET http://b.example:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n',
    seen: [{ method: 'GET', target: '/x?y', fields: { host: 'b.example:81' } }],
  },
  {
    name: 'absolute-form without a path',
    send: 'GET http://b.example HTTP/1.1\r\nHost: b.example\r\n\r\n',
    seen: [{ method: 'GET', target: '/', fields: { host: 'b.example' } }],
  },
  {
    name: 'absolute-form with a query and no path',
    send: 'GET http://b.example?q HTTP/1.1\r\nHost: b.example\r\n\r\n',
    seen: [{ method: 'GET', target: '/?q', fields: { host: 'b.example' } }],
  },
  {
    name: 'absolute-form, scheme in upper case',
    send: 'GET HTTP://b.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n',
    seen: [{ method: 'GET', target: '/', fields: { host: 'b.example' } }],
  },
  {
    name: 'OPTIONS *',
    send: 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
    seen: [{ method: 'OPTIONS', target: '*' }],
  },
  {
    name: 'OPTIONS in absolute-form without a path is OPTIONS *',
    send: 'OPTIONS http://b.example HTTP/1.1\r\nHost: b.example\r\n\r\n',
    seen: [{ method: 'OPTIONS', target: '*', fields: { host: 'b.example' } }],
  },
  {
    name: 'one empty line before the request',
    send: '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
    seen: [{ method: 'GET', target: '/' }],
  },
  {
    name: 'an empty line between two requests',
    send: 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n',
    seen: [
      { method: 'GET', target: '/1' },
      { method: 'GET', target: '/2' },
    ],
  },
  {
    name: 'three pipelined, the middle one with a body',
    send: 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhiGET /3 HTTP/1.1\r\nHost: a\r\n\r\n',
    seen: [
      { method: 'GET', target: '/1' },
      { method: 'POST', target: '/2', body: 'hi' },
      { method: 'GET', target: '/3' },
    ],
  },
  {
    name: 'pipelined after a chunked body with trailers',
    send: 'POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-T: 1\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n',
    seen: [
      { method: 'POST', target: '/1', body: 'hi', trailers: { 'x-t': '1' } },
      { method: 'GET', target: '/2' },
    ],
  },
  {
    name: 'pipelined after trailers: a body with bare LF and CR',
    send: 'POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-T: 1\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n\na\rb\n',
    seen: [
      { method: 'POST', target: '/1', body: '', trailers: { 'x-t': '1' } },
      { method: 'POST', target: '/2', body: '\na\rb\n' },
    ],
  },
  {
    name: 'Connection: close',
    send: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    seen: [{ method: 'GET', target: '/', fields: { 'x-forwarded-for': '127.0.0.1' } }],
    closes: true,
  },
  {
    name: 'Connection: close, then a request that must not be read',
    send: 'GET /1 HTTP/1.1\r\nHost: a\r\nconnection: foo, CLOSE\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n',
    seen: [{ method: 'GET', target: '/1' }],
    closes: true,
  },
  {
    name: 'hop-by-hop fields are taken out, others stay',
    send: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nX-Hop: 1\r\nX-End: stays\r\nTE: gzip\r\n\r\n',
    seen: [{ method: 'GET', target: '/', fields: HOP_BY_HOP }],
  },
  {
    name: 'a field nominated in another Connection line, before it, in another case',
    send: 'GET / HTTP/1.1\r\nx-HOP: 1\r\nHost: a\r\nX-End: stays\r\nConnection: ,\r\nConnection: , x-hop ,keep-alive\r\n\r\n',
    seen: [{ method: 'GET', target: '/', fields: HOP_BY_HOP }],
  },
  {
    name: 'forwarding fields of an untrusted client are replaced',
    send: 'GET / HTTP/1.1\r\nHost: shop.example.com\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nForwarded: for=1.2.3.4\r\n\r\n',
    seen: [{ method: 'GET', target: '/', fields: FORWARDED }],
  },
  {
    name: 'Via of earlier hops stays',
    send: 'GET / HTTP/1.1\r\nHost: a\r\nVia: 1.0 fred\r\n\r\n',
    seen: [{ method: 'GET', target: '/', fields: { via: /^1\.0 fred(, | \| )1\.1 sluice$/ } }],
  },
  {
    name: 'values: empty, tabs inside, bytes above 127, quotes, trailing blanks',
    send: 'GET / HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nX-Tab: a\tb\r\nX-Latin: caf\xe9 \xc3\xa9\r\nX-Quote: "a\\"b:c,"\r\nX-Blank:  x \t\r\n\r\n',
    seen: [
      {
        method: 'GET',
        target: '/',
        fields: {
          'x-empty': '',
          'x-tab': 'a\tb',
          'x-latin': 'caf\xe9 \xc3\xa9',
          'x-quote': '"a\\"b:c,"',
          'x-blank': 'x',
        },
      },
    ],
  },
  {
    name: 'every character a field name may have',
    send: "GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~09azAZ: v\r\n\r\n",
    seen: [{ method: 'GET', target: '/', fields: { "!#$%&'*+-.^_`|~09azaz": 'v' } }],
  },
  {
    name: 'repeated fields stay apart or are joined in order',
    send: 'GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-B: 0\r\nx-a: 2\r\n\r\n',
    seen: [{ method: 'GET', target: '/', fields: { 'x-a': /^1(, | \| )2$/ } }],
  },
  {
    name: 'repeated cookies are not joined with a comma',
    send: 'GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n',
    seen: [{ method: 'GET', target: '/', fields: { cookie: /^a=1(; | \| )b=2$/ } }],
  },
  {
    name: 'a target with everything that is allowed in it',
    send: 'GET /-._~!$&\'()*+,;=:@/%7e//..;x?/?:@%zz[]|^`{}"<>\\ HTTP/1.1\r\nHost: a\r\n\r\n',
    seen: [{ method: 'GET', target: '/-._~!$&\'()*+,;=:@/%7e//..;x?/?:@%zz[]|^`{}"<>\\' }],
  },
  ...['a.b-c_d~e', 'a:0080', '127.0.0.1:8080', '[::1]', '[2001:db8::1]:8443', 'xn--bcher-kva.example', 'A.Example'].map(
    (host): ValidRequest => ({
      name: `Host: ${host}`,
      send: `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
      seen: [{ method: 'GET', target: '/', fields: { host } }],
    }),
  ),
  {
    name: 'Expect: 100-continue of a client that does not wait',
    send: 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\nhi',
    seen: [{ method: 'POST', target: '/', fields: { expect: /^100-continue$/i }, body: 'hi' }],
  },
  {
    name: 'Upgrade to h2c is not forwarded',
    send: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n',
    seen: [{ method: 'GET', target: '/', fields: { upgrade: null, 'http2-settings': null } }],
  },
  {
    name: 'Upgrade without the connection option is not forwarded',
    send: 'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n',
    seen: [{ method: 'GET', target: '/', fields: { upgrade: null } }],
  },
  {
    name: 'Upgrade in HTTP/1.0 is not forwarded',
    send: 'GET / HTTP/1.0\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
    seen: [{ method: 'GET', target: '/', fields: { upgrade: null } }],
    closes: true,
  },
];
