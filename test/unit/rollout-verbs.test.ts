/** What may be said to a rollout, in each phase; and that nothing said goes past two keys. */
import t from 'tap';
import { OperationError } from '../../src/control/problems.ts';
import type { Observation } from '../../src/control/rollout/observation.ts';
import { reconcile } from '../../src/control/rollout/reconcile.ts';
import { type Pause, PHASES, type Phase, type Rollout } from '../../src/control/rollout/rollout.ts';
import { applyVerb, type TurnVerb } from '../../src/control/rollout/verbs.ts';
import { CALM, crossed, NOW, QUICK, rolloutOf, seenOf, strategyOf } from './rollout-stage.ts';

const by = { name: 'ann', role: 'operator' };
const VERBS: readonly TurnVerb[] = ['promote', 'pause', 'resume', 'skip', 'abort', 'rollback'];
const APPROVED = strategyOf({
  steps: [
    { name: 'few', weight: 10 },
    { name: 'keys', pause: 'approval' },
    { name: 'half', weight: 50 },
  ],
});
const record = (index: number, weight: number) => ({
  ...{ index, name: 'few', kind: 'weight', weight, startedAt: NOW, endedAt: null, result: null },
  ...{ canary: null, stable: null, conditions: [], evidence: null },
});
const pauseOf = (by: Pause['by'], until: Pause['until'] = 'manual'): Pause => ({
  ...{ by, until, reason: 'because', since: NOW, for: null },
});
const back = { mode: 'immediate', startedAt: NOW, nextAt: NOW, drainedAt: null, verified: null } as const;

function at(phase: Phase, more: Partial<Rollout> = {}): Rollout {
  const begun = phase !== 'Queued' && phase !== 'Preflight';
  return rolloutOf(strategyOf(QUICK), {
    ...{ phase, step: begun ? 0 : -1, weight: begun ? 10 : 0, startedAt: phase === 'Queued' ? null : NOW },
    steps: begun ? [record(0, 10)] : [],
    pause: phase === 'Paused' ? pauseOf('operator') : null,
    rollback: phase === 'RollingBack' ? back : null,
    ...more,
  });
}

interface Said {
  readonly full?: boolean;
  readonly mode?: 'immediate' | 'gradual';
  readonly seen?: Partial<Observation>;
}

