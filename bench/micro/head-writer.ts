/** Rewriting parsed heads into what is sent on, identities included. */
import { clientFacts, FieldRules } from '../../src/proxy/http1/field-rules.ts';
import { RequestHead } from '../../src/proxy/http1/request-head.ts';
import { ResponseHead } from '../../src/proxy/http1/response-head.ts';
import { RandomRequestIds } from '../../src/proxy/request-ids.ts';
import { report } from './harness.ts';
import { BROWSER_REQUEST, LIMITS, NAMES, RESPONSE, SMALL_REQUEST } from './samples.ts';

const ids = new RandomRequestIds();
const rules = new FieldRules({ forwarded: false, via: 'sluice' }, ids);
const client = clientFacts('192.0.2.7', false, 'http');
const out = Buffer.alloc(4_096);
const parsed = (message: Buffer): RequestHead => {
  const head = new RequestHead(LIMITS, NAMES);
  head.parse(message, 0, message.length);
  return head;
};
const small = parsed(SMALL_REQUEST);
const browser = parsed(BROWSER_REQUEST);
const response = new ResponseHead(LIMITS, NAMES);
response.parse(RESPONSE, 0, RESPONSE.length, false);

// Writing into a buffer stands for the socket: it makes V8 join the pieces, which is part of the cost.
const write = (text: string): number => out.write(text, 'latin1');
report([
  { name: 'head-writer: request, 1 field', run: () => write(rules.request(small, client, 'up')) },
  { name: 'head-writer: request, 13 fields', run: () => write(rules.request(browser, client, 'up')) },
  {
    name: 'head-writer: response, 6 fields',
    run: () => write(rules.response(response, 'x-sluice-version: v1\r\n', '')),
  },
  { name: 'head-writer: identity of a request', run: () => ids.next() },
]);
