import t from 'tap';
import { turns } from '../kit/signal.ts';
import { AdminStage, bearer, GUARDED, ROLES } from './admin-stage.ts';
import { EventReader } from './event-reader.ts';

const LIVE = '/api/v1/live';

const statesOf = ({ text }: EventReader): { at: string; rollouts: unknown[] }[] =>
  [...text.matchAll(/^event: state\ndata: (.*)\n\n/gm)].map(([, data]) => JSON.parse(data!));

t.test('the live stream: a state at once, events, a state each second', async (t) => {
  const stage = await AdminStage.open();
  t.teardown(() => stage.server.close(1_000));
  stage.events.happen();
  const reader = new EventReader(stage, LIVE);
  const { statusCode, headers } = await reader.opened;
  t.equal(statusCode, 200);
  t.equal(headers['content-type'], 'text/event-stream; charset=utf-8');
  t.equal(headers['x-accel-buffering'], 'no');
  await reader.until(() => statesOf(reader).length === 1);
  t.match(statesOf(reader)[0], { status: { state: 'serving' }, services: [{ name: 'demo' }], rollouts: [] });
  stage.events.happen({ type: 'alert' });
  await reader.until(() => reader.ids.length === 2);
  stage.clock.advance(1_000);
  await reader.until(() => statesOf(reader).length === 2);
  t.strictSame(reader.ids, [1, 2], 'events have numbers, states have none');
  reader.request.destroy();
  while (stage.events.listeners.size > 0) await turns(1);

  stage.events.happen();
  const resumed = new EventReader(stage, `${LIVE}?since=0`, { 'last-event-id': '1' });
  await resumed.until(() => resumed.ids.length === 2);
  t.strictSame(resumed.ids, [2, 3]);
  resumed.request.destroy();
  const lost = new EventReader(stage, `${LIVE}?since=77`);
  await lost.until(() => /event: gap\ndata: \{"since":77,"from":1,"last":3\}/.test(lost.text));
  lost.request.destroy();
  t.equal((await stage.get(`${LIVE}?since=-1`)).status, 400);
  t.equal((await stage.get(`${LIVE}?types=alert`)).status, 400);
  t.equal((await stage.send('HEAD', LIVE)).status, 405);
});

t.test('one state as JSON', async (t) => {
  const stage = await AdminStage.open();
  t.teardown(() => stage.server.close(1_000));
  const { json, headers } = await stage.get(LIVE, { accept: 'application/json' });
  t.equal(headers['content-type'], 'application/json; charset=utf-8');
  t.strictSame(Object.keys(json), ['at', 'status', 'services', 'rollouts']);
  stage.operations.services = () => {
    throw new Error('broken');
  };
  t.match((await stage.get(LIVE, { accept: 'application/json' })).json, json, 'that of this second');
  stage.clock.advance(1_000);
  t.match((await stage.get(LIVE, { accept: 'application/json' })).json, { code: 'internal', status: 500 });
  const reader = new EventReader(stage, LIVE);
  await reader.opened;
  stage.events.happen();
  await reader.until(() => reader.ids.length === 2);
  t.equal(statesOf(reader).length, 0, 'the stream does without');
  reader.request.destroy();
  t.strictSame(
    stage.lines.filter(({ level }) => level === 'error').map(({ event }) => event),
    ['live_state_failed'],
  );
});

t.test('live streams count among the 100, and end with their token', async (t) => {
  const stage = await AdminStage.open(GUARDED);
  t.teardown(() => stage.server.close(1_000));
  const readers = Array.from(
    { length: 100 },
    (_, i) => new EventReader(stage, i < 99 ? '/api/v1/events' : LIVE, bearer('viewer')),
  );
  await Promise.all(readers.map(({ opened }) => opened));
  t.equal((await stage.get(LIVE, bearer('admin'))).json.code, 'busy');
  await stage.server.reconfigure({ ...GUARDED, tokens: GUARDED.tokens.filter(({ name }) => name !== 'viewer') });
  await Promise.all(readers.map((reader) => reader.until(() => reader.ended)));
  t.equal((await stage.get(LIVE, bearer('viewer'))).status, 401);
});

t.test('a reader who does not read costs nobody anything', async (t) => {
  const stage = await AdminStage.open();
  t.teardown(() => stage.server.close(1_000));
  const heavy = { ...stage.operations.services()[0]!, strategy: 'x'.repeat(2_000_000) };
  let made = 0;
  stage.operations.services = () => {
    made++;
    return [heavy];
  };
  const idle = new EventReader(stage, LIVE);
  (await idle.opened).pause();
  idle.response?.socket.pause();
  while (made < 12) {
    stage.clock.advance(1_000);
    await turns(2);
  }
  t.equal(stage.events.listeners.size, 1, 'states cut nobody off');
  stage.events.happen();
  idle.response?.socket.resume();
  idle.response?.resume();
  await idle.until(() => idle.text.slice(-500).includes('event: weights.changed'));
  const got = idle.text.split('event: state\n').length - 1;
  t.ok(got > 0 && got < 12, `${got} states went into its buffers`);
  idle.request.destroy();
});

t.test('who one is', async (t) => {
  const open = await AdminStage.open();
  t.teardown(() => open.server.close(1_000));
  t.strictSame((await open.get('/api/v1/identity')).json, {
    name: 'local',
    role: 'admin',
    open: true,
    permissions: ['read', 'operate', 'approve', 'administer'],
  });
  const guarded = await AdminStage.open(GUARDED);
  t.teardown(() => guarded.server.close(1_000));
  const told: Record<string, unknown> = {};
  for (const role of ROLES) {
    const { json } = await guarded.get('/api/v1/identity', bearer(role));
    t.match(json, { name: role, role, open: false });
    told[role] = json.permissions;
  }
  t.strictSame(told, {
    viewer: ['read'],
    operator: ['read', 'operate', 'approve'],
    approver: ['read', 'approve'],
    admin: ['read', 'operate', 'approve', 'administer'],
  });
  t.equal((await guarded.get('/api/v1/identity')).status, 401);
});
