/** The event log on a clock that the test turns and a store whose trouble the test decides. */
import t from 'tap';
import type { NewEvent, SluiceEvent } from '../../src/control/events/event.ts';
import { BLOCK, EventLog, type EventLogOptions } from '../../src/control/events/event-log.ts';
import { MARK_KEY, MOST, PAUSE, RETRY } from '../../src/control/events/event-writer.ts';
import { PATIENCE } from '../../src/control/events/publication-order.ts';
import { createLogger } from '../../src/control/log.ts';
import { StoreError } from '../../src/control/store/store.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { turns } from '../kit/signal.ts';
import { MemoryStore } from './events-store.ts';

const news = (message: string, type: NewEvent['type'] = 'flag.changed'): NewEvent => ({ type, level: 'info', message });
const ids = (events: readonly SluiceEvent[]): number[] => events.map(({ id }) => id);

async function open(store: MemoryStore, options: Partial<EventLogOptions> = {}) {
  const clock = new FakeClock();
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger((line) => void lines.push(JSON.parse(line)));
  const log = await EventLog.open({ store, clock, wallClock: () => 1_000 + clock.now(), logger, ...options });
  const heard: number[] = [];
  log.subscribe(({ id }) => void heard.push(id));
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await turns(2);
  };
  return { log, clock, heard, lines, pass };
}

t.test('an emitted event is told at once and stored behind it, several in one commit', async (t) => {
  const store = new MemoryStore();
  const { log, heard, pass } = await open(store);
  const before = store.commits.length;
  t.match(log.emit({ ...news('one'), service: 'shop', data: { a: 1 } }), {
    ...{ id: 1, at: '1970-01-01T00:00:01.000Z', type: 'flag.changed', level: 'info', message: 'one' },
    ...{ service: 'shop', data: { a: 1 } },
  });
  log.emit(news('two'));
  log.emit(news('three'));
  t.strictSame([heard, log.lastId, store.storedIds], [[1, 2, 3], 3, []]);
  await pass(PAUSE - 1);
  t.strictSame(store.storedIds, []);
  await pass(1);
  t.strictSame(store.storedIds, [1, 2, 3]);
  t.equal(store.commits.length, before + 1);
  await pass(3_600_000);
  t.equal(store.commits.length, before + 1, 'an idle log does not write');
  t.strictSame(log.counts(), { waiting: 0, dropped: 0 });
});

t.test('an event of a commit keeps its place before what was emitted meanwhile', async (t) => {
  const store = new MemoryStore();
  const { log, heard, pass } = await open(store);
  const change = log.prepare(news('change'));
  log.emit(news('meanwhile'));
  t.strictSame([heard, log.lastId], [[], 0]);
  await store.commit({ events: [change] });
  t.strictSame(await log.since(0, 10), [], 'stored, but not told yet');
  log.publish([change]);
  t.strictSame([heard, log.lastId], [[1, 2], 2]);
  await pass(PAUSE);
  t.strictSame(store.storedIds, [1, 2], 'each is stored once');
});

t.test('a number whose commit failed stays empty, one that never comes back is given up', async (t) => {
  const store = new MemoryStore();
  const { log, heard, lines, pass } = await open(store);
  const failed = [log.prepare(news('a')), log.prepare(news('b'))];
  log.emit(news('c'));
  log.discard(failed);
  t.strictSame(heard, [3]);
  const lost = log.prepare(news('d'));
  log.prepare(news('e'));
  log.emit(news('f'));
  await pass(PATIENCE - 1);
  t.strictSame(heard, [3]);
  await pass(1);
  await pass(PATIENCE);
  t.strictSame(heard, [3, 6]);
  t.strictSame(
    lines.map(({ event, id }) => [event, id]),
    [
      ['event_given_up', 4],
      ['event_given_up', 5],
    ],
  );
  log.publish([lost]);
  t.strictSame(heard, [3, 6, 4], 'late is better than never');
  t.strictSame(ids(await log.since(0, 10)), [3, 4, 6]);
  await pass(2 * PATIENCE);
  t.equal(lines.length, 2, 'nobody waits any more');
});

