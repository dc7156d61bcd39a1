/** Weights: what callers may write, what becomes of it, and who may write at the same time as somebody else. */
import t from 'tap';
import {
  allToStable,
  etagOf,
  resolveRelative,
  resolveWeights,
  WeightOperations,
} from '../../src/control/change/weights.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import { OperationError } from '../../src/control/problems.ts';
import { rollbackKey } from '../../src/control/state/overrides.ts';
import type { ServiceConfig } from '../../src/model/config.ts';
import { Dice } from '../fuzz/dice.ts';
import { CI, fileText, newStage, refusal } from './change-stage.ts';

type Weights = Readonly<Record<string, number>>;

const serviceOf = (shop: object = {}): ServiceConfig => parseConfig(fileText({}, shop), 'sluice.yaml', {}).services[0]!;

const SHOP = serviceOf();
const WITH_CANDIDATE = serviceOf({ lanes: { stable: 'v1', canary: 'v2', candidate: 'v3' } });

const hundredths = (weights: Weights): number =>
  Object.values(weights).reduce((sum, each) => sum + Math.round(each * 100), 0);

/** Field and message of every fault; empty where there is none. */
function faultsOf(resolve: typeof resolveWeights, service: ServiceConfig, given: Weights): string[] {
  try {
    resolve(service, given);
    return [];
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return error.faults.map(({ field, message }) => `${field}: ${message}`);
  }
}

t.test('percent by version or lane; who is left out gets nothing', async (t) => {
  const cases: readonly (readonly [Weights, Weights])[] = [
    [
      { v1: 90, v2: 10 },
      { v1: 90, v2: 10, v3: 0 },
    ],
    [
      { stable: 90, canary: 10 },
      { v1: 90, v2: 10, v3: 0 },
    ],
    [
      { stable: 50, v3: 50 },
      { v1: 50, v2: 0, v3: 50 },
    ],
    [{ canary: 100 }, { v1: 0, v2: 100, v3: 0 }],
    [
      { v1: 33.33, v2: 33.33, v3: 33.34 },
      { v1: 33.33, v2: 33.33, v3: 33.34 },
    ],
    [
      { v1: 0.01, v2: 99.99 },
      { v1: 0.01, v2: 99.99, v3: 0 },
    ],
    [
      { v1: 100, v2: 0 },
      { v1: 100, v2: 0, v3: 0 },
    ],
  ];
  for (const [given, expected] of cases) t.strictSame(resolveWeights(SHOP, given), expected);
});

t.test('faults say what, where and how to mend it', async (t) => {
  const there = 'shop has no version or lane v9; there are v1, v2, v3, and stable (v1), canary (v2)';
  const cases: readonly (readonly [Weights, readonly string[]])[] = [
    [{}, [': the weights sum to 0, must be 100; raise one by 100']],
    [{ v1: 90, v2: 5 }, [': the weights sum to 95, must be 100; raise one by 5']],
    [{ v1: 90.01, v2: 10 }, [': the weights sum to 100.01, must be 100; lower one by 0.01']],
    [{ v9: 100 }, [`/v9: ${there}`]],
    [{ candidate: 100 }, [`/candidate: ${there.replace('v9', 'candidate')}`]],
    [{ toString: 100 } as unknown as Weights, [`/toString: ${there.replace('v9', 'toString')}`]],
    [{ v1: 90, stable: 10 }, ['/stable: stable is version v1, which has a weight already; name it once']],
    [
      { v1: -1, v2: 101 },
      ['/v1: v1 must be a number from 0 on, not -1', '/v2: v2 must be a percentage from 0 to 100, not 101'],
    ],
    [{ v1: Number.NaN }, ['/v1: v1 must be a number from 0 on, not NaN']],
    [{ v1: 99.999, v2: 0.001 }, ['/v1: v1 has steps of 0.01, not 99.999', '/v2: v2 has steps of 0.01, not 0.001']],
  ];
  for (const [given, expected] of cases) t.strictSame(faultsOf(resolveWeights, SHOP, given), expected);
  t.strictSame(faultsOf(resolveWeights, WITH_CANDIDATE, { v1: 90, candidate: 10 }), [
    '/v3: v3 is in the candidate lane, which gets no weight; make it the canary first',
  ]);
  t.strictSame(faultsOf(resolveWeights, WITH_CANDIDATE, { v1: 100, v3: 0 }), []);
});

