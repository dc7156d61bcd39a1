/** The request head parser: a minimal head and a browser's. */
import { RequestHead } from '../../src/proxy/http1/request-head.ts';
import { report } from './harness.ts';
import { BROWSER_REQUEST, LIMITS, NAMES, SMALL_REQUEST } from './samples.ts';

const head = new RequestHead(LIMITS, NAMES);

report([
  { name: 'request-head: 1 field', run: () => head.parse(SMALL_REQUEST, 0, SMALL_REQUEST.length) },
  { name: 'request-head: 13 fields', run: () => head.parse(BROWSER_REQUEST, 0, BROWSER_REQUEST.length) },
]);
