/** Alerts out of events: what begins one, what ends it, how long it holds if nobody says anything, and in what form Alertmanager gets it. */
import t from 'tap';
import { EVENT_TYPES, type EventType } from '../../src/control/events/event.ts';
import { posted, STALE } from '../../src/control/notify/alertmanager.ts';
import { type Alert, alertName, type Folded, fold, LONGEST, PASSING } from '../../src/control/notify/alerts.ts';
import type { Telling } from '../../src/control/notify/recipient.ts';

const START = Date.parse('2026-01-01T12:00:00.000Z');

/** A channel: `tell` folds an event, a second after the one before. */
function channel(isSelected: (event: Telling) => boolean = () => true) {
  let now = START;
  let held: readonly Alert[] = [];
  let id = 0;
  const tell = (type: EventType, part: Partial<Telling> = {}): Folded['changed'] => {
    now += 1_000;
    const event: Telling = {
      ...{ id: ++id, at: new Date(now).toISOString(), type, level: 'warning', message: type },
      ...part,
    };
    const folded = fold(held, event, event.message, isSelected(event), now);
    held = folded.held;
    return folded.changed;
  };
  const names = (): string[] => held.map(({ labels }) => labels.alertname!);
  return { tell, names, held: () => held, pass: (ms: number) => (now += ms), now: () => now };
}
const rollout = (id: string, part: Partial<Telling> = {}): Partial<Telling> => ({
  ...{ service: 'shop', version: 'v2', data: { rollout: id } },
  ...part,
});

t.test('a rollback is one alert from its beginning until a rollout of the service succeeds', async (t) => {
  const { tell, held, names, now } = channel();
  const [begun] = tell('rollout.rolling-back', rollout('r-1', { level: 'critical', message: 'it begins' }));
  t.match(begun, {
    labels: {
      ...{ alertname: 'SluiceRolloutRolledBack', severity: 'critical' },
      ...{ service: 'shop', version: 'v2', rollout: 'r-1' },
    },
    ...{ startsAt: now(), until: now() + LONGEST, holds: true, description: 'it begins', event: 1 },
    summary: EVENT_TYPES['rollout.rolling-back'],
  });
  const changed = tell('rollout.rolled-back', rollout('r-1', { message: 'it is over' }));
  const summary = EVENT_TYPES['rollout.rolled-back'];
  const { labels, startsAt } = begun!;
  t.match(changed, [{ labels, startsAt, summary, description: 'it begins' }], 'why it began is not lost');
  t.equal(changed.length, 1);
  tell('rollout.drained', rollout('r-1', { level: 'info' }));
  tell('rollout.started', rollout('r-2', { level: 'info' }));
  tell('rollout.succeeded', { service: 'other', version: 'v9', data: { rollout: 'r-8' } });
  t.ok(names().includes('SluiceRolloutRolledBack'), 'neither the next rollout nor one of another service ends it');
  const ended = tell('rollout.succeeded', rollout('r-2', { version: 'v3', level: 'info' }));
  t.match(ended[0], { labels: begun!.labels, until: now() });
  t.notOk(held().some(({ type }) => type === 'rollout.rolled-back'));
});

t.test('a channel for what is critical is told of the end, too', async (t) => {
  const { tell, names } = channel(({ level }) => level === 'critical');
  t.strictSame(tell('rollout.started', rollout('r-1', { level: 'info' })), []);
  tell('rollout.incident', rollout('r-1', { level: 'critical' }));
  t.strictSame(names(), ['SluiceRolloutIncident']);
  t.match(tell('rollout.resumed', rollout('r-2', { level: 'info' })), [], 'of another rollout');
  t.equal(tell('rollout.resumed', rollout('r-1', { level: 'info' })).length, 1);
  t.strictSame(names(), []);
  tell('rollout.incident', rollout('r-1', { level: 'critical' }));
  t.equal(tell('rollout.rolling-back', rollout('r-1', { level: 'critical' })).length, 2, 'one ends, one begins');
  t.strictSame(names(), ['SluiceRolloutRolledBack']);
  t.equal(tell('rollout.rolled-back', rollout('r-1')).length, 1, 'and its text is kept up to date');
  t.equal(tell('rollout.succeeded', rollout('r-3', { level: 'info' })).length, 1);
  t.strictSame(names(), []);
});

t.test('a pause and an incident end with whatever goes on', async (t) => {
  const ends = ['resumed', 'step', 'promoting', 'succeeded', 'rolling-back', 'rolled-back', 'failed'] as const;
  for (const end of ends) {
    const { tell, names } = channel(({ type }) => type === 'rollout.paused' || type === 'rollout.incident');
    tell('rollout.paused', rollout('r-1', { level: 'info' }));
    tell('rollout.incident', rollout('r-1', { level: 'critical' }));
    tell(`rollout.${end}`, rollout('r-2', { level: 'info' }));
    t.equal(names().length, 2, `${end} of another rollout`);
    t.equal(tell(`rollout.${end}`, rollout('r-1', { level: 'info' })).length, 2, end);
    t.strictSame(names(), [], end);
  }
});

