import t from 'tap';
import type { SplitConfig } from '../../src/model/policy-config.ts';
import { hashKey } from '../../src/proxy/balance/key-hash.ts';
import { NO_KEY } from '../../src/proxy/balance/policy.ts';
import { FieldNames } from '../../src/proxy/http1/field-names.ts';
import { createSplit, splitHeaders, type VersionSplit } from '../../src/proxy/route/version-split.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { requestHead } from '../kit/request-head.ts';
import { splitService } from '../kit/service-snapshot.ts';

const NAMES = new FieldNames(['x-group']);
const HEAD = requestHead('/', [], NAMES);

const make = (
  weights: Record<string, number>,
  split: Partial<SplitConfig> = {},
  latencyAt: (index: number, now: number) => number = () => 0,
  seed = 1,
): VersionSplit => createSplit(splitService(weights, split), NAMES, new SeededRandom(seed), latencyAt);

/** Requests per version out of `count`; `hashAt` gives the i-th request's hash, `now` stands still. */
function counts(split: VersionSplit, versions: number, count: number, hashAt: (i: number) => number): number[] {
  const found = new Array<number>(versions).fill(0);
  for (let i = 0; i < count; i++) found[split.pick(HEAD, hashAt(i), 0)]!++;
  return found;
}

const keyless = () => NO_KEY;
const keyed = (i: number) => hashKey(`user-${i}`);

for (const strategy of ['weighted', 'hash'] as const) {
  t.test(`${strategy}: without a key the shares are exact, with one a user stays`, async (t) => {
    const split = make({ v1: 90, v2: 10 }, { strategy });
    const turns = counts(split, 2, 1_000, keyless);
    t.ok(Math.abs(turns[1]! - 100) <= 1, `${turns[1]} of 1,000 requests`);
    const users = counts(split, 2, 10_000, keyed);
    t.ok(Math.abs(users[1]! - 1_000) <= 90, `${users[1]} of 10,000 users`);
    const other = make({ v1: 90, v2: 10 }, { strategy }, undefined, 99);
    for (let i = 0; i < 500; i++) {
      const version = split.pick(HEAD, keyed(i), i);
      if (version !== other.pick(HEAD, keyed(i), 0)) t.fail(`user ${i} depends on chance`);
    }
  });
}

t.test('weight 0 gets exactly nothing, with every strategy, keyed or not', async (t) => {
  for (const strategy of ['weighted', 'hash', 'round_robin', 'latency', 'header'] as const) {
    const split = make({ v1: 100, v2: 0 }, { strategy }, () => 5);
    t.same(counts(split, 2, 2_000, keyless), [2_000, 0], strategy);
    t.same(counts(split, 2, 2_000, keyed), [2_000, 0], strategy);
    const none = make({ v1: 0, v2: 0 }, { strategy });
    t.equal(none.pick(HEAD, NO_KEY, 0), -1, `${strategy} without any weight`);
    t.equal(none.pick(HEAD, 7, 0), -1, `${strategy} without any weight, keyed`);
  }
});

t.test('round_robin: equal turns for whoever has weight, whatever the key', async (t) => {
  const split = make({ v1: 98, v2: 1, v3: 0, v4: 1 }, { strategy: 'round_robin' });
  t.same(counts(split, 4, 300, keyless), [100, 100, 0, 100]);
  t.same(
    counts(split, 4, 300, () => 12_345),
    [100, 100, 0, 100],
  );
});

t.test('header: the value names the version, weights aside', async (t) => {
  const split = make(
    { v1: 50, v2: 50, v3: 0 },
    { strategy: 'header', header: { name: 'x-group', values: { beta: 'v3', old: 'v1', bêta: 'v3' } } },
  );
  const group = (value: string) => requestHead('/', [`X-Group: ${value}`], NAMES);
  for (let i = 0; i < 20; i++) {
    t.equal(split.pick(group('beta'), NO_KEY, 0), 2);
    t.equal(split.pick(group('old'), keyed(i), 0), 0);
    t.equal(split.pick(group(Buffer.from('bêta').toString('latin1')), keyed(i), 0), 2, 'beyond ASCII, sent as UTF-8');
  }
  const other = make({ v1: 50, v2: 50, v3: 0 });
  for (let i = 0; i < 200; i++) {
    const expected = other.pick(HEAD, keyed(i), 0);
    t.equal(split.pick(group('Beta'), keyed(i), 0), expected, 'a value that is not in the map is split by key');
    t.equal(split.pick(HEAD, keyed(i), 0), expected, 'so is a request without the header');
  }
  const turns = counts(split, 3, 100, keyless);
  t.ok(Math.abs(turns[0]! - 50) <= 1 && turns[2] === 0, 'and by turns where there is no key');
});

t.test('the headers that a split reads', async (t) => {
  const header = { name: 'x-group', values: { beta: 'v1' } };
  t.same(splitHeaders(splitService({ v1: 100 }, { strategy: 'header', header })), ['x-group']);
  t.same(splitHeaders(splitService({ v1: 100 }, { strategy: 'weighted', header })), []);
  t.same(splitHeaders(splitService({ v1: 100 })), []);
});
