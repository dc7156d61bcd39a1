/** The event log, its cursors and the history over the real store; a process that is killed is one whose log is never closed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { NewEvent, SluiceEvent } from '../../src/control/events/event.ts';
import { EventLog } from '../../src/control/events/event-log.ts';
import { PAUSE } from '../../src/control/events/event-writer.ts';
import { HistoryKeeper, POINT_EVERY } from '../../src/control/events/history-keeper.ts';
import { cursorKey, SAVE_EVERY, WebhookCursor } from '../../src/control/notify/webhook-cursor.ts';
import { openStore } from '../../src/control/store/sqlite-store.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { turns } from '../kit/signal.ts';

const news: NewEvent = { type: 'endpoint.health', level: 'info', service: 'shop', message: 'Grüße', data: { a: [1] } };
const ids = (events: readonly SluiceEvent[]): number[] => events.map(({ id }) => id);

function newDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-events-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function open(directory: string | null) {
  const clock = new FakeClock();
  const store = openStore({ directory, clock, logger: silentLogger });
  const log = await EventLog.open({ store, clock, logger: silentLogger, ring: 2 });
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await turns(2);
  };
  return { clock, store, log, pass };
}

t.test('emitted and committed events, in one order, over a restart and a kill', async (t) => {
  const directory = newDirectory(t);
  const first = await open(directory);
  const written: SluiceEvent[] = [];
  for (let i = 0; i < 6; i++) {
    if (i % 2 === 0) {
      written.push(first.log.emit(news));
    } else {
      const change = first.log.prepare(news);
      await first.store.commit({ events: [change], puts: [{ key: 'x', value: i }] });
      first.log.publish([change]);
      written.push(change);
    }
  }
  t.strictSame(await first.log.since(0, 100), written, 'before they are all stored');
  await first.log.close();
  await first.store.close();

  const second = await open(directory);
  t.strictSame(await second.log.since(0, 100), written);
  written.push(second.log.emit(news));
  await second.pass(PAUSE);
  const lost = second.log.emit(news);
  await second.store.close();

  const third = await open(directory);
  t.strictSame(await third.log.since(0, 100), written);
  const next = third.log.emit(news);
  t.ok(next.id > lost.id);
  t.strictSame(ids(await third.log.since(6, 100)), [7, next.id]);
  await third.log.close();
  await third.store.close();
});

t.test('a cursor over a restart', async (t) => {
  const directory = newDirectory(t);
  const first = await open(directory);
  const options = { name: 'ops', random: new SeededRandom(1), logger: silentLogger };
  const cursor = new WebhookCursor({ ...options, store: first.store, clock: first.clock });
  await cursor.load(5);
  cursor.advance(8);
  await first.pass(SAVE_EVERY);
  const { subscription } = cursor;
  t.strictSame((await first.store.get(cursorKey('ops')))?.value, { id: 8, subscription });
  await first.store.close();
  const second = await open(directory);
  for (const [end, id] of [
    [100, 8],
    [3, 3],
  ] as const) {
    const again = new WebhookCursor({ ...options, store: second.store, clock: second.clock });
    await again.load(end);
    t.strictSame([again.id, again.subscription], [id, subscription]);
  }
  await second.store.close();
});

t.test('history', async (t) => {
  const { clock, store, pass } = await open(null);
  const keeper = new HistoryKeeper({
    ...{ store, clock, logger: silentLogger, wallClock: () => 1_000_000 + clock.now() },
    readings: () => [{ service: 'shop', version: 'v1', values: { p95: 12.5, availability: null } }],
    retention: { events: 3_600_000, history: 30_000 },
  });
  for (let i = 0; i < 7; i++) await pass(POINT_EVERY);
  t.strictSame(
    (await store.history('shop', 'v1', 0)).map(({ at, values }) => [at - 1_000_000, values.p95]),
    [
      [30_000, 12.5],
      [40_000, 12.5],
      [50_000, 12.5],
      [60_000, 12.5],
      [70_000, 12.5],
    ],
    'swept at the first minute',
  );
  await keeper.close();
  await store.close();
});
