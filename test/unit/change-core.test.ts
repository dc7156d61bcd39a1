/** The way of a change: what happens in which order, and what is left when a part of it fails. */
import t from 'tap';
import type { Draft, RunningState } from '../../src/control/change/change-core.ts';
import { weightsDraft } from '../../src/control/change/weights.ts';
import type { NewEvent } from '../../src/control/events/event.ts';
import { OperationError } from '../../src/control/problems.ts';
import { endpointKey, flagKey, versionKey, weightsKey } from '../../src/control/state/overrides.ts';
import { turns } from '../kit/signal.ts';
import { CI, newStage, refusal, type Stage } from './change-stage.ts';

const WEIGHTS = { v1: 50, v2: 50, v3: 0 };
const V4 = [{ url: 'http://127.0.0.1:3009', weight: 1, maxRequests: 0 }];

const shop = (state: RunningState) => state.config.services[0]!;

const reweigh = (state: RunningState): Draft => weightsDraft(state, shop(state), WEIGHTS, { action: 'weights.set' });

const note = (message: string): NewEvent => ({ type: 'version.changed', level: 'info', service: 'shop', message });

const register = (name = 'v4', more: Partial<Draft> = {}): Draft => ({
  puts: [{ key: versionKey('shop', name), value: V4 }],
  scope: 'snapshot',
  action: 'version.set',
  target: `services/shop/versions/${name}`,
  before: null,
  after: V4,
  events: [note(`${name} is new`)],
  ...more,
});

const versionsOf = ({ core }: Stage): string[] => shop(core.state).versions.map(({ name }) => name);

t.test('weights: durable, then in the workers, then told', async (t) => {
  const stage = await newStage(t);
  const applied = await stage.core.change(CI, { reason: 'try it' }, reweigh);
  t.match(applied, { generation: 2, workers: 2, appliedInMs: Number });
  t.strictSame(stage.journal, ['commit weights.set', 'weigh v1=5000 v2=5000 v3=0', 'after 2', 'event weights.changed']);
  t.strictSame(await stage.kept(), { 'services/shop/weights': WEIGHTS });
  t.match(await stage.audit(), [
    {
      ...{ seq: 1, actor: 'ci', role: 'operator', address: '127.0.0.1', requestId: 'r-1', reason: 'try it' },
      ...{ action: 'weights.set', target: 'services/shop/weights', before: { v1: 90, v2: 10, v3: 0 }, after: WEIGHTS },
    },
  ]);
  t.match(await stage.store.events(0, 10), [{ type: 'weights.changed' }]);
  t.strictSame(shop(stage.core.state).weights, WEIGHTS);
});

t.test('a snapshot: the metrics hear of it before the workers', async (t) => {
  const stage = await newStage(t);
  await stage.core.change(CI, {}, () => register());
  t.strictSame(stage.journal, ['commit version.set', 'before 2', 'apply 2', 'after 2', 'event version.changed']);
  t.strictSame(versionsOf(stage), ['v1', 'v2', 'v3', 'v4']);
});

t.test('what concerns no worker is told to none', async (t) => {
  const stage = await newStage(t);
  const applied = await stage.core.change(CI, {}, () => register('v4', { scope: 'nothing', puts: [] }));
  t.equal(applied.workers, 0);
  t.strictSame(stage.journal, ['commit version.set', 'after 2', 'event version.changed']);
});

