/**
 * Webhook subscriptions of the event log against real HTTP servers that verify signatures, refuse, stall, go away and come back. Time is
 * turned by hand, packets are real; a "process" is an event log with its webhooks over a store that outlives it.
 */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import type { EventType, SluiceEvent } from '../../src/control/events/event.ts';
import { EventLog } from '../../src/control/events/event-log.ts';
import { PAUSE } from '../../src/control/events/event-writer.ts';
import { createLogger } from '../../src/control/log.ts';
import { GIVE_UP_AFTER, type ReaderCounts, TIMEOUT } from '../../src/control/notify/event-reader.ts';
import { EventWebhooks } from '../../src/control/notify/event-webhooks.ts';
import { FIRST_PAUSE, LAST_PAUSE, LONGEST_RETRY_AFTER } from '../../src/control/notify/retry-pause.ts';
import { cursorKey, SAVE_EVERY } from '../../src/control/notify/webhook-cursor.ts';
import type { EventWebhookConfig } from '../../src/model/admin-config.ts';
import { Secret } from '../../src/model/secret.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { LoadedDice } from '../kit/fake-time.ts';
import { turns, until } from '../kit/signal.ts';
import { WatchedClock } from '../kit/watched-clock.ts';
import { MemoryStore } from '../unit/events-store.ts';

const START = Date.parse('2026-01-01T00:00:00.000Z');
const KEY = 'the receiver knows this';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly event: SluiceEvent;
}

/** A server whose answers are decided call by call. */
async function receiver(t: Test, answer: (response: ServerResponse, nth: number) => void, port = 0) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      received.push({ headers: request.headers, text, event: JSON.parse(text) });
      answer(response, received.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const stop = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  t.teardown(stop);
  const bound = (server.address() as AddressInfo).port;
  const messages = (): string[] => received.map(({ event }) => event.message);
  return { received, messages, stop, port: bound, url: `http://127.0.0.1:${bound}/hooks/hidden-path?key=hidden` };
}

const reply = (response: ServerResponse, status: number, headers: Record<string, string> = {}): void =>
  void response.writeHead(status, headers).end('{}');
const ok = (response: ServerResponse): void => reply(response, 200);

/** Starts a process on what the last one left. */
async function start(t: Test, store = new MemoryStore(), clock = new WatchedClock()) {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger((line) => void lines.push(JSON.parse(line)));
  const wallClock = (): number => START + clock.now();
  const log = await EventLog.open({ store, clock, wallClock, logger });
  // 0: every pause is as long as it can be.
  const webhooks = new EventWebhooks({ log, store, clock, wallClock, random: new LoadedDice(0), logger });
  t.teardown(() => webhooks.close());
  const emit = (message: string, type: EventType = 'flag.changed'): SluiceEvent =>
    log.emit({ type, level: 'info', message });
  const stop = async (): Promise<void> => {
    await webhooks.close();
    await log.close();
  };
  /** Waits until everything that was emitted is done with. */
  const done = (): Promise<void> =>
    until('all events to be done with', () => webhooks.counts().every(({ cursor }) => cursor === log.lastId));
  const counts = (): ReaderCounts => webhooks.counts()[0]!;
  /** Waits for a pause after a failed try, then lets that time pass. */
  const retry = async (ms: number): Promise<void> => {
    await until('a pause', () => counts().state === 'retrying');
    const { tries } = counts();
    const paused = (): boolean => counts().state === 'retrying' && counts().tries === tries;
    clock.advance(ms - 1);
    await turns(2);
    t.ok(paused(), `a pause of no less than ${ms} ms`);
    clock.advance(1);
    await until(`the end of a pause of ${ms} ms`, () => !paused());
  };
  return { store, clock, lines, log, webhooks, emit, stop, done, counts, retry };
}

const to = (url: string, rest: Partial<EventWebhookConfig> = {}): EventWebhookConfig[] => [
  { name: 'ops', url, types: [], ...rest },
];