/** The phase afterwards, or what it was refused with. */
function say(rollout: Rollout, verb: TurnVerb, { full = false, mode = 'immediate', seen = {} }: Said = {}) {
  try {
    return applyVerb(rollout, verb, seenOf(seen), NOW, { by, reason: '', full, mode }).next;
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

t.test('each verb in each phase', async (t) => {
  const allowed: Partial<Record<Phase, Partial<Record<TurnVerb, Phase>>>> = {
    Queued: { abort: 'Failed', rollback: 'Failed' },
    Preflight: { abort: 'Failed', rollback: 'Failed' },
    Progressing: {
      ...{ promote: 'Progressing', skip: 'Progressing', pause: 'Paused' },
      ...{ abort: 'RollingBack', rollback: 'RollingBack' },
    },
    Paused: {
      ...{ promote: 'Progressing', skip: 'Progressing', resume: 'Progressing' },
      ...{ abort: 'RollingBack', rollback: 'RollingBack' },
    },
    Promoting: { abort: 'RollingBack', rollback: 'RollingBack' },
    // Of a gradual one, the rest at once.
    RollingBack: { abort: 'RollingBack', rollback: 'RollingBack' },
  };
  for (const phase of PHASES) {
    for (const verb of VERBS) {
      const said = say(at(phase), verb);
      const expected = allowed[phase]?.[verb];
      if (expected !== undefined) t.equal(typeof said === 'string' ? said : said.phase, expected, `${verb}: ${phase}`);
      else t.match(said, /^conflict: .{20,}/, `${verb}: ${phase}`);
    }
  }
});

t.test('on to the next step', async (t) => {
  t.match(say(at('Progressing'), 'promote'), {
    step: 1,
    weight: 50,
    steps: [{ result: 'promoted' }, { endedAt: null }],
  });
  t.match(say(at('Paused'), 'skip'), { step: 1, pause: null, steps: [{ result: 'skipped' }, { endedAt: null }] });
  t.match(say(at('Progressing'), 'promote', { full: true }), {
    phase: 'Promoting',
    step: 3,
    steps: [{ result: 'promoted' }],
  });
  const failing = { condition: '', metric: '', value: 1, limit: 1, baseline: null, samples: 9, message: 'too many' };
  const conditions = [{ ...failing, status: 'fail' } as const];
  for (const full of [false, true]) {
    t.match(say(at('Progressing'), 'promote', { full, seen: { conditions } }), /^conflict: .*too many.*skip goes on/);
  }
  t.match(say(at('Progressing'), 'skip', { seen: { conditions } }), { step: 1 });
  t.match(say(at('Progressing'), 'promote', { seen: { conditions: [{ ...failing, status: 'inconclusive' }] } }), {
    step: 1,
  });
});

t.test('the last step leads through the guard, also for what nobody has acted upon yet', async (t) => {
  const last = at('Progressing', { step: 2, weight: 100 });
  t.match(say(last, 'skip'), { phase: 'Promoting', waiting: null });
  const dangers: Partial<Observation>[] = [
    { health: { unavailable: 0, known: false, stableUnavailable: false } },
    { health: { unavailable: 1, known: true, stableUnavailable: false } },
    { evidence: { ...CALM, verdict: crossed('errors') } },
    { evidence: { ...CALM, mismatch: crossed('ratio') } },
    { evidence: { ...CALM, budget: { used: 3, max: 3, spent: true } } },
    ...[{ switched: 'budget' } as const, { frozen: 'it is night' }, { gone: 'v1 is gone' }],
  ];
  for (const seen of dangers) {
    for (const verb of ['skip', 'promote'] as const) {
      const next = say(last, verb, { seen }) as Rollout;
      t.match(next, { phase: 'Promoting', waiting: /./ }, `${verb} ${JSON.stringify(Object.keys(seen))}`);
    }
  }
});

t.test('a pause for approval is passed by approvals alone', async (t) => {
  const missing = { unapproved: 'two keys are missing' };
  const waits = at('Paused', {
    ...{ strategy: APPROVED, step: 1, pause: pauseOf('step', 'approval') },
    steps: [{ ...record(0, 10), endedAt: NOW, result: 'passed' }, record(1, 10)],
  });
  for (const verb of ['promote', 'skip', 'resume'] as const) {
    for (const full of [false, true]) {
      t.match(say(waits, verb, { full, seen: missing }), /^conflict: /, `${verb} ${full}`);
    }
  }
  t.match(say(waits, 'resume'), { phase: 'Progressing', step: 2, weight: 50 }, 'approved');
  t.match(say(waits, 'promote', { full: true }), { phase: 'Promoting' });
  const early = at('Progressing', { strategy: APPROVED });
  t.match(say(early, 'promote', { full: true }), /^conflict: step 2, keys, asks for approval/);
  // An incident takes the place of the pause, and gives it back.
  const held = reconcile(waits, seenOf({ ...missing, evidence: { ...CALM, mismatch: crossed('ratio') } }), NOW).next;
  t.match(held.pause, { by: 'incident' });
  for (const verb of ['promote', 'skip'] as const) {
    for (const full of [false, true]) t.match(say(held, verb, { full, seen: missing }), /^conflict: .* is held/);
  }
  const resumed = say(held, 'resume', { seen: missing }) as Rollout;
  t.match(resumed, { phase: 'Paused', step: 1, pause: { by: 'step', until: 'approval' } });
  t.equal(resumed.steps.filter(({ endedAt }) => endedAt === null).length, 1, 'it is still the same step');
  t.match(reconcile(resumed, seenOf(missing), NOW).next, { phase: 'Paused', waiting: 'two keys are missing' });
});

t.test('what was held by an incident is not passed over', async (t) => {
  const held = at('Paused', { pause: pauseOf('incident') });
  for (const verb of ['promote', 'skip'] as const)
    t.match(say(held, verb), /^conflict: shop-1 is held: because; resume/);
  const { next, actions } = applyVerb(held, 'resume', seenOf(), NOW, {
    by,
    reason: '',
    full: false,
    mode: 'immediate',
  });
  t.match(next, { phase: 'Progressing', pause: null });
  t.strictSame(
    actions.map((action) => action.do),
    ['tell', 'measure-anew', 'reopen'],
  );
});

t.test('the way back', async (t) => {
  t.match(say(at('Progressing', { weight: 50 }), 'rollback', { mode: 'gradual' }), {
    ...{ weight: 30, rollback: { mode: 'gradual' }, decision: { cause: 'operator', by: 'ann' } },
  });
  t.match(say(at('Progressing', { weight: 50 }), 'abort', { mode: 'gradual' }), {
    weight: 0,
    rollback: { mode: 'immediate' },
  });
  const gradual = at('RollingBack', { weight: 30, rollback: { ...back, mode: 'gradual' } });
  t.match(say(gradual, 'rollback', { mode: 'gradual' }), /^conflict/);
  t.match(say(gradual, 'rollback'), { weight: 0, rollback: { mode: 'immediate', nextAt: NOW } });
  t.match(say(at('RollingBack', { weight: 0 }), 'rollback'), /^conflict/);
});

t.test('a success is undone while it is still the latest word', async (t) => {
  const done = at('Succeeded', { weight: 100, endedAt: NOW });
  const service = { lanes: { stable: 'v2' }, weights: { v1: 0, v2: 100 } };
  t.match(say(done, 'rollback', { seen: { service } }), {
    ...{ phase: 'RollingBack', weight: 0, endedAt: null, decision: { reason: 'undone by ann' } },
  });
  t.match(say(done, 'rollback'), /^conflict: v2 is not stable any more/);
  t.match(say(done, 'rollback', { seen: { service: { ...service, weights: { v2: 100 } } } }), /^conflict/);
  t.match(say(done, 'rollback', { seen: { service: null } }), /^conflict/);
});
