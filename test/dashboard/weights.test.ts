import t from 'tap';
import {
  begun,
  type Edit,
  edited,
  isEditable,
  moved,
  rebased,
  sameWeights,
  sumOfWeights,
} from '../../src/dashboard/views/weights/edit.ts';
import { consequence, differences, requestRate, told, warnings } from '../../src/dashboard/views/weights/preview.ts';
import { endpoint, samples, service } from './stage.ts';

const LANES = { stable: 'v1', canary: 'v2' };

t.test('the canary moves and stable gives or takes', async (t) => {
  t.same(moved({ v1: 90, v2: 10 }, LANES, 'v2', 25), { v1: 75, v2: 25 });
  t.same(moved({ v1: 90, v2: 10 }, LANES, 'v2', 0.01), { v1: 99.99, v2: 0.01 });
  t.same(moved({ v1: 50, v2: 30, v3: 20 }, LANES, 'v2', 40), { v1: 40, v2: 40, v3: 20 }, 'others stay');
});

t.test('where stable has no more to give the others do, in proportion', async (t) => {
  t.same(moved({ v1: 10, v2: 30, v3: 40, v4: 20 }, LANES, 'v2', 70), { v1: 0, v2: 70, v3: 20, v4: 10 });
  t.same(moved({ v1: 0, v2: 100, v3: 0 }, LANES, 'v2', 40), { v1: 60, v2: 40, v3: 0 });
});

t.test('stable moves and the others share in proportion', async (t) => {
  t.same(moved({ v1: 40, v2: 40, v3: 20 }, LANES, 'v1', 70), { v1: 70, v2: 20, v3: 10 });
  t.same(
    moved({ v1: 100, v2: 0, v3: 0 }, LANES, 'v1', 80),
    { v1: 80, v2: 20, v3: 0 },
    'the canary, where they have nothing',
  );
  t.same(moved({ v1: 100, v3: 0 }, { stable: 'v1' }, 'v1', 80), { v1: 80, v3: 20 }, 'without a canary, the other one');
});

t.test('the sum is 100 after every move, to the hundredth', async (t) => {
  let weights: Readonly<Record<string, number>> = { v1: 33.34, v2: 33.33, v3: 33.33 };
  const faults: string[] = [];
  let seed = 7;
  for (let move = 0; move < 500; move += 1) {
    seed = (seed * 48_271) % 2_147_483_647;
    weights = moved(weights, LANES, `v${1 + (seed % 3)}`, (seed % 12_000) / 100 - 10);
    const fits = Object.values(weights).every((weight) => weight >= 0 && weight <= 100);
    if (sumOfWeights(weights) !== 100 || !fits) faults.push(`move ${move}: ${JSON.stringify(weights)}`);
  }
  t.same(faults, []);
});

t.test('a candidate neither moves nor gives', async (t) => {
  const lanes = { ...LANES, candidate: 'v3' };
  t.same(moved({ v1: 90, v2: 10, v3: 0 }, lanes, 'v3', 50), { v1: 90, v2: 10, v3: 0 });
  t.same(moved({ v1: 100, v3: 0 }, { stable: 'v1', candidate: 'v3' }, 'v1', 50), { v1: 100, v3: 0 });
  t.notOk(isEditable(service({ v1: 100, v3: 0 }, { candidate: 'v3' })));
  t.ok(isEditable(service({ v1: 100, v3: 0 })));
});

t.test('a drag there and back is no change', async (t) => {
  const before = service({ v1: 50, v2: 30, v3: 20 }, { canary: 'v2' });
  let edit: Edit = begun(before);
  for (const to of [60, 99, 100, 50]) edit = edited(edit, before.lanes, 'v1', to);
  t.same(edit.to, before.weights);
  edit = edited(edited(edit, before.lanes, 'v2', 80), before.lanes, 'v1', 10);
  t.same(edit.to, { v1: 10, v2: 72, v3: 18 }, 'another version begins from what there is');
  t.equal(edit.etag, 'first');
  t.same(edit.from, before.weights);
});

