/** Keys, the choice of a version by each strategy, experiments and the affinity table. */
import { hashKey } from '../../src/proxy/balance/key-hash.ts';
import { NO_KEY } from '../../src/proxy/balance/policy.ts';
import { FieldNames } from '../../src/proxy/http1/field-names.ts';
import { clientFacts } from '../../src/proxy/http1/field-rules.ts';
import { RequestHead } from '../../src/proxy/http1/request-head.ts';
import { AffinityTable } from '../../src/proxy/route/affinity-table.ts';
import { Experiment } from '../../src/proxy/route/experiment.ts';
import { KeyReader } from '../../src/proxy/route/key-reader.ts';
import { Rendezvous } from '../../src/proxy/route/rendezvous.ts';
import { SessionCookie } from '../../src/proxy/route/session-cookie.ts';
import { HeaderSplit } from '../../src/proxy/route/split-header.ts';
import { LatencySplit } from '../../src/proxy/route/split-latency.ts';
import { TurnsSplit } from '../../src/proxy/route/split-turns.ts';
import { WeightedSplit } from '../../src/proxy/route/split-weighted.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { splitService } from '../../test/kit/service-snapshot.ts';
import { report } from './harness.ts';
import { BROWSER_REQUEST, LIMITS } from './samples.ts';

const names = new FieldNames(['x-user-id', 'x-group']);
const text = BROWSER_REQUEST.toString('latin1').replace(
  '\r\n\r\n',
  '\r\nX-User-Id: 8f14e45fceea167a\r\nX-Group: beta\r\nX-Forwarded-For: 203.0.113.9, 10.0.0.2\r\n\r\n',
);
const bytes = Buffer.from(text, 'latin1');
const head = new RequestHead(LIMITS, names);
if (head.parse(bytes, 0, bytes.length) !== bytes.length) throw new Error('the sample is not a request');

const client = clientFacts('10.0.0.1', true, 'http');
const isTrusted = (address: string): boolean => address.startsWith('10.');
const random = new SeededRandom(1);

const byHeader = new KeyReader({ from: 'header', name: 'x-user-id' }, names, isTrusted);
const byCookie = new KeyReader({ from: 'cookie', name: 'session' }, names, isTrusted);
const byQuery = new KeyReader({ from: 'query', name: 'sort' }, names, isTrusted);
const byAddress = new KeyReader({ from: 'address' }, names, isTrusted);

const weights = { v1: 95, v2: 5 };
const weighted = new WeightedSplit(splitService(weights), random);
const turns = new TurnsSplit(splitService(weights), random);
const latency = new LatencySplit(splitService(weights, { strategy: 'latency' }), random, (index) => 10 + index);
const grouped = { strategy: 'header', header: { name: 'x-group', values: { beta: 'v2' } } } as const;
const header = new HeaderSplit(splitService(weights, grouped), names, random);
const five = new Rendezvous(['v1', 'v2', 'v3', 'v4', 'v5'], [60, 20, 10, 9, 1]);
const experiment = new Experiment(
  {
    name: 'checkout',
    key: { from: 'cookie', name: 'session' },
    salt: 'checkout',
    traffic: 50,
    weights: { v1: 50, v2: 50 },
  },
  (name) => (name === 'v1' ? 0 : 1),
  names,
  isTrusted,
);

const SESSIONS = 100_000;
const table = new AffinityTable<string, null>({ ttl: 3_600_000, max: SESSIONS }, systemClock);
const keys = Array.from({ length: SESSIONS }, (_, i) => `${hashKey(String(i)).toString(16).padStart(8, '0')}${i}`);
for (const key of keys) table.remember(key, 'v1', null, 1);
const cookie = new SessionCookie('sluice_session', 3_600_000);

let turn = 0;
const nextHash = (): number => (turn = (turn + 0x9e3779b9) >>> 0);
const nextKey = (): string => keys[nextHash() % SESSIONS]!;

report([
  { name: 'split: key from a header', run: () => byHeader.read(head, client) },
  { name: 'split: key from a cookie', run: () => byCookie.read(head, client) },
  { name: 'split: key from a query parameter', run: () => byQuery.read(head, client) },
  { name: 'split: key from X-Forwarded-For', run: () => byAddress.read(head, client) },
  { name: 'split: rendezvous, 2 versions', run: () => weighted.pick(head, nextHash(), 0) },
  { name: 'split: rendezvous, 5 versions', run: () => five.pick(nextHash()) },
  { name: 'split: weighted, no key', run: () => weighted.pick(head, NO_KEY, 0) },
  { name: 'split: round_robin', run: () => turns.pick(head, NO_KEY, 0) },
  { name: 'split: latency', run: () => latency.pick(head, NO_KEY, 0) },
  { name: 'split: header', run: () => header.pick(head, NO_KEY, 0) },
  { name: 'split: cookie, hash, rendezvous', run: () => weighted.pick(head, hashKey(byCookie.read(head, client)), 0) },
  { name: 'split: experiment by cookie', run: () => experiment.choose(head, client) },
  { name: 'split: affinity hit, the same session', run: () => table.find(keys[7]!) },
  { name: 'split: affinity hit, any of 100,000 sessions', run: () => table.find(nextKey()) },
  { name: 'split: affinity miss', run: () => table.find('nobody') },
  { name: 'split: session cookie', run: () => cookie.issue('8f14e45fceea167a5a36dedd4bea2543', false) },
]);
