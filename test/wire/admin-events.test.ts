import t from 'tap';
import { turns } from '../kit/signal.ts';
import { AdminStage, bearer, GUARDED } from './admin-stage.ts';
import { EventReader } from './event-reader.ts';

t.test('a stream: replay, then what comes, then resume', async (t) => {
  const stage = await AdminStage.open();
  t.teardown(() => stage.server.close(1_000));
  for (let i = 0; i < 5; i++) stage.events.happen();
  const reader = new EventReader(stage, '/api/v1/events?since=2');
  const { statusCode, headers } = await reader.opened;
  t.equal(statusCode, 200);
  t.equal(headers['content-type'], 'text/event-stream; charset=utf-8');
  t.equal(headers['cache-control'], 'no-store');
  t.ok(headers['x-request-id']);
  await reader.until(() => reader.ids.length === 3);
  stage.events.happen({ message: 'line\nbreak' });
  await reader.until(() => reader.ids.length === 4);
  t.strictSame(reader.ids, [3, 4, 5, 6]);
  t.match(reader.text, /^retry: 2000\n\nid: 3\nevent: weights\.changed\ndata: \{.*\}\n\n/);
  t.match(reader.text, /"message":"line\\nbreak"\}\n\n$/, 'data is one line');
  stage.clock.advance(15_000);
  await reader.until(() => reader.text.endsWith(': still here\n\n'));
  reader.request.destroy();
  while (stage.events.listeners.size > 0) await turns(1);

  stage.events.happen();
  const resumed = new EventReader(stage, '/api/v1/events?since=0', { 'last-event-id': '5' });
  await resumed.until(() => resumed.ids.length === 2);
  t.strictSame(resumed.ids, [6, 7], 'Last-Event-ID counts for more than since');
  resumed.request.destroy();
});

t.test('who says nothing gets the stream from now on; filters; faults', async (t) => {
  const stage = await AdminStage.open();
  t.teardown(() => stage.server.close(1_000));
  stage.events.happen();
  const reader = new EventReader(stage, '/api/v1/events?types=endpoint.*,alert', { accept: '*/*' });
  await reader.opened;
  stage.events.happen();
  stage.events.happen({ type: 'endpoint.health' });
  stage.events.happen({ type: 'alert' });
  await reader.until(() => reader.ids.length === 3);
  t.strictSame(reader.ids, [1, 3, 4]);
  reader.request.destroy();
  t.equal((await stage.get('/api/v1/events', { 'last-event-id': 'x' })).status, 400);
  t.equal((await stage.get('/api/v1/events?since=-1')).status, 400);
});

t.test('a list', async (t) => {
  const stage = await AdminStage.open();
  t.teardown(() => stage.server.close(1_000));
  for (let i = 0; i < 250; i++) stage.events.happen({ type: i % 2 === 0 ? 'alert' : 'weights.changed' });
  const list = async (query: string) => {
    const { json, headers } = await stage.get(`/api/v1/events${query}`, { accept: 'application/json' });
    const ids = json.map(({ id }: { id: number }) => id);
    const gap = headers['sluice-event-gap'];
    return {
      first: ids[0],
      last: ids.at(-1),
      count: ids.length,
      link: headers.link,
      ...(gap !== undefined && { gap }),
    };
  };
  t.strictSame(await list(''), { first: 151, last: 250, count: 100, link: undefined });
  t.strictSame(await list('?since=240'), { first: 241, last: 250, count: 10, link: undefined });
  const page = await list('?since=0&limit=3&types=alert');
  t.strictSame(page, {
    first: 1,
    last: 5,
    count: 3,
    link: '</api/v1/events?since=5&limit=3&types=alert>; rel="next"',
  });
  t.equal((await list('?since=5&limit=3&types=alert')).first, 7, 'which is where the link leads');
  t.match(await list('?since=900&limit=2'), { first: 1, last: 2, gap: 'since=900, from=1, last=250' });
  stage.events.all.splice(0, 100);
  t.match(await list('?since=50&limit=2'), { first: 101, last: 102, gap: 'since=50, from=101, last=250' });
  t.notHas(await list('?since=100'), { gap: /./ });
});

t.test('at most 100 streams', async (t) => {
  const stage = await AdminStage.open();
  const readers = Array.from({ length: 100 }, () => new EventReader(stage));
  await Promise.all(readers.map(({ opened }) => opened));
  const refused = await stage.get('/api/v1/events');
  t.strictSame([refused.status, refused.json.code, refused.headers['retry-after']], [503, 'busy', '10']);
  readers[0]?.request.destroy();
  while (stage.events.listeners.size > 99) await turns(1);
  const another = new EventReader(stage);
  t.equal((await another.opened).statusCode, 200);
  const ends = Promise.all([...readers.slice(1), another].map((reader) => reader.until(() => reader.ended)));
  await stage.server.close(60_000);
  await ends;
  t.equal(stage.events.listeners.size, 0, 'closing ends all of them');
});

t.test('a reader that does not read is cut off, and nobody else', async (t) => {
  const stage = await AdminStage.open();
  t.teardown(() => stage.server.close(1_000));
  const idle = new EventReader(stage);
  const busy = new EventReader(stage);
  (await idle.opened).pause();
  idle.response?.socket.pause();
  await busy.opened;
  const message = 'x'.repeat(20_000);
  let sent = 0;
  while (stage.events.listeners.size === 2 && sent < 2_000) {
    stage.events.happen({ message });
    sent++;
    await busy.until(() => busy.ids.length === sent + 1);
  }
  t.equal(stage.events.listeners.size, 1, `after ${sent} events`);
  t.ok(sent >= 50, 'not before a MiB was waiting');
  idle.response?.socket.resume();
  idle.response?.resume();
  await idle.until(() => idle.ended);
  busy.request.destroy();
});

t.test('streams end with the token that opened them', async (t) => {
  const stage = await AdminStage.open(GUARDED);
  t.teardown(() => stage.server.close(1_000));
  const viewer = new EventReader(stage, '/api/v1/events', bearer('viewer'));
  const operator = new EventReader(stage, '/api/v1/events', bearer('operator'));
  await Promise.all([viewer.opened, operator.opened]);
  await stage.server.reconfigure({ ...GUARDED, tokens: GUARDED.tokens.filter(({ name }) => name !== 'viewer') });
  await viewer.until(() => viewer.ended);
  stage.events.happen();
  await operator.until(() => operator.ids.length === 2);
  operator.request.destroy();
});
