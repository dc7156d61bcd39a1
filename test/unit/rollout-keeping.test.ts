/** From a turn to one change: what is worth keeping, and that state, traffic, events and audit are one commit. */
import t from 'tap';
import { draftOf, isNotable } from '../../src/control/rollout/keeping.ts';
import type { Rollout } from '../../src/control/rollout/rollout.ts';
import type { Turn } from '../../src/control/rollout/turn.ts';
import { NOW, newRolloutStage, QUICK, rolloutOf, strategyOf } from './rollout-stage.ts';

const STRATEGY = strategyOf(QUICK);

t.test('what is worth keeping', async (t) => {
  const { config } = (await newRolloutStage(t)).core.state;
  const queued = rolloutOf(STRATEGY);
  t.equal(isNotable(queued, { ...queued, soaked: 5, waiting: 'for somebody', held: 3 }, [], config), false);
  t.equal(isNotable(queued, { ...queued, step: 1 }, [], config), true);
  t.equal(isNotable(queued, { ...queued, tasks: { a: { startedAt: 1, result: null } } }, [], config), true);
  const event = { type: 'rollout.step', level: 'info', message: '' } as const;
  t.equal(isNotable(queued, queued, [{ do: 'tell', event }], config), true);
  t.equal(isNotable(queued, queued, [{ do: 'reopen' }], config), false);
  const lost = rolloutOf(STRATEGY, { phase: 'Progressing', step: 0, weight: 10 });
  t.equal(isNotable(lost, lost, [], config), true, 'traffic is not as it should be');
  t.equal(isNotable(lost, { ...lost, service: 'gone' }, [], config), false);
});

t.test('one commit', async (t) => {
  const { state } = (await newRolloutStage(t, { shop: { lanes: { stable: 'v1', canary: 'v3' } } })).core;
  const draft = (next: Rollout, pack: unknown = null) => {
    const event = { type: 'rollout.step', level: 'info', message: 'on' } as const;
    const turn: Turn = { next, actions: [{ do: 'tell', event }] };
    return draftOf({ state, before: rolloutOf(STRATEGY), next, turn, pack, action: 'rollout.advance', now: NOW });
  };
  const begun = draft(rolloutOf(STRATEGY, { phase: 'Preflight', startedAt: NOW }));
  t.match(begun.rollout, {
    pack: 'pack-shop-1',
    before: { lanes: { stable: 'v1', canary: 'v3' }, weights: { v1: 100 } },
  });
  t.strictSame(
    begun.draft.records?.map(({ key }) => key),
    ['rollback-pack/pack-shop-1', 'rollout/shop-1'],
  );
  t.match(begun.draft, {
    scope: 'snapshot',
    urgent: false,
    target: 'rollouts/shop-1',
    after: { checksum: /^[0-9a-f]{64}$/ },
  });
  t.strictSame(
    begun.draft.events.map(({ type }) => type),
    ['rollout.step', 'lanes.changed'],
  );
  t.strictSame(
    begun.draft.puts?.map(({ key }) => key),
    ['override/services/shop/lanes'],
  );

  const later = draft({ ...begun.rollout, phase: 'Progressing', step: 0, weight: 10 });
  t.equal(later.draft.records?.length, 1, 'the pack is made once');
  t.match(later.draft.puts?.find(({ key }) => key.endsWith('/weights'))?.value, { v1: 90, v2: 10, v3: 0 });

  const waits = draft(rolloutOf(STRATEGY, { phase: 'Queued' }));
  t.match(waits.draft, { scope: 'nothing', puts: [], deletes: [] });
  t.equal(waits.rollout.pack, null);

  const back = draft({ ...begun.rollout, phase: 'RollingBack', weight: 0 });
  t.equal(back.draft.urgent, true);
  t.strictSame(back.draft.puts, [], 'it is as the file says');
  t.match(draft({ ...begun.rollout, service: 'gone', phase: 'RollingBack' }).draft, { scope: 'nothing', puts: [] });
});

t.test('behind a rollback everything is compared with the pack', async (t) => {
  const { state } = (await newRolloutStage(t)).core;
  const request = { state, before: rolloutOf(STRATEGY), action: 'rollout.advance', now: NOW };
  const next = rolloutOf(STRATEGY, { phase: 'Preflight', startedAt: NOW });
  const { draft, rollout } = draftOf({ ...request, next, turn: { next, actions: [] }, pack: null });
  const pack = draft.records?.[0]?.value;
  const rollback = { mode: 'immediate', startedAt: NOW, nextAt: NOW, drainedAt: NOW, verified: null } as const;
  const ended: Rollout = { ...rollout, phase: 'RolledBack', rollback };
  const over = draftOf({ ...request, next: ended, turn: { next: ended, actions: [] }, pack });
  t.strictSame(over.rollout.rollback?.verified, { ok: true, differences: [] });
  const entries = new Map([...state.entries, ['override/flags/beta', 30]]);
  const moved = draftOf({
    ...request,
    state: { ...state, entries },
    next: ended,
    turn: { next: ended, actions: [] },
    pack,
  });
  t.match(moved.draft, { deletes: ['override/flags/beta'], scope: 'snapshot', events: [{ type: 'flag.changed' }] });
  t.match(moved.rollout.rollback?.verified, { ok: true });
  const unknown = draftOf({ ...request, next: ended, turn: { next: ended, actions: [] }, pack: null });
  t.equal(unknown.rollout.rollback?.verified, null, 'a pack that is gone proves nothing');
});
