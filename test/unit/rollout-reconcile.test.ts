/** What a rollout does next: every transition of the diagram at the head of reconcile.ts, and what holds in whatever order things come. */
import t from 'tap';
import type { Observation } from '../../src/control/rollout/observation.ts';
import { reconcile } from '../../src/control/rollout/reconcile.ts';
import type { Pause, Rollout, TaskResult } from '../../src/control/rollout/rollout.ts';
import { DRAIN_WAIT } from '../../src/control/rollout/take-back.ts';
import { CALM, crossed, health, NOW, QUICK, resultOf, rolloutOf, seenOf, strategyOf } from './rollout-stage.ts';

const hook = (name: string, onFailure = 'rollback') => ({ name, webhook: { url: 'http://127.0.0.1:1/' }, onFailure });
const rule = (status: 'pass' | 'fail') =>
  ({ condition: '', metric: '', status, value: 1, limit: 1, baseline: null, samples: 9, message: 'so it is' }) as const;
const open = [{ ...rule('fail'), message: 'errors' }];
const down = { ...health, unavailable: 60_000 };

/** One look. */
const look = (rollout: Rollout, seen: Partial<Observation> = {}, now = NOW) => reconcile(rollout, seenOf(seen), now);

/** Looks until nothing changes any more, as the controller does. Something is in flight, so that a way back is not over at once. */
function settled(rollout: Rollout, seen: Partial<Observation> = {}, now = NOW): Rollout {
  let before = rollout;
  for (let turns = 0; turns < 20; turns++) {
    const { next } = look(before, { inFlight: 1, ...seen, ...(turns > 0 && { elapsed: 0 }) }, now);
    if (next.phase === before.phase && next.step === before.step) return next;
    before = next;
  }
  throw new Error('it goes in a circle');
}

const started = (raw: object, more: Partial<Rollout> = {}): Rollout => settled(rolloutOf(strategyOf(raw), more));
const done = (rollout: Rollout, id: string, result: TaskResult): Rollout => ({
  ...rollout,
  tasks: { ...rollout.tasks, [id]: { startedAt: NOW, result } },
});
const begun = (actions: ReturnType<typeof look>['actions']): string[] =>
  actions.flatMap((action) => (action.do === 'task' ? [action.id] : []));
const openSteps = ({ steps }: Rollout): number => steps.filter(({ endedAt }) => endedAt === null).length;

t.test('Queued waits for its turn, approvals and a window, and is over where it cannot be meant', async (t) => {
  const queued = rolloutOf(strategyOf(QUICK));
  for (const key of ['blocked', 'unapproved', 'frozen'] as const) {
    t.match(look(queued, { [key]: 'somebody' }).next, { phase: 'Queued', waiting: 'somebody', startedAt: null }, key);
  }
  t.match(look(queued, { gone: 'v2 is gone' }).next, { phase: 'Failed', decision: { cause: 'configuration' } });
  t.match(look(queued).next, { phase: 'Preflight', startedAt: NOW });
  t.match(settled(queued), { phase: 'Progressing', step: 0, weight: 10 });
});

t.test('Preflight: hooks first, then checks; either ends it before users come', async (t) => {
  const raw = {
    steps: [
      { name: 'checks', preflight: { health: true } },
      { name: 'few', weight: 10, for: '1m' },
    ],
    hooks: { start: [hook('a')] },
  };
  const first = look(rolloutOf(strategyOf(raw)));
  t.strictSame(begun(first.actions), ['hook:start:0']);
  const waits = look(first.next);
  t.match(waits.next, { phase: 'Preflight', step: -1, waiting: 'start hooks' });
  t.strictSame(begun(waits.actions), ['hook:start:0'], 'asked for again, for a restart');
  t.match(settled(done(first.next, 'hook:start:0', resultOf(false))), {
    ...{
      phase: 'Failed',
      weight: 0,
      endedAt: NOW,
      decision: { cause: 'hook', reason: 'the hook a failed: it says no' },
    },
  });
  const checks = settled(done(first.next, 'hook:start:0', resultOf(true)));
  t.match(checks, { phase: 'Preflight', step: 0, waiting: 'checks of checks' });
  t.strictSame(begun(look(checks).actions), ['preflight:0']);
  t.match(settled(done(checks, 'preflight:0', resultOf(false))), { phase: 'Failed', decision: { cause: 'preflight' } });
  const passed = done(checks, 'preflight:0', resultOf(true));
  t.match(
    settled(passed, { frozen: 'it is night' }),
    { phase: 'Preflight', waiting: 'it is night' },
    'no users in a freeze',
  );
  t.match(settled(passed), {
    phase: 'Progressing',
    step: 1,
    weight: 10,
    steps: [{ result: 'passed' }, { result: null }],
  });
  const ignored = { ...raw, hooks: { start: [hook('a', 'ignore')] } };
  t.match(settled(done(started(ignored), 'hook:start:0', resultOf(false))), { phase: 'Preflight', step: 0 });
  t.match(look(checks, { gone: 'v1 is gone' }).next, { phase: 'Failed' });
});