t.test('a listener that throws disturbs nobody; one that emits does not change the order', async (t) => {
  const { log, heard, lines } = await open(new MemoryStore());
  log.subscribe(() => {
    throw new Error('no');
  });
  const end = log.subscribe(({ id }) => {
    if (id === 1) log.emit(news('answer'));
  });
  const second: number[] = [];
  log.subscribe(({ id }) => void second.push(id));
  log.emit(news('question'));
  t.strictSame(
    [heard, second],
    [
      [1, 2],
      [1, 2],
    ],
  );
  t.match(lines, [
    { event: 'event_listener_failed', id: 1, message: 'Error: no' },
    { event: 'event_listener_failed', id: 2 },
  ]);
  end();
  end();
  log.emit(news('again'));
  t.strictSame(second, [1, 2, 3]);
});

t.test('since is free of gaps over ring, store and what is on its way', async (t) => {
  const store = new MemoryStore();
  const { log, pass } = await open(store, { ring: 3 });
  for (let i = 1; i <= 20; i++) {
    if (i % 5 === 0) {
      const change = log.prepare(news(`${i}`));
      await store.commit({ events: [change] });
      log.publish([change]);
    } else {
      log.emit(news(`${i}`));
    }
    if (i === 8) await pass(PAUSE);
  }
  t.strictSame(store.storedIds, [1, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20], 'some are still on their way');
  const all = Array.from({ length: 20 }, (_, i) => i + 1);
  t.strictSame(ids(await log.since(0, 100)), all);
  for (const limit of [1, 2, 3, 7]) {
    const read: number[] = [];
    for (let page = await log.since(0, limit); page.length > 0; page = await log.since(read.at(-1)!, limit)) {
      t.ok(page.length <= limit);
      read.push(...ids(page));
    }
    t.strictSame(read, all, `pages of ${limit}`);
  }
  t.strictSame(ids(await log.since(18, 100)), [19, 20]);
  t.strictSame(await log.since(20, 100), []);
  t.strictSame(await log.since(1e9, 100), []);
});

t.test('what is stored while a page is read is in it once', async (t) => {
  const store = new MemoryStore();
  const { log, pass } = await open(store, { ring: 1 });
  for (let i = 0; i < 5; i++) log.emit(news(`${i}`));
  let read = (): void => {};
  store.readGate = new Promise((resolve) => {
    read = resolve;
  });
  const page = log.since(0, 100);
  await pass(PAUSE);
  const later = log.prepare(news('later'));
  log.emit(news('last'));
  await store.commit({ events: [later] });
  log.publish([later]);
  read();
  t.strictSame(ids(await page), [1, 2, 3, 4, 5], 'and what came later is left for the next page');
  store.readGate = null;
  t.strictSame(ids(await log.since(5, 100)), [6, 7]);
});

t.test('numbers are never given twice', async (t) => {
  const store = new MemoryStore();
  const first = await open(store);
  first.log.emit(news('stored'));
  await first.pass(PAUSE);
  const told = [first.log.emit(news('told and not stored')), first.log.prepare(news('given'))];
  t.strictSame(store.storedIds, [1]);
  // Killed: nothing is closed.
  const second = await open(store);
  const next = second.log.emit(news('after the kill'));
  t.ok(next.id > told.at(-1)!.id, `${next.id}`);
  t.strictSame(ids(await second.log.since(0, 10)), [1, next.id], 'a gap, and nothing lost of what was stored');
  await second.log.close();
  const third = await open(store);
  t.equal(third.log.emit(news('after a clean end')).id, next.id + 1, 'no gap');
});

t.test('the mark stays ahead', async (t) => {
  const store = new MemoryStore();
  const { log, pass } = await open(store);
  t.equal(store.valueOf(MARK_KEY), BLOCK);
  for (let i = 0; i <= BLOCK / 2; i++) log.discard([log.prepare(news('x'))]);
  await pass(PAUSE);
  t.ok(Number(store.valueOf(MARK_KEY)) > BLOCK * 1.4);
});

