import t from 'tap';
import type { SluiceEvent } from '../../src/dashboard/api/views.ts';
import { auditPath, linkOfTarget, NO_FILTER } from '../../src/dashboard/views/records/audit-query.ts';
import { changesOf } from '../../src/dashboard/views/records/difference.ts';
import { EVERYTHING, isChosen, rolloutOfEvent } from '../../src/dashboard/views/records/event-choice.ts';
import { merged } from '../../src/dashboard/views/records/merged.ts';
import { PAGE, readBack } from '../../src/dashboard/views/records/read-back.ts';

const identity = (value: number): number => value;
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** A list that can be read forwards only, and how often it was. */
function listOf(numbers: readonly number[]) {
  const list = {
    reads: 0,
    read: async (since: number): Promise<readonly number[]> => {
      list.reads += 1;
      return numbers.filter((each) => each > since).slice(0, PAGE);
    },
  };
  return list;
}

t.test('older rows, without a hole', async (t) => {
  const { read } = listOf(range(1, 3000));
  const first = await readBack(2901, 200, identity, read);
  t.same(first, { rows: range(1901, 2900).toReversed(), before: 1901, more: true });
  const last = await readBack(901, 2000, identity, read);
  t.same(last, { rows: range(1, 900).toReversed(), before: 1, more: false });
  t.same(await readBack(1, 200, identity, read), { rows: [], before: 1, more: false });
});

t.test('over a gap of many numbers', async (t) => {
  const list = listOf([...range(1, 2500), ...range(10_000_000, 10_000_010)]);
  const found = await readBack(10_000_000, 10, identity, list.read);
  t.equal(found.rows[0], 2500, 'the next older one is found');
  t.same(found.rows, range(found.before, 2500).toReversed());
  t.ok(found.more);
  t.ok(list.reads < 24, `${list.reads} reads`);
});

t.test('rare rows need several ranges; a list that has ended says so', async (t) => {
  const found = await readBack(50_000, 5, identity, listOf([7, 9000, 9001, 30_000]).read);
  t.same(found, { rows: [30_000, 9001, 9000, 7], before: 1, more: false });
});

t.test('lists as one', async (t) => {
  t.same(merged(identity, [3, 1], [4, 3], []), [4, 3, 1]);
});

const event = (more: Partial<SluiceEvent> = {}): SluiceEvent => ({
  ...{ id: 1, at: '2026-01-01T00:00:00.000Z', type: 'rollout.step', level: 'warning', service: 'shop' },
  ...{ message: 'shop-1 is at 5 %', data: { rollout: 'shop-1', by: 'Ann' } },
  ...more,
});

t.test('events are chosen by level, group, service and words', async (t) => {
  const by = (choice: Partial<typeof EVERYTHING>, more: Partial<SluiceEvent> = {}) =>
    isChosen(event(more), { ...EVERYTHING, ...choice });
  t.ok(by({}));
  t.ok(by({ level: 'warning' }));
  t.notOk(by({ level: 'critical' }));
  t.ok(by({ level: 'warning' }, { level: 'critical' }));
  t.ok(by({ group: 'rollout' }));
  t.notOk(by({ group: 'roll' }));
  t.ok(by({ group: 'alert' }, { type: 'alert' }));
  t.notOk(by({ service: 'cart' }));
  t.ok(by({ words: ' SHOP-1  ann ' }), 'in the data too, whatever the case');
  t.notOk(by({ words: 'shop-1 bob' }));
  t.equal(rolloutOfEvent(event()), 'shop-1');
  t.equal(rolloutOfEvent(event({ type: 'weights.changed' })), null);
  t.equal(rolloutOfEvent(event({ data: { rollout: 7 } })), null);
});

t.test('changes in few words', async (t) => {
  t.same(changesOf({ v1: 90, v2: 10, v3: 0 }, { v1: 60, v2: 40, v3: 0 }), [
    { place: 'v1', before: '90', after: '60' },
    { place: 'v2', before: '10', after: '40' },
  ]);
  t.same(changesOf({ a: { b: [1] } }, { a: { b: [1], c: true } }), [{ place: 'a.c', before: null, after: 'true' }]);
  t.same(changesOf(null, { weight: 5, steps: 3 }), [{ place: '', before: null, after: 'weight 5, steps 3' }]);
  t.same(changesOf(null, { id: 'shop-1', plan: { steps: [] } }), [{ place: '', before: null, after: 'id, plan' }]);
  t.same(changesOf([{ url: 'http://a' }], []), [{ place: '', before: 'http://a', after: 'none' }]);
  t.same(changesOf('enabled', 'draining'), [{ place: '', before: 'enabled', after: 'draining' }]);
  t.same(changesOf({ a: 1 }, { a: 1 }), []);
  t.equal(changesOf(null, 'x'.repeat(100))[0]?.after?.length, 48);
});

t.test('the audit is asked for by words that may be anything', async (t) => {
  t.equal(auditPath(NO_FILTER, { newest: true, limit: 100 }), 'api/v1/audit?newest=true&limit=100');
  t.equal(auditPath({ ...NO_FILTER, target: ' a&b=c ' }, { since: 0 }), 'api/v1/audit?since=0&target=a%26b%3Dc');
  t.equal(linkOfTarget('services/shop/weights'), '#/services/shop');
  t.equal(linkOfTarget('rollouts/shop-1'), '#/rollouts/shop-1');
  t.equal(linkOfTarget('config'), null);
  t.equal(linkOfTarget('flags/new'), null);
});
