import t from 'tap';
import { eventsSince, newestEvents } from '../../src/control/admin/event-list.ts';
import { EventStream, LONGEST_BACKLOG } from '../../src/control/admin/event-stream.ts';
import { EventStreams } from '../../src/control/admin/event-streams.ts';
import type { SluiceEvent } from '../../src/control/events/event.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { turns } from '../kit/signal.ts';
import { FakeEvents } from '../wire/admin-operations.ts';

const ALL = () => true;

function open(since: number | null, source = new FakeEvents(), filter: (event: SluiceEvent) => boolean = ALL) {
  const clock = new FakeClock();
  const stream = new EventStream({ source, clock, filter, since });
  stream.on('error', () => {});
  let text = '';
  const read = (): void => void stream.on('data', (chunk) => (text += chunk));
  const ids = (): number[] => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
  return { clock, source, stream, read, ids, text: () => text };
}

t.test('only what comes, where nothing else was asked for', async (t) => {
  const source = new FakeEvents();
  source.happen();
  const { stream, read, ids, text } = open(null, source);
  read();
  source.happen();
  source.happen();
  await turns(3);
  t.strictSame(ids(), [1, 2, 3], 'the last number at once, to resume from');
  t.match(text(), /^retry: 2000\n\nid: 1\n\nid: 2\nevent: weights\.changed\ndata: \{"id":2,.*\}\n\n/);
  t.equal(source.readings, 0);
  stream.destroy();
  await turns(1);
  t.equal(source.listeners.size, 0);
});

t.test('what was missed, in pages, and what comes meanwhile: each once and in order', async (t) => {
  const source = new FakeEvents();
  for (let i = 0; i < 1_200; i++) source.happen();
  let release = (): void => {};
  source.hold = new Promise((resolve) => {
    release = resolve;
  });
  const { stream, read, ids } = open(100, source);
  read();
  await turns(2);
  source.happen();
  release();
  source.hold = null;
  await turns(2);
  source.happen();
  for (let i = 0; i < 20; i++) await turns(2);
  source.happen();
  await turns(3);
  t.strictSame(
    ids(),
    Array.from({ length: 1_103 }, (_, i) => i + 101),
  );
  stream.destroy();
});

t.test('an event that could be read before it was told comes once', async (t) => {
  const source = new FakeEvents();
  const { stream, read, ids } = open(0, source);
  read();
  const early: SluiceEvent = { ...source.happen(), id: 2 };
  source.all.push(early);
  await turns(5);
  for (const listener of source.listeners) listener(early);
  await turns(3);
  t.strictSame(ids(), [1, 2]);
  stream.destroy();
});

t.test('replay waits for the reader', async (t) => {
  const source = new FakeEvents();
  for (let i = 0; i < 5_000; i++) source.happen({ message: 'x'.repeat(200) });
  const { stream, read, ids } = open(0, source);
  await turns(50);
  t.equal(source.readings, 1, 'one page lies in the buffer');
  for (let i = 0; i < 100; i++) source.happen();
  t.equal(stream.destroyed, false, 'what comes meanwhile is not kept');
  read();
  for (let i = 0; i < 100 && ids().length < 5_100; i++) await turns(5);
  t.strictSame(
    ids(),
    Array.from({ length: 5_100 }, (_, i) => i + 1),
  );
  stream.destroy();
});

t.test('a reader that leaves a MiB of live events unread is cut off', async (t) => {
  const { source, stream } = open(null);
  let events = 0;
  while (!stream.destroyed && events < 10_000) {
    source.happen({ message: 'x'.repeat(1_000) });
    events++;
  }
  t.ok(events > LONGEST_BACKLOG / 1_300 && events < LONGEST_BACKLOG / 1_000, `after ${events}`);
  await turns(1);
  t.equal(source.listeners.size, 0);
});

t.test('silence is broken every 15 s, and filters filter', async (t) => {
  const { clock, source, stream, read, ids, text } = open(null, new FakeEvents(), ({ type }) => type === 'alert');
  read();
  source.happen();
  source.happen({ type: 'alert' });
  clock.advance(15_000);
  await turns(3);
  t.strictSame(ids(), [0, 2]);
  t.match(text(), /\n: still here\n\n$/);
  stream.destroy();
});

