/** Request heads as the engine would have parsed them, for what only reads them. */
import { FieldNames } from '../../src/proxy/http1/field-names.ts';
import { clientFacts } from '../../src/proxy/http1/field-rules.ts';
import { RequestHead } from '../../src/proxy/http1/request-head.ts';

const LIMITS = {
  headSize: 65_536,
  headerCount: 100,
  targetLength: 32_768,
  bodySize: 0,
  connections: 100,
  connectionsPerAddress: 100,
};

/** A GET with these field lines, Host apart. */
export function requestHead(target: string, lines: readonly string[] = [], names = new FieldNames()): RequestHead {
  const head = new RequestHead(LIMITS, names);
  const bytes = Buffer.from(
    [`GET ${target} HTTP/1.1`, 'Host: shop.example.com', ...lines, '', ''].join('\r\n'),
    'latin1',
  );
  if (head.parse(bytes, 0, bytes.length) !== bytes.length) throw new Error(`not a request: ${head.fault}`);
  return head;
}

/** A client that is itself the peer. */
export const DIRECT = clientFacts('198.51.100.7', false, 'http');

/** A client that speaks through a trusted proxy. */
export const BEHIND_PROXY = clientFacts('10.0.0.1', true, 'http');