t.test('Progressing: time, conditions, and who lengthens or shortens them', async (t) => {
  const first = started({ ...QUICK, stepDeadline: '10s' });
  t.match(settled(first, { elapsed: 999 }), { step: 0, soaked: 999, waiting: null });
  t.match(settled(first, { elapsed: 1_000 }), { step: 1, weight: 50, soaked: 0 });
  t.match(settled(first, { elapsed: 1_000, conditions: open }), { step: 0, waiting: 'errors', held: 1_000 });
  t.match(settled(first, { elapsed: 1_000, frozen: 'it is night' }), { step: 0, waiting: 'it is night' });
  t.match(settled({ ...first, held: 9_000 }, { elapsed: 1_000, conditions: open }), {
    ...{ phase: 'RollingBack', decision: { cause: 'deadline', reason: 'the step has been held for 10 s: errors' } },
  });
  t.match(
    settled({ ...started(QUICK), held: 1e9 }, { elapsed: 1_000, conditions: open }),
    { phase: 'Progressing' },
    'for ever',
  );
  const proof = { logE: 9, threshold: 3, proved: true, needs: 0 };
  const proved = { evidence: { ...CALM, proof }, elapsed: 1 };
  t.match(settled(first, proved), { step: 0 }, 'nobody asked for it');
  const early = started({ ...QUICK, evidence: { earlyPass: true, slo: '1%' } });
  t.match(look(early, proved).next, { step: 1 });
  t.match(look(early, { ...proved, conditions: open }).next, { step: 0 });
  t.match(look(early, { ...proved, frozen: 'it is night' }).next, { step: 0 });
});

t.test('a ramp reaches its end exactly, and measures anew with every rise', async (t) => {
  let rollout = started({
    steps: [
      { name: 'up', ramp: { to: 70, by: 30, every: '1s' } },
      { name: 'rest', weight: 100 },
    ],
  });
  const weights = [rollout.weight];
  while (rollout.step === 0) {
    const { next, actions } = look(rollout, { elapsed: 1_000 });
    if (next.step === 0)
      t.match(
        actions.find((action) => action.do === 'measure-anew'),
        { step: false },
      );
    rollout = next;
    weights.push(rollout.weight);
  }
  t.strictSame(weights, [30, 60, 70, 100]);
  t.equal(openSteps(rollout), 1);
  const fine = started({ steps: [{ name: 'up', ramp: { to: 1, by: 0.1, every: '1s' } }] });
  let last = fine;
  for (let turns = 0; turns < 9; turns++) last = look(last, { elapsed: 1_000 }).next;
  t.equal(last.weight, 1, 'no dust of binary fractions');
  t.match(look(fine, { elapsed: 1_000, conditions: open }).next, { weight: 0.1, waiting: 'errors' });
});

