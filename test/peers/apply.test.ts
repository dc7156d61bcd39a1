/**
 * A snapshot that workers are given: refused by the first it changes nothing, and a worker that dies over it or beside it is no reason to stop.
 *
 * The supervisor runs in this process, because only it can end a worker. What cannot be run is a snapshot that no configuration gives.
 */
import t, { type Test } from 'tap';
import { compileSnapshot } from '../../src/control/config/compile.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import { RefusedError, Supervisor } from '../../src/control/supervisor.ts';
import type { SluiceConfig } from '../../src/model/config.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { readWeights } from '../../src/model/weight-table.ts';
import { silentLogger } from '../../src/runtime/logger.ts';

const configOf = (v1: number): SluiceConfig =>
  parseConfig(
    JSON.stringify({
      ...{ listen: '127.0.0.1:0', workers: 3 },
      services: {
        shop: {
          versions: { v1: { endpoints: ['http://127.0.0.1:9'] }, v2: { endpoints: ['http://127.0.0.1:9'] } },
          ...{ lanes: { stable: 'v1', canary: 'v2' }, split: { weights: { v1, v2: 100 - v1 } } },
        },
      },
    }),
    'sluice.yaml',
    {},
  );

async function started(t: Test): Promise<Supervisor> {
  const supervisor = new Supervisor({ config: configOf(90), logger: silentLogger });
  t.teardown(() => supervisor.kill());
  await supervisor.start();
  return supervisor;
}

function live({ weights }: Supervisor): number[] {
  const found: number[] = [];
  readWeights(weights, [0, 1], found);
  return found;
}

const unrunnable = (snapshot: Snapshot): Snapshot => ({ ...snapshot, routes: [null as never] });

const allOnStable = (snapshot: Snapshot): Snapshot => ({
  ...snapshot,
  services: snapshot.services.map((service) => ({
    ...service,
    versions: service.versions.map((version) => ({ ...version, weight: version.name === 'v1' ? 10_000 : 0 })),
  })),
});

t.test('refused', async (t) => {
  const supervisor = await started(t);
  const before = supervisor.snapshot;
  const next = unrunnable(compileSnapshot(configOf(50), 2, before));
  await t.rejects(supervisor.apply(configOf(50), next), RefusedError);
  t.equal(supervisor.snapshot, before);
  t.strictSame(live(supervisor), [9_000, 1_000]);

  const refused = t.rejects(supervisor.apply(configOf(50), { ...next, generation: 3 }), RefusedError);
  await Promise.all([supervisor.weigh(allOnStable(before)), refused]);
  t.strictSame(live(supervisor), [10_000, 0], 'weights that were given meanwhile stay');

  t.match(await supervisor.apply(configOf(70), compileSnapshot(configOf(70), 4, supervisor.snapshot)), {
    ...{ taken: 3, refusals: [], missing: [] },
  });
  t.strictSame(live(supervisor), [7_000, 3_000]);
});

t.test('the first one dies over it', async (t) => {
  const supervisor = await started(t);
  const next = compileSnapshot(configOf(50), 2, supervisor.snapshot);
  const [first] = supervisor.workers;
  const [applied] = await Promise.all([supervisor.apply(configOf(50), next), first!.terminate()]);
  // It may have answered with its last breath, or its successor may have.
  t.ok(applied.taken >= 2, `${applied.taken} have taken it up`);
  t.match(applied, { refusals: [], missing: [] });
  t.equal(supervisor.snapshot, next);

  const bad = unrunnable(compileSnapshot(configOf(40), 3, next));
  const [, second] = supervisor.workers;
  const ended = second!.terminate();
  await t.rejects(supervisor.apply(configOf(40), bad), RefusedError, 'what nobody could judge is not given to all');
  await ended;
  t.strictSame(live(supervisor), [5_000, 5_000]);
});
