/** The gradual rollback: its steps, and what a restart, a full disk or an operator does to it in the middle. */
import t, { type Test } from 'tap';
import { DEFAULT_BY, DEFAULT_EVERY, GradualRollback, stepBack } from '../../src/control/change/gradual-rollback.ts';
import { WeightOperations } from '../../src/control/change/weights.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import type { ServiceConfig } from '../../src/model/config.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { Dice } from '../fuzz/dice.ts';
import { CI, fileText, newStage, refusal, type Stage } from './change-stage.ts';

const SHOP = parseConfig(fileText(), 'sluice.yaml', {}).services[0]!;
const HALF = fileText({}, { split: { weights: { v1: 40, v2: 50, v3: 10 } } });

const withWeights = (v1: number, v2: number, v3: number): ServiceConfig => ({ ...SHOP, weights: { v1, v2, v3 } });

interface Running extends Stage {
  readonly rollbacks: GradualRollback;
  /** Weights now, `v1 v2 v3`. */
  now(): string;
}

async function start(t: Test, text = HALF, before?: Stage): Promise<Running> {
  const stage = await newStage(t, text, before);
  const { core, clock, wallClock } = stage;
  const rollbacks = new GradualRollback({ core, clock, logger: silentLogger, wallClock });
  t.teardown(() => rollbacks.close());
  return { ...stage, rollbacks, now: () => Object.values(core.state.config.services[0]!.weights).join(' ') };
}

t.test('one step', async (t) => {
  const cases: readonly (readonly [ServiceConfig, number, readonly number[]])[] = [
    [withWeights(40, 50, 10), 20, [60.01, 33.33, 6.66]],
    [withWeights(50, 50, 0), 20, [70, 30, 0]],
    [withWeights(0, 100, 0), 20, [20, 80, 0]],
    [withWeights(90, 10, 0), 20, [100, 0, 0]],
    [withWeights(80, 20, 0), 20, [100, 0, 0]],
    [withWeights(100, 0, 0), 20, [100, 0, 0]],
    [withWeights(99.99, 0.01, 0), 0.01, [100, 0, 0]],
    [withWeights(50, 25, 25), 0.01, [50.02, 24.99, 24.99]],
    [withWeights(0, 50, 50), 100, [100, 0, 0]],
  ];
  for (const [service, by, [v1, v2, v3]] of cases) t.strictSame(stepBack(service, by), { v1, v2, v3 });
});

t.test('from any weights by any step: sums stay exact, stable only grows, and it ends', async (t) => {
  for (let i = 0; i < 2_000; i++) {
    const dice = new Dice(2, i);
    const v2 = dice.below(10_001);
    const v3 = dice.below(10_001 - v2);
    let service = withWeights((10_000 - v2 - v3) / 100, v2 / 100, v3 / 100);
    const by = (1 + dice.below(10_000)) / 100;
    const most = Math.ceil((100 - service.weights.v1!) / by + 1e-9);
    let steps = 0;
    while (service.weights.v1! < 100) {
      const weights = stepBack(service, by);
      const sum = Object.values(weights).reduce((total, each) => total + Math.round(each * 100), 0);
      const wrong = sum !== 10_000 || weights.v1! <= service.weights.v1! || weights.v2! < 0 || weights.v3! < 0;
      if (wrong || ++steps > most) {
        t.strictSame({ weights, steps }, { service, by, most }, `dice ${i}`);
        return;
      }
      service = { ...service, weights };
    }
  }
});

t.test('the first step at once, then one per interval, until stable has everything', async (t) => {
  const stage = await start(t);
  const changed = await stage.rollbacks.start(CI, 'shop', { by: 25, everyMs: 10_000, reason: 'slow' });
  t.match(changed, { generation: 2, weights: { v1: 65.01 } });
  t.equal(stage.now(), '65.01 29.16 5.83', 'what does not divide goes to stable');
  t.match((await stage.kept())['services/shop/rollback'], { by: 25, everyMs: 10_000, reason: 'slow' });
  await stage.pass(9_999);
  t.equal(stage.now(), '65.01 29.16 5.83');
  await stage.pass(251);
  t.equal(stage.now(), '90.02 8.32 1.66');
  await stage.pass(10_250);
  t.equal(stage.now(), '100 0 0');
  t.notOk('services/shop/rollback' in (await stage.kept()));
  await stage.pass(60_000);
  t.equal(stage.core.state.generation, 4, 'nothing more happens');
  t.strictSame(
    stage.told.map(({ type }) => type),
    ['rollback.started', ...Array(3).fill('weights.changed'), 'rollback.finished'],
  );
  t.strictSame(
    (await stage.audit()).map(({ actor, action, reason }) => `${actor} ${action} ${reason}`),
    ['ci rollback slow', 'sluice rollback.step slow', 'sluice rollback.step slow'],
  );
});