t.test('nothing has changed where', async (t) => {
  const unchanged = async (t: import('tap').Test, stage: Stage, expected: RegExp, make: () => Draft) => {
    const before = stage.core.state;
    t.match(await refusal(stage.core.change(CI, {}, make)), expected);
    t.equal(stage.core.state, before);
    t.strictSame(await stage.audit(), []);
    t.strictSame(await stage.kept(), {});
    t.notOk(
      stage.journal.some((word) => /^(apply|weigh|after|event|before)/.test(word)),
      stage.journal.join(),
    );
  };
  t.test('the draft is refused', async (t) => {
    await unchanged(t, await newStage(t), /^not_found: no such/, () => {
      throw new OperationError('not_found', 'no such');
    });
  });
  t.test('it does not fit', async (t) => {
    const puts = [{ key: weightsKey('shop'), value: { v1: 50, v2: 40, v3: 0 } }];
    const wrong = { puts, events: [] };
    await unchanged(t, await newStage(t), /^conflict: the weights sum to 90, not to 100/, () => register('x', wrong));
    const scope = { weights: 'shop' };
    await unchanged(t, await newStage(t), /^conflict: .* 90/, () => register('x', { ...wrong, scope }));
  });
  t.test('the tables have no room', async (t) => {
    const many = Array.from({ length: 1_021 }, (_, i) => ({ key: versionKey('shop', `x${i}`), value: V4 }));
    const stage = await newStage(t);
    await unchanged(t, stage, /^conflict: that would be 1025 versions; 1024 fit/, () => register('x', { puts: many }));
    t.equal(
      await refusal(stage.core.change(CI, {}, () => register('x', { puts: many.slice(1) }))),
      null,
      'one less fits',
    );
    const urls = Array.from({ length: 4_092 }, (_, i) => ({ ...V4[0]!, url: `http://127.0.0.1:${10_000 + i}` }));
    const full = { puts: [{ key: versionKey('shop', 'v4'), value: urls }] };
    await unchanged(t, await newStage(t), /^conflict: that would be 4097 endpoints; 4096 fit/, () =>
      register('v4', full),
    );
  });
  t.test('the disk refuses it; its event is never told and holds nobody up', async (t) => {
    for (const [trouble, expected] of [
      ['full', /^store_full: the state cannot be written \(no space left\); traffic goes on as before/],
      ['unavailable', /^store_unavailable: /],
    ] as const) {
      const stage = await newStage(t);
      stage.disk.trouble = trouble;
      await unchanged(t, stage, expected, () => register());
      stage.disk.trouble = null;
      stage.events.emit(note('next'));
      t.match(stage.told, [{ message: 'next' }], 'and nothing else');
      t.equal(stage.told.length, 1);
    }
  });
});

t.test('events: once each, in order, beside those that others emit meanwhile', async (t) => {
  const stage = await newStage(t);
  const gate = Promise.withResolvers<void>();
  stage.workers.gate = gate.promise;
  const change = stage.core.change(CI, {}, () => register('v4', { events: [note('one'), note('two')] }));
  await turns(2);
  stage.events.emit(note('three'));
  t.strictSame(stage.told, [], 'held until the change is told');
  gate.resolve();
  await change;
  t.strictSame(
    stage.told.map(({ message }) => message),
    ['one', 'two', 'three'],
  );
  t.strictSame(
    stage.told.map(({ id }) => id),
    [1, 2, 3],
  );
  await stage.pass(1_000);
  t.equal((await stage.store.events(0, 10)).length, 3, 'each is stored once');
});

t.test('a snapshot that the workers refuse is taken back, and the audit tells of both', async (t) => {
  const stage = await newStage(t);
  await stage.core.change(CI, {}, reweigh);
  const { state } = stage.core;
  stage.journal.length = 0;
  stage.told.length = 0;
  stage.workers.refuses = 'no port 0';
  const draft = register('v4', { deletes: [weightsKey('shop')] });
  t.equal(
    await refusal(stage.core.change(CI, {}, () => draft)),
    'conflict: the workers cannot run it: no port 0; nothing has changed',
  );
  t.strictSame(stage.journal.slice(0, 5), [
    'commit version.set',
    'before 3',
    'apply 3',
    'before 2',
    'commit version.set.taken-back',
  ]);
  t.equal(stage.core.state, state);
  t.strictSame(await stage.kept(), { 'services/shop/weights': WEIGHTS }, 'what it had taken away is back');
  t.strictSame(
    (await stage.audit()).map(({ action, reason }) => [action, reason]),
    [
      ['weights.set', ''],
      ['version.set', ''],
      ['version.set.taken-back', 'the workers could not run it'],
    ],
  );
  t.match(stage.told.at(-1), {
    type: 'override.dropped',
    data: { key: 'services/shop/versions/v4', reason: 'no port 0' },
  });
  stage.workers.refuses = null;
  t.equal((await stage.core.change(CI, {}, () => register('v5'))).generation, 3);
});

