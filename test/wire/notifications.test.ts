/** Notifications over real HTTP: what each kind of channel gets, tries again, gives up, keeps over restarts, and passes on to somebody else. */
import { createHmac } from 'node:crypto';
import t from 'tap';
import type { EventLevel } from '../../src/control/events/event.ts';
import { PAUSE } from '../../src/control/events/event-writer.ts';
import { REPEAT, STALE } from '../../src/control/notify/alertmanager.ts';
import { MOST_WAITING, REFUSALS } from '../../src/control/notify/channel.ts';
import { notificationKey } from '../../src/control/notify/notification-book.ts';
import { FIRST_PAUSE } from '../../src/control/notify/retry-pause.ts';
import { cursorKey, SAVE_EVERY } from '../../src/control/notify/webhook-cursor.ts';
import type { Actor } from '../../src/control/operations.ts';
import { turns, until } from '../kit/signal.ts';
import { channel, type Received, receiver, reply, START, start } from './notification-stage.ts';

const MINUTE = 60_000;
const OPS: Actor = { name: 'ops', role: 'operator', address: '127.0.0.1', requestId: 'q-1' };
const isoAt = (ms: number): string => new Date(START + ms).toISOString();

t.test('a webhook: the whole event, the text, a signature', async (t) => {
  const { received, url } = await receiver(t);
  const template = '{{severity}} {{service}}: {{message}} ({{data.rollout}})';
  const config = channel('ops', url, { template, secret: 'env:HOOK' });
  const { critical, emit, done } = await start(t, [config], { env: { HOOK: 'the receiver knows' } });
  const { id } = critical('it is held');
  emit('a flag');
  await done();
  t.strictSame(received[0]!.body, {
    ...{ id, at: isoAt(0), type: 'rollout.incident', severity: 'critical', service: 'shop', version: 'v2' },
    ...{ endpoint: null, message: 'it is held', data: { rollout: 'r-1' } },
    text: 'critical shop: it is held (r-1)',
  });
  t.match(received[1]!.body, { service: null, version: null, data: {}, text: 'info : a flag ()' });
  const { headers, text } = received[0]!;
  t.match(headers, { 'content-type': 'application/json', 'user-agent': 'sluice-notification' });
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`;
  const expected = createHmac('sha256', 'the receiver knows').update(signed).digest('base64');
  t.equal(headers['webhook-signature'], `v1,${expected}`);
});

t.test('severity and types', async (t) => {
  const { messages, url } = await receiver(t);
  const config = channel('ops', url, { severity: 'warning', types: ['rollout.*', 'alert'] });
  const { emit, done } = await start(t, [config]);
  emit('a', { type: 'rollout.step', level: 'info' });
  emit('b', { type: 'rollout.warning', level: 'warning' });
  emit('c', { type: 'alert', level: 'critical' });
  emit('d', { type: 'store.failed', level: 'critical' });
  await done();
  t.strictSame(messages(), ['b', 'c']);
});

t.test('Slack', async (t) => {
  const { received, url } = await receiver(t);
  const { critical, done } = await start(t, [
    channel('chat', url, { kind: 'slack', template: '*{{service}}* {{message}}' }),
  ]);
  critical('<!channel> & more');
  await done();
  t.match(received[0]!.body, {
    text: '*shop* &lt;!channel&gt; &amp; more',
    attachments: [
      { color: '#d32f2f', footer: 'rollout.incident · 1 · sluice notifications acknowledge 1', ts: START / 1000 },
    ],
  });
  t.notOk('webhook-id' in received[0]!.headers);
});

t.test('a receiver that fails is asked again, Retry-After is waited for, order stays', async (t) => {
  const { messages, url } = await receiver(t, (response, nth) =>
    nth <= 2 ? reply(response, 429, nth === 2 ? { 'retry-after': '90' } : {}) : reply(response, 200),
  );
  const { emit, done, retry, lines, counts } = await start(t, [channel('chat', url, { kind: 'webhook' })]);
  emit('a');
  emit('b');
  await retry('chat', FIRST_PAUSE);
  await retry('chat', 90_000);
  await done();
  t.strictSame(messages(), ['a', 'a', 'a', 'b']);
  t.match(lines, [
    { event: 'notification_fails', channel: 'chat', message: 'status 429' },
    { event: 'notification_recovered', channel: 'chat', tries: 2 },
  ]);
  t.match(counts('chat'), { delivered: 2, failed: 0, dropped: 0 });
  t.notMatch(JSON.stringify(lines), /hidden/, 'the path is not logged');
});

t.test('a slow channel does not hold another', async (t) => {
  const slow = await receiver(t, () => {});
  const quick = await receiver(t);
  const { emit, done, counts } = await start(t, [channel('slow', slow.url), channel('quick', quick.url)]);
  for (let i = 0; i < 20; i++) emit(`${i}`);
  await done('quick');
  t.equal(quick.received.length, 20);
  await until('the slow one', () => slow.received.length === 1);
  t.match(counts('slow'), { state: 'sending', delivered: 0 });
});

t.test('a message that the receiver calls wrong does not hold up those behind it', async (t) => {
  const { messages, url } = await receiver(t, (response, nth) => reply(response, nth <= REFUSALS ? 400 : 200));
  const { emit, done, retry, lines, counts } = await start(t, [channel('chat', url)]);
  emit('poison');
  emit('b');
  await retry('chat', FIRST_PAUSE);
  await retry('chat', 2 * FIRST_PAUSE);
  await done();
  t.strictSame(messages(), ['poison', 'poison', 'poison', 'b']);
  t.match(counts('chat'), { delivered: 1, failed: 1 });
  t.match(lines.at(-1), { event: 'notification_failed', id: 1, message: 'status 400' });
});

t.test('of more than a thousand the oldest of the least severity are not sent', async (t) => {
  let down = true;
  const { received, url } = await receiver(t, (response) => reply(response, down ? 500 : 200));
  const { emit, done, retry, lines, counts } = await start(t, [channel('chat', url)]);
  const levels: EventLevel[] = [];
  const told = (level: EventLevel): void => {
    levels.push(level);
    emit(`${levels.length}`, { level });
  };
  told('critical');
  await until('the first failure', () => counts('chat').state === 'retrying');
  for (let i = 0; i < 600; i++) told('info');
  for (let i = 0; i < 550; i++) told('warning');
  for (let i = 0; i < 100; i++) told('info');
  const surplus = levels.length - MOST_WAITING;
  t.equal(surplus, 251);
  down = false;
  await retry('chat', FIRST_PAUSE);
  await done();
  const sent = received.slice(1).map(({ body }) => Number(body.message));
  const numbers = levels.map((_, index) => index + 1);
  t.strictSame(sent, [1, ...numbers.slice(1 + surplus)], 'the critical one and the warnings are all there');
  t.match(counts('chat'), { dropped: surplus, delivered: MOST_WAITING, failed: 0 });
  const said = lines.filter(({ event }) => event === 'notification_dropped');
  t.match(said, [{ channel: 'chat', id: 2, most: MOST_WAITING }]);
  t.equal(said.length, 1, 'not one line for each');
});

t.test('a restart goes on where the last process ended, and a reload keeps the place', async (t) => {
  let down = false;
  const { received, messages, url } = await receiver(t, (response) => reply(response, down ? 500 : 200));
  const configs = [channel('chat', url)];
  const first = await start(t, configs);
  first.emit('a');
  await first.done();
  down = true;
  first.emit('b');
  first.critical('c');
  await until('a failure', () => first.counts('chat').state === 'retrying');
  await first.notifications.configure(configs);
  await until('another failure', () => first.counts('chat').tries === 2 && first.counts('chat').state === 'retrying');
  await first.stop();
  down = false;
  const second = await start(t, configs, first);
  second.emit('d');
  await second.done();
  t.strictSame(messages(), ['a', 'b', 'b', 'b', 'c', 'd']);
  t.equal(received[1]!.headers['webhook-id'], received[3]!.headers['webhook-id']);
  await second.notifications.configure([]);
  t.strictSame(await second.store.list('notification-channels/'), [], 'a channel that is taken out is forgotten');
});

t.test('a process that is killed sends the last second again, and enters what is critical', async (t) => {
  const { messages, url } = await receiver(t);
  const first = await start(t, [channel('chat', url)]);
  first.emit('a');
  await first.done();
  first.clock.advance(SAVE_EVERY);
  await turns(5);
  first.store.refuses = (change) => (change.events === undefined ? new Error('killed') : null);
  first.critical('b');
  await first.done();
  first.clock.advance(PAUSE);
  await turns(5);
  t.equal(first.store.valueOf(notificationKey('2')), undefined);
  // Killed: the event is in the log, but neither the cursor nor the notification is written.
  first.store.refuses = () => null;
  const second = await start(t, [channel('chat', url)], { store: first.store });
  await until('it again', () => messages().length === 3);
  t.strictSame(messages(), ['a', 'b', 'b']);
  await until('the notification', () => second.operations.list().length === 1);
  t.match(second.operations.list(), [{ id: '2', message: 'b' }]);
});

t.test('a secret that cannot be read is a failure that ends when it can', async (t) => {
  const { received, url } = await receiver(t);
  const env: NodeJS.ProcessEnv = {};
  const { emit, done, retry, lines } = await start(t, [channel('chat', url, { secret: 'env:HOOK' })], { env });
  emit('a');
  await until('the failure', () => lines.length === 1);
  t.match(lines, [{ event: 'notification_fails', message: /the environment variable HOOK is not set/ }]);
  t.strictSame(received, []);
  env.HOOK = 'x';
  await retry('chat', FIRST_PAUSE);
  await done();
  t.match(received[0]!.headers, { 'webhook-signature': /^v1,/ });
});

t.test('what is critical is listed and acknowledged, once, with who and why', async (t) => {
  const { url } = await receiver(t);
  const { critical, emit, done, operations, store, clock, log } = await start(t, [channel('chat', url)]);
  const told: number[] = [];
  t.teardown(log.subscribe(({ id }) => void told.push(id)));
  emit('nothing much');
  critical('a');
  critical('b', { type: 'rollout.rolling-back' });
  await done();
  await until('both', () => operations.list().length === 2);
  t.strictSame(operations.list(), [
    {
      ...{ id: '3', at: isoAt(0), type: 'rollout.rolling-back', severity: 'critical', service: 'shop', message: 'b' },
      ...{ acknowledged: null, escalatedAt: null },
    },
    {
      ...{ id: '2', at: isoAt(0), type: 'rollout.incident', severity: 'critical', service: 'shop', message: 'a' },
      ...{ acknowledged: null, escalatedAt: null },
    },
  ]);
  clock.advance(5_000);
  const acknowledged = { by: 'ops', at: isoAt(5_000) };
  t.match(await operations.acknowledge(OPS, '2', { reason: 'on it' }), { id: '2', acknowledged });
  t.match(operations.list()[1], { id: '2', acknowledged });
  const { audit, puts, events } = store.commits.findLast((commit) => commit.audit !== undefined)!;
  t.match(audit, [
    {
      ...{ actor: 'ops', role: 'operator', address: '127.0.0.1', requestId: 'q-1', reason: 'on it' },
      ...{ action: 'notification.acknowledge', target: 'notifications/2', before: null, after: acknowledged },
    },
  ]);
  t.match(puts, [{ key: notificationKey('2') }], 'in one commit');
  const event = {
    ...{ id: 4, type: 'notification.acknowledged', level: 'info', service: 'shop' },
    message: 'ops looks after notification 2: a',
    data: { notification: '2', by: 'ops', of: 'rollout.incident', reason: 'on it' },
  };
  t.match(events, [event], 'with an event, for whoever was called as well');
  t.equal(log.lastId, 4);
  await t.rejects(operations.acknowledge({ ...OPS, name: 'ada' }, '2', {}), {
    code: 'conflict',
    message: /acknowledged by ops at 2026-01-01T00:00:05/,
  });
  await t.rejects(operations.acknowledge(OPS, '1', {}), { code: 'not_found' });
  store.trouble('full');
  await t.rejects(operations.acknowledge(OPS, '3', {}), { code: 'store_full' });
  t.equal(operations.list()[0]!.acknowledged, null);
  t.equal(log.lastId, 5, 'a number that was given');
  t.notOk(told.includes(5), 'and of what is not done nobody is told');
  t.ok(told.includes(4));
});

t.test('what nobody acknowledges is sent to another channel, once', async (t) => {
  const chat = await receiver(t);
  const pager = await receiver(t);
  const boss = await receiver(t);
  const configs = [
    channel('chat', chat.url, { escalate: { after: 10 * MINUTE, to: 'pager' } }),
    channel('pager', pager.url, {
      severity: 'critical',
      types: ['store.failed'],
      escalate: { after: MINUTE, to: 'boss' },
    }),
    channel('boss', boss.url, { severity: 'critical', types: ['store.failed'] }),
  ];
  const { critical, emit, clock, operations, done } = await start(t, configs);
  emit('a warning', { level: 'warning' });
  critical('it is held');
  critical('so is this');
  await done();
  await until('both', () => operations.list().length === 2);
  await operations.acknowledge(OPS, '3', {});
  clock.advance(10 * MINUTE - 1);
  await turns(20);
  t.strictSame(pager.received, []);
  clock.advance(1);
  await until('the escalation', () => operations.list()[1]!.escalatedAt !== null);
  t.match(pager.received, [
    {
      body: {
        ...{ id: 2, notification: '2', type: 'rollout.incident', severity: 'critical', at: isoAt(10 * MINUTE) },
        ...{ message: 'not acknowledged for 10 minutes: it is held', data: { rollout: 'r-1' } },
      },
      headers: { 'webhook-id': /^[0-9a-f]{12}-2-again$/ },
    },
  ]);
  t.match(operations.list(), [{ escalatedAt: null }, { escalatedAt: isoAt(10 * MINUTE) }]);
  emit('all is well', { type: 'rollout.succeeded', data: { rollout: 'r-1' } });
  clock.advance(MINUTE);
  await until('the boss', () => boss.received.length === 1);
  t.strictSame(boss.messages(), ['not acknowledged for 11 minutes: it is held'], 'that it ended well is no answer');
  await done();
  clock.advance(120 * MINUTE);
  await turns(20);
  t.equal(chat.received.length, 5, 'each event, that it was acknowledged as well, and nothing again');
  t.equal(pager.received.length + boss.received.length, 2);
});

t.test('acknowledging stops an escalation that cannot be sent', async (t) => {
  const chat = await receiver(t);
  const pager = await receiver(t, (response) => reply(response, 503));
  const configs = [
    channel('chat', chat.url, { escalate: { after: MINUTE, to: 'pager' } }),
    channel('pager', pager.url, { types: ['alert'] }),
  ];
  const { critical, clock, operations, done, counts, retry } = await start(t, configs);
  critical('it is held');
  await done();
  await until('the notification', () => operations.list().length === 1);
  clock.advance(MINUTE);
  await until('a failure', () => counts('pager').state === 'retrying');
  t.equal(operations.list()[0]!.escalatedAt, null, 'nobody has been told yet');
  await operations.acknowledge(OPS, '1', {});
  await retry('pager', FIRST_PAUSE);
  await done();
  t.equal(pager.received.length, 1);
  t.equal(operations.list()[0]!.escalatedAt, null);
});

t.test('escalation goes on over a restart, and the time between counts', async (t) => {
  const chat = await receiver(t);
  const pager = await receiver(t);
  const configs = [
    channel('chat', chat.url, { escalate: { after: 10 * MINUTE, to: 'pager' } }),
    channel('pager', pager.url, { types: ['alert'] }),
  ];
  const first = await start(t, configs);
  first.critical('one');
  first.critical('two');
  await first.done();
  await until('both', () => first.operations.list().length === 2);
  await first.operations.acknowledge(OPS, '2', {});
  await first.stop();
  first.clock.advance(30 * MINUTE);
  t.strictSame(pager.received, []);
  const second = await start(t, configs, first);
  second.clock.advance(1);
  await until('the escalation', () => second.operations.list()[1]?.escalatedAt !== null);
  t.strictSame(pager.messages(), ['not acknowledged for 30 minutes: one']);
  await second.stop();
  const third = await start(t, configs, first);
  third.clock.advance(60 * MINUTE);
  await third.done();
  await turns(20);
  t.equal(pager.received.length, 1, 'not again');
  t.match(third.operations.list(), [{ acknowledged: { by: 'ops' } }, { escalatedAt: isoAt(30 * MINUTE + 1) }]);
});

t.test('a channel that learns to escalate does not pour out what is old', async (t) => {
  const chat = await receiver(t);
  const pager = await receiver(t);
  const to = [channel('pager', pager.url, { types: ['alert'] })];
  const { critical, notifications, operations, clock, done } = await start(t, to);
  critical('old');
  await done();
  await until('the notification', () => operations.list().length === 1);
  await notifications.configure([...to, channel('chat', chat.url, { escalate: { after: MINUTE, to: 'pager' } })]);
  critical('new');
  await done();
  await until('the other', () => operations.list().length === 2);
  clock.advance(60 * MINUTE);
  await until('the escalation', () => pager.received.length === 1);
  await done();
  t.strictSame(pager.messages(), ['not acknowledged for 1 minute: new']);
});

t.test('Alertmanager: what holds is said every minute, until it ends', async (t) => {
  const { received, url } = await receiver(t);
  const config = channel('am', `${url}/`, {
    kind: 'alertmanager',
    severity: 'critical',
    template: '{{service}}: {{message}}',
  });
  const first = await start(t, [config]);
  first.emit('a step', { type: 'rollout.step' });
  const { at } = first.critical('it is held');
  await first.done();
  t.equal(received.length, 1);
  t.strictSame(received[0]!.path, '/hidden-path/api/v2/alerts');
  t.strictSame(received[0]!.body, [
    {
      labels: {
        ...{ alertname: 'SluiceRolloutIncident', severity: 'critical', service: 'shop', version: 'v2' },
        rollout: 'r-1',
      },
      annotations: {
        summary: 'Stable fails as well, or the split cannot be trusted: the rollout is held.',
        description: 'shop: it is held',
      },
      ...{ startsAt: at, endsAt: isoAt(STALE) },
    },
  ]);
  await first.clock.pass(REPEAT);
  await until('a repetition', () => received.length === 2);
  t.match(received[1]!.body, [{ labels: received[0]!.body[0].labels, startsAt: at, endsAt: isoAt(REPEAT + STALE) }]);
  await first.stop();

  const second = await start(t, [config], first);
  await second.clock.pass(REPEAT);
  await until('a repetition after the restart', () => received.length === 3);
  t.match(received[2]!.body, [{ labels: received[0]!.body[0].labels, startsAt: at }]);
  const end = second.emit('it goes on', {
    type: 'rollout.resumed',
    service: 'shop',
    version: 'v2',
    data: { rollout: 'r-1' },
  });
  await second.done();
  t.match(received[3]!.body, [{ labels: received[0]!.body[0].labels, startsAt: at, endsAt: end.at }]);
  second.clock.advance(10 * REPEAT);
  await turns(20);
  t.equal(received.length, 4, 'what is over is not repeated');
});

t.test('Alertmanager: a repetition that fails is not the end of it', async (t) => {
  let down = false;
  const { received, url } = await receiver(t, (response) => reply(response, down ? 500 : 200));
  const { critical, clock, done, lines, counts } = await start(t, [channel('am', url, { kind: 'alertmanager' })]);
  critical('it is held');
  await done();
  down = true;
  for (let nth = 2; nth <= 3; nth++) {
    await clock.pass(REPEAT);
    await until('a repetition', () => received.length === nth && counts('am').fault !== null);
  }
  t.equal(lines.length, 1, 'it is logged once');
  t.match(lines, [{ event: 'notification_fails', channel: 'am', message: 'status 500' }]);
  down = false;
  await clock.pass(REPEAT);
  await until('the next one', () => received.length === 4 && counts('am').fault === null);
  t.match(received[3]!.body, [{ labels: { alertname: 'SluiceRolloutIncident' } }]);
});

t.test('Alertmanager: an end that could not be told is not forgotten', async (t) => {
  let down = false;
  const { received, url } = await receiver(t, (response) => reply(response, down ? 500 : 200));
  const { critical, emit, done, retry, counts } = await start(t, [
    channel('am', url, { kind: 'alertmanager', severity: 'critical' }),
  ]);
  critical('it is held');
  await done();
  down = true;
  emit('it goes on', { type: 'rollout.resumed', data: { rollout: 'r-1' } });
  await until('a failure', () => counts('am').state === 'retrying');
  down = false;
  await retry('am', FIRST_PAUSE);
  await done();
  const last = received.at(-1) as Received;
  t.ok(Date.parse(last.body[0].endsAt) <= START + FIRST_PAUSE);
});

t.test('close ends tries, pauses and timers', async (t) => {
  const stalled = await receiver(t, () => {});
  const failing = await receiver(t, (response) => reply(response, 500));
  const am = await receiver(t);
  const configs = [
    channel('stalled', stalled.url, { escalate: { after: MINUTE, to: 'failing' } }),
    channel('failing', failing.url),
    channel('am', am.url, { kind: 'alertmanager' }),
  ];
  const { critical, stop, clock, counts, operations, store } = await start(t, configs);
  critical('it is held');
  await until('all at work', () => {
    const ready = stalled.received.length === 1 && counts('failing').state === 'retrying' && am.received.length === 1;
    return ready && operations.list().length === 1 && clock.waiting.includes(REPEAT);
  });
  t.ok(clock.waiting.includes(MINUTE), 'somebody waits for the escalation');
  await stop();
  t.strictSame(clock.waiting, []);
  t.match(store.valueOf(cursorKey('stalled', 'notification-channels/')), { id: 0 });
});

t.test('without a channel what is critical is known all the same', async (t) => {
  const { critical, operations, notifications } = await start(t, []);
  critical('it is held');
  await until('it', () => operations.list().length === 1);
  t.strictSame(notifications.counts(), []);
});