t.test('twenty points a minute unless told; one step may be enough', async (t) => {
  const stage = await start(t);
  await stage.rollbacks.start(CI, 'shop', {});
  t.match((await stage.kept())['services/shop/rollback'], { by: DEFAULT_BY, everyMs: DEFAULT_EVERY });
  t.strictSame([DEFAULT_BY, DEFAULT_EVERY], [20, 60_000]);
  await stage.rollbacks.start(CI, 'shop', { by: 100 });
  t.equal(stage.now(), '100 0 0');
  t.strictSame(Object.keys(await stage.kept()), ['services/shop/weights']);
  t.match(stage.told.at(-1), { type: 'rollback.finished' });
  for (const by of [0, 0.009, 100.01, -1, Number.NaN]) {
    t.match(await refusal(stage.rollbacks.start(CI, 'shop', { by })), /^invalid_request: by must be a percentage/);
  }
  t.match(await refusal(stage.rollbacks.start(CI, 'chop', {})), /^not_found/);
  t.match(await refusal(stage.rollbacks.start(CI, 'shop', { ifMatch: 'old' })), /^changed_meanwhile/);
});

t.test('a restart goes on where it was; time spent down is one step at most', async (t) => {
  const first = await start(t);
  await first.rollbacks.start(CI, 'shop', { by: 10, everyMs: 10_000 });
  await first.pass(4_000);
  first.rollbacks.close();
  const second = await start(t, HALF, first);
  const before = second.now();
  await second.pass(5_000);
  t.equal(second.now(), before, 'not before its time');
  await second.pass(1_250);
  t.equal(second.core.state.config.services[0]!.weights.v1, 60.02);
  second.rollbacks.close();

  second.wall.now += 3_600_000;
  const third = await start(t, HALF, second);
  await third.pass(250);
  t.equal(third.core.state.generation, 2, 'one step for an hour');
  await third.pass(9_000);
  t.equal(third.core.state.generation, 2);
  await third.pass(1_250);
  t.equal(third.core.state.generation, 3);
});

t.test('whoever sets weights ends it, even while a step waits for its turn', async (t) => {
  const stage = await start(t);
  const weights = new WeightOperations(stage.core);
  await stage.rollbacks.start(CI, 'shop', { by: 10, everyMs: 1_000 });
  const gate = Promise.withResolvers<void>();
  stage.workers.gate = gate.promise;
  const set = weights.set(CI, 'shop', { v1: 20, v2: 80 }, {});
  await stage.pass(1_250);
  gate.resolve();
  await set;
  await stage.pass(60_000);
  t.equal(stage.now(), '20 80 0');
  t.equal((await stage.audit()).length, 2);
});

t.test('a step that the disk refuses is tried again after a pause', async (t) => {
  const stage = await start(t);
  await stage.rollbacks.start(CI, 'shop', { by: 30, everyMs: 1_000 });
  stage.disk.trouble = 'full';
  await stage.pass(1_250);
  await stage.pass(4_000);
  t.equal(stage.journal.filter((word) => word === 'refused').length, 1, 'it is not tried all the time');
  t.equal(stage.core.state.generation, 2);
  stage.disk.trouble = null;
  await stage.pass(1_250);
  t.equal(stage.core.state.generation, 3);
});

t.test('two services at a time', async (t) => {
  const stage = await start(t);
  await stage.rollbacks.start(CI, 'shop', { by: 30, everyMs: 1_000 });
  await stage.rollbacks.start(CI, 'blog', { by: 30, everyMs: 1_000 });
  t.notOk('services/blog/rollback' in (await stage.kept()), 'one that is all stable is done at once');
  t.ok('services/shop/rollback' in (await stage.kept()));
});

t.test('the reload that takes the service away takes its rollback along', async (t) => {
  const stage = await start(t);
  await stage.rollbacks.start(CI, 'shop', { by: 10, everyMs: 1_000 });
  const { file } = stage.core.state;
  const rest = { ...file, services: file.services.slice(1), routes: file.routes.slice(0, 1) };
  await stage.core.adopt(CI, {}, rest, { before: null, after: null, events: [] });
  t.strictSame(await stage.kept(), {});
  await stage.pass(5_000);
  t.equal(stage.core.state.generation, 3);
});
