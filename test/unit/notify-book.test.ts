/** Notifications that want to be acknowledged: who is told next, what waits for whom, what is kept over restarts and for how long. */
import t, { type Test } from 'tap';
import type { EventLevel, SluiceEvent } from '../../src/control/events/event.ts';
import { Backlog } from '../../src/control/notify/backlog.ts';
import { escalationsDue, type Notification, spoken } from '../../src/control/notify/escalation.ts';
import {
  KEPT_FOR,
  MOST_KEPT,
  NOTIFICATIONS,
  NotificationBook,
  notificationKey,
} from '../../src/control/notify/notification-book.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { turns } from '../kit/signal.ts';
import { MemoryStore } from './events-store.ts';

const START = Date.parse('2026-01-01T12:00:00.000Z');
const MINUTE = 60_000;

const event = (id: number, at = START): SluiceEvent => ({
  ...{ id, at: new Date(at).toISOString(), type: 'rollout.failed', level: 'critical', service: 'shop' },
  message: `event ${id}`,
});
const notification = (part: Partial<Notification> = {}): Notification => ({
  ...{ event: event(1), told: ['chat'], acknowledged: null, escalations: [] },
  ...part,
});
const channel = (name: string, minutes?: number, to = '') => ({
  name,
  escalate: minutes === undefined ? null : { after: minutes * MINUTE, to },
});

t.test('escalations go from those who were told to those who are not', async (t) => {
  const channels = [channel('chat', 10, 'pager'), channel('pager', 20, 'boss'), channel('boss')];
  t.strictSame(escalationsDue(notification(), channels), [{ to: 'pager', at: START + 10 * MINUTE }]);
  const once = notification({ escalations: [{ to: 'pager', at: START + 11 * MINUTE, sent: true }] });
  t.strictSame(escalationsDue(once, channels), [{ to: 'boss', at: START + 31 * MINUTE }], 'they chain');
  const twice = { ...once, escalations: [...once.escalations, { to: 'boss', at: START, sent: false }] };
  t.strictSame(escalationsDue(twice, channels), [], 'each channel once, even where it could not be reached');
  t.strictSame(escalationsDue(notification({ told: [] }), channels), [], 'nobody wanted it');
  t.strictSame(escalationsDue(notification({ told: ['gone'] }), channels), []);
  t.strictSame(escalationsDue(notification(), [channel('chat', 10, 'gone')]), []);
  t.strictSame(escalationsDue({ ...once, acknowledged: { by: 'ops', at: '' } }, channels), []);
  const two = [channel('a', 10, 'c'), channel('b', 5, 'c'), channel('c')];
  t.strictSame(escalationsDue(notification({ told: ['a', 'b'] }), two), [{ to: 'c', at: START + 5 * MINUTE }]);
});

t.test('a time as it is spoken', async (t) => {
  const cases = [999, 1_000, 59_999, MINUTE, 10 * MINUTE + 900, 119 * MINUTE, 120 * MINUTE, 1_500 * MINUTE];
  t.strictSame(cases.map(spoken), [
    ...['1 second', '1 second', '59 seconds', '1 minute', '10 minutes', '119 minutes', '2 hours', '25 hours'],
  ]);
});

t.test('what waits is given up as if it lay in a queue that throws out its oldest of the least level', async (t) => {
  const random = new SeededRandom(5);
  const levels: readonly EventLevel[] = ['info', 'warning', 'critical'];
  for (let round = 0; round < 300; round++) {
    const most = 1 + Math.floor(random.next() * 20);
    const waiting = Array.from({ length: Math.floor(random.next() * 60) }, (_, id) => ({
      id,
      level: levels[Math.floor(random.next() ** 2 * 3)]!,
    }));
    let queue: typeof waiting = [];
    for (const each of waiting) {
      queue.push(each);
      const least = levels.find((level) => queue.some((other) => other.level === level));
      const out = queue.length > most ? queue.find(({ level }) => level === least) : undefined;
      queue = queue.filter((other) => other !== out);
    }
    const backlog = new Backlog(most);
    for (const { level } of waiting) backlog.add(level);
    const kept = waiting.filter(({ level }) => !backlog.givesUp(level));
    t.strictSame(kept, queue, `${most} of ${waiting.length}`);
  }
});