t.test('what has two sides', async (t) => {
  const { tell, names, held } = channel();
  const one = { service: 'shop', version: 'v1', endpoint: 'http://10.0.0.1:80' };
  const two = { ...one, endpoint: 'http://10.0.0.2:80' };
  tell('endpoint.health', { ...one, level: 'info' });
  t.strictSame(names(), [], 'that something is as it should be is no alert');
  tell('endpoint.health', one);
  tell('endpoint.health', two);
  tell('endpoint.ejected', one);
  t.strictSame(names(), ['SluiceEndpointUnhealthy', 'SluiceEndpointUnhealthy', 'SluiceEndpointEjected']);
  tell('endpoint.health', { ...two, level: 'info' });
  tell('endpoint.returned', { ...one, level: 'info' });
  t.strictSame(names(), ['SluiceEndpointUnhealthy']);
  tell('version.removed', { service: 'shop', version: 'v2', level: 'info' });
  t.ok(names().includes('SluiceEndpointUnhealthy'));
  tell('version.removed', { service: 'shop', version: 'v1', level: 'info' });
  t.notOk(names().includes('SluiceEndpointUnhealthy'));
  const alert = (name: string, level: 'info' | 'warning') => tell('alert', { ...one, level, data: { name } });
  alert('slow', 'warning');
  alert('errors', 'warning');
  alert('slow', 'info');
  const alerts = held().filter(({ type }) => type === 'alert');
  t.match(alerts, [{ labels: { alert: 'errors' } }]);
  t.equal(alerts.length, 1);
  tell('store.failed');
  tell('config.rejected');
  tell('store.recovered', { level: 'info' });
  tell('config.reloaded', { level: 'info' });
  t.notOk(names().some((name) => /Store|Config/.test(name)));
});

t.test('what gets worse is another alert, what gets better is not', async (t) => {
  const { tell, held } = channel();
  const place = { service: 'shop', version: 'v2', data: { rollout: 'r-1' } };
  tell('rollout.rolled-back', { ...place, level: 'warning' });
  const worse = tell('rollout.rolling-back', { ...place, level: 'critical' });
  t.match(worse, [{ labels: { severity: 'warning' } }, { labels: { severity: 'critical' } }]);
  t.equal(worse[0]!.until, worse[1]!.startsAt, 'the lesser one has ended');
  t.equal(held().length, 1);
  tell('rollout.rolled-back', { ...place, level: 'warning' });
  t.match(held(), [{ labels: { severity: 'critical' } }]);
});

t.test('what only happens is an alert for a while; what nobody ends, for a day', async (t) => {
  const { tell, names, pass } = channel();
  tell('worker.replaced');
  tell('store.failed');
  t.match(channel().tell('worker.replaced'), [{ holds: false }]);
  pass(PASSING - 2_000);
  t.strictSame(tell('rollout.resumed'), []);
  t.strictSame(names(), ['SluiceStoreFailed'], 'it has run out');
  pass(LONGEST);
  tell('rollout.resumed');
  t.strictSame(names(), []);
  const late = channel();
  late.pass(PASSING);
  t.strictSame(late.tell('worker.replaced', { at: new Date(START).toISOString() }), [], 'nothing is told too late');
});

t.test('there are not more than 500', async (t) => {
  const { tell, held } = channel();
  for (let i = 0; i < 510; i++) tell('endpoint.health', { endpoint: `http://10.0.0.1:${1000 + i}` });
  t.equal(held().length, 500);
  t.equal(held()[0]!.labels.endpoint, 'http://10.0.0.1:1010', 'the oldest are forgotten');
});

t.test('what nobody acknowledges is an alert of its own', async (t) => {
  const { tell, names } = channel();
  tell('rollout.rolling-back', rollout('r-1', { level: 'critical' }));
  const [again] = tell('rollout.rolling-back', rollout('r-1', { level: 'critical', notification: '1' }));
  t.match(again, { labels: { alertname: 'SluiceNotAcknowledged', notification: '1', rollout: 'r-1' }, holds: false });
  t.strictSame(names(), ['SluiceRolloutRolledBack', 'SluiceNotAcknowledged']);
});

t.test('each type has a name that Prometheus takes', async (t) => {
  t.equal(alertName('rollout.rolled-back'), 'SluiceRolloutRolledBack');
  t.equal(alertName('alert'), 'SluiceAlert');
  for (const type of Object.keys(EVENT_TYPES) as EventType[]) t.match(alertName(type), /^Sluice([A-Z][a-z]+)+$/);
});

t.test('the form that Alertmanager takes', async (t) => {
  const [alert] = channel().tell('store.failed', { message: 'The state cannot be written.' });
  const now = alert!.startsAt + 1_000;
  t.strictSame(posted(alert!, now, null), {
    labels: { alertname: 'SluiceStoreFailed', severity: 'warning' },
    annotations: { summary: EVENT_TYPES['store.failed'], description: 'The state cannot be written.' },
    startsAt: new Date(alert!.startsAt).toISOString(),
    endsAt: new Date(now + STALE).toISOString(),
  });
  t.match(posted({ ...alert!, until: now + 5 }, now, null), { endsAt: new Date(now + 5).toISOString() }, 'no later');
  t.match(posted({ ...alert!, until: now }, now, null), { endsAt: new Date(now).toISOString() }, 'it has ended');
  t.match(posted(alert!, now, 'https://sluice.example/'), {
    generatorURL: 'https://sluice.example/api/v1/events?since=0',
  });
  const [ofRollout] = channel().tell('rollout.failed', rollout('r 1'));
  t.match(posted(ofRollout!, now, 'https://a.example'), { generatorURL: 'https://a.example/api/v1/rollouts/r%201' });
  const long = { ...alert!, labels: { ...alert!.labels, service: 'x'.repeat(9_999) }, description: 'x'.repeat(9_999) };
  t.ok(JSON.stringify(posted(long, now, null)).length < 5_000);
});
