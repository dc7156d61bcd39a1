/** What the views of rollouts choose and compute: verdicts, what may be said, words, moments, columns and rows. */
import t from 'tap';
import type { Decision } from '../../src/dashboard/api/report-views.ts';
import type { ConditionResult, EvidenceReading, RolloutView, TestReading } from '../../src/dashboard/api/views.ts';
import { evidenceColumns } from '../../src/dashboard/views/rollout/evidence-columns.ts';
import { conditionsThen, momentsOf, offAfter, whereOf } from '../../src/dashboard/views/rollout/moments.ts';
import { offersOf } from '../../src/dashboard/views/rollout/offers.ts';
import { rowsOf, tookOf } from '../../src/dashboard/views/rollout/rows.ts';
import { verdictOf } from '../../src/dashboard/views/rollout/verdict.ts';
import {
  conditionValue,
  eValue,
  evidenceNotes,
  sentence,
  strengthOf,
} from '../../src/dashboard/views/rollout/words.ts';

const AT = '2026-01-01T12:00:00.000Z';
const later = (ms: number): string => new Date(Date.parse(AT) + ms).toISOString();

const reading = (given: Partial<TestReading> = {}): TestReading => ({
  ...{ test: 'errors', state: 'watching', logE: 0, threshold: Math.log(2000), message: 'no failures so far' },
  ...given,
});

const condition = (given: Partial<ConditionResult> = {}): ConditionResult => ({
  ...{
    condition: 'error_rate < 1%',
    metric: 'error_rate',
    status: 'pass',
    value: 0,
    limit: 1,
    baseline: null,
    samples: 9,
  },
  message: 'error_rate is 0 % of 9 requests, must be < 1 %',
  ...given,
});

const EVIDENCE: EvidenceReading = {
  ...{ tests: [reading()], verdict: null, mismatch: null, proof: null, budget: null, bothFail: false },
};
const SIDE = { weight: 10, inFlight: 0, requests: 0, failed: 0, userErrors: 0, shielded: 0 } as const;
const UNMEASURED = { throughput: null, errorRate: null, p50: null, p95: null, p99: null } as const;

function rollout(given: Partial<RolloutView> = {}): RolloutView {
  return {
    ...{ id: 'shop-1', service: 'shop', version: 'v2', stable: 'v1', strategy: 'quick', phase: 'Progressing' },
    ...{ createdAt: AT, startedAt: AT, endedAt: null, startedBy: 'ada', step: 1, stepCount: 3, weight: 10 },
    ...{ waiting: null, outcome: null, reason: '', digest: 'abc', risk: { score: 0, items: [] } },
    steps: [
      { index: 0, name: 'tenth', kind: 'weight', summary: '10 % for 15s', state: 'current' },
      { index: 1, name: 'approve', kind: 'pause', summary: 'pause for approval', state: 'pending' },
      { index: 2, name: 'all', kind: 'weight', summary: '100 %', state: 'pending' },
    ],
    ...{ soak: null, pause: null, conditions: [], rules: [], evidence: EVIDENCE, needs: null },
    canary: { version: 'v2', ...SIDE, ...UNMEASURED },
    baseline: { version: 'v1', ...SIDE, ...UNMEASURED },
    approvals: { required: 0, given: [], missing: null },
    ...{ rollback: null, timeline: [], retryOf: null },
    ...given,
  };
}

const pause = (given: Partial<NonNullable<RolloutView['pause']>>): RolloutView['pause'] => ({
  ...{ by: 'operator', reason: 'ada: pause', since: AT, until: 'manual' },
  ...given,
});

const verbs = (view: RolloutView, stable = 'v1'): string[] => {
  const service = { lanes: { stable }, versions: [{ name: 'v1' }, { name: 'v2' }] } as never;
  return offersOf(view, service).map(({ verb, blocked }) => (blocked === null ? verb : `${verb}!`));
};

t.test('the verdict says what somebody must know', async (t) => {
  const titles = (view: Partial<RolloutView>): string[] => {
    const { tone, title, text } = verdictOf(rollout(view));
    t.match(text, /[.?!]$/);
    return [tone, title];
  };
  t.same(titles({}), ['calm', 'On its way']);
  t.same(titles({ waiting: 'it needs 3 more requests' }), ['warn', 'Held at this step']);
  t.same(titles({ conditions: [condition({ status: 'fail' })] }), ['warn', 'A condition fails']);
  t.same(titles({ phase: 'Paused', pause: pause({ by: 'incident' }) })[0], 'bad');
  t.same(titles({ phase: 'Paused', pause: pause({ by: 'step', until: 'approval' }) }), ['warn', 'Waits for approval']);
  t.same(titles({ phase: 'Paused', pause: pause({ by: 'step', until: 'time' }) })[0], 'calm');
  t.same(titles({ phase: 'Succeeded', outcome: 'v2 is stable' }), ['good', 'v2 is stable']);
  t.same(titles({ phase: 'RolledBack', outcome: 'v2 was taken back' })[0], 'bad');
  t.same(titles({ phase: 'Failed' })[0], 'bad');
  t.same(titles({ phase: 'Queued', waiting: 'it waits for shop-1' }), ['warn', 'Waits to begin']);
});