t.test('trouble of the store hides nothing and loses nothing', async (t) => {
  const store = new MemoryStore();
  const { log, heard, pass } = await open(store);
  store.trouble('full');
  for (let i = 0; i < 3; i++) log.emit(news(`${i}`));
  await pass(PAUSE);
  const tried = store.commits.length;
  await pass(60_000);
  t.equal(store.commits.length, tried, 'a store in trouble is left alone');
  t.strictSame([heard, store.storedIds, log.counts().waiting], [[1, 2, 3], [], 3]);
  t.strictSame(ids(await log.since(0, 10)), [1, 2, 3]);
  store.trouble(null);
  await pass(RETRY);
  t.strictSame([store.storedIds, log.counts().waiting], [[1, 2, 3], 0]);
});

t.test('a commit that fails for trouble is tried again, each event once', async (t) => {
  const store = new MemoryStore();
  const { log, pass } = await open(store);
  store.refuses = () => new StoreError('unavailable', 'busy');
  log.emit(news('a'));
  await pass(PAUSE);
  log.emit(news('b'));
  await pass(RETRY);
  t.strictSame(store.storedIds, []);
  store.refuses = () => null;
  await pass(RETRY);
  t.strictSame(store.storedIds, [1, 2]);
});

t.test('at most so many wait: the oldest is dropped and counted, but none of a commit under way', async (t) => {
  const store = new MemoryStore();
  const { log, pass } = await open(store);
  let write = (): void => {};
  store.gate = new Promise((resolve) => {
    write = resolve;
  });
  log.emit(news('under way'));
  await pass(PAUSE);
  for (let i = 0; i < MOST + 4; i++) log.emit(news('more'));
  t.strictSame(log.counts(), { waiting: MOST, dropped: 5 });
  store.gate = null;
  store.refuses = () => new StoreError('unavailable', 'busy');
  write();
  await turns(2);
  store.refuses = () => null;
  await pass(RETRY);
  await turns(100);
  t.strictSame(log.counts(), { waiting: 0, dropped: 5 });
  t.strictSame(store.storedIds.slice(0, 3), [1, 7, 8]);
  t.equal(store.storedIds.length, MOST);
});

t.test('an event that the store refuses does not block the others', async (t) => {
  const store = new MemoryStore();
  const { log, lines, pass } = await open(store);
  store.refuses = ({ events = [] }) => (events.some(({ id }) => id === 2) ? new TypeError('odd') : null);
  for (let i = 0; i < 4; i++) log.emit(news(`${i}`));
  await pass(PAUSE);
  t.strictSame(store.storedIds, [1, 3, 4]);
  t.equal(log.counts().dropped, 1);
  t.match(lines, [{ event: 'event_refused', id: 2, message: 'odd' }]);
});

t.test('a store that cannot be written at the start only delays', async (t) => {
  const store = new MemoryStore();
  store.trouble('unavailable');
  const { log, pass } = await open(store);
  log.emit(news('a'));
  store.trouble(null);
  await pass(RETRY);
  t.strictSame(store.storedIds, [1]);
  t.equal(store.valueOf(MARK_KEY), BLOCK);
});

t.test('close writes what waits, and says what it cannot', async (t) => {
  const store = new MemoryStore();
  const first = await open(store);
  first.log.prepare(news('never settled'));
  first.log.emit(news('held'));
  await first.log.close();
  t.strictSame([store.storedIds, store.valueOf(MARK_KEY)], [[2], 2]);
  const second = await open(store);
  second.log.emit(news('a'));
  store.trouble('full');
  await second.log.close();
  t.match(second.lines, [{ event: 'events_lost', count: 1 }]);
  const commits = store.commits.length;
  await second.pass(3_600_000);
  store.trouble(null);
  await second.pass(3_600_000);
  t.equal(store.commits.length, commits, 'nothing happens after the end');
});