t.test('a goal begins anew from other weights, unless there are other versions', async (t) => {
  const edit = edited(begun(service({ v1: 90, v2: 10 })), LANES, 'v2', 50);
  t.match(rebased(edit, { etag: 'second', weights: { v1: 80, v2: 20 } }), {
    ...{ etag: 'second', from: { v1: 80, v2: 20 }, to: { v1: 50, v2: 50 } },
  });
  t.equal(rebased(edit, { etag: 'second', weights: { v1: 80, v3: 20 } }), null);
});

t.test('weights that are the same', async (t) => {
  t.ok(sameWeights({ v1: 100 }, { v1: 100, v2: 0 }));
  t.ok(sameWeights({ v1: 0.1 + 0.2 }, { v1: 0.3 }));
  t.notOk(sameWeights({ v1: 99.99, v2: 0.01 }, { v1: 100 }));
});

t.test('what would happen', async (t) => {
  const from = { v1: 90, v2: 10, v3: 0 };
  t.same(differences(from, { v1: 60, v2: 30, v3: 10 }), [
    { name: 'v2', from: 10, to: 30, by: 20 },
    { name: 'v3', from: 0, to: 10, by: 10 },
    { name: 'v1', from: 90, to: 60, by: -30 },
  ]);
  t.equal(consequence(from, { v1: 70, v2: 30, v3: 0 }, 60), 'About 12 of 60 requests per second would move to v2.');
  t.equal(
    consequence(from, { v1: 60, v2: 30, v3: 10 }, 1000),
    'About 200 to v2 and 100 to v3 of 1,000 requests per second would move.',
  );
  t.equal(consequence(from, { v1: 70, v2: 30 }, 0), '20 points to v2 would move. No requests come at the moment.');
  t.match(consequence(from, { v1: 70, v2: 30 }, null), /20 points to v2 .*not measured yet/);
  t.equal(consequence(from, from, 60), 'Nothing would move: these are the weights that run.');
  t.equal(told({ v1: 99.99, v2: 0.01, v3: 0 }), 'v1 99.99 %, v2 0.01 %');
});

t.test('the rate of all versions, and none before anything was measured', async (t) => {
  const shop = service({ v1: 90, v2: 10 }, { canary: 'v2' });
  t.equal(requestRate(shop, new Map()), null);
  t.equal(requestRate(shop, samples({ v1: { rate: 54 } })), 54);
  t.equal(requestRate(shop, samples({ v1: { rate: 54 }, v2: { rate: 6 } })), 60);
});

t.test('warnings', async (t) => {
  const down = endpoint('http://127.0.0.1:1', { healthy: false, available: false });
  const lanes = { canary: 'v2' };
  const from = { v1: 90, v2: 10 };
  t.same(warnings(service(from, lanes), from, { v1: 80, v2: 20 }, new Map()), []);
  t.same(warnings(service(from, lanes, { v2: [down] }), from, { v1: 80, v2: 20 }, new Map()), [
    'No endpoint of v2 is up: its requests go to v1 instead.',
  ]);
  t.same(warnings(service(from, lanes, { v1: [down] }), from, { v1: 95, v2: 5 }, new Map()), [
    'No endpoint of v1 is up: its requests are answered with 503.',
  ]);
  t.same(warnings(service(from, lanes, { v2: [] }), from, { v1: 100, v2: 0 }, new Map()), [], 'nothing goes there');
  const failing = samples({ v2: { rate: 10, failed: 50 } });
  t.same(warnings(service(from, lanes), from, { v1: 80, v2: 20 }, failing), [
    'v2 fails 50 % of its attempts at the moment.',
  ]);
  t.same(warnings(service(from, lanes), from, { v1: 95, v2: 5 }, failing), [], 'it gets less');
  t.match(warnings(service(from, lanes), from, { v1: 0, v2: 100 }, new Map()), [/nothing left to compare/]);
  t.match(warnings(service(from, lanes), from, { v1: 30, v2: 70 }, new Map()), [/from 10 % to 70 % in one step/]);
});
