import t from 'tap';
import { LOCAL_REPLIES, type ReplyCode } from '../../src/model/local-reply.ts';
import type { FailureCondition, RetryConfig } from '../../src/model/policy-config.ts';
import { FailureConditions } from '../../src/proxy/upstream/failure-conditions.ts';
import { methodSet } from '../../src/proxy/upstream/method-set.ts';
import { RetryPolicy } from '../../src/proxy/upstream/retry-policy.ts';
import { SeededRandom } from '../../src/runtime/random.ts';

const CONFIG: RetryConfig = {
  attempts: 2,
  on: ['connect-failure', 'reset', 502, 503, 504],
  methods: 'idempotent',
  perTryTimeout: 700,
  backoff: 25,
  maxBackoff: 250,
  maxBody: 4_096,
};

const policy = (config: Partial<RetryConfig> = {}): RetryPolicy =>
  new RetryPolicy({ ...CONFIG, ...config }, new SeededRandom(1));

/** Every reply code and status that counts as failed. */
function failures(on: readonly FailureCondition[]): readonly (string | number)[] {
  const conditions = new FailureConditions(on);
  const codes = (Object.keys(LOCAL_REPLIES) as ReplyCode[]).filter((code) => conditions.failed(code));
  const statuses = Array.from({ length: 1_000 }, (_, status) => status).filter((status) => conditions.status(status));
  return [...codes.sort(), ...statuses];
}

const FIVE_HUNDREDS = Array.from({ length: 100 }, (_, i) => 500 + i);

const CONDITIONS: readonly (readonly [on: readonly FailureCondition[], counts: readonly (string | number)[]])[] = [
  [[], []],
  [['connect-failure'], ['connect_failed', 'connect_timeout']],
  [['reset'], ['upstream_closed', 'upstream_malformed']],
  [['timeout'], ['upstream_timeout']],
  [['5xx'], FIVE_HUNDREDS],
  [['gateway-error'], [502, 503, 504]],
  [
    [404, 503],
    [404, 503],
  ],
  [
    ['reset', 'timeout', 500],
    ['upstream_closed', 'upstream_malformed', 'upstream_timeout', 500],
  ],
  [
    ['5xx', 502, 429],
    [429, ...FIVE_HUNDREDS],
  ],
];

t.test('each condition counts what it says and nothing else', async (t) => {
  for (const [on, counts] of CONDITIONS) t.strictSame(failures(on), counts, on.join(' ') || 'none');
});

t.test('whether statuses are watched', async (t) => {
  t.notOk(new FailureConditions([]).watchesStatus);
  t.notOk(new FailureConditions(['connect-failure', 'reset', 'timeout']).watchesStatus);
  t.ok(new FailureConditions(['5xx']).watchesStatus);
  t.ok(new FailureConditions(['gateway-error']).watchesStatus);
  t.ok(new FailureConditions(['reset', 404]).watchesStatus);
});

t.test('statuses that there are not', async (t) => {
  const conditions = new FailureConditions(['5xx']);
  for (const status of [-1, 0, 5_000, 1e9, Number.NaN]) t.notOk(conditions.status(status), `${status}`);
});

t.test('method sets', async (t) => {
  const inOrder = (set: ReadonlySet<string> | null): readonly string[] | null => set && [...set].sort();
  t.strictSame(inOrder(methodSet('safe')), ['GET', 'HEAD', 'OPTIONS', 'TRACE']);
  t.strictSame(inOrder(methodSet('idempotent')), ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PUT', 'TRACE']);
  t.equal(methodSet('all'), null);
  t.strictSame(inOrder(methodSet(['POST', 'GET'])), ['GET', 'POST']);
  t.strictSame(inOrder(methodSet([])), []);
});

t.test('a policy says what its configuration says', async (t) => {
  const { attempts, perTryTimeout, maxBody, conditions } = policy();
  t.strictSame({ attempts, perTryTimeout, maxBody }, { attempts: 2, perTryTimeout: 700, maxBody: 4_096 });
  t.ok(conditions.failed('upstream_closed'));
  t.ok(conditions.status(503));
  t.notOk(conditions.status(500));
});

t.test('a request that has gone out is repeated only where its method allows', async (t) => {
  t.ok(policy().allows('GET', true));
  t.ok(policy().allows('DELETE', true));
  t.notOk(policy().allows('POST', true));
  t.notOk(policy().allows('get', true), 'methods are case-sensitive');
  t.notOk(policy().allows('BREW', true));
  t.ok(policy({ methods: 'all' }).allows('BREW', true));
  t.ok(policy({ methods: ['POST'] }).allows('POST', true));
  t.notOk(policy({ methods: ['POST'] }).allows('GET', true));
});

t.test('a request that nothing of was sent is repeated whatever its method', async (t) => {
  t.ok(policy().allows('POST', false));
  t.ok(policy({ methods: [] }).allows('POST', false));
});

t.test('pauses stay below their bound', async (t) => {
  const jittered = policy();
  for (const [retry, bound] of [
    [1, 25],
    [2, 50],
    [3, 100],
    [4, 200],
    [5, 250],
    [10, 250],
  ] as const) {
    const longest = Math.max(...Array.from({ length: 500 }, () => jittered.pause(retry)));
    t.ok(longest < bound && longest > bound * 0.95, `retry ${retry}: up to ${longest.toFixed(1)} ms`);
  }
});