t.test('a gate: yes, not yet, no, too late', async (t) => {
  const webhook = { url: 'http://127.0.0.1:1/', every: '30s', deadline: '1m' };
  const gate = started({
    steps: [
      { name: 'few', weight: 10, for: '1m' },
      { name: 'ask', webhook },
      { name: 'half', weight: 50, for: '1m' },
    ],
  });
  const asked = settled(gate, { elapsed: 1e6 });
  t.match(asked, { step: 1, weight: 10, waiting: 'the gate ask' });
  t.strictSame(begun(look(asked).actions), ['gate:1']);
  const yes = done(asked, 'gate:1', resultOf(true));
  t.match(look(yes, { frozen: 'it is night' }).next, { step: 1, waiting: 'it is night' });
  t.match(look(yes).next, { step: 2, weight: 50 });
  t.match(look(done(asked, 'gate:1', resultOf(false))).next, { phase: 'RollingBack', decision: { cause: 'gate' } });
  const later = done(asked, 'gate:1', resultOf(false, { again: true, message: 'tests run' }));
  t.strictSame(begun(look(later, {}, NOW + 29_999).actions), []);
  t.match(look(later, {}, NOW + 29_999).next, { waiting: 'the gate ask: tests run' });
  t.strictSame(begun(look(later, {}, NOW + 30_000).actions), ['gate:1']);
  t.match(look({ ...later, soaked: 59_000 }, { elapsed: 1_000 }).next, {
    ...{ phase: 'RollingBack', decision: { reason: 'ask: tests run, and its deadline is over' } },
  });
});

t.test('a pause: for a time, for somebody, for approvals', async (t) => {
  const paused = (pause: string): Rollout =>
    settled(
      started({
        steps: [
          { name: 'few', weight: 10, for: '1m' },
          { name: 'wait', pause },
          { name: 'half', weight: 50, for: '1m' },
        ],
      }),
      {
        ...{ elapsed: 1e6, unapproved: 'a key is missing' },
      },
    );
  const timed = paused('10s');
  t.match(timed, { phase: 'Paused', step: 1, pause: { by: 'step', until: 'time', for: 10_000 } });
  t.match(settled(timed, { elapsed: 9_999 }), { phase: 'Paused', soaked: 9_999 });
  t.match(settled(timed, { elapsed: 10_000, frozen: 'it is night' }), { phase: 'Paused', waiting: 'it is night' });
  const turn = look(timed, { elapsed: 10_000 });
  t.match(turn.next, { phase: 'Progressing', step: 2, pause: null });
  t.strictSame(
    turn.actions.flatMap((action) => (action.do === 'tell' ? [action.event.type] : [])),
    ['rollout.resumed', 'rollout.step'],
  );
  t.match(settled(paused('manual'), { elapsed: 1e9 }), { phase: 'Paused', step: 1 });
  const keys = paused('approval');
  t.match(settled(keys, { elapsed: 1e9, unapproved: 'a key is missing' }), {
    phase: 'Paused',
    waiting: 'a key is missing',
  });
  t.match(settled(keys), { step: 2, weight: 50 });
  t.match(settled(keys, { frozen: 'it is night' }), { phase: 'Paused' });
  t.match(settled(timed, { health: down }), { phase: 'RollingBack', decision: { cause: 'health' } }, 'dangers count');
});

t.test('held by an incident: told once, and nothing moves', async (t) => {
  const seen = { evidence: { ...CALM, mismatch: crossed('ratio') }, elapsed: 1e6 };
  const { next, actions } = look(started(QUICK), seen);
  t.match(next, { phase: 'Paused', weight: 10, pause: { by: 'incident' }, decision: { cause: 'incident' } });
  t.match(actions, [{ event: { type: 'rollout.incident', level: 'critical' } }]);
  t.strictSame(look(next, seen), { next, actions: [] });
  t.match(settled(next, { elapsed: 1e6 }), { phase: 'Paused' }, 'not on by itself when it is over');
  t.match(look(next, { switched: 'errors' }).next, { phase: 'RollingBack' }, 'a proven danger is acted upon');
});