t.test('what a change makes pointless goes with it, and comes back with it', async (t) => {
  const disabled = { state: 'disabled', until: null };
  const key = endpointKey('shop', 'http://127.0.0.1:3004');
  const take = register('v3', { puts: [{ key: versionKey('shop', 'v3'), value: null }] });
  for (const refuses of [null, 'no'] as const) {
    const stage = await newStage(t);
    const close = register('v3', { puts: [{ key, value: disabled }], scope: 'nothing' });
    await stage.core.change(CI, {}, () => close);
    stage.workers.refuses = refuses;
    const outcome = await refusal(stage.core.change(CI, {}, () => take));
    const entry = (await stage.kept())['services/shop/endpoints/http://127.0.0.1:3004'];
    if (refuses === null) {
      t.equal(outcome, null);
      t.equal(entry, undefined, 'there is no such endpoint any more');
      t.notOk(stage.core.state.entries.has(key));
    } else {
      t.match(outcome, /^conflict/);
      t.strictSame(entry, disabled);
      t.ok(stage.core.state.entries.has(key));
    }
  }
});

t.test('a worker that says nothing: the change is kept, the caller is told', async (t) => {
  const stage = await newStage(t);
  stage.workers.missing = ['worker 1'];
  t.match(await refusal(stage.core.change(CI, {}, reweigh)), /^not_acknowledged: the change is kept, but worker 1/);
  t.strictSame(shop(stage.core.state).weights, WEIGHTS);
  t.match(stage.told, [{ type: 'weights.changed' }]);
  t.equal((await stage.audit()).length, 1);
});

t.test('an urgent change on a full disk is done and then refused', async (t) => {
  const stage = await newStage(t);
  stage.disk.trouble = 'full';
  const urgent = (state: RunningState): Draft =>
    weightsDraft(state, shop(state), { v1: 100, v2: 0, v3: 0 }, { action: 'rollback', urgent: true });
  t.match(
    await refusal(stage.core.change(CI, {}, urgent)),
    /^store_full: it is done, but not kept: .* a restart would bring the weights from before back/,
  );
  t.strictSame(stage.journal, ['refused', 'weigh v1=10000 v2=0 v3=0', 'after 2', 'event weights.changed']);
  t.equal(shop(stage.core.state).weights.v1, 100);
  t.strictSame(await stage.kept(), {});
  stage.disk.trouble = null;
  await stage.pass(2_000);
  t.match(await stage.store.events(0, 10), [{ type: 'weights.changed' }], 'the event is written as soon as it can be');
});

t.test('one at a time, each decided on what the one before has left', async (t) => {
  const stage = await newStage(t);
  const seen: number[] = [];
  const changes = Array.from({ length: 20 }, (_, i) =>
    stage.core.change(CI, {}, (state) => {
      seen.push(state.generation);
      if (i % 5 === 3) throw new OperationError('conflict', 'not this one');
      return i % 2 === 0 ? reweigh(state) : register(`x${i}`);
    }),
  );
  const results = await Promise.allSettled(changes);
  t.equal(results.filter(({ status }) => status === 'rejected').length, 4);
  t.strictSame(
    seen,
    [...seen].sort((a, b) => a - b),
  );
  t.equal(stage.core.state.generation, 17);
  t.equal((await stage.audit()).length, 16);
});

t.test('the end: what is under way is finished, the rest is refused', async (t) => {
  const stage = await newStage(t);
  const gate = Promise.withResolvers<void>();
  stage.workers.gate = gate.promise;
  const running = stage.core.change(CI, {}, reweigh);
  await turns(1);
  const waiting = refusal(stage.core.change(CI, {}, reweigh));
  const closed = stage.core.close();
  gate.resolve();
  t.equal((await running).generation, 2);
  t.match(await waiting, /^draining: /);
  await closed;
  t.match(await refusal(stage.core.change(CI, {}, reweigh)), /^draining: /);
  t.match(await refusal(stage.core.exclusively(async () => t.fail('ran'))), /^draining: /);
});

