/** Valid upstream responses and what the client must get. */

export interface ValidResponse {
  readonly name: string;
  /** Method and version of the client's request; default `GET` and `1.1`. */
  readonly method?: string;
  readonly version?: '1.0';
  readonly answer: string;
  /** The upstream closes after it. */
  readonly fin?: true;
  readonly status: number;
  readonly body?: string;
  readonly framing?: 'none' | 'length' | 'chunked' | 'close';
  readonly fields?: Readonly<Record<string, string | RegExp | null>>;
  readonly trailers?: Readonly<Record<string, string>>;
  readonly interim?: readonly number[];
  /** The upstream connection is used for the next request; default true. */
  readonly reused?: false;
  /** The client connection ends after it; default false. */
  readonly closes?: true;
}

export const validResponses: readonly ValidResponse[] = [
  {
    name: 'Content-Length',
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello',
    status: 200,
    body: 'hello',
    framing: 'length',
    fields: { 'x-a': 'b', 'content-length': '5' },
  },
  {
    name: 'Content-Length: 0',
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    status: 200,
    body: '',
    framing: 'length',
  },
  {
    name: 'chunked',
    answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n00A\r\n0123456789\r\n0\r\n\r\n',
    status: 200,
    body: 'hello0123456789',
    framing: 'chunked',
  },
  {
    name: 'chunked, empty',
    answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n',
    status: 200,
    body: '',
    framing: 'chunked',
  },
  {
    name: 'chunked with trailers',
    answer:
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\nX-B: c d\r\n\r\n',
    status: 200,
    body: 'hi',
    framing: 'chunked',
    trailers: { 'x-sum': '1', 'x-b': 'c d' },
  },
  {
    name: 'chunk data with CR LF and a false end',
    answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n\r\n0\r\n\r\n\xff\0\r\n0\r\n\r\n',
    status: 200,
    body: '\r\n0\r\n\r\n\xff\0',
    framing: 'chunked',
  },
  {
    name: 'until close',
    answer: 'HTTP/1.1 200 OK\r\n\r\nhello\r\n\r\nyo',
    fin: true,
    status: 200,
    body: 'hello\r\n\r\nyo',
    framing: 'chunked',
    reused: false,
  },
  {
    name: 'until close, empty',
    answer: 'HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n',
    fin: true,
    status: 200,
    body: '',
    framing: 'chunked',
    reused: false,
  },
  {
    name: 'HEAD with Content-Length',
    method: 'HEAD',
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n',
    status: 200,
    fields: { 'content-length': '1000' },
  },
  {
    name: 'HEAD with Transfer-Encoding',
    method: 'HEAD',
    answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    status: 200,
  },
  { name: 'HEAD without framing', method: 'HEAD', answer: 'HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n', status: 200 },
  { name: '204', answer: 'HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n', status: 204, fields: { 'x-a': 'b' } },
  {
    name: '304 with Content-Length',
    answer: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\nETag: "x"\r\n\r\n',
    status: 304,
    fields: { etag: '"x"' },
  },
  { name: '304 bare', answer: 'HTTP/1.1 304 Not Modified\r\n\r\n', status: 304 },
  { name: 'empty reason', answer: 'HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx', status: 200, body: 'x' },
  {
    name: 'no space behind the status: common enough to be read, and made good on the way',
    answer: 'HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx',
    status: 200,
    body: 'x',
  },
  {
    name: 'reason with bytes above 127',
    answer: 'HTTP/1.1 404 Pas trouv\xe9\r\nContent-Length: 1\r\n\r\nx',
    status: 404,
    body: 'x',
  },
  { name: 'status 599', answer: 'HTTP/1.1 599 What\r\nContent-Length: 1\r\n\r\nx', status: 599, body: 'x' },
  {
    name: '100 before the final one',
    answer: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx',
    status: 200,
    body: 'x',
  },
  {
    name: '103 twice before the final one',
    answer:
      'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx',
    status: 200,
    body: 'x',
    interim: [103, 103],
  },
  {
    name: '103 before a response until close',
    answer: 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\nbody',
    fin: true,
    status: 200,
    body: 'body',
    interim: [103],
    reused: false,
  },
  {
    name: '103 is not for an HTTP/1.0 client',
    version: '1.0',
    answer: 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx',
    status: 200,
    body: 'x',
    interim: [],
    closes: true,
  },
  {
    name: 'chunked to an HTTP/1.0 client: de-chunked, until close',
    version: '1.0',
    answer:
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\nX-T: 1\r\n\r\n',
    status: 200,
    body: 'hello!',
    framing: 'close',
    fields: { 'transfer-encoding': null, 'x-a': 'b' },
    closes: true,
  },
  {
    name: 'until close to an HTTP/1.0 client',
    version: '1.0',
    answer: 'HTTP/1.1 200 OK\r\n\r\nhello',
    fin: true,
    status: 200,
    body: 'hello',
    framing: 'close',
    reused: false,
    closes: true,
  },
  {
    name: 'HTTP/1.0 upstream, until close',
    answer: 'HTTP/1.0 200 OK\r\nX-A: b\r\n\r\nhello',
    fin: true,
    status: 200,
    body: 'hello',
    framing: 'chunked',
    reused: false,
  },
  {
    name: 'HTTP/1.0 upstream with Content-Length',
    answer: 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    fin: true,
    status: 200,
    body: 'hello',
    framing: 'length',
    reused: false,
  },
  {
    name: 'HTTP/1.0 upstream that does not say keep-alive and does not close either',
    answer: 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    status: 200,
    body: 'hello',
    reused: false,
  },
  {
    name: 'HTTP/1.0 upstream with keep-alive',
    answer: 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello',
    status: 200,
    body: 'hello',
  },
  {
    name: 'Connection: close concerns the upstream connection only',
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi',
    status: 200,
    body: 'hi',
    reused: false,
  },
  {
    name: 'hop-by-hop fields are taken out',
    answer:
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: timeout=60\r\nProxy-Connection: x\r\nX-End: stays\r\n\r\nhi',
    status: 200,
    body: 'hi',
    fields: { 'x-hop': null, 'proxy-connection': null, 'x-end': 'stays' },
  },
  {
    name: 'Set-Cookie lines stay apart',
    answer: 'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 2\r\nset-cookie: b=2, x\r\n\r\nhi',
    status: 200,
    body: 'hi',
    fields: { 'set-cookie': 'a=1 | b=2, x' },
  },
  {
    name: 'authentication and end-to-end fields stay',
    answer:
      'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="x"\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: y\r\nContent-Length: 0\r\n\r\n',
    status: 401,
    fields: { 'www-authenticate': 'Basic realm="x"', date: 'Sun, 06 Nov 1994 08:49:37 GMT', server: 'y' },
  },
  {
    name: '426 names its protocols',
    answer: 'HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 0\r\n\r\n',
    status: 426,
  },
  {
    name: 'values: empty, tab inside, bytes above 127',
    answer: 'HTTP/1.1 200 OK\r\nX-E:\r\nX-T: a\tb \r\nX-L: \xe9\xff\r\nContent-Length: 2\r\n\r\nhi',
    status: 200,
    body: 'hi',
    fields: { 'x-e': '', 'x-t': 'a\tb', 'x-l': '\xe9\xff' },
  },
];
