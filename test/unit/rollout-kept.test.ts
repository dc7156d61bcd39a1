/** What the state has of rollouts, damaged in every way that one change of one field can be. */
import t from 'tap';
import { rolloutsIn, type Unreadable } from '../../src/control/rollout/kept-rollouts.ts';
import { type Rollout, rolloutKey } from '../../src/control/rollout/rollout.ts';
import { newStore, type Teardown } from '../kit/store.ts';
import { newRolloutStage, QUICK, rolloutOf, strategyOf } from './rollout-stage.ts';

const RICH = {
  steps: [
    { preflight: { warmUp: { path: '/', requests: 5 }, smoke: [{ path: '/', headers: { 'X-A': 'b' } }] } },
    { weight: 5, for: '1m', pass: ['error_rate < 1%', 'p95 <= baseline * 1.2 over 5m'] },
    { pause: 'approval' },
    { webhook: { url: 'http://127.0.0.1:9/' } },
    { ramp: { to: 100, by: 20, every: '1m' } },
  ],
  rollbackWhen: [{ when: 'error_rate > 5%', window: '1m' }],
  freeze: [{ name: 'weekend', days: ['sat'], timeZone: 'Europe/Berlin' }],
  approvals: { required: 1 },
  hooks: { start: [{ name: 'tell', webhook: { url: 'http://127.0.0.1:9/' } }] },
};

/** Every place in a value that a name or a number leads to. */
function places(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, each]) => places(each, [...path, key]))];
}

function changed(value: unknown, path: readonly (string | number)[], to: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return to;
  const copy: Record<string, unknown> = Array.isArray(value) ? ([...value] as never) : { ...(value as object) };
  copy[key] = changed((value as Record<string, unknown>)[key], rest, to);
  return copy;
}

async function keptOf(t: Teardown, value: unknown): Promise<{ rollouts: readonly Rollout[]; found: Unreadable[] }> {
  const { store } = newStore(t, null);
  await store.commit({ puts: [{ key: rolloutKey('shop-1'), value }] });
  const found: Unreadable[] = [];
  const rollouts = await rolloutsIn(store, (each) => void found.push(each));
  await store.close();
  return { rollouts, found };
}
const RUNNING = rolloutOf(strategyOf(RICH), { phase: 'Progressing', startedAt: 1, step: 1, weight: 5 });

t.test('a rollout that Sluice has written is read', async (t) => {
  t.same(await keptOf(t, RUNNING), { rollouts: [JSON.parse(JSON.stringify(RUNNING))], found: [] });
});

t.test('what is no rollout is left out, with a reason', async (t) => {
  const cases: readonly [unknown, RegExp][] = [
    [null, /it is no mapping/],
    [5, /it is no mapping/],
    [[], /it is no mapping/],
    [{}, /id is no text/],
    [{ ...RUNNING, id: 'shop-2' }, /called "shop-2"/],
    [{ ...RUNNING, phase: 'Bogus' }, /phase/],
    [{ ...RUNNING, step: 99 }, /step/],
    [{ ...RUNNING, phase: 'RollingBack' }, /rollback is missing/],
    [{ ...RUNNING, createdAt: 1e300 }, /createdAt is no time/],
    [changed(RUNNING, ['strategy', 'steps', 1, 'kind'], 'teleport'), /strategy.steps.1.kind is none/],
    [changed(RUNNING, ['strategy', 'freeze', 0, 'timeZone'], 'No/Where'), /timeZone is no zone/],
  ];
  for (const [value, reason] of cases) {
    const { rollouts, found } = await keptOf(t, value);
    t.same(rollouts, []);
    t.match(found, [{ key: 'rollout/shop-1', reason }]);
  }
});

t.test('whatever field is damaged, Sluice starts, looks at what is left, and shows it', async (t) => {
  const first = await newRolloutStage(t);
  await first.start(QUICK);
  await first.pass(300);
  const whole = await first.stored();
  const fields = places(whole).slice(1);
  t.ok(fields.length > 50);
  for (const [index, path] of fields.entries()) {
    const to = [null, undefined, 'x', -7, {}, [null]][index % 6];
    const what = `${path.join('.')} = ${JSON.stringify(to)}`;
    await first.store.commit({ puts: [{ key: rolloutKey('shop-1'), value: changed(whole, path, to) }] });
    const stage = await newRolloutStage(t, { before: first });
    t.equal(stage.controller.all().length, (await rolloutsIn(first.store)).length, what);
    for (const { id } of stage.controller.all()) {
      await stage.pass(300);
      t.ok(stage.operations.get(id), what);
      t.ok(stage.operations.why(id), what);
    }
    t.same(stage.errors, [], what);
  }
});