t.test('other files', async (t) => {
  const summary = { before: 'a', after: 'b', events: [{ ...note('read'), type: 'config.reloaded' as const }] };
  t.test('what no longer fits is given up, in the same commit, and told', async (t) => {
    const stage = await newStage(t);
    await stage.core.change(CI, {}, reweigh);
    await stage.core.change(CI, {}, () => register('v4', { puts: [{ key: flagKey('beta'), value: 30 }] }));
    stage.journal.length = 0;
    stage.told.length = 0;
    const { file } = stage.core.state;
    const gone = { ...file, flags: [] };
    const { applied, dropped } = await stage.core.adopt(CI, {}, gone, summary);
    t.equal(applied.generation, 4);
    t.match(dropped, [{ key: 'override/flags/beta', reason: /no flag beta/ }]);
    t.strictSame(await stage.kept(), { 'services/shop/weights': WEIGHTS });
    t.strictSame(
      stage.told.map(({ type }) => type),
      ['config.reloaded', 'override.dropped'],
    );
    t.match((await stage.audit()).at(-1), { action: 'config.reload', target: 'config', before: 'a', after: 'b' });
  });
  t.test('refused by the workers: the old ones go on, with everything that was given up', async (t) => {
    const stage = await newStage(t);
    await stage.core.change(CI, {}, () => register('v4', { puts: [{ key: flagKey('beta'), value: 30 }] }));
    const { state } = stage.core;
    stage.workers.refuses = 'no';
    t.match(await refusal(stage.core.adopt(CI, {}, { ...state.file, flags: [] }, summary)), /^conflict/);
    t.equal(stage.core.state, state);
    t.strictSame(await stage.kept(), { 'flags/beta': 30 });
  });
  t.test('refused by the disk: no worker hears of them', async (t) => {
    const stage = await newStage(t);
    stage.disk.trouble = 'full';
    t.match(await refusal(stage.core.adopt(CI, {}, stage.core.state.file, summary)), /^store_full/);
    t.strictSame(stage.journal, ['refused']);
    t.equal(stage.core.state.generation, 1);
    t.strictSame(stage.told, []);
  });
});

t.test('a diversion is in the workers before its turn, and holds over what was in the queue before', async (t) => {
  const stage = await newStage(t);
  const gate = Promise.withResolvers<void>();
  stage.workers.gate = gate.promise;
  const slow = stage.core.change(CI, {}, () => register());
  const queued = [stage.core.change(CI, {}, reweigh), stage.core.change(CI, {}, () => register('v5'))];
  await turns(1);
  const end = stage.core.divert('shop', { v1: 100, v2: 0, v3: 0 });
  t.equal(stage.journal.at(-1), 'weigh v1=10000 v2=0 v3=0', 'while somebody else has the turn');
  gate.resolve();
  await Promise.all([slow, ...queued]);
  const stable = [['v1', 10_000], ...['v2', 'v3', 'v4', 'v5'].map((name) => [name, 0])];
  const running = () => stage.workers.snapshot.services[0]!.versions.map(({ name, weight }) => [name, weight]);
  t.strictSame(running(), stable, 'in the snapshot that came behind it too');
  t.notOk(
    stage.journal.some((word) => word.startsWith('weigh v1=5000')),
    'at no moment anything else',
  );
  t.match(shop(stage.core.state).weights, WEIGHTS, 'although the change was made');
  end();
  await stage.core.change(CI, {}, reweigh);
  t.match(running(), [['v1', 5_000]]);
});

t.test('a diversion to a version that is gone is none', async (t) => {
  const stage = await newStage(t);
  const { file } = stage.core.state;
  stage.core.divert('shop', { v1: 100 });
  stage.core.divert('gone', { v1: 100 });
  const blog = { ...file, services: file.services.slice(1), routes: file.routes.slice(0, 1) };
  await stage.core.adopt(CI, {}, blog, { before: null, after: null, events: [] });
  t.match(stage.workers.snapshot.services, [{ name: 'blog', versions: [{ weight: 10_000 }] }]);
});