t.test('promotion only with a guard that passes', async (t) => {
  const last = { ...started(QUICK), step: 2, weight: 100 };
  t.match(look(last, { elapsed: 1_000 }).next, {
    phase: 'Promoting',
    waiting: null,
    step: 3,
    steps: [{ result: 'passed' }],
  });
  const unknown = { health: { ...health, known: false } };
  const held = look(last, { elapsed: 1_000, ...unknown }).next;
  t.match(held, { phase: 'Promoting', waiting: 'it is not known whether v2 is healthy' });
  t.match(settled(held, unknown), { phase: 'Promoting', waiting: /not known/ });
  t.match(settled(held, { frozen: 'it is night' }), { phase: 'Promoting', waiting: 'it is night' });
  t.match(settled(held, { health: { ...health, unavailable: 1 } }), { waiting: 'no endpoint of v2 is available' });
  t.match(settled(held), { phase: 'Promoting', waiting: null });
  t.match(settled(held, { health: down }), { phase: 'RollingBack' });
  const service = { lanes: { stable: 'v2' }, weights: { v1: 0, v2: 100 } };
  t.match(settled({ ...held, waiting: null }, { service }), { phase: 'Succeeded', weight: 100, endedAt: NOW });
  t.match(settled(held, { service: { ...service, weights: { v1: 1, v2: 99 } } }), { phase: 'Promoting' });
});

t.test('step hooks: begun with the step, of the steps that there are, and a late failure counts', async (t) => {
  const raw = { ...QUICK, hooks: { step: [hook('probe')], success: [hook('tidy', 'ignore')] } };
  const first = started(raw);
  t.strictSame(begun(look(first).actions), ['hook:step:0:0']);
  const second = look(done(first, 'hook:step:0:0', resultOf(true)), { elapsed: 1_000 });
  t.strictSame(begun(second.actions), ['hook:step:1:0']);
  const cause = { phase: 'RollingBack', decision: { cause: 'hook', reason: 'the hook probe failed: it says no' } };
  t.match(look(done(second.next, 'hook:step:1:0', resultOf(false))).next, cause);
  t.match(look(done(second.next, 'hook:step:0:0', resultOf(false))).next, cause, 'of the step before');
  const promoting = look({ ...first, step: 2 }, { elapsed: 1_000 }).next;
  t.strictSame(begun(look(promoting).actions), [], 'behind the last step there is none');
  const service = { lanes: { stable: 'v2' }, weights: { v2: 100 } };
  t.strictSame(begun(look(promoting, { service }).actions), ['hook:success:0']);
  const ignored = started({ ...raw, hooks: { step: [hook('probe', 'ignore')] } });
  t.match(look(done(ignored, 'hook:step:0:0', resultOf(false))).next, { phase: 'Progressing' });
});

t.test('override steps take no time', async (t) => {
  const raw = {
    steps: [
      { name: 'few', weight: 10, for: '1m' },
      { name: 'shut', override: 'off' },
      { name: 'half', weight: 50, for: '1m' },
    ],
  };
  t.match(settled(settled(started(raw), { elapsed: 1e6 })), {
    step: 2,
    weight: 50,
    steps: [{}, { result: 'passed' }, {}],
  });
});

t.test('a rule that only warns is told once per step', async (t) => {
  const raw = { ...QUICK, rollbackWhen: [{ when: 'error_rate > 1%', window: '5m', level: 'warning' }] };
  const told = look(started(raw), { rules: [rule('pass')] });
  t.match(told.actions, [{ event: { type: 'rollout.warning', level: 'warning', message: /so it is/ } }]);
  t.strictSame(look(told.next, { rules: [rule('pass')] }).actions, []);
  t.strictSame(look(told.next, { rules: [rule('fail')] }).actions, []);
  const next = look(told.next, { elapsed: 1_000 }).next;
  t.equal(look(next, { rules: [rule('pass')] }).actions.length, 1);
});

t.test('the way back at once: the decision, hooks, and what is in flight', async (t) => {
  const raw = { ...QUICK, hooks: { rollback: [hook('page', 'ignore')] } };
  const { next, actions } = look(started(raw), { switched: 'errors', inFlight: 2 });
  t.match(next, { phase: 'RollingBack', weight: 0, rollback: { mode: 'immediate' }, steps: [{ result: 'failed' }] });
  t.strictSame(begun(actions), ['hook:rollback:0']);
  t.strictSame(begun(look(next, { inFlight: 2 }).actions), ['hook:rollback:0'], 'again, for a restart');
  t.strictSame(begun(look(done(next, 'hook:rollback:0', resultOf(false)), { inFlight: 2 }).actions), []);
  t.match(look(next, { inFlight: 2 }, NOW + DRAIN_WAIT - 1).next, {
    phase: 'RollingBack',
    waiting: '2 in flight on v2',
  });
  t.match(look(next, { inFlight: 2 }, NOW + DRAIN_WAIT).next, { phase: 'RolledBack', rollback: { drainedAt: null } });
  t.match(look(next, {}, NOW + 5).next, { phase: 'RolledBack', endedAt: NOW + 5, rollback: { drainedAt: NOW + 5 } });
});