function start(t: Test, store = new MemoryStore()) {
  const lines: string[] = [];
  const log = (name: string): void => void lines.push(name);
  const wall = { now: START };
  const logger = { info: log, warn: log, error: log };
  const book = new NotificationBook({ store, wallClock: () => wall.now, logger });
  t.teardown(() => book.close());
  const acknowledge = (id: string, by = 'ops') => book.acknowledge(id, by, (change) => store.commit(change));
  return { store, lines, wall, book, acknowledge };
}

t.test('they are kept over a restart, with what became of them', async (t) => {
  const { book, store, acknowledge } = start(t);
  book.add(event(9), ['chat']);
  book.add(event(10), ['chat', 'pager']);
  book.add(event(10), ['nobody']);
  book.escalated('9', { to: 'pager', at: START + 1, sent: true });
  await acknowledge('10');
  await book.close();
  const next = start(t, store);
  await next.book.load();
  t.strictSame(next.book.all(), book.all());
  t.match(next.book.all(), [
    { event: { id: 9 }, told: ['chat'], escalations: [{ to: 'pager', sent: true }] },
    { event: { id: 10 }, told: ['chat', 'pager'], acknowledged: { by: 'ops', at: '2026-01-01T12:00:00.000Z' } },
  ]);
});

t.test('one is acknowledged once, by whoever is first', async (t) => {
  const { book, acknowledge } = start(t);
  book.add(event(9), []);
  const [first, second] = await Promise.allSettled([acknowledge('9', 'ada'), acknowledge('9', 'bob')]);
  t.match(first, { status: 'fulfilled', value: { acknowledged: { by: 'ada' } } });
  t.match(second, {
    reason: { code: 'conflict', message: 'notification 9 was acknowledged by ada at 2026-01-01T12:00:00.000Z' },
  });
  await t.rejects(acknowledge('8'), { code: 'not_found', message: /there is no notification 8/ });
});

t.test('an escalation that is noted while somebody acknowledges is not lost', async (t) => {
  const { book, store } = start(t);
  book.add(event(9), ['chat']);
  await book.acknowledge('9', 'ops', async (change) => {
    book.escalated('9', { to: 'pager', at: START, sent: true });
    return store.commit(change);
  });
  await book.close();
  const whole = { acknowledged: { by: 'ops' }, escalations: [{ to: 'pager' }] };
  t.match(book.get('9'), whole);
  t.match(store.valueOf(notificationKey('9')), whole);
});

t.test('30 days and 500', async (t) => {
  const { book, store, wall } = start(t);
  for (let id = 1; id <= MOST_KEPT + 3; id++) book.add(event(id), []);
  await turns(5);
  t.equal(book.all().length, MOST_KEPT);
  t.equal(book.all()[0]!.event.id, 4);
  t.equal((await store.list(NOTIFICATIONS)).length, MOST_KEPT);
  wall.now += KEPT_FOR + 1;
  t.strictSame(book.all(), []);
  book.add(event(600, wall.now), []);
  await book.close();
  t.strictSame(
    (await store.list(NOTIFICATIONS)).map(({ key }) => key),
    [notificationKey('600')],
  );
  wall.now += KEPT_FOR + 1;
  const next = start(t, store);
  next.wall.now = wall.now;
  await next.book.load();
  t.strictSame(await store.list(NOTIFICATIONS), []);
});

t.test('a store in trouble: known at once, written later, acknowledged not before', async (t) => {
  const { book, store, lines, acknowledge } = start(t);
  store.trouble('full');
  book.add(event(9), ['chat']);
  await turns(3);
  t.strictSame(lines, ['notification_not_saved']);
  t.equal(book.all().length, 1);
  await t.rejects(acknowledge('9'), { name: 'StoreError', message: 'the disk is gone' });
  t.equal(book.get('9')?.acknowledged, null);
  book.escalated('9', { to: 'pager', at: START, sent: true });
  store.trouble(null);
  await turns(3);
  t.match(store.valueOf(notificationKey('9')), { escalations: [{ to: 'pager' }] });
  await acknowledge('9');
  t.match(store.valueOf(notificationKey('9')), { acknowledged: { by: 'ops' } });
});

t.test('what cannot be read, or is something else, stops nothing', async (t) => {
  const store = new MemoryStore();
  await store.commit({ puts: [{ key: notificationKey('7'), value: { event: 'no' } }] });
  const { book, lines } = start(t, store);
  await book.load();
  t.strictSame(book.all(), []);
  store.list = () => Promise.reject(new Error('I/O'));
  await book.load();
  t.strictSame(lines, ['notifications_unreadable']);
});