t.test('relative weights: any numbers, in proportion', async (t) => {
  const cases: readonly (readonly [Weights, Weights])[] = [
    [
      { v1: 1, v2: 0 },
      { v1: 100, v2: 0, v3: 0 },
    ],
    [
      { v1: 1, v2: 1 },
      { v1: 50, v2: 50, v3: 0 },
    ],
    [
      { v1: 1, v2: 1, v3: 1 },
      { v1: 33.34, v2: 33.33, v3: 33.33 },
    ],
    [
      { stable: 2, canary: 1 },
      { v1: 66.67, v2: 33.33, v3: 0 },
    ],
    [
      { v1: 1e9, v2: 1 },
      { v1: 100, v2: 0, v3: 0 },
    ],
    [
      { v1: 0.003, v2: 0.001 },
      { v1: 75, v2: 25, v3: 0 },
    ],
    [{ v1: Number.MIN_VALUE }, { v1: 100, v2: 0, v3: 0 }],
  ];
  for (const [given, expected] of cases) t.strictSame(resolveRelative(SHOP, given), expected);
  for (const [given, expected] of [
    [{}, ': at least one weight must be above 0'],
    [{ v1: 0, v2: 0 }, ': at least one weight must be above 0'],
    [{ v1: Number.MAX_VALUE, v2: Number.MAX_VALUE }, ': at least one weight must be above 0'],
    [{ v1: -1 }, '/v1: v1 must be a number from 0 on, not -1'],
    [{ v1: Number.POSITIVE_INFINITY }, '/v1: v1 must be a number from 0 on, not Infinity'],
    [{ v9: 1 }, /^\/v9: shop has no version or lane v9/],
  ] as const) {
    t.match(faultsOf(resolveRelative, SHOP, given), [expected], JSON.stringify(given));
  }
  t.match(faultsOf(resolveRelative, WITH_CANDIDATE, { v1: 3, v3: 1 }), [/candidate lane/]);
});

t.test('for any ratios the hundredths sum exactly, and nobody is off by a whole one', async (t) => {
  for (let i = 0; i < 5_000; i++) {
    const dice = new Dice(1, i);
    const count = 1 + dice.below(12);
    const versions = Object.fromEntries(
      Array.from({ length: count }, (_, v) => [`v${v}`, { endpoints: [`http://127.0.0.1:${3_000 + v}`] }]),
    );
    const service = {
      ...SHOP,
      versions: Object.keys(versions).map((name) => ({ name, endpoints: [] })),
      lanes: { stable: 'v0' },
    };
    const given = Object.fromEntries(
      Object.keys(versions).map((name) => [name, dice.chance(0.2) ? 0 : dice.below(1e6) * 10 ** (dice.below(15) - 9)]),
    );
    const sum = Object.values(given).reduce((total, each) => total + each, 0);
    if (sum === 0) continue;
    const weights = resolveRelative(service, given);
    const wrong = Object.entries(given).find(([name, share]) => {
      const exact = (share / sum) * 100;
      return Math.abs(weights[name]! - exact) >= 0.01 || (share === 0 && weights[name] !== 0);
    });
    if (hundredths(weights) !== 10_000 || wrong !== undefined) t.strictSame({ given, weights }, 'exact', `dice ${i}`);
    // What comes of it can be written again as percent.
    if (faultsOf(resolveWeights, service, weights).length > 0) t.fail('is not what percent may be', { weights });
  }
});

