/** The body decoder: small chunks, and one large run by length. */
import { BodyDecoder } from '../../src/proxy/http1/body-decoder.ts';
import { FieldBlock } from '../../src/proxy/http1/fields.ts';
import { BODY_CHUNKED, BODY_LENGTH } from '../../src/proxy/http1/request-head.ts';
import { report } from './harness.ts';
import { LIMITS, NAMES } from './samples.ts';

const body = new BodyDecoder({
  current: { names: NAMES, trailerBlock: new FieldBlock(LIMITS.headerCount), snapshot: { limits: LIMITS } },
});
const chunks = Buffer.from(`${'10\r\n0123456789abcdef\r\n'.repeat(8)}0\r\n\r\n`);
const run = Buffer.alloc(65_536);

const decode = (kind: number, buf: Buffer): boolean => {
  body.reset(kind, buf.length);
  for (let pos = 0; pos < buf.length && !body.done; ) pos = body.next(buf, pos, buf.length);
  return body.failed;
};

report([
  { name: 'body-decoder: 8 chunks of 16 bytes', run: () => decode(BODY_CHUNKED, chunks) },
  { name: 'body-decoder: 64 KiB by length', run: () => decode(BODY_LENGTH, run) },
]);