t.test('what was in flight when it was decided is counted at the end', async (t) => {
  const of = (version: string, requests: number, errors: number) => ({
    ...{ version, requests, errors, shielded: errors, userErrors: 0 },
    ...{ p50: 1, p95: 2, p99: 3, p999: 4 },
  });
  const decided = look(started(QUICK), {
    switched: 'errors',
    inFlight: 1,
    canary: of('v2', 20, 3),
    stable: of('v1', 180, 0),
  });
  const stepOf = (seen: Partial<Observation>) => look(decided.next, seen, NOW + 5).next.steps.at(-1);
  t.match(stepOf({ canary: of('v2', 21, 4), stable: of('v1', 185, 0) }), {
    ...{ result: 'failed', endedAt: NOW },
    ...{ canary: { requests: 21, errors: 4, shielded: 4 }, stable: { requests: 185 } },
  });
  t.match(stepOf({ canary: of('v2', 1, 1) }), { canary: { requests: 20, errors: 3 } }, 'not by what is counted anew');
  t.match(stepOf({ canary: null }), { canary: { requests: 20 } });
});

t.test('the way back step by step: less each time, hurried by what is worse', async (t) => {
  const raw = {
    ...{ ...QUICK, gradual: { by: 20, every: '10s' } },
    rollbackWhen: [{ when: 'p95 > 100ms', window: '5m', action: 'gradual' }],
  };
  const rules = [rule('pass')];
  const first = look({ ...started(raw), weight: 50 }, { rules }).next;
  t.match(first, { phase: 'RollingBack', weight: 30, rollback: { mode: 'gradual', nextAt: NOW + 10_000 } });
  t.equal(look(first, { rules }, NOW + 9_999).next, first, 'the rule that began it does not make it worse');
  const second = look(first, { rules }, NOW + 10_000).next;
  t.match(second, { weight: 10, rollback: { nextAt: NOW + 20_000 } });
  const third = look(second, {}, NOW + 20_000).next;
  t.match(third, { weight: 0, phase: 'RollingBack' });
  t.match(
    look(third, { inFlight: 1 }, NOW + 20_001).next,
    { phase: 'RollingBack' },
    'what is in flight is waited for from here',
  );
  t.match(look(third, { inFlight: 1 }, NOW + 20_000 + DRAIN_WAIT).next, { phase: 'RolledBack' });
  t.match(look(first, { switched: 'errors' }).next, { weight: 0, rollback: { mode: 'immediate' } });
  t.match(look(first, { evidence: { ...CALM, mismatch: crossed('ratio') } }).next, { weight: 30 }, 'nothing holds it');
  t.match(look({ ...started(raw), weight: 20 }, { rules }).next, { weight: 0, rollback: { mode: 'immediate' } });
});

t.test('what is over stays as it is', async (t) => {
  for (const phase of ['Succeeded', 'RolledBack', 'Failed'] as const) {
    const rollout = rolloutOf(strategyOf(QUICK), { phase });
    const turn = look(rollout, { switched: 'errors', gone: 'all of it', elapsed: 1e6 });
    t.equal(turn.next, rollout, phase);
    t.strictSame(turn.actions, []);
  }
});

t.test('waiting is noted once, whatever the numbers in it do', async (t) => {
  let rollout = started(QUICK);
  for (let turn = 0; turn < 50; turn++) {
    const conditions = [{ ...open[0]!, message: `error_rate is ${turn}.5 %` }];
    rollout = look(rollout, { elapsed: 1_000, conditions }).next;
  }
  t.equal(rollout.waiting, 'error_rate is 49.5 %');
  t.equal(rollout.timeline.filter(({ kind }) => kind === 'waiting').length, 1);
});

t.test('a paused one without a pause goes on', async (t) => {
  const pause: Pause | null = null;
  t.match(look({ ...started(QUICK), phase: 'Paused', pause }).next, { phase: 'Progressing' });
});