t.test('the tag is that of lanes and weights, however they came about', async (t) => {
  const tag = etagOf(SHOP);
  t.match(tag, /^[0-9a-f]{16}$/);
  t.equal(etagOf({ ...SHOP, weights: { v3: 0, v2: 10, v1: 90 } }), tag, 'not of their order');
  t.equal(etagOf({ ...serviceOf({ exposeVersion: true }) }), tag, 'not of anything else');
  t.not(etagOf({ ...SHOP, weights: { v1: 89.99, v2: 10.01, v3: 0 } }), tag);
  t.not(etagOf(WITH_CANDIDATE), tag);
  const stage = await newStage(t);
  await new WeightOperations(stage.core).set(CI, 'shop', { v1: 50, v2: 50 }, {});
  const after = await newStage(t, fileText(), stage);
  t.equal(
    new WeightOperations(after.core).view('shop').etag,
    new WeightOperations(stage.core).view('shop').etag,
    'the same after a restart',
  );
});

t.test('two operators', async (t) => {
  const stage = await newStage(t);
  const weights = new WeightOperations(stage.core);
  const { etag: seen } = weights.view('shop');
  const outcomes = await Promise.all([
    refusal(weights.set(CI, 'shop', { v1: 80, v2: 20 }, { ifMatch: seen })),
    refusal(weights.set(CI, 'shop', { v1: 70, v2: 30 }, { ifMatch: seen })),
    refusal(weights.rollBack(CI, 'shop', { ifMatch: 'something else' })),
  ]);
  t.equal(outcomes[0], null);
  t.match(outcomes[1], /^changed_meanwhile: shop has been changed meanwhile: v1=80 v2=20 v3=0 \(ETag [0-9a-f]{16}\)/);
  t.match(outcomes[2], /^changed_meanwhile/);
  t.strictSame(weights.view('shop').weights, { v1: 80, v2: 20, v3: 0 });
  t.notOk(stage.journal.includes('weigh v1=10000 v2=0 v3=0'), 'a rollback that is refused diverts nothing');
  const { etag } = weights.view('shop');
  t.equal(await refusal(weights.reset(CI, 'shop', { ifMatch: etag })), null);
  t.equal(weights.view('shop').etag, seen, 'back where it was');
});

t.test('setting and resetting', async (t) => {
  const stage = await newStage(t);
  const weights = new WeightOperations(stage.core);
  t.match(await weights.set(CI, 'shop', { canary: 20, stable: 80 }, { reason: 'so far so good' }), {
    ...{ generation: 2, workers: 2, weights: { v1: 80, v2: 20, v3: 0 }, lanes: { stable: 'v1', canary: 'v2' } },
    file: { v1: 90, v2: 10, v3: 0 },
  });
  t.match(stage.told, [
    {
      type: 'weights.changed',
      service: 'shop',
      message: 'shop: v1 80 %, v2 20 %, v3 0 %',
      data: { reason: 'so far so good' },
    },
  ]);
  t.match(await weights.reset(CI, 'shop', {}), { weights: { v1: 90, v2: 10, v3: 0 } });
  t.strictSame(await stage.kept(), {}, 'nothing is changed any more');
  t.match(await stage.audit(), [
    { action: 'weights.set' },
    { action: 'weights.reset', before: { v1: 80 }, after: { v1: 90 } },
  ]);
  t.match(await refusal(weights.set(CI, 'chop', { v1: 100 }, {})), /^not_found: there is no service chop; .*shop/);
  t.match(await refusal(weights.reset(CI, 'chop', {})), /^not_found/);
  t.match(await refusal(weights.rollBack(CI, 'chop', {})), /^not_found/);
  t.match(await refusal(() => weights.view('chop')), /^not_found/);
  t.match(await refusal(weights.set(CI, 'shop', { v1: 99 }, {})), /^invalid_request/);
});

