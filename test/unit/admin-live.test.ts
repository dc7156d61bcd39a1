import t from 'tap';
import { EventStream, LONGEST_BACKLOG } from '../../src/control/admin/event-stream.ts';
import { liveState } from '../../src/control/admin/live-state.ts';
import { LiveTicker } from '../../src/control/admin/live-ticker.ts';
import { summaryExample } from '../../src/control/admin/schemas/rollout-examples.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { turns } from '../kit/signal.ts';
import { FakeEvents, FakeOperations } from '../wire/admin-operations.ts';

/** A ticker over a state that counts how often it was made. */
function stage() {
  const fake = new FakeClock();
  const source = new FakeEvents();
  const errors: string[] = [];
  const logger: Logger = { info: () => {}, warn: () => {}, error: (event) => void errors.push(event) };
  // What making has cost is on top of the time that was waited for.
  const play = { made: 0, cost: 0, spent: 0, broken: false, text: '' };
  const clock = { now: () => fake.now() + play.spent, setInterval: fake.setInterval.bind(fake) };
  const ticker = new LiveTicker({
    make: () => {
      play.spent += play.cost;
      if (play.broken) throw new Error('cannot');
      play.made++;
      return { made: play.made, text: play.text };
    },
    clock,
    logger,
  });
  const open = (read = true, since: number | null = null) => {
    const firstState = () => ticker.frame();
    const stream = new EventStream({ source, clock: fake, filter: () => true, since, firstState });
    stream.on('error', () => {});
    ticker.follow(stream);
    const reader = { stream, text: '', start: () => void stream.on('data', (chunk) => (reader.text += chunk)) };
    if (read) reader.start();
    return reader;
  };
  const advance = async (ms: number): Promise<void> => {
    fake.advance(ms);
    await turns(3);
  };
  return { source, errors, play, ticker, open, advance };
}

const states = ({ text }: { readonly text: string }): number[] =>
  [...text.matchAll(/^event: state\ndata: \{"made":(\d+),.*\}\n\n/gm)].map(([, made]) => Number(made));

t.test('one state a second for all streams, and none for nobody', async (t) => {
  const { play, open, advance } = stage();
  const first = open();
  const second = open();
  await advance(999);
  t.strictSame([states(first), states(second), play.made], [[1], [1], 1], 'the first at once');
  t.match(first.text, /^retry: 2000\n\nid: 0\n\nevent: state\n/, 'and it has no id');
  await advance(1);
  await advance(1_000);
  t.strictSame([states(first), states(second), play.made], [[1, 2, 3], [1, 2, 3], 3]);
  first.stream.destroy();
  await turns(1);
  await advance(1_000);
  t.strictSame([states(first).length, states(second).length], [3, 4]);
  second.stream.destroy();
  await turns(1);
  await advance(10_000);
  t.equal(play.made, 4, 'nobody is there');
  t.strictSame(states(await opened(open, advance)), [5]);
});

async function opened(open: ReturnType<typeof stage>['open'], advance: (ms: number) => Promise<void>) {
  const reader = open();
  await advance(0);
  return reader;
}

t.test('a state that is expensive comes less often, and coming anew does not change that', async (t) => {
  const { play, open, advance } = stage();
  play.cost = 200;
  const reader = open();
  await advance(3_999);
  t.strictSame(states(reader), [1]);
  const other = open();
  await advance(0);
  t.strictSame(states(other), [1], 'the one that there is');
  play.cost = 10;
  await advance(1);
  t.strictSame(
    [states(reader), states(other)],
    [
      [1, 2],
      [1, 2],
    ],
  );
  play.cost = 200;
  await advance(1_000);
  t.strictSame(states(reader), [1, 2, 3]);
  for (const { stream } of [reader, other]) stream.destroy();
  await advance(1_000);
  t.strictSame(states(await opened(open, advance)), [3]);
  t.equal(play.made, 3);
});

t.test('a machine that was suspended in the middle does not end it', async (t) => {
  const { play, open, advance } = stage();
  play.cost = 3_600_000;
  const reader = await opened(open, advance);
  play.cost = 0;
  await advance(30_000);
  t.strictSame(states(reader), [1, 2]);
  reader.stream.destroy();
});

t.test('a state that cannot be made is left out', async (t) => {
  const { errors, play, source, ticker, open, advance } = stage();
  play.broken = true;
  const reader = open();
  await advance(2_000);
  source.happen();
  await turns(3);
  t.strictSame([states(reader), reader.stream.destroyed], [[], false]);
  t.match(reader.text, /event: weights\.changed/, 'events come all the same');
  t.strictSame(errors, ['live_state_failed'], 'logged once');
  t.equal(ticker.json(), null);
  play.broken = false;
  await advance(1_000);
  t.strictSame(states(reader), [1]);
  play.broken = true;
  await advance(1_000);
  t.equal(errors.length, 2, 'and once more after it had worked');
  reader.stream.destroy();
});

t.test('a reader who is behind does without states, and gets every event', async (t) => {
  const { source, open, advance } = stage();
  const reader = open(false);
  await advance(5_000);
  for (let i = 0; i < 3; i++) source.happen();
  await advance(5_000);
  reader.start();
  await advance(0);
  t.strictSame(states(reader), [1], 'of what lay unread none was repeated');
  t.equal(reader.text.match(/event: weights/g)?.length, 3);
  await advance(1_000);
  t.strictSame(states(reader), [1, 12]);
  reader.stream.destroy();
});

t.test('states cut nobody off, however long; events do', async (t) => {
  const { play, source, open, advance } = stage();
  play.text = 'x'.repeat(3 * LONGEST_BACKLOG);
  const first = open(false);
  const later = open();
  await advance(0);
  later.stream.pause();
  await advance(1_000);
  await advance(1_000);
  for (let i = 0; i < 100; i++) source.happen({ message: 'x'.repeat(9_000) });
  t.strictSame([first.stream.destroyed, later.stream.destroyed], [false, false], 'less than a MiB of events');
  for (let i = 0; i < 20; i++) source.happen({ message: 'x'.repeat(9_000) });
  t.strictSame([first.stream.destroyed, later.stream.destroyed], [true, true]);
});

t.test('a reader who resumes gets a state at once, and then what was missed', async (t) => {
  const { source, open, advance } = stage();
  for (let i = 0; i < 1_200; i++) source.happen();
  const reader = open(true, 100);
  await advance(0);
  for (let i = 0; i < 20; i++) await turns(2);
  t.match(reader.text, /^retry: 2000\n\nevent: state\n.*\n\nid: 101\n/);
  t.equal(reader.text.match(/^id: /gm)?.length, 1_100);
  const lost = open(true, 5_000);
  await advance(0);
  t.match(lost.text, /^retry: 2000\n\nevent: state\n.*\n\nevent: gap\ndata: \{"since":5000,/);
  for (const { stream } of [reader, lost]) stream.destroy();
});

t.test('rollouts are shown until a minute after their end', async (t) => {
  const operations = new FakeOperations();
  const ended = Date.parse(summaryExample.endedAt ?? '');
  const at = (now: number): number => liveState(operations, now).rollouts.length;
  t.strictSame([at(ended), at(ended + 60_000), at(ended + 60_001)], [1, 1, 0]);
  operations.rollouts = () => [{ ...summaryExample, endedAt: null }];
  const state = liveState(operations, ended + 9e9);
  t.equal(state.rollouts.length, 1);
  t.equal(state.at, new Date(ended + 9e9).toISOString());
  t.strictSame([state.services, state.status], [operations.services(), operations.status()]);
});