const signed = (text: string, headers: IncomingHttpHeaders, key: string | Buffer): string =>
  `v1,${createHmac('sha256', key).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`).digest('base64')}`;

t.test('events are posted one at a time, in order, signed', async (t) => {
  let open = 0;
  let most = 0;
  const { received, messages, url } = await receiver(t, (response) => {
    most = Math.max(most, ++open);
    setImmediate(() => {
      open--;
      reply(response, 204);
    });
  });
  const { webhooks, emit, done, log, counts } = await start(t);
  emit('before the subscription');
  await webhooks.configure(to(url, { secret: new Secret('env:X', KEY) }));
  const events = Array.from({ length: 250 }, (_, i) => emit(`${i}`));
  await done();
  t.equal(most, 1);
  t.strictSame(
    received.map(({ event }) => event),
    events,
    'the body is the event; nothing from before the subscription',
  );
  t.equal(new Set(received.map(({ headers }) => headers['webhook-id'])).size, 250);
  for (const { headers, text } of received) t.equal(headers['webhook-signature'], signed(text, headers, KEY));
  t.match(received[0]!.headers, {
    'content-type': 'application/json',
    'user-agent': 'sluice-event',
    'webhook-timestamp': String(START / 1000),
  });
  t.equal(messages()[249], '249');
  t.match(counts(), {
    ...{ name: 'ops', origin: new URL(url).origin, state: 'idle', delivered: 250, failed: 0, tries: 0 },
    ...{ fault: null, cursor: log.lastId },
  });
});

t.test('a secret in base64, and none', async (t) => {
  const { received, url } = await receiver(t, ok);
  const { webhooks, emit, done } = await start(t);
  const key = Buffer.from([0, 1, 2, 253, 254, 255]);
  await webhooks.configure(to(url, { secret: new Secret('env:X', `whsec_${key.toString('base64')}`) }));
  emit('a');
  await done();
  await webhooks.configure(to(url));
  emit('b');
  await done();
  t.equal(received[0]!.headers['webhook-signature'], signed(received[0]!.text, received[0]!.headers, key));
  t.notOk('webhook-signature' in received[1]!.headers);
  t.match(received[1]!.headers, { 'webhook-id': /^[0-9a-f]{12}-2$/ });
});

t.test('only the types that were asked for; the cursor passes the others', async (t) => {
  const { messages, url } = await receiver(t, ok);
  const { webhooks, emit, done } = await start(t);
  await webhooks.configure(to(url, { types: ['endpoint.*', 'alert'] }));
  emit('a', 'alert');
  for (let i = 0; i < 300; i++) emit('b', 'weights.changed');
  emit('c', 'endpoint.health');
  emit('d', 'endpoint.state');
  emit('e', 'server.draining');
  await done();
  t.strictSame(messages(), ['a', 'c', 'd']);
});

t.test('500, then 200: the same id again, the next event only behind it', async (t) => {
  const { received, messages, url } = await receiver(t, (response, nth) => reply(response, nth <= 3 ? 500 : 200));
  const { webhooks, emit, done, retry, lines, counts } = await start(t);
  await webhooks.configure(to(url, { secret: new Secret('env:X', KEY) }));
  emit('a');
  emit('b');
  await until('the first pause', () => counts().state === 'retrying');
  t.match(counts(), { tries: 1, fault: 'status 500', cursor: 0 });
  await retry(FIRST_PAUSE);
  await retry(2 * FIRST_PAUSE);
  await retry(4 * FIRST_PAUSE);
  await done();
  t.strictSame(messages(), ['a', 'a', 'a', 'a', 'b']);
  t.equal(new Set(received.slice(0, 4).map(({ headers }) => headers['webhook-id'])).size, 1);
  t.equal(received[3]!.headers['webhook-timestamp'], String(START / 1000 + 7), 'the time is that of the try');
  t.equal(received[3]!.headers['webhook-signature'], signed(received[3]!.text, received[3]!.headers, KEY));
  t.strictSame(
    lines.map(({ event }) => event),
    ['event_webhook_fails', 'event_webhook_recovered'],
    'not one line for each try',
  );
  t.match(lines[0], { webhook: 'ops', origin: new URL(url).origin, message: 'status 500' });
  t.notMatch(JSON.stringify(lines), /hidden/);
});

t.test('pauses double up to five minutes', async (t) => {
  const { received, url } = await receiver(t, (response) => reply(response, 500));
  const { webhooks, emit, retry } = await start(t);
  await webhooks.configure(to(url));
  emit('a');
  for (let pause = FIRST_PAUSE; pause < LAST_PAUSE; pause *= 2) await retry(pause);
  await retry(LAST_PAUSE);
  await retry(LAST_PAUSE);
  await until('the twelfth try', () => received.length === 12);
});

t.test('Retry-After is waited for, in seconds or to a date, an hour at most', async (t) => {
  const asks = ['120', new Date(START + 120_000 + 900_000).toUTCString(), '99999999', 'soon', '0'];
  const { received, url } = await receiver(t, (response, nth) =>
    nth <= asks.length ? reply(response, 503, { 'retry-after': asks[nth - 1]! }) : ok(response),
  );
  const { webhooks, emit, done, retry } = await start(t);
  await webhooks.configure(to(url));
  emit('a');
  await retry(120_000);
  await retry(900_000);
  await retry(LONGEST_RETRY_AFTER);
  await retry(8 * FIRST_PAUSE);
  await retry(16 * FIRST_PAUSE);
  await done();
  t.equal(received.length, 6);
});

t.test('a redirect is not followed', async (t) => {
  const other = await receiver(t, ok);
  const { url } = await receiver(t, (response, nth) =>
    nth === 1 ? reply(response, 308, { location: other.url }) : ok(response),
  );
  const { webhooks, emit, done, retry } = await start(t);
  await webhooks.configure(to(url));
  emit('a');
  await retry(FIRST_PAUSE);
  await done();
  t.strictSame(other.received, []);
});

t.test('a receiver that takes too long, head or body, is asked again', async (t) => {
  const { received, url } = await receiver(t, (response, nth) => {
    if (nth === 2) response.writeHead(200, { 'content-length': '10' }).write('12345');
    else if (nth === 3) ok(response);
  });
  const { webhooks, emit, done, clock, counts, retry } = await start(t);
  await webhooks.configure(to(url));
  emit('a');
  for (const [nth, pause] of [
    [1, FIRST_PAUSE],
    [2, 2 * FIRST_PAUSE],
  ] as const) {
    await until(`try ${nth}`, () => received.length === nth);
    await turns(50);
    await clock.pass(TIMEOUT);
    await until('a pause', () => counts().state === 'retrying');
    t.equal(counts().fault, 'no complete answer in time');
    await retry(pause);
  }
  await done();
});

t.test('a receiver that is down for hours gets everything when it is back, in order', async (t) => {
  const first = await receiver(t, ok);
  const { webhooks, emit, done, retry, counts } = await start(t);
  await webhooks.configure(to(first.url));
  emit('0');
  await done();
  await first.stop();
  for (let i = 1; i <= 120; i++) emit(`${i}`);
  for (let pause = FIRST_PAUSE; pause < LAST_PAUSE; pause *= 2) await retry(pause);
  for (let i = 0; i < 100; i++) await retry(LAST_PAUSE);
  await until('another failure', () => counts().state === 'retrying');
  t.match(counts().fault, /ECONNREFUSED/);
  const second = await receiver(t, ok, first.port);
  await retry(LAST_PAUSE);
  await done();
  t.strictSame(
    second.messages(),
    Array.from({ length: 120 }, (_, i) => `${i + 1}`),
  );
  t.match(counts(), { delivered: 121, failed: 0, tries: 0, fault: null });
});

t.test('410 ends the subscription until the configuration is read again', async (t) => {
  const { messages, url } = await receiver(t, (response, nth) => reply(response, nth === 2 ? 410 : 200));
  const { webhooks, emit, done, clock, counts, lines } = await start(t);
  await webhooks.configure(to(url));
  emit('a');
  emit('b');
  await until('the end', () => counts().state === 'gone');
  emit('c');
  clock.advance(2 * GIVE_UP_AFTER);
  await turns(50);
  t.strictSame(messages(), ['a', 'b']);
  t.match(lines.at(-1), { level: 'error', event: 'event_webhook_gone', webhook: 'ops' });
  await webhooks.configure(to(url));
  await done();
  t.strictSame(messages(), ['a', 'b', 'b', 'c']);
});

t.test('an event is given up after a day of failing, a younger one is not', async (t) => {
  let down = true;
  const { messages, url } = await receiver(t, (response) => reply(response, down ? 500 : 200));
  const { webhooks, emit, done, clock, counts } = await start(t);
  await webhooks.configure(to(url));
  emit('old 1');
  emit('old 2');
  emit('old 3');
  await until('the first failure', () => counts().state === 'retrying');
  clock.advance(GIVE_UP_AFTER / 2);
  emit('young');
  await until('the pause', () => counts().tries === 2 && counts().state === 'retrying');
  clock.advance(GIVE_UP_AFTER / 2);
  await until('giving up', () => counts().failed === 3 && counts().state === 'retrying');
  down = false;
  clock.advance(LAST_PAUSE);
  await done();
  t.strictSame(messages(), ['old 1', 'old 1', 'old 1', 'young'], 'old ones are not tried one after the other');
  t.match(counts(), { delivered: 1, failed: 3 });
});

t.test('events that the log does not keep for a day are given up when it forgets them', async (t) => {
  const { url } = await receiver(t, (response) => reply(response, 500));
  const { webhooks, emit, clock, counts } = await start(t);
  await webhooks.configure(to(url), 3_600_000);
  emit('a');
  await until('the first failure', () => counts().state === 'retrying');
  clock.advance(3_600_000);
  await until('giving up', () => counts().failed === 1);
});

t.test('a late event is delivered whatever its age, and not given up for a 410', async (t) => {
  const { messages, url } = await receiver(t, (response, nth) => reply(response, nth === 1 ? 410 : 200));
  const first = await start(t);
  await first.webhooks.configure(to(url));
  await first.webhooks.close();
  first.emit('while nobody sent');
  await first.log.close();
  first.clock.advance(3 * GIVE_UP_AFTER);
  const second = await start(t, first.store, first.clock);
  await second.webhooks.configure(to(url));
  await until('the end', () => second.counts().state === 'gone');
  await second.webhooks.configure(to(url));
  await second.done();
  t.strictSame(messages(), ['while nobody sent', 'while nobody sent']);
  t.match(second.counts(), { delivered: 1, failed: 0 });
});

t.test('a restart goes on where the last process ended', async (t) => {
  let down = false;
  const { received, messages, url } = await receiver(t, (response) => reply(response, down ? 500 : 200));
  const first = await start(t);
  await first.webhooks.configure(to(url));
  first.emit('a');
  await first.done();
  down = true;
  first.emit('b');
  first.emit('c');
  await until('a failure', () => first.counts().state === 'retrying');
  await first.stop();
  down = false;
  const second = await start(t, first.store);
  second.emit('d');
  await second.webhooks.configure(to(url));
  await second.done();
  t.strictSame(messages(), ['a', 'b', 'b', 'c', 'd']);
  t.equal(received[1]!.headers['webhook-id'], received[2]!.headers['webhook-id'], 'over a restart, too');
});

t.test('a process that is killed loses nothing that was stored; the last second comes again', async (t) => {
  const { received, messages, url } = await receiver(t, ok);
  const first = await start(t);
  await first.webhooks.configure(to(url));
  first.emit('a');
  await first.done();
  first.clock.advance(PAUSE);
  first.clock.advance(SAVE_EVERY);
  await turns(5);
  first.emit('b');
  first.emit('c');
  await first.done();
  first.clock.advance(PAUSE);
  await turns(5);
  // Killed: the cursor is still behind a. What the old one has open goes on, but its clock stands still.
  t.match(first.store.valueOf(cursorKey('ops')), { id: 1 });
  const second = await start(t, first.store);
  await second.webhooks.configure(to(url));
  second.emit('d');
  await second.done();
  t.strictSame(messages(), ['a', 'b', 'c', 'b', 'c', 'd']);
  const ids = received.map(({ headers }) => headers['webhook-id']);
  t.strictSame(ids.slice(1, 3), ids.slice(3, 5));
  t.equal(new Set(ids).size, 4, 'and d has an id of its own');
});

t.test('another address or secret takes effect for the next try, at once', async (t) => {
  const bad = await receiver(t, (response) => reply(response, 500));
  const good = await receiver(t, ok);
  const { webhooks, emit, done, counts } = await start(t);
  await webhooks.configure(to(bad.url));
  emit('a');
  await until('a failure', () => counts().state === 'retrying');
  await webhooks.configure(to(good.url, { secret: new Secret('env:X', KEY) }));
  await done();
  const { headers, text } = good.received[0]!;
  t.equal(headers['webhook-signature'], signed(text, headers, KEY));
  t.equal(counts().origin, new URL(good.url).origin);
});

t.test('an event that is not wanted any more is not tried any more', async (t) => {
  const { messages, url } = await receiver(t, (response, nth) => reply(response, nth === 1 ? 500 : 200));
  const { webhooks, emit, done, counts } = await start(t);
  await webhooks.configure(to(url));
  emit('a', 'alert');
  emit('b');
  await until('a failure', () => counts().state === 'retrying');
  await webhooks.configure(to(url, { types: ['flag.*'] }));
  await done();
  t.strictSame(messages(), ['a', 'b']);
});

t.test('a subscription that is taken out is forgotten, running or not', async (t) => {
  const { messages, url } = await receiver(t, ok);
  const first = await start(t);
  await first.webhooks.configure(to(url));
  first.emit('a');
  await first.done();
  await first.webhooks.configure([]);
  t.equal(first.store.valueOf(cursorKey('ops')), undefined);
  first.emit('nobody listens');
  await first.webhooks.configure(to(url));
  first.emit('b');
  await first.done();
  await first.stop();
  const second = await start(t, first.store);
  await second.webhooks.configure([]);
  t.equal(second.store.valueOf(cursorKey('ops')), undefined);
  t.strictSame(messages(), ['a', 'b']);
});

t.test('one receiver that fails does not hold up another', async (t) => {
  const bad = await receiver(t, () => {});
  const good = await receiver(t, ok);
  const { webhooks, emit } = await start(t);
  await webhooks.configure([...to(bad.url), { name: 'chat', url: good.url, types: [] }]);
  emit('a');
  emit('b');
  await until('both events', () => good.received.length === 2);
});

t.test('a store that cannot be written or read', async (t) => {
  const { messages, url } = await receiver(t, ok);
  const { webhooks, emit, done, store, clock, log, lines } = await start(t);
  await webhooks.configure(to(url));
  store.trouble('full');
  emit('a');
  await done();
  clock.advance(SAVE_EVERY);
  await turns(5);
  t.match(store.valueOf(cursorKey('ops')), { id: 0 });
  store.trouble(null);
  clock.advance(SAVE_EVERY);
  await turns(5);
  t.match(store.valueOf(cursorKey('ops')), { id: 1 });
  t.strictSame(messages(), ['a']);
  const since = log.since.bind(log);
  log.since = () => Promise.reject(new Error('I/O'));
  emit('b');
  await until('the failure', () => lines.some(({ event }) => event === 'event_webhook_cannot_read'));
  log.since = since;
  clock.advance(1_000);
  await done();
  t.strictSame(messages(), ['a', 'b']);
});

t.test('close ends a try or a pause, and leaves no timer', async (t) => {
  const stalled = await receiver(t, () => {});
  const failing = await receiver(t, (response) => reply(response, 500));
  const { webhooks, emit, clock, log, store, lines } = await start(t);
  await webhooks.configure([...to(stalled.url), { name: 'chat', url: failing.url, types: [] }]);
  emit('a');
  await until('a try and a pause', () => {
    const [a, b] = webhooks.counts();
    return a!.state === 'sending' && stalled.received.length === 1 && b!.state === 'retrying';
  });
  await webhooks.close();
  await log.close();
  t.strictSame(clock.waiting, []);
  t.match(lines, [{ event: 'event_webhook_fails', webhook: 'chat' }], 'the end is no failure');
  t.equal(lines.length, 1);
  t.match(store.valueOf(cursorKey('ops')), { id: 0 }, 'what was not answered is not done with');
  emit('late');
  await turns(20);
  t.equal(stalled.received.length + failing.received.length, 2);
});

t.test('two subscriptions never share an id', async (t) => {
  const { received, url } = await receiver(t, ok);
  const clock = new WatchedClock();
  const store = new MemoryStore();
  const silent = createLogger(() => {});
  const log = await EventLog.open({ store, clock, logger: silent });
  const random = new SeededRandom(7);
  const webhooks = new EventWebhooks({ log, store, clock, wallClock: () => START, random, logger: silent });
  t.teardown(() => webhooks.close());
  await webhooks.configure([
    { name: 'a', url, types: [] },
    { name: 'b', url, types: [] },
  ]);
  log.emit({ type: 'alert', level: 'info', message: 'x' });
  await until('both', () => received.length === 2);
  t.not(received[0]!.headers['webhook-id'], received[1]!.headers['webhook-id']);
});
