/** The response head parser. */
import { ResponseHead } from '../../src/proxy/http1/response-head.ts';
import { report } from './harness.ts';
import { LIMITS, NAMES, RESPONSE } from './samples.ts';

const head = new ResponseHead(LIMITS, NAMES);

report([{ name: 'response-head: 6 fields', run: () => head.parse(RESPONSE, 0, RESPONSE.length, false) }]);