t.test('what is said twice is told once', async (t) => {
  const failing = condition({ status: 'fail', message: 'p95 is 90 ms, must be < 50 ms, is not' });
  const { text } = verdictOf(rollout({ waiting: failing.message, conditions: [failing] }));
  t.equal(text, `${failing.message}.`);
});

t.test('each phase offers what it knows', async (t) => {
  const asked = { required: 1, given: [], missing: 'it needs 1 more approval' };
  t.same(verbs(rollout()), ['promote', 'promote-full!', 'pause', 'skip', 'rollback']);
  t.same(verbs(rollout({ phase: 'Queued' })), ['abort']);
  t.same(verbs(rollout({ phase: 'Queued', approvals: asked })), ['approve', 'abort']);
  t.same(verbs(rollout({ phase: 'Preflight', steps: [] })), ['abort']);
  t.same(verbs(rollout({ phase: 'Promoting' })), ['rollback']);
  t.same(verbs(rollout({ phase: 'RolledBack' })), ['retry']);
  t.same(verbs(rollout({ phase: 'Failed' })), ['retry']);
  t.same(verbs(rollout({ phase: 'Paused', pause: pause({}) })), [
    'resume',
    'promote',
    'promote-full!',
    'skip',
    'rollback',
  ]);
  t.same(verbs(rollout({ phase: 'Paused', pause: pause({ by: 'incident' }) })), ['resume', 'rollback']);
  const waits = pause({ by: 'step', until: 'approval' });
  t.same(verbs(rollout({ phase: 'Paused', step: 2, pause: waits, approvals: asked })), ['approve', 'rollback']);
});

t.test('nobody passes over an approval, nor over what fails', async (t) => {
  t.same(verbs(rollout({ step: 2 })), ['promote', 'promote-full', 'pause', 'skip', 'rollback']);
  const failing = rollout({ step: 2, conditions: [condition({ status: 'fail' })] });
  t.same(verbs(failing), ['promote!', 'promote-full!', 'pause', 'skip', 'rollback']);
});

t.test('the way back goes on, and back again', async (t) => {
  const rollback = { mode: 'gradual', drained: false, inFlight: 1, verified: null } as const;
  t.same(verbs(rollout({ phase: 'RollingBack', rollback })), ['rollback-rest']);
  t.same(verbs(rollout({ phase: 'RollingBack', rollback, weight: 0 })), []);
  t.same(verbs(rollout({ phase: 'RollingBack', rollback: { ...rollback, mode: 'immediate' } })), []);
  t.same(verbs(rollout({ phase: 'Succeeded' }), 'v2'), ['undo']);
  t.same(verbs(rollout({ phase: 'Succeeded' }), 'v3'), []);
  t.same(offersOf(rollout({ phase: 'Succeeded' }), null), []);
});

t.test('words', async (t) => {
  t.equal(sentence(' no failures so far '), 'No failures so far.');
  t.equal(sentence('v2 is stable.'), 'v2 is stable.');
  t.equal(sentence('error_rate is 0 %'), 'error_rate is 0 %.');
  t.equal(sentence('ada: pause'), 'ada: pause.');
  t.equal(eValue(Math.log(3152.9)), '3,152');
  t.equal(eValue(Math.log(0.214)), '0.21');
  t.equal(eValue(-20), 'under 0.001');
  t.equal(eValue(14.5 * Math.LN10), '10^14');
  // JSON has null for what is without end.
  t.equal(eValue(null as never), 'without end');
});

t.test('a value has the unit of its metric, or that of its condition', async (t) => {
  const told = (metric: string, text: string, value: number | null): string =>
    conditionValue({ metric, condition: text }, value);
  t.equal(told('error_rate', 'error_rate <= baseline', 0.5), '0.5 %');
  t.equal(told('p95', 'p95 < 0.2s', 12.34), '12.3 ms');
  t.equal(told('throughput', 'throughput > 5', 12), '12/s');
  t.equal(told('checkout_failures', 'checkout_failures < 2%', 1.5), '1.5 %');
  t.equal(told('queue_age', 'queue_age < 200ms', 20), '20 ms');
  t.equal(told('carts', 'carts > 10', 1234), '1,234');
  t.equal(told('error_rate', 'error_rate < 1%', null), '–');
});

t.test('strength goes from nothing to enough', async (t) => {
  t.equal(strengthOf(reading({ logE: -3 })), 0);
  t.equal(strengthOf(reading({ logE: Math.log(2000) / 2 })), 0.5);
  t.equal(strengthOf(reading({ logE: 99 })), 1);
  t.equal(strengthOf(reading({ logE: 0, state: 'crossed' })), 1);
  t.equal(strengthOf(reading({ threshold: null })), 0);
  t.equal(strengthOf(reading({ logE: null as never })), 1);
});