t.test('who comes back to a log that does not go so far is told of the gap', async (t) => {
  const opened = async (since: number, ...kept: readonly number[]) => {
    const source = new FakeEvents();
    for (const id of kept) source.happen({ id });
    const { stream, read, ids, text } = open(since, source);
    read();
    await turns(5);
    const next = source.happen();
    await turns(3);
    stream.destroy();
    const gap = /^retry: 2000\n\nevent: gap\ndata: (.*)\n\n/.exec(text())?.[1];
    t.equal(ids().at(-1), next.id);
    return { gap: gap === undefined ? null : JSON.parse(gap), ids: ids().slice(0, -1) };
  };
  const said = (since: number, from: number, last: number) => ({ since, from, last });
  t.strictSame(await opened(9, 1, 2), { gap: said(9, 1, 2), ids: [1, 2] }, 'a server that has lost its state');
  t.strictSame(await opened(9), { gap: said(9, 1, 0), ids: [] }, 'and has nothing yet');
  t.strictSame(await opened(9, 40, 41), { gap: said(9, 40, 41), ids: [40, 41] }, 'one that has forgotten');
  for (const since of [39, 40, 41, 45])
    t.equal((await opened(since, 40, 41, 10_050)).gap, null, `none behind ${since}`);
  t.strictSame(await opened(41, 40, 41), { gap: null, ids: [] });
  t.strictSame(await opened(0, 40), { gap: null, ids: [40] }, 'whatever there is');
});

t.test('a log that cannot be read ends the stream', async (t) => {
  const source = new FakeEvents();
  source.since = async () => Promise.reject(new Error('disk'));
  const { stream } = open(0, source);
  await turns(3);
  t.equal(stream.destroyed, true);
});

t.test('streams are bounded, asked again and ended', async (t) => {
  const source = new FakeEvents();
  const streams = new EventStreams();
  const options = { source, clock: new FakeClock(), filter: ALL, since: null };
  let welcome = true;
  const opened = Array.from({ length: 100 }, (_, i) => streams.open(options, () => welcome || i > 0));
  t.throws(() => streams.open(options, ALL), { code: 'busy', retryAfter: 10 });
  opened[5]?.destroy();
  await turns(1);
  t.equal(streams.size, 99);
  welcome = false;
  for (const stream of opened) stream.resume();
  streams.recheck();
  await turns(3);
  t.equal(opened[0]?.readableEnded, true);
  t.equal(streams.size, 98);
  const slow = streams.open(options, () => false);
  streams.recheck();
  t.strictSame(
    [slow.readableEnded, streams.size],
    [false, 98],
    'who does not read takes no place when it is let in no more',
  );
  slow.resume();
  streams.close();
  await turns(3);
  t.equal(streams.size, 0);
  t.equal(source.listeners.size, 0);
});

t.test('lists', async (t) => {
  const source = new FakeEvents();
  for (let i = 0; i < 1_300; i++) source.happen({ type: i % 100 === 0 ? 'alert' : 'weights.changed' });
  const alerts = ({ type }: SluiceEvent): boolean => type === 'alert';
  const idsOf = (events: readonly SluiceEvent[]): number[] => events.map(({ id }) => id);
  t.strictSame(idsOf(await newestEvents(source, 3, ALL)), [1298, 1299, 1300]);
  t.strictSame(idsOf(await newestEvents(source, 3, alerts)), [1001, 1101, 1201]);
  t.equal((await newestEvents(source, 100, alerts)).length, 13, 'all there are');
  const first = await eventsSince(source, 0, 2, alerts);
  t.strictSame(idsOf(first.found), [1, 101]);
  const second = await eventsSince(source, first.next ?? -1, 100, alerts);
  t.equal(second.found.length, 11);
  t.equal(second.next, null);
  for (const part of [
    { limit: 5, type: 'server.started' },
    { limit: 100, type: 'alert' },
  ]) {
    const long = new FakeEvents();
    let rows = 0;
    const since = long.since.bind(long);
    long.since = async (id, limit) => {
      const page = await since(id, limit);
      rows += page.length;
      return page;
    };
    long.happen({ type: 'server.started' });
    for (let i = 1; i < 100_000; i++) long.happen({ type: i % 500 === 0 ? 'alert' : 'weights.changed' });
    const found = await newestEvents(long, part.limit, ({ type }) => type === part.type);
    t.equal(found.length, part.type === 'alert' ? 20 : 0, `${part.type}: no more than what a look may cost`);
    t.ok(rows >= 9_500 && rows <= 12_000, `${rows} events were read`);
  }
  source.happen({ id: 900_000 });
  t.equal((await newestEvents(source, 5, ALL)).length, 5, 'across the gap that a kill leaves');
  t.strictSame(await newestEvents(new FakeEvents(), 5, ALL), []);
});
