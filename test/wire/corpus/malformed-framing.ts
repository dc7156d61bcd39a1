/** Requests whose body's length is ambiguous or wrong: the smuggling families. All are refused with nothing sent upstream. */
import type { Malformed } from './malformed-requests.ts';

const POST = 'POST /p HTTP/1.1\r\nHost: a\r\n';
const title = (text: string) => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

function length(status: number, text: string): Malformed {
  return { name: `Content-Length: ${title(text)}`, send: `${POST}Content-Length: ${text}\r\n\r\nhello`, status };
}

/** Both readings of the body end inside these bytes, so that a wrong one would show. */
function coding(status: number, text: string): Malformed {
  return {
    name: `Transfer-Encoding: ${title(text)}`,
    send: `${POST}Transfer-Encoding: ${text}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    status,
  };
}

function fields(name: string, status: number, text: string, version = '1.1'): Malformed {
  return { name, send: `POST /p HTTP/${version}\r\nHost: a\r\n${text}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`, status };
}

function chunks(text: string, extra: Partial<Malformed> = {}): Malformed {
  return {
    name: `chunks ${title(text)}`,
    send: `${POST}Transfer-Encoding: chunked\r\n\r\n${text}`,
    status: 400,
    ...extra,
  };
}

const lengths = [
  '',
  '+5',
  '-1',
  '-0',
  '5,5',
  '5, 5',
  '5,',
  '5 5',
  '0x5',
  '5h',
  'h',
  '5.0',
  '5e0',
  '"5"',
  '\xd9\xa5',
  '5;',
  '5\t5',
  '5\x0b',
];
const hugeLengths = ['99999999999999999999', '18446744073709551621', '9007199254740993', '1'.repeat(400)];

/** The final coding is not chunked, so the length is unknown: RFC 9112 6.3 wants 400 whatever the coding is. */
const notFinal = [
  'chunked, identity',
  'chunked, gzip',
  'chunked,',
  'chunked;q=1',
  '"chunked"',
  'chunked chunked',
  'chunked\0',
  '\x0bchunked',
];
const notChunked = [
  '',
  'identity',
  'xchunked',
  'chunkedx',
  'chunke',
  'chun ked',
  'chunked, x',
  'chunked/1',
  "'chunked'",
  'gzip',
  ',chunked',
];
const twice = ['chunked, chunked', 'chunked,chunked', 'chunked, gzip, chunked'];
/** Final chunked behind a coding that nobody here can undo: 501. */
const unknown = ['gzip, chunked', 'identity, chunked', 'x , chunked', 'gzip,\tchunked'];

const badSizes = [
  '',
  ' 5',
  '5 ',
  '5\t',
  '0x5',
  '+5',
  '-5',
  'g',
  '5h',
  '5.',
  '5,',
  '"5"',
  '5;ext=1',
  '5;',
  '5 ;a',
  '5;a="b"',
  '5\n',
  '5\r',
  '\0',
];
const hugeSizes = ['00000000000000005', 'FFFFFFFFFFFFFFFFF', '10000000000000005', 'FFFFFFFFFFFFFFFF', '0'.repeat(300)];
const badLasts = ['0\n\r\n', '0\r\n\n', '0\r\n\rX', '0 \r\n\r\n', '0;a\r\n\r\n', '-0\r\n\r\n', '0x0\r\n\r\n'];
const badTrailers = [
  'x',
  'X : y',
  'X Y: z',
  ': y',
  'X: y\r\n z',
  ' X: y',
  'X: y\nY: z',
  'X: a\0b',
  'X: a\rb',
  'X\x7f: a',
];

export const malformedFraming: readonly Malformed[] = [
  ...lengths.map((text) => length(400, text)),
  ...hugeLengths.map((text) => length(400, text)),
  ...[...notFinal, ...notChunked, ...twice].map((text) => coding(400, text)),
  ...unknown.map((text) => coding(501, text)),
  fields('CL.TE', 400, 'Content-Length: 5\r\nTransfer-Encoding: chunked'),
  fields('TE.CL', 400, 'Transfer-Encoding: chunked\r\nContent-Length: 5'),
  fields('CL.TE with Content-Length: 0', 400, 'Content-Length: 0\r\nTransfer-Encoding: chunked'),
  fields('CL and an unknown TE', 400, 'Content-Length: 5\r\nTransfer-Encoding: x'),
  fields('CL and an empty TE', 400, 'Content-Length: 5\r\nTransfer-Encoding:'),
  fields(
    'CL and TE with other fields between, odd case',
    400,
    'cOnTent-lengTh: 5\r\nX: y\r\ntRANSFER-encoding: CHUNKED',
  ),
  fields('two equal CL', 400, 'Content-Length: 5\r\nContent-Length: 5'),
  fields('two different CL', 400, 'Content-Length: 0\r\nX: y\r\ncontent-length: 5'),
  fields('two CL, one empty', 400, 'Content-Length:\r\nContent-Length: 5'),
  fields('two TE', 400, 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'),
  fields('TE identity, then chunked', 400, 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity'),
  fields('TE in HTTP/1.0', 400, 'Transfer-Encoding: chunked', '1.0'),
  fields('TE and CL in HTTP/1.0', 400, 'Transfer-Encoding: chunked\r\nContent-Length: 5', '1.0'),
  fields('TE with a space before the colon', 400, 'Transfer-Encoding : chunked'),
  fields('TE with a tab before the colon', 400, 'Transfer-Encoding\t: chunked'),
  fields('TE with a control character in its name', 400, 'Transfer-\x0bEncoding: chunked'),
  fields('TE with a space in front', 400, 'X: y\r\n Transfer-Encoding: chunked'),
  fields('TE behind a bare LF', 400, 'X: y\nTransfer-Encoding: chunked'),
  fields('TE behind a bare CR', 400, 'X: y\rTransfer-Encoding: chunked'),
  fields('CL behind a bare LF', 400, 'X: y\nContent-Length: 5'),
  fields('CL with a space before the colon', 400, 'Content-Length : 5'),
  fields('Connection takes Content-Length away', 400, 'Content-Length: 5\r\nConnection: content-length'),
  fields('Connection takes Transfer-Encoding away', 400, 'Transfer-Encoding: chunked\r\nConnection: transfer-encoding'),
  ...[...badSizes, ...hugeSizes].map((size) => chunks(`${size}\r\nhello\r\n0\r\n\r\n`)),
  ...badLasts.map((last) => chunks(`5\r\nhello\r\n${last}`, { waits: true })),
  ...badTrailers.map((trailer) => chunks(`5\r\nhello\r\n0\r\n${trailer}\r\n\r\n`)),
  chunks('5\nhello\r\n0\r\n\r\n'),
  chunks('5\r\nhello\n0\r\n\r\n'),
  chunks('5\r\nhello0\r\n\r\n'),
  chunks('5\r\nhello!\r\n0\r\n\r\n'),
  chunks('5\r\nhell\r\n0\r\n\r\n'),
  chunks('5\r\nhello\r0\r\n\r\n'),
  chunks('5\r\nhello\r\n\r\n0\r\n\r\n'),
  chunks('5\r\rhello\r\n0\r\n\r\n'),
  chunks('5\r\nhello\r\n5\r\nhello\r\nxyz\r\n0\r\n\r\n'),
];

/** Trailers that would change how the request is framed or routed: refused, or at the least never passed on. */
export const forbiddenTrailers: readonly string[] = [
  'Content-Length: 5',
  'Transfer-Encoding: chunked',
  'Host: b',
  'Connection: close',
  'X-Forwarded-For: 1.2.3.4',
  'Authorization: x',
  'X-Canary: v2',
];
