/** A rollback acts before its turn, and nothing that waits before it takes the traffic back to the canary meanwhile. */
import t from 'tap';
import { ConfigOperations } from '../../src/control/change/reload.ts';
import { VersionOperations } from '../../src/control/change/versions.ts';
import { WeightOperations } from '../../src/control/change/weights.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { turns } from '../kit/signal.ts';
import { CI, fileText, newStage, type Stage } from './change-stage.ts';

/** While the promise is open, nothing is acknowledged and so everything waits. */
async function held(stage: Stage, weights: WeightOperations): Promise<() => Promise<unknown>> {
  const gate = Promise.withResolvers<void>();
  stage.workers.gate = gate.promise;
  const first = weights.set(CI, 'shop', { v1: 80, v2: 20 }, {});
  await turns(1);
  return () => {
    gate.resolve();
    return first;
  };
}

const running = ({ workers }: Stage): number[] => workers.snapshot.services[0]!.versions.map(({ weight }) => weight);

t.test('weights of another service', async (t) => {
  const stage = await newStage(t);
  const weights = new WeightOperations(stage.core);
  const release = await held(stage, weights);
  const other = weights.set(CI, 'blog', { b1: 100 }, {});
  const rollback = weights.rollBack(CI, 'shop', {});
  await Promise.all([release(), other, rollback]);
  t.strictSame(
    stage.journal.filter((word) => word.startsWith('weigh')),
    [
      'weigh v1=8000 v2=2000 v3=0',
      // The rollback at once, the other service's weights, the rollback in its turn.
      'weigh v1=10000 v2=0 v3=0',
      'weigh v1=10000 v2=0 v3=0',
      'weigh v1=10000 v2=0 v3=0',
    ],
  );
  t.strictSame(await stage.kept(), {
    'services/blog/weights': { b1: 100 },
    'services/shop/weights': { v1: 100, v2: 0, v3: 0 },
  });
});

t.test('a snapshot', async (t) => {
  const stage = await newStage(t);
  const weights = new WeightOperations(stage.core);
  const release = await held(stage, weights);
  const endpoints = [{ url: 'http://127.0.0.1:3010' }];
  let seen: number[] = [];
  const other = new VersionOperations(stage.core).put(CI, 'blog', 'b2', endpoints, {}).then(() => {
    seen = running(stage);
  });
  const rollback = weights.rollBack(CI, 'shop', {});
  await Promise.all([release(), other, rollback]);
  t.strictSame(seen, [10_000, 0, 0]);
});

t.test('files that take away what it gives everything to', async (t) => {
  const stage = await newStage(t);
  const weights = new WeightOperations(stage.core);
  const release = await held(stage, weights);
  const without = fileText(
    {},
    {
      versions: { v4: { endpoints: ['http://127.0.0.1:3011'] } },
      ...{ lanes: { stable: 'v4' }, split: { weights: { v4: 100 } } },
    },
  );
  const loaded = (text: string) => ({ config: parseConfig(text, 'sluice.yaml', {}), files: [], dependencies: [] });
  const files = new ConfigOperations({
    ...{ core: stage.core, loaded: loaded(fileText()), events: stage.events, logger: silentLogger },
    source: { load: () => loaded(without), check: () => Promise.reject(new Error('nothing is checked here')) },
    ...{ wallClock: () => 0, observe: () => {}, settled: async () => {} },
  });
  let seen: number[] = [];
  const reload = files.reload(CI, {}).then(() => {
    seen = running(stage);
  });
  const rollback = weights.rollBack(CI, 'shop', {});
  await Promise.all([release(), reload, rollback]);
  t.strictSame(seen, [10_000], 'nobody is left without a version');
});

t.test('it ends with its own change', async (t) => {
  const stage = await newStage(t);
  const weights = new WeightOperations(stage.core);
  await weights.rollBack(CI, 'shop', {});
  await weights.set(CI, 'shop', { v1: 60, v2: 40 }, {});
  t.strictSame(running(stage), [6_000, 4_000, 0]);
  stage.disk.trouble = 'full';
  await t.rejects(weights.rollBack(CI, 'shop', {}), { code: 'store_full' });
  stage.disk.trouble = null;
  await weights.set(CI, 'shop', { v1: 60, v2: 40 }, {});
  t.strictSame(running(stage), [6_000, 4_000, 0]);
});
