/** What tracing costs a request: switched off, on for others, and on for this one. */
import { newRateMemory, RateTable } from '../../src/model/rate-table.ts';
import { FieldNames } from '../../src/proxy/http1/field-names.ts';
import { RequestHead } from '../../src/proxy/http1/request-head.ts';
import type { Forwarding } from '../../src/proxy/record/log-entry.ts';
import { Tracing, tracedHeaders } from '../../src/proxy/record/tracing.ts';
import type { TracedRequest } from '../../src/proxy/record/tracing-request.ts';
import { RandomRequestIds } from '../../src/proxy/request-ids.ts';
import type { Route } from '../../src/proxy/route/route.ts';
import type { Version } from '../../src/proxy/route/version.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { report } from './harness.ts';
import { BROWSER_REQUEST, CLIENT, LIMITS } from './samples.ts';

const config = { sample: 1, parent: 'respect', maxPerSecond: 1_000_000 } as const;
const names = new FieldNames(tracedHeaders(config));
const headOf = (bytes: Buffer): RequestHead => {
  const head = new RequestHead(LIMITS, names);
  head.parse(bytes, 0, bytes.length);
  return head;
};
const plain = headOf(BROWSER_REQUEST);
const withParent = headOf(
  Buffer.from(
    BROWSER_REQUEST.toString().replace(
      'Connection:',
      'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00\r\nConnection:',
    ),
  ),
);

let copied = 0;
const tracing = (sample: number): Tracing => {
  const made = new Tracing({
    ...{ random: new SeededRandom(1), ids: new RandomRequestIds(), origin: 0, wall: () => 1_700_000_000_000 },
    ...{ rates: new RateTable(newRateMemory(0)), counters: { spansDropped: () => {} }, isTrusted: () => false },
    send: (records) => {
      // What a message costs its sender, and the answer that lets the next one go.
      copied += structuredClone(records).length;
      made.taken();
    },
  });
  made.configure({ ...config, sample }, names);
  return made;
};

/** What an exchange and its attempt look at. */
const off: { tracing: Tracing | null; trace: TracedRequest | null } = { tracing: null, trace: null };
const one = tracing(1);
const all = tracing(100);
const version = { id: 0, name: 'v1', lane: 'stable' } as unknown as Version;
const route = { name: 'default', service: { name: 'shop' } } as unknown as Route;
const url = 'http://10.0.0.12:3001';
const done: Forwarding = {
  ...{ request: { bytes: 0, attempts: 1 }, version, shieldedFrom: null },
  attempt: { endpoint: { url }, latency: 1 },
};

report([
  {
    name: 'tracing: off',
    run: () => {
      let seen = 0;
      if (off.tracing !== null) seen++;
      if (off.trace !== null) seen++;
      if (off.trace !== null) seen++;
      if (off.trace !== null) seen++;
      if (off.trace !== null) seen++;
      return seen;
    },
  },
  { name: 'tracing: on, one in a hundred, no parent', run: () => one.begin(plain, CLIENT, 1) },
  { name: 'tracing: on, parent that is not sampled', run: () => one.begin(withParent, CLIENT, 1) },
  {
    name: 'tracing: a traced request with one attempt, handed over',
    run: () => {
      const trace = all.begin(plain, CLIENT, 1)!;
      trace.prepared('id', 'Host: a\r\n', '/products/list?page=2');
      const attempt = trace.attempt(version, url, false, false, 2);
      const fields = trace.fieldsFor(attempt);
      attempt.judged = true;
      trace.attemptEnded(attempt, 200, 3);
      trace.ended('done', 200, 4, false, route, done);
      all.end(trace);
      return fields.length;
    },
  },
]);
if (copied === 0) throw new Error('nothing was handed over');
