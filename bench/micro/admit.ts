/** Everything that admits a request or another attempt: rate limits, circuit, faults, retry budget and policy. */
import { newWorkerMemory } from '../../src/model/counters.ts';
import { newRateMemory, RateTable } from '../../src/model/rate-table.ts';
import { Circuit } from '../../src/proxy/admit/circuit.ts';
import { FaultInjector } from '../../src/proxy/admit/fault.ts';
import { RateLimit } from '../../src/proxy/admit/rate-limit.ts';
import { NO_KEY } from '../../src/proxy/balance/policy.ts';
import { RetryBudget } from '../../src/proxy/upstream/retry-budget.ts';
import { RetryPolicy } from '../../src/proxy/upstream/retry-policy.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { report } from './harness.ts';
import { NAMES } from './samples.ts';

const random = new SeededRandom(1);
const table = new RateTable(newRateMemory(0));
const one = new RateLimit({ rate: 1_000, burst: 1_000 }, 'route one', table);
const empty = new RateLimit({ rate: 1 / 3_600, burst: 1 }, 'route empty', table);
const keyed = new RateLimit({ rate: 1_000, burst: 1_000 }, 'route keyed', table);
const fresh = new RateLimit({ rate: 1_000_000, burst: 1 }, 'route fresh', table);
let now = 0;
let key = 0;

const WORKERS = 8;
const blocks = Array.from({ length: WORKERS }, () => newWorkerMemory().counters);
const limits = { maxRequests: 1_024, maxConnections: 0, maxPending: 0, maxRetries: 16 };
const bounded = new Circuit(limits, 3, blocks[0]!, blocks);
const unbounded = new Circuit({ ...limits, maxRequests: 0 }, 4, blocks[0]!, blocks);

const fault = new FaultInjector({ abort: { status: 503, percent: 1 } }, NAMES, random);
const budget = new RetryBudget({ percent: 20, minimum: 10 });
const policy = new RetryPolicy(
  {
    attempts: 1,
    on: ['connect-failure', 'reset', 502, 503, 504],
    methods: 'idempotent',
    perTryTimeout: 0,
    backoff: 25,
    maxBackoff: 250,
    maxBody: 65_536,
  },
  random,
);

empty.tryTake(NO_KEY, 0);

report([
  {
    name: 'rate-limit: one bucket, admitted',
    run: () => {
      now += 1;
      return one.tryTake(NO_KEY, now);
    },
  },
  { name: 'rate-limit: one bucket, refused', run: () => empty.tryTake(NO_KEY, 1) },
  {
    name: 'rate-limit: 10,000 keys, admitted',
    run: () => {
      now += 1;
      key = (key + 1) % 10_000;
      return keyed.tryTake(key, now);
    },
  },
  {
    name: 'rate-limit: a new key each time',
    run: () => {
      now += 1;
      key = (key + 1) | 0;
      return fresh.tryTake(key, now);
    },
  },
  {
    name: 'circuit: enter and leave, no bound',
    run: () => {
      const entered = unbounded.tryEnter();
      unbounded.leave();
      return entered;
    },
  },
  {
    name: `circuit: enter and leave, bound over ${WORKERS} workers`,
    run: () => {
      const entered = bounded.tryEnter();
      bounded.leave();
      return entered;
    },
  },
  { name: 'fault: dice for delay and abort', run: () => fault.delay() + fault.abortStatus() },
  {
    name: 'retry-budget: request',
    run: () => {
      now += 0.01;
      budget.request(now);
      return budget;
    },
  },
  { name: 'retry-budget: take', run: () => budget.tryTake(now) },
  {
    name: 'retry-policy: judge, allow and pause',
    run: () => policy.conditions.status(503) && policy.allows('GET', true) && policy.pause(1),
  },
]);
