/** Upstream responses that are answered with a 502 and end the upstream connection; the request is a plain GET. */
export interface MalformedResponse {
  readonly name: string;
  readonly answer: string;
  /** The upstream sends FIN after it: what makes these bytes wrong is that no more follow. */
  readonly fin?: true;
}

const title = (text: string) => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

function statusLine(text: string): MalformedResponse {
  return { name: `status line ${title(text)}`, answer: `${text}\r\nContent-Length: 2\r\n\r\nhi` };
}

function fields(text: string, body = '5\r\nhello\r\n0\r\n\r\n'): MalformedResponse {
  return { name: `fields ${title(text)}`, answer: `HTTP/1.1 200 OK\r\n${text}\r\n\r\n${body}` };
}

const lines = [
  'HTTP/1.1 99 No',
  'HTTP/1.1 099 No',
  'HTTP/1.1 000 No',
  'HTTP/1.1 1000 No',
  'HTTP/1.1 20 No',
  'HTTP/1.1 2x0 No',
  'HTTP/1.1 -200 No',
  'HTTP/1.1 +20 No',
  'HTTP/1.1  200 OK',
  ' HTTP/1.1 200 OK',
  'HTTP/1.1\t200 OK',
  'HTTP/1.1 200\tOK',
  'HTTP/1.1 200OK',
  'HTTP/1.1 OK 200',
  'HTTP/1.1',
  'HTTP/1.1 ',
  'HTTP/2.0 200 OK',
  'HTTP/2 200',
  'HTTP/0.9 200 OK',
  'HTTP/1.10 200 OK',
  'HTTP/11.1 200 OK',
  'http/1.1 200 OK',
  'ICY 200 OK',
  '200 OK',
  'GET / HTTP/1.1',
  '<html>hello</html>',
  '\x15\x03\x01\0\x02\x02',
  'HTTP/1.1 200 O\0K',
  'HTTP/1.1 200 O\rK',
  'HTTP/1.1 200 O\x7fK',
  'HTTP/1.1 200 O\x0bK',
];
const lengths = [
  '',
  '+5',
  '-1',
  '5,5',
  '5, 5',
  '5 5',
  '0x5',
  '5a',
  '5.0',
  '"5"',
  '99999999999999999999',
  '1'.repeat(400),
];
const codings = [
  '',
  'identity',
  'gzip',
  'gzip, chunked',
  'chunked, gzip',
  'chunked, chunked',
  'xchunked',
  '"chunked"',
  'chunked;q=1',
];
const controls = ['\0', '\x01', '\x08', '\x0b', '\x0c', '\r', '\n', '\x1f', '\x7f'];

export const malformedResponses: readonly MalformedResponse[] = [
  ...lines.map(statusLine),
  ...lengths.map((text) => fields(`Content-Length: ${text}`, 'hello')),
  ...codings.map((text) => fields(`Transfer-Encoding: ${text}`)),
  ...controls.flatMap((char) => [
    fields(`Content-Length: 0\r\nX: a${char}b`, ''),
    fields(`X: a${char}\r\nContent-Length: 0`, ''),
  ]),
  fields('Content-Length: 5\r\nTransfer-Encoding: chunked'),
  fields('Transfer-Encoding: chunked\r\nContent-Length: 5'),
  fields('Content-Length: 0\r\nTransfer-Encoding: identity'),
  fields('Content-Length: 5\r\nContent-Length: 5', 'hello'),
  fields('Content-Length: 5\r\nX: y\r\ncontent-length: 0', 'hello'),
  fields('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'),
  fields('Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked'),
  fields('Content-Length : 5', 'hello'),
  fields('Transfer-Encoding : chunked'),
  fields('X\t: y'),
  fields('X Y: z'),
  fields(': y'),
  fields('no colon'),
  fields('X\xe9: y'),
  fields('X: a\r\n b\r\nContent-Length: 0', ''),
  fields('X: a\r\n\tb'),
  fields('Content-Length:\r\n 5', 'hello'),
  { name: 'fold right after the status line', answer: 'HTTP/1.1 200 OK\r\n X: y\r\nContent-Length: 0\r\n\r\n' },
  { name: 'TE in HTTP/1.0', answer: 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n' },
  { name: 'LF after the status line', answer: 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n' },
  { name: 'LF after a field', answer: 'HTTP/1.1 200 OK\r\nContent-Length: 0\nX: y\r\n\r\n' },
  { name: 'LF only', answer: 'HTTP/1.1 200 OK\nContent-Length: 0\n\n', fin: true },
  { name: 'an empty line first', answer: '\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n' },
  { name: 'a space first', answer: ' HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n' },
  {
    name: '101 that nobody asked for',
    answer: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n',
  },
  { name: '101 bare', answer: 'HTTP/1.1 101 Switching Protocols\r\n\r\n' },
  { name: '103 with a malformed final one', answer: 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 99 No\r\n\r\n' },
  {
    name: '103 with a malformed field',
    answer: 'HTTP/1.1 103 Early Hints\r\nA b: c\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  },
  { name: 'garbage', answer: '\x01\x02\x03\r\n\r\n' },
  { name: 'garbage and FIN', answer: '\xff\xfe\xfd', fin: true },
  { name: 'half a head and FIN', answer: 'HTTP/1.1 200 OK\r\nContent-Le', fin: true },
  { name: 'a status line and FIN', answer: 'HTTP/1.1 200 OK\r\n', fin: true },
  { name: 'a 103 and FIN', answer: 'HTTP/1.1 103 Early Hints\r\n\r\n', fin: true },
];

/** Faults that show only after the head was passed on: the client connection is cut, so that nobody takes the rest for whole. */
export const malformedBodies: readonly MalformedResponse[] = [
  ...['x', ' 2', '2 ', '+2', '-1', '0x2', '2;a=b', '', '22222222222222222', '2\n'].map((size) => ({
    name: `chunk size ${title(size)}`,
    answer: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n${size}\r\nhi\r\n0\r\n\r\n`,
  })),
  ...['hi0\r\n\r\n', 'hi\n0\r\n\r\n', 'hi!\r\n0\r\n\r\n', 'hi\r!0\r\n\r\n'].map((rest) => ({
    name: `chunk data ${title(rest)}`,
    answer: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n2\r\n${rest}`,
  })),
  ...[
    'X y: z\r\n\r\n',
    'X : y\r\n\r\n',
    ' X: y\r\n\r\n',
    'X: a\0\r\n\r\n',
    'nonsense\r\n\r\n',
    'X: y\nY: z\r\n\r\n',
  ].map((trailer) => ({
    name: `trailer ${title(trailer)}`,
    answer: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n${trailer}`,
  })),
  { name: 'FIN inside Content-Length', answer: 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello', fin: true },
  { name: 'FIN inside a chunk', answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello', fin: true },
  {
    name: 'FIN before the last chunk',
    answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
    fin: true,
  },
  {
    name: 'FIN inside the trailers',
    answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n',
    fin: true,
  },
];
