/**
 * The webhook handler against a real HTTP server that accepts, refuses, redirects, stalls and goes away. Pauses and time-outs are
 * driven by hand, packets are real.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { createLogger } from '../../src/control/log.ts';
import type { AlertEvent } from '../../src/control/monitor/alert-handlers.ts';
import { HealthMonitor } from '../../src/control/monitor/health-monitor.ts';
import { FIRST_PAUSE, QUEUE, TIMEOUT, WebhookHandler } from '../../src/control/monitor/webhook.ts';
import { ENDPOINT_SLOTS, newWorkerMemory } from '../../src/model/counters.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { turns, until } from '../kit/signal.ts';
import { WatchedClock } from '../kit/watched-clock.ts';

const event = (name: string): AlertEvent => ({
  name,
  state: 'firing',
  metric: 'p95',
  value: 300,
  when: 'above',
  threshold: 250,
  service: 'shop',
  version: 'v2',
  at: '2026-01-01T00:00:00.000Z',
});

interface Received {
  readonly method: string;
  readonly url: string;
  readonly type: string | undefined;
  readonly body: AlertEvent;
}

/** A server whose answers are decided call by call. */
async function receiver(t: Test, answer: (response: ServerResponse, nth: number) => void) {
  const received: Received[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      received.push({ method, url, type: headers['content-type'], body: JSON.parse(text) });
      answer(response, received.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  t.teardown(stop);
  const { port } = server.address() as AddressInfo;
  const names = (): string[] => received.map(({ body }) => body.name);
  return { received, names, stop, url: `http://127.0.0.1:${port}/hooks/secret-token?key=hidden` };
}

function setUp(t: Test, url: string) {
  const clock = new WatchedClock();
  const lines: string[] = [];
  const webhook = new WebhookHandler({ url, clock, logger: createLogger((line) => void lines.push(line)) });
  t.teardown(() => webhook.close());
  return { clock, lines, webhook };
}

const reply = (response: ServerResponse, status: number): void => void response.writeHead(status).end('{}');

t.test('alerts are posted as JSON, in order', async (t) => {
  const { received, names, url } = await receiver(t, (response) => reply(response, 204));
  const { webhook, clock } = setUp(t, url);
  for (const name of ['a', 'b', 'c']) webhook.handle(event(name));
  await until('three alerts', () => webhook.counts().sent === 3);
  t.strictSame(received[0], {
    method: 'POST',
    url: '/hooks/secret-token?key=hidden',
    type: 'application/json',
    body: event('a'),
  });
  t.strictSame(names(), ['a', 'b', 'c']);
  t.match(webhook.counts(), { origin: new URL(url).origin, failed: 0, dropped: 0, waiting: 0 });
  await until('the last time-out to be stopped', () => clock.waiting.length === 0);
});

t.test('three tries with growing pauses, then the next alert gets its turn', async (t) => {
  const { received, names, url } = await receiver(t, (response, nth) => reply(response, nth <= 3 ? 500 : 200));
  const { webhook, clock, lines } = setUp(t, url);
  webhook.handle(event('lost'));
  webhook.handle(event('kept'));
  await until('the first pause', () => clock.waiting.includes(FIRST_PAUSE));
  clock.advance(FIRST_PAUSE - 1);
  await turns(20);
  t.equal(received.length, 1, 'not before the pause is over');
  clock.advance(1);
  await clock.pass(2 * FIRST_PAUSE);
  await until('the other alert', () => webhook.counts().sent === 1);
  t.strictSame(names(), ['lost', 'lost', 'lost', 'kept']);
  t.equal(webhook.counts().failed, 1);
  t.equal(lines.length, 1);
  t.match(JSON.parse(lines[0]!), { event: 'alert_webhook_failed', alert: 'lost', message: 'status 500' });
  t.notMatch(lines[0]!, /secret|hidden/, 'the path of a webhook is a secret');
});

t.test('one failure is made up for', async (t) => {
  const { names, url } = await receiver(t, (response, nth) => reply(response, nth === 1 ? 503 : 200));
  const { webhook, clock, lines } = setUp(t, url);
  webhook.handle(event('a'));
  await clock.pass(FIRST_PAUSE);
  await until('success', () => webhook.counts().sent === 1);
  t.strictSame(names(), ['a', 'a']);
  t.strictSame(lines, []);
});

t.test('a redirect is a failure and is not followed', async (t) => {
  const other = await receiver(t, (response) => reply(response, 200));
  const { received, url } = await receiver(
    t,
    (response) => void response.writeHead(307, { location: other.url }).end(),
  );
  const { webhook, clock, lines } = setUp(t, url);
  webhook.handle(event('a'));
  await clock.pass(FIRST_PAUSE);
  await clock.pass(2 * FIRST_PAUSE);
  await until('the end', () => webhook.counts().failed === 1);
  t.equal(received.length, 3);
  t.strictSame(other.received, []);
  t.match(lines[0]!, /status 307/);
});

t.test('a black hole is given up after the time-out, head or body', async (t) => {
  const { received, url } = await receiver(t, (response, nth) => {
    if (nth === 2) response.writeHead(200, { 'content-length': '10' }).write('12345');
    else if (nth === 3) reply(response, 200);
  });
  const { webhook, clock } = setUp(t, url);
  webhook.handle(event('a'));
  for (const [nth, pause] of [
    [1, FIRST_PAUSE],
    [2, 2 * FIRST_PAUSE],
  ] as const) {
    await until(`try ${nth}`, () => received.length === nth);
    // Time for what the server has written to arrive: half a body must not count as an answer.
    await turns(100);
    t.equal(webhook.counts().sent, 0);
    await clock.pass(TIMEOUT);
    await clock.pass(pause);
  }
  await until('success', () => webhook.counts().sent === 1);
  t.equal(received.length, 3);
});

t.test('nobody listens', async (t) => {
  const { url, stop } = await receiver(t, () => {});
  await stop();
  const { webhook, clock, lines } = setUp(t, url);
  webhook.handle(event('a'));
  await clock.pass(FIRST_PAUSE);
  await clock.pass(2 * FIRST_PAUSE);
  await until('the end', () => webhook.counts().failed === 1);
  t.match(lines[0]!, /ECONNREFUSED/);
});

t.test('the queue is bounded: the oldest is dropped and counted', async (t) => {
  let first: ServerResponse | null = null;
  const { names, url } = await receiver(t, (response) => {
    if (first === null) first = response;
    else reply(response, 200);
  });
  const { webhook } = setUp(t, url);
  webhook.handle(event('0'));
  await until('the first on its way', () => first !== null);
  for (let i = 1; i <= QUEUE + 20; i++) webhook.handle(event(String(i)));
  t.match(webhook.counts(), { waiting: QUEUE, dropped: 20 });
  reply(first!, 200);
  await until('all that were kept', () => webhook.counts().sent === QUEUE + 1);
  t.strictSame(names(), ['0', ...Array.from({ length: QUEUE }, (_, i) => String(i + 21))]);
});

t.test('close ends what is on its way, in an attempt or in a pause', async (t) => {
  const stalled = await receiver(t, () => {});
  const a = setUp(t, stalled.url);
  a.webhook.handle(event('a'));
  a.webhook.handle(event('b'));
  await until('an attempt', () => stalled.received.length === 1);
  await a.webhook.close();
  const failing = await receiver(t, (response) => reply(response, 500));
  const b = setUp(t, failing.url);
  b.webhook.handle(event('a'));
  await until('a pause', () => b.clock.waiting.includes(FIRST_PAUSE));
  await b.webhook.close();
  b.webhook.handle(event('late'));
  await turns(20);
  t.strictSame([stalled.names(), failing.names()], [['a'], ['a']]);
  t.strictSame([...a.clock.waiting, ...b.clock.waiting, ...a.lines, ...b.lines], []);
});

t.test('from the counters to the webhook of the configuration', async (t) => {
  const { received, url } = await receiver(t, (response) => reply(response, 200));
  const clock = new FakeClock();
  const memory = newWorkerMemory();
  const alert = {
    name: 'errors',
    metric: 'error_rate',
    when: 'above',
    threshold: 5,
    clear: 4,
    for: 0,
    minimum: 1,
    forecast: 0,
  } as const;
  const monitor = new HealthMonitor({
    clock,
    wallClock: () => 0,
    memories: [memory],
    logger: silentLogger,
    config: { window: 60_000, history: 60_000, alerts: [alert], webhooks: [url] },
    flagsOf: () => 0,
  });
  t.teardown(() => monitor.close());
  monitor.apply([{ service: 'shop', version: 'v2', endpoints: [{ id: 0, url: 'http://127.0.0.1:3003' }] }]);
  memory.endpoints[ENDPOINT_SLOTS.success] = 90;
  memory.endpoints[ENDPOINT_SLOTS.timeouts] = 10;
  clock.advance(1_000);
  await until('the alert', () => monitor.snapshot().webhooks[0]!.sent === 1);
  t.strictSame(received[0]!.body, {
    name: 'errors',
    state: 'firing',
    metric: 'error_rate',
    value: 10,
    when: 'above',
    threshold: 5,
    service: 'shop',
    version: 'v2',
    at: '1970-01-01T00:00:00.000Z',
  });
});