t.test('the service may be left out where there is one', async (t) => {
  const two = new WeightOperations((await newStage(t)).core);
  t.match(
    await refusal(two.setRelative(CI, null, { v1: 1 }, {})),
    /^invalid_request: there are 2 services; .*\?service=shop/,
  );
  t.match(await two.setRelative(CI, 'shop', { v1: 3, v2: 1 }, {}), { service: 'shop', weights: { v1: 75, v2: 25 } });
  const { shop } = JSON.parse(fileText()).services;
  const one = new WeightOperations((await newStage(t, fileText({ services: { shop }, routes: [] }))).core);
  t.match(await one.setRelative(CI, null, { canary: 1 }, {}), { service: 'shop', weights: { v1: 0, v2: 100 } });
});

t.test('rolling back at once', async (t) => {
  const stage = await newStage(t);
  const weights = new WeightOperations(stage.core);
  t.match(await weights.rollBack(CI, 'shop', { reason: 'v2 loses orders' }), { weights: { v1: 100, v2: 0, v3: 0 } });
  t.strictSame(stage.journal.slice(0, 3), ['weigh v1=10000 v2=0 v3=0', 'commit rollback', 'weigh v1=10000 v2=0 v3=0']);
  t.strictSame(
    stage.told.map(({ type, level }) => `${type} ${level}`),
    ['weights.changed info', 'rollback.started warning', 'rollback.finished info'],
  );
  t.match(await stage.audit(), [{ action: 'rollback', reason: 'v2 loses orders' }]);
  t.strictSame(allToStable(WITH_CANDIDATE), { v1: 100, v2: 0, v3: 0 });

  await weights.set(CI, 'shop', { v1: 50, v2: 50 }, {});
  stage.disk.trouble = 'full';
  stage.journal.length = 0;
  t.match(await refusal(weights.rollBack(CI, 'shop', {})), /^store_full: it is done, but not kept/);
  t.equal(stage.journal[0], 'weigh v1=10000 v2=0 v3=0', 'before the disk was asked');
  t.strictSame(weights.view('shop').weights, { v1: 100, v2: 0, v3: 0 });
  t.match(await refusal(weights.set(CI, 'shop', { v1: 50, v2: 50 }, {})), /^store_full: the state cannot be written/);
  t.strictSame(weights.view('shop').weights, { v1: 100, v2: 0, v3: 0 }, 'whereas an ordinary change is not made');
});

t.test('a rollback overtakes the changes that wait', async (t) => {
  const stage = await newStage(t);
  const weights = new WeightOperations(stage.core);
  const [first, second, back] = await Promise.all([
    weights.set(CI, 'shop', { v1: 50, v2: 50 }, {}),
    weights.set(CI, 'shop', { v1: 0, v2: 100 }, {}),
    weights.rollBack(CI, 'shop', {}),
  ]);
  t.strictSame(
    [first, second, back].map(({ generation }) => generation),
    [2, 3, 4],
  );
  const weighed = stage.journal.filter((word) => word.startsWith('weigh'));
  t.strictSame(new Set(weighed), new Set(['weigh v1=10000 v2=0 v3=0']), 'the canary gets nothing any more');
  t.strictSame(
    (await stage.audit()).map(({ action }) => action),
    ['weights.set', 'weights.set', 'rollback'],
  );
  await weights.set(CI, 'shop', { v1: 50, v2: 50 }, {});
  t.equal(
    stage.journal.filter((word) => word.startsWith('weigh')).at(-1),
    'weigh v1=5000 v2=5000 v3=0',
    'and then it is over',
  );
});

t.test('a change of weights ends a gradual rollback', async (t) => {
  const plan = { by: 10, everyMs: 1_000, reason: '', nextAt: 0 };
  for (const end of ['set', 'reset', 'rollBack'] as const) {
    const stage = await newStage(t);
    await stage.store.commit({ puts: [{ key: rollbackKey('shop'), value: plan }] });
    const { core, kept, told } = await newStage(t, fileText(), stage);
    const weights = new WeightOperations(core);
    await (end === 'set' ? weights.set(CI, 'shop', { v1: 70, v2: 30 }, {}) : weights[end](CI, 'shop', {}));
    t.notOk('services/shop/rollback' in (await kept()), end);
    t.match(told[0], { type: 'rollback.finished', message: /was ended by a change of weights/ }, end);
  }
});
