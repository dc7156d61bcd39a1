/** Versions and lanes: what may be registered, replaced, taken out and put where, and what keeps the traffic from being moved by it. */
import t from 'tap';
import { VersionOperations } from '../../src/control/change/versions.ts';
import { WeightOperations } from '../../src/control/change/weights.ts';
import { OperationError } from '../../src/control/problems.ts';
import { CI, fileText, newStage, refusal, type Stage } from './change-stage.ts';

const URL4 = 'http://127.0.0.1:3009';
const shop = ({ core }: Stage) => core.state.config.services[0]!;
const names = (stage: Stage): string[] => shop(stage).versions.map(({ name }) => name);

/** Field and message of every fault. */
async function faultsOf(work: Promise<unknown>): Promise<string[]> {
  try {
    await work;
    return [];
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return error.faults.map(({ field, message }) => `${field}: ${message}`);
  }
}

t.test('registering moves no request; replacing keeps the weight', async (t) => {
  const stage = await newStage(t);
  const versions = new VersionOperations(stage.core);
  const given = [{ url: 'http://LOCALHOST:3009/' }, { url: 'http://127.0.0.1:3010', weight: 3, maxRequests: 7 }];
  t.match(await versions.put(CI, 'shop', 'v4', given, {}), { created: true, generation: 2, workers: 2 });
  t.strictSame(names(stage), ['v1', 'v2', 'v3', 'v4']);
  t.strictSame(shop(stage).weights, { v1: 90, v2: 10, v3: 0, v4: 0 });
  t.strictSame(shop(stage).versions[3]!.endpoints, [
    { url: 'http://localhost:3009', weight: 1, maxRequests: 0 },
    { url: 'http://127.0.0.1:3010', weight: 3, maxRequests: 7 },
  ]);
  t.match(await versions.put(CI, 'shop', 'v2', [{ url: URL4 }], { reason: 'moved' }), { created: false });
  t.match(shop(stage), { weights: { v2: 10 }, lanes: { canary: 'v2' } });
  t.match(await stage.audit(), [
    { action: 'version.set', target: 'services/shop/versions/v4', before: null },
    { before: [{ url: 'http://127.0.0.1:3003' }], after: [{ url: URL4 }], reason: 'moved' },
  ]);
  t.match(stage.told, [
    { type: 'version.changed', version: 'v4', message: /^v4 of shop is registered with/ },
    { version: 'v2', message: `v2 of shop now has ${URL4}`, data: { created: false } },
  ]);
  const { id } = stage.workers.snapshot.services[0]!.versions[0]!;
  t.equal(id, 0, 'who was there keeps its place');
  const later = await newStage(t, fileText(), stage);
  t.strictSame(shop(later), shop(stage), 'and after a restart');
});

t.test('what may not be registered', async (t) => {
  const stage = await newStage(t);
  const versions = new VersionOperations(stage.core);
  const put = (name: string, given: Parameters<VersionOperations['put']>[3]) =>
    faultsOf(versions.put(CI, 'shop', name, given, {}));
  for (const name of ['', 'a/b', '-a', ' v', 'a'.repeat(64), 'ü'])
    t.match(await put(name, [{ url: URL4 }]), [/^path:version: /]);
  t.match(await put('canary', [{ url: URL4 }]), [
    'path:version: canary is the name of a lane; give the version another name, such as v3',
  ]);
  t.match(await put('v4', []), ['/endpoints: a version needs at least one endpoint']);
  t.match(
    await put('v4', [
      { url: 'ftp://a' },
      { url: URL4, weight: 0 },
      { url: `${URL4}/` },
      { url: 'http://a:1', weight: 1.5, maxRequests: -1 },
      { url: 'http://a:2', weight: 1_001 },
    ]),
    [
      /^\/endpoints\/0\/url: /,
      /^\/endpoints\/1\/weight: weight must be a whole number from 1 to 1000, not 0/,
      `/endpoints/2/url: ${URL4} is there twice; remove one`,
      /^\/endpoints\/3\/weight: /,
      /^\/endpoints\/3\/maxRequests: /,
      /^\/endpoints\/4\/weight: /,
    ],
  );
  t.match(await refusal(versions.put(CI, 'chop', 'v4', [{ url: URL4 }], {})), /^not_found: there is no service chop/);
  t.match(await refusal(versions.put(CI, 'shop', 'v4', [{ url: URL4 }], { ifMatch: 'old' })), /^changed_meanwhile/);
  t.equal(stage.core.state.generation, 1);
});

