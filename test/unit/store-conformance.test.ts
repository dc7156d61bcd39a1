/**
 * What every store keeps to, wherever it keeps it.
 */
import t from 'tap';
import type { SluiceEvent } from '../../src/control/events/event.ts';
import type { Commit, Store } from '../../src/control/store/store.ts';
import { StoreError } from '../../src/control/store/store.ts';
import { auditRow, newFolder, newStore, START, type StoreUnderTest, type Teardown } from '../kit/store.ts';

type Open = (t: Teardown) => StoreUnderTest;

const event = (id: number, at = START): SluiceEvent => ({
  id,
  at: new Date(at).toISOString(),
  type: 'weights.changed',
  level: 'info',
  service: 'shop',
  message: `change ${id} – ✓`,
  data: { id },
});

const keysOf = async (store: Store, prefix: string): Promise<string[]> =>
  (await store.list(prefix)).map(({ key }) => key);

function conformance(name: string, open: Open): void {
  t.test(name, async (t) => {
    t.test('values', async (t) => {
      const { store } = open(t);
      t.equal(await store.get('a'), null);
      t.equal(store.state().revision, 0);
      const values = [0, -1.5, '', 'ü✓\u0000\u{1f600}', null, true, [], [1, [2]], { a: { b: null } }];
      for (const [i, value] of values.entries()) {
        const revision = await store.commit({ puts: [{ key: 'a', value }] });
        t.equal(revision, i + 1);
        t.strictSame(await store.get('a'), { key: 'a', value, revision });
      }
      t.equal(await store.commit({ puts: [{ key: 'b', value: 1 }] }), values.length + 1);
      t.equal((await store.get('a'))?.revision, values.length, 'of the commit that wrote it');
      t.equal(await store.commit({ deletes: ['a', 'never'] }), values.length + 2);
      t.equal(await store.get('a'), null);
      t.equal(store.state().revision, values.length + 2);
    });

    t.test('prefixes', async (t) => {
      const { store } = open(t);
      const keys = [
        'a',
        'a%b',
        'a/',
        'a/1',
        'a/\ud7ff',
        'a/\ud7ffx',
        'a/\ue000',
        'a/\u{1f600}',
        'a/\u{1f601}',
        'a/\u{10ffff}',
        'a/\u{10ffff}x',
        'a0',
        'aXb',
        'a_b',
        'b',
      ];
      await store.commit({ puts: [...keys].reverse().map((key) => ({ key, value: key })) });
      t.strictSame(await keysOf(store, ''), keys, 'all, in the order of their code points');
      for (const prefix of [...keys, 'c', 'a/\u{10ffff}\u{10ffff}', '\u{10ffff}']) {
        const expected = keys.filter((key) => key.startsWith(prefix));
        t.strictSame(await keysOf(store, prefix), expected, JSON.stringify(prefix));
      }
      await t.rejects(store.commit({ puts: [{ key: 'half \ud800', value: 1 }] }), TypeError);
    });

    t.test('expectations', async (t) => {
      const { store } = open(t);
      const put = (value: number, revision: number): Promise<number> =>
        store.commit({ puts: [{ key: 'a', value }], expect: [{ key: 'a', revision }] });
      const conflict = { name: 'StoreError', trouble: 'conflict' };
      t.equal(await put(1, 0), 1);
      await t.rejects(put(2, 0), conflict);
      t.equal(await put(2, 1), 2);
      await t.rejects(put(3, 1), conflict);
      await store.commit({ deletes: ['a'] });
      await t.rejects(put(3, 2), conflict);
      t.equal(await put(3, 0), 4);
      t.equal(store.state().trouble, null, 'a conflict is no trouble of the disk');
    });

    t.test('a commit that fails leaves nothing', async (t) => {
      const { store } = open(t);
      const told: unknown[] = [];
      store.watch('', (changes) => told.push(changes));
      await store.commit({ puts: [{ key: 'a', value: 1 }], audit: [auditRow('a')], events: [event(1)] });
      const point = { at: START, service: 'shop', version: 'v1', values: { p95: 1 } };
      const rest: Commit = {
        puts: [{ key: 'a', value: 2 }],
        deletes: ['a'],
        audit: [auditRow('b')],
        events: [event(2)],
        history: [point],
      };
      await t.rejects(store.commit({ ...rest, expect: [{ key: 'b', revision: 7 }] }), StoreError);
      await t.rejects(store.commit({ ...rest, events: [event(2), event(2)] }), 'the same event twice');
      await t.rejects(store.commit({ ...rest, puts: [{ key: 'c', value: 1n }] }), TypeError);
      await t.rejects(
        store.commit({ ...rest, history: [{ ...point, values: { p95: 1n as unknown as number } }] }),
        TypeError,
      );
      t.strictSame(await store.list(''), [{ key: 'a', value: 1, revision: 1 }]);
      t.equal((await store.audit({ limit: 10 })).length, 1);
      t.equal(await store.lastEventId(), 1);
      t.strictSame(await store.history('shop', 'v1', 0), []);
      t.equal(store.state().revision, 1);
      t.equal(told.length, 1);
      t.equal(await store.commit(rest), 2, 'and it works without what was wrong');
      t.equal((await store.verifyAudit()).ok, true);
    });

    t.test('watching', async (t) => {
      const { store } = open(t);
      const told: unknown[] = [];
      store.watch('x', () => {
        throw new Error('a listener of no good');
      });
      const end = store.watch('a/', (changes) => {
        told.push(changes);
        if (told.length === 1) void store.commit({ puts: [{ key: 'a/nested', value: 1 }] });
      });
      const later: unknown[] = [];
      store.watch('a/', (changes) => later.push(changes));
      const value = { list: [1] };
      await store.commit({
        puts: [
          { key: 'a/1', value },
          { key: 'x', value: 2 },
        ],
        deletes: ['a/none'],
      });
      await store.commit({ puts: [{ key: 'x', value: 3 }] });
      await store.commit({ deletes: ['a/1'] });
      const expected = [
        [{ key: 'a/1', value: { list: [1] } }],
        [{ key: 'a/nested', value: 1 }],
        [{ key: 'a/1', value: undefined }],
      ];
      t.strictSame(told, expected);
      t.strictSame(later, expected, 'in the order of the commits for everybody');
      end();
      await store.commit({ puts: [{ key: 'a/2', value: 2 }] });
      t.equal(told.length, 3);
      t.equal(later.length, 4);
    });

    t.test('events', async (t) => {
      const { store } = open(t);
      t.equal(await store.lastEventId(), 0);
      await store.commit({ events: [event(1), event(2)] });
      await store.commit({ events: [event(5)] });
      t.equal(await store.lastEventId(), 5);
      t.strictSame(await store.events(0, 10), [event(1), event(2), event(5)]);
      t.strictSame(await store.events(1, 1), [event(2)]);
      t.strictSame(await store.events(5, 10), []);
    });

    t.test('history', async (t) => {
      const { store } = open(t);
      const point = (version: string, at: number, p95: number | null) => ({
        at,
        service: 'shop',
        version,
        values: { p95 },
      });
      await store.commit({ history: [point('v1', 20, 2), point('v2', 10, 1), point('v1', 10, null)] });
      await store.commit({ history: [point('v1', 20, 3)] });
      t.strictSame(await store.history('shop', 'v1', 0), [point('v1', 10, null), point('v1', 20, 3)]);
      t.strictSame(await store.history('shop', 'v1', 10), [point('v1', 20, 3)]);
      t.strictSame(await store.history('other', 'v1', 0), []);
    });

    t.test('audit', async (t) => {
      const { store, wall } = open(t);
      t.match(await store.verifyAudit(), { ok: true, rows: 0, head: '0'.repeat(64) });
      const odd = auditRow('services/shop/weights', {
        actor: 'Zoë "x" \\ \u0000\u001f\u007f\u2028\ufeff',
        reason: 'half a pair \ud800 and \u{1f600}',
        before: null,
        after: { z: 1, a: ['\ud800'] },
      });
      await store.commit({ audit: [odd, auditRow('flags/x', { action: 'flag.set' })] });
      wall.now += 1_000;
      await store.commit({ audit: [auditRow('flags/y', { action: 'flag.set', actor: 'sluice' })] });
      const rows = await store.audit({ limit: 10 });
      t.strictSame(
        rows.map((row) => row.seq),
        [1, 2, 3],
      );
      t.match(rows[0], { ...odd, reason: 'half a pair \ufffd and \u{1f600}', at: '2026-01-01T00:00:00.000Z' });
      t.equal(rows[2]?.at, '2026-01-01T00:00:01.000Z');
      t.equal(rows[1]?.previous, rows[0]?.hash);
      t.strictSame(await store.verifyAudit(), { ok: true, rows: 3, head: rows[2]?.hash });
      const seqs = async (query: object): Promise<number[]> =>
        (await store.audit({ limit: 10, ...query })).map((row) => row.seq);
      t.strictSame(await seqs({ since: 1 }), [2, 3]);
      t.strictSame(await seqs({ newest: true, limit: 2 }), [3, 2]);
      t.strictSame(await seqs({ action: 'flag.set' }), [2, 3]);
      t.strictSame(await seqs({ action: 'flag.set', actor: 'ci' }), [2]);
      t.strictSame(await seqs({ target: 'flags/y' }), [3]);
    });

    t.test('retention', async (t) => {
      const { store, wall } = open(t);
      const rows = 1_200;
      for (let i = 1; i <= rows; i++) {
        wall.now = START + i;
        await store.commit({
          audit: [auditRow(`row ${i}`)],
          events: [event(i, wall.now)],
          history: [{ at: wall.now, service: 'shop', version: 'v1', values: {} }],
        });
      }
      const { head } = await store.verifyAudit();
      const before = START + 1_101;
      const all = { events: before, audit: before, history: before };
      await store.prune(all);
      t.equal((await store.events(0, 2_000))[0]?.id, 1_101);
      t.equal((await store.history('shop', 'v1', 0))[0]?.at, before);
      const kept = await store.audit({ limit: 2_000 });
      t.equal(kept[0]?.seq, 1_101);
      const last = kept.at(-1);
      t.match(last, { seq: rows + 1, actor: 'sluice', action: 'audit.prune', previous: head, after: { seq: 1_100 } });
      t.match(last?.after, { hash: kept[0]?.previous });
      t.match(await store.verifyAudit(), { ok: true, rows: 101 });
      await store.prune(all);
      t.equal((await store.audit({ limit: 2_000 })).length, 101, 'nothing to do writes no row');

      const end = START + 10_000;
      wall.now = end;
      await store.prune({ events: end, audit: end, history: end });
      t.match(await store.verifyAudit(), { ok: true, rows: 2 }, 'the rows about pruning');
      await store.prune({ events: end + 1, audit: end + 1, history: end + 1 });
      t.match(await store.verifyAudit(), { ok: true, rows: 2 }, 'which alone are no reason for another');
      t.strictSame(await store.events(0, 10), []);
      t.equal(await store.lastEventId(), rows, 'the numbers of events go on');
      t.strictSame(await store.history('shop', 'v1', 0), []);
      await store.commit({ audit: [auditRow('later')], events: [event(rows + 1)] });
      t.match(await store.audit({ limit: 1, newest: true }), [{ seq: rows + 3 }]);
      t.match(await store.verifyAudit(), { ok: true, rows: 3 });
    });

    t.test('a wrong time of day does not make young rows old', async (t) => {
      const { store, wall } = open(t);
      for (const at of [START + 10, START - 1_000, START + 20]) {
        wall.now = at;
        await store.commit({ audit: [auditRow('x')], events: [event(1 + (await store.lastEventId()), at)] });
      }
      await store.prune({ events: START, audit: START, history: START });
      t.equal((await store.audit({ limit: 10 })).length, 3);
      t.equal((await store.events(0, 10)).length, 3);
    });

    t.test('closed', async (t) => {
      const { store } = open(t);
      await store.commit({ puts: [{ key: 'a', value: 1 }] });
      await store.close();
      await store.close();
      const closed = { name: 'StoreError', trouble: 'unavailable', message: /closed/ };
      await t.rejects(store.get('a'), closed);
      await t.rejects(store.commit({ puts: [{ key: 'a', value: 2 }] }), closed);
    });
  });
}

conformance('in memory', (t) => newStore(t, null));
conformance('in a directory', (t) => newStore(t, newFolder(t)));
