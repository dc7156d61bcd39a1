/** What takes a version back, what only holds it, and what does neither. */
import t from 'tap';
import { SPARED } from '../../src/control/analysis/evidence-message.ts';
import { dangerOf } from '../../src/control/rollout/danger.ts';
import type { Observation } from '../../src/control/rollout/observation.ts';
import { CALM, crossed, health, QUICK, rolloutOf, seenOf, strategyOf } from './rollout-stage.ts';

const RULES = [
  { when: 'error_rate > 1%', window: '5m', level: 'warning' },
  { when: 'p95 > 100ms', window: '5m', action: 'gradual' },
  { when: 'p99 > 900ms', window: '5m', action: 'immediate' },
];
const ROLLOUT = rolloutOf(strategyOf({ ...QUICK, rollbackWhen: RULES, unavailableFor: '5s' }), {
  ...{ phase: 'Progressing', step: 0, weight: 10 },
});
const danger = (more: Partial<Observation>) => dangerOf(ROLLOUT, seenOf(more));
const rule = (status: 'pass' | 'fail' | 'inconclusive' | 'error') =>
  ({ condition: '', metric: '', status, value: 1, limit: 1, baseline: null, samples: 9, message: 'so it is' }) as const;
const failing = { ...CALM, stable: { ...CALM.stable, failed: 7, trials: 90 } };
const both = { ...failing, bothFail: true };
const budget = { used: 20, max: 20, spent: true };

t.test('nothing', async (t) => {
  t.equal(danger({}), null);
  t.equal(danger({ rules: [rule('inconclusive'), rule('error'), rule('fail')] }), null, 'no data is no danger');
  t.equal(danger({ health: { unavailable: 0, known: false, stableUnavailable: false } }), null);
  t.equal(danger({ health: { ...health, stableUnavailable: true } }), null, 'stable alone is not about the canary');
  t.equal(danger({ evidence: both }), null, 'both fail, and nothing speaks against the canary');
});

t.test('each cause', async (t) => {
  t.match(danger({ gone: 'v2 is gone' }), { cause: 'configuration', mode: 'immediate', reason: 'v2 is gone' });
  for (const test of ['errors', 'latency', 'ratio', 'slo'] as const) {
    const evidence = { ...CALM, verdict: crossed(test) };
    t.match(danger({ evidence }), { cause: 'evidence', mode: 'immediate', reason: `${test} are too many` }, test);
  }
  t.match(danger({ switched: 'errors' }), { cause: 'evidence', reason: 'a worker found enough evidence (errors)' });
  const evidence = { ...CALM, tests: [crossed('latency')] };
  t.match(danger({ switched: 'latency', evidence }), { cause: 'evidence', reason: 'latency are too many' });
  t.match(danger({ evidence: { ...CALM, budget } }), { cause: 'budget', reason: /20 failed attempts of at most 20/ });
  t.match(danger({ switched: 'budget' }), { cause: 'budget', mode: 'immediate' });
  t.match(danger({ rules: [rule('fail'), rule('pass'), rule('fail')] }), { cause: 'condition', mode: 'gradual' });
  t.match(
    danger({ rules: [rule('fail'), rule('pass'), rule('pass')] }),
    { mode: 'immediate' },
    'the worst rule counts',
  );
  t.equal(danger({ rules: [rule('pass'), rule('fail'), rule('fail')] }), null, 'a warning takes nothing back');
  t.equal(danger({ health: { ...health, unavailable: 4_999 } }), null);
  t.match(danger({ health: { ...health, unavailable: 5_000 } }), { cause: 'health', reason: /for 5 s/ });
  t.match(danger({ evidence: { ...CALM, mismatch: crossed('ratio') } }), { cause: 'incident' });
});

t.test('both fail much: held, although nothing was asked for that would notice', async (t) => {
  t.match(danger({ bothDown: true }), { cause: 'incident', reason: /v1 and v2 fail at once/ });
  t.match(danger({ bothDown: true, evidence: { ...CALM, verdict: crossed('errors') } }), { cause: 'evidence' });
});

t.test('a rule that applies to stable as well is no fault of the canary', async (t) => {
  const rules = [rule('fail'), rule('pass'), rule('fail')];
  const applies = { rules, stableRules: [rule('fail'), rule('pass'), rule('fail')] };
  t.match(danger(applies), { cause: 'incident', reason: /but it applies to v1 as well/ });
  t.match(danger({ rules, stableRules: [rule('pass'), rule('fail'), rule('pass')] }), { cause: 'condition' });
  t.match(danger({ rules, stableRules: rules.map(() => rule('inconclusive')) }), { cause: 'condition' });
});

t.test('stable fails as well: what looks at the canary alone only holds', async (t) => {
  const held: Partial<Observation>[] = [
    { evidence: { ...both, verdict: crossed('slo') } },
    { evidence: { ...both, budget } },
    { evidence: both, switched: 'budget' },
    { evidence: both, rules: [rule('fail'), rule('pass')] },
  ];
  for (const more of held)
    t.match(danger(more), { cause: 'incident', reason: /v1 fails as well \(7 of 90 requests\)/ });
  const spared = { ...crossed('slo'), message: `slo are too many${SPARED}` };
  t.equal(
    danger({ evidence: { ...both, verdict: null, tests: [spared] }, outage: true })?.reason,
    "slo are too many; but v1 fails as well (7 of 90 requests), so this is not the canary's doing alone",
    'said once',
  );
  const down = { ...health, unavailable: 9_000 };
  t.match(danger({ health: down, evidence: both }), { cause: 'health' }, 'a canary that is gone is gone whoever fails');
  const allDown = { ...down, stableUnavailable: true };
  t.match(danger({ health: allDown }), { cause: 'incident', reason: /no endpoint of v1 is available either/ });
  t.match(danger({ switched: 'budget', health: { ...health, stableUnavailable: true } }), { cause: 'incident' });
});

t.test('attribution has compared with stable, so it is acted upon all the same', async (t) => {
  for (const test of ['errors', 'latency', 'ratio'] as const) {
    t.match(danger({ evidence: { ...both, verdict: crossed(test) } }), { cause: 'evidence' }, test);
  }
  t.match(danger({ evidence: both, switched: 'errors' }), { cause: 'evidence' });
  t.match(danger({ evidence: { ...both, mismatch: crossed('ratio') }, switched: 'errors' }), { cause: 'evidence' });
});