t.test('taking out', async (t) => {
  const stage = await newStage(t);
  const versions = new VersionOperations(stage.core);
  t.match(await refusal(versions.remove(CI, 'shop', 'v1', {})), /^conflict: v1 is stable; make another/);
  t.match(
    await refusal(versions.remove(CI, 'shop', 'v2', {})),
    /^conflict: v2 gets 10 % of the traffic; set its weight/,
  );
  t.match(await refusal(versions.remove(CI, 'shop', 'v9', {})), /^not_found: there is no version v9 of shop/);
  await versions.remove(CI, 'shop', 'v3', {});
  t.strictSame(names(stage), ['v1', 'v2']);
  t.strictSame(await stage.kept(), { 'services/shop/versions/v3': null }, 'one of the file stays out');
  t.strictSame(names(await newStage(t, fileText(), stage)), ['v1', 'v2']);
  t.match(await refusal(versions.remove(CI, 'shop', 'v3', {})), /^not_found/, 'only once');

  t.match(await versions.put(CI, 'shop', 'v3', [{ url: URL4 }], {}), { created: true }, 'and may come again');
  await versions.put(CI, 'shop', 'v4', [{ url: URL4 }], {});
  await versions.remove(CI, 'shop', 'v4', {});
  t.notOk('services/shop/versions/v4' in (await stage.kept()), 'one that was only registered is forgotten');

  await new WeightOperations(stage.core).rollBack(CI, 'shop', {});
  await versions.remove(CI, 'shop', 'v2', {});
  t.strictSame(shop(stage).lanes, { stable: 'v1' }, 'its lane is empty');
  t.match(
    await refusal(new WeightOperations(stage.core).reset(CI, 'shop', {})),
    /^conflict: .*v2.*not there/,
    'the weights of the file name one that was taken out',
  );
  t.match(await stage.audit(), [{ action: 'version.remove', target: 'services/shop/versions/v3', after: null }]);
  t.match(stage.told[0], { type: 'version.removed', version: 'v3' });
});

t.test('what the file names is not taken out', async (t) => {
  const cases: readonly (readonly [object, object, RegExp])[] = [
    [
      { routes: [{ match: { path: '/x' }, service: 'shop', version: 'v3' }, { service: 'blog' }] },
      {},
      /^conflict: route .* names v3/,
    ],
    [
      {},
      { experiments: [{ name: 'e', key: { header: 'X-User' }, weights: { v1: 50, v3: 50 } }] },
      /^conflict: experiment e names v3/,
    ],
    [{}, { split: { strategy: 'header', header: 'X-T', values: { a: 'v3' } } }, /^conflict: split\.values names v3/],
  ];
  for (const [more, service, expected] of cases) {
    const stage = await newStage(t, fileText(more, service));
    const versions = new VersionOperations(stage.core);
    t.match(await refusal(versions.remove(CI, 'shop', 'v3', {})), expected);
    t.equal(stage.core.state.generation, 1);
  }
});

t.test('lanes', async (t) => {
  const stage = await newStage(t);
  const versions = new VersionOperations(stage.core);
  const lanes = (given: Parameters<VersionOperations['setLanes']>[2]) => versions.setLanes(CI, 'shop', given, {});
  const faults = (given: Parameters<VersionOperations['setLanes']>[2]) => faultsOf(lanes(given));
  t.match(await lanes({ candidate: 'v3' }), { lanes: { stable: 'v1', canary: 'v2', candidate: 'v3' }, generation: 2 });
  t.match((await lanes({ canary: null })).lanes, { stable: 'v1', candidate: 'v3' });
  t.match((await lanes({ stable: 'v2', canary: 'v1' })).lanes, { stable: 'v2', canary: 'v1' }, 'swapped in one call');
  t.strictSame(shop(stage).weights, { v1: 90, v2: 10, v3: 0 }, 'weights belong to versions');
  t.strictSame(
    stage.workers.snapshot.services[0]!.versions.map(({ name, lane }) => `${name} ${lane}`),
    ['v1 canary', 'v2 stable', 'v3 candidate'],
  );
  t.match((await newStage(t, fileText(), stage)).core.state.config.services[0]!.lanes, shop(stage).lanes);

  t.match(await faults({ stable: null }), ['/stable: a service always has a stable version; name another one']);
  t.match(await faults({ canary: 'v9' }), [/^\/canary: shop has no version v9; /]);
  t.match(await faults({ canary: 'v2' }), [
    '/canary: v2 is in the stable lane already; a version has one lane, so give stable another one or null',
  ]);
  t.match(await faults({ canary: 'v3', candidate: 'v3' }), [/already; a version has one lane/]);
  t.match(
    await refusal(lanes({ candidate: 'v1', canary: 'v3' })),
    /^conflict: v1 is in the candidate lane, which gets no weight/,
  );
  t.match(await refusal(versions.setLanes(CI, 'shop', { canary: 'v3' }, { ifMatch: 'old' })), /^changed_meanwhile/);
  t.match(await refusal(versions.setLanes(CI, 'chop', {}, {})), /^not_found/);
  t.equal(stage.core.state.generation, 4);
  t.match(stage.told[0], { type: 'lanes.changed', message: 'Lanes of shop: stable v1, canary v2, candidate v3' });
});

t.test('a route may name a lane that nobody is in', async (t) => {
  const routes = [{ match: { path: '/x' }, service: 'shop', version: 'canary' }, { service: 'blog' }];
  const stage = await newStage(t, fileText({ routes }));
  const versions = new VersionOperations(stage.core);
  t.match((await versions.setLanes(CI, 'shop', { canary: null, candidate: 'v3' }, {})).lanes, { candidate: 'v3' });
  t.notOk('canary' in shop(stage).lanes);
});

t.test('who takes part in an experiment is no candidate', async (t) => {
  const experiments = [{ name: 'e', key: { header: 'X-User' }, weights: { v1: 50, v3: 50 } }];
  const stage = await newStage(t, fileText({}, { experiments }));
  t.match(
    await refusal(new VersionOperations(stage.core).setLanes(CI, 'shop', { candidate: 'v3' }, {})),
    /^conflict: v3 would be the candidate, but experiment e gives it a share/,
  );
});