t.test('evidence has notes, good and bad', async (t) => {
  t.same(evidenceNotes(EVIDENCE), []);
  t.same(
    evidenceNotes({ ...EVIDENCE, bothFail: true, proof: { proved: true, needs: null } }).map(({ tone }) => tone),
    ['warn', 'good'],
  );
});

t.test('columns of a chart: percent of the way, gaps where a test was off', async (t) => {
  const threshold = 8;
  const tests = [
    reading({ threshold }),
    reading({ test: 'slo', state: 'off', threshold: null }),
    reading({ test: 'ratio', threshold }),
  ];
  const points = [
    { at: 1_000, weight: 10, logE: { errors: -1 } },
    { at: 2_000, weight: 10, logE: { errors: 4, ratio: 2 } },
    { at: 3_000, weight: 10, logE: { errors: 80, ratio: null as never } },
  ];
  t.same(evidenceColumns(points, tests), {
    times: [1, 2, 3],
    lines: [
      { test: 'errors', values: [0, 50, 150] },
      { test: 'ratio', values: [null, 25, 150] },
    ],
  });
});

const DECISION: Decision = {
  ...{ at: later(358), cause: 'evidence', reason: '4 of 4 failures', by: 'sluice', step: 0, weight: 10 },
  ...{ evidence: EVIDENCE, conditions: [], failures: [] },
  ...{ firstFailureAt: AT, closedAt: later(356), acknowledgedAt: later(369) },
};

t.test('moments count from the first failure where failures were the cause', async (t) => {
  t.same(
    momentsOf(DECISION).map(({ after }) => after),
    [null, '+356 ms', '+369 ms'],
  );
  t.equal(offAfter(DECISION), 'Traffic was off 356 ms after the first failed request.');
  const said: Decision = {
    ...DECISION,
    cause: 'operator',
    at: later(5_000),
    closedAt: null,
    acknowledgedAt: later(5_012),
  };
  t.same(
    momentsOf(said).map(({ name, after }) => [name, after]),
    [
      ['Decided', null],
      ['Weight 0 on every worker', '+12 ms'],
    ],
  );
  t.equal(offAfter(said), null);
  t.equal(offAfter({ ...DECISION, closedAt: null, acknowledgedAt: null }), null);
});

t.test('where it was decided', async (t) => {
  const steps = [{ index: 0, name: 'tenth' }];
  t.equal(whereOf({ step: -1 }, steps), 'before the first step');
  t.equal(whereOf({ step: 0 }, steps), 'in step 1, tenth');
  t.equal(whereOf({ step: 3 }, steps), 'behind the last step');
});

t.test('conditions and rules of a decision are told apart', async (t) => {
  const own = condition({ condition: 'carts > 3', message: 'nothing was pushed', status: 'inconclusive' });
  const must = condition();
  const rule = condition({ condition: 'p95 > 1s over 5m', message: 'p95 is 2 s, is > 1 s' });
  const steps = [{ index: 0, conditions: [own] }];
  const told = { conditions: [own, rule], rules: [must] };
  t.same(conditionsThen({ step: 0, ...told }, steps), told, 'as the decision says');
  const older = conditionsThen({ step: 0, conditions: [own, must, rule] }, steps);
  t.same(older, { conditions: [own, must], rules: [rule] }, 'an older one does not say it');
});

t.test('rows: under way first, the live state knows better', async (t) => {
  const over = rollout({ id: 'shop-2', phase: 'RolledBack', endedAt: later(60_000) });
  const listed = [over, rollout({ id: 'shop-1', step: 1 })];
  const live = [rollout({ id: 'cart-1', service: 'cart', phase: 'Paused' }), rollout({ id: 'shop-1', step: 2 })];
  const all = { service: '', phase: '' } as const;
  t.same(
    rowsOf(listed, live, all).map(({ id, step }) => [id, step]),
    [
      ['cart-1', 1],
      ['shop-1', 2],
      ['shop-2', 1],
    ],
  );
  const ids = (filter: Partial<Parameters<typeof rowsOf>[2]>): string[] =>
    rowsOf(listed, live, { ...all, ...filter }).map(({ id }) => id);
  t.same(ids({ service: 'shop' }), ['shop-1', 'shop-2']);
  t.same(ids({ phase: 'open' }), ['cart-1', 'shop-1']);
  t.same(ids({ phase: 'RolledBack' }), ['shop-2']);
  t.equal(tookOf(over, 0), 60_000);
  t.equal(tookOf({ startedAt: null, endedAt: null }, 0), null);
  t.equal(tookOf({ startedAt: AT, endedAt: null }, Date.parse(AT) + 5), 5);
});
