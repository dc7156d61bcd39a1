/**
 * A real Alertmanager as a channel: it takes what is posted, tells its own receivers of a rollback that was over before it looked, hears that alerts
 * still hold, and that they have ended. Its timers are its own; those of the channel are turned by hand.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { EVENT_TYPES, type EventLevel, type EventType } from '../../src/control/events/event.ts';
import { EventLog } from '../../src/control/events/event-log.ts';
import { REPEAT } from '../../src/control/notify/alertmanager.ts';
import { Notifications } from '../../src/control/notify/notifications.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { LoadedDice } from '../kit/fake-time.ts';
import { until } from '../kit/signal.ts';
import { WatchedClock } from '../kit/watched-clock.ts';
import { MemoryStore } from '../unit/events-store.ts';
import { channel, receiver } from '../wire/notification-stage.ts';
import { lacking } from './commands.ts';
import { startProgram } from './server-program.ts';

const PROGRAM = 'prometheus-alertmanager';
const MINUTE = 60_000;

interface Shown {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly updatedAt: string;
  readonly status: { readonly state: string };
}

t.test('a real Alertmanager', { skip: lacking(PROGRAM) }, async (t) => {
  const people = await receiver(t);
  const folder = t.testdir({
    'alertmanager.yml': `global: { resolve_timeout: 1s }
route: { receiver: people, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1h }
receivers: [ { name: people, webhook_configs: [ { url: "${people.url}" } ] } ]
`,
  });
  const port = await startProgram(t, {
    ...{ name: PROGRAM, folder, signal: 'SIGKILL' },
    argumentsFor: (listen, attempt) => [
      `--config.file=${join(folder, 'alertmanager.yml')}`,
      `--storage.path=${join(folder, `data-${attempt}`)}`,
      `--web.listen-address=127.0.0.1:${listen}`,
      ...['--cluster.listen-address=', '--log.level=warn'],
    ],
    isReady: async (listen) => {
      try {
        const response = await fetch(`http://127.0.0.1:${listen}/-/ready`);
        await response.text();
        return response.ok;
      } catch {
        return false;
      }
    },
  });
  const url = `http://127.0.0.1:${port}`;
  /** What holds, by name. */
  const alerts = async (name: string): Promise<readonly Shown[]> => {
    const filter = encodeURIComponent(`alertname="${name}"`);
    const response = await fetch(`${url}/api/v2/alerts?filter=${filter}`);
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as Shown[];
  };
  const eventually = async (name: string, isSo: (found: readonly Shown[]) => boolean): Promise<readonly Shown[]> => {
    const patience = performance.now() + 20_000;
    for (;;) {
      const found = await alerts(name);
      if (isSo(found) || performance.now() > patience) return found;
      await pause(20);
    }
  };
  /** What Alertmanager has told people of an alert. */
  const said = (name: string): string[] =>
    people.received.filter(({ body }) => body.groupLabels.alertname === name).map(({ body }) => body.status);

  const clock = new WatchedClock();
  const store = new MemoryStore();
  const log = await EventLog.open({ store, clock, logger: silentLogger });
  const notifications = new Notifications({
    ...{ log, store, clock, wallClock: Date.now, random: new LoadedDice(0), logger: silentLogger, env: {} },
    externalUrl: 'https://sluice.example',
  });
  t.teardown(() => notifications.close());
  const to = { kind: 'alertmanager', severity: 'warning' } as const;
  await notifications.configure([
    channel('am', url, { ...to, template: '{{message}} ({{data.cause}})', escalate: { after: 1, to: 'pager' } }),
    channel('pager', `${url}/api/v2/alerts`, { ...to, types: ['access.denied'] }),
  ]);
  const tell = (type: EventType, level: EventLevel, message: string, rollout = 'r-1') =>
    log.emit({
      type,
      level,
      message,
      service: 'shop',
      version: 'v2',
      data: { rollout, cause: 'évidence "<&>" \u0007😀' },
    });

  const { at } = tell('rollout.rolling-back', 'critical', 'it is taken back\u0000');
  tell('rollout.rolled-back', 'warning', 'it is over');
  const [rolledBack] = await eventually(
    'SluiceRolloutRolledBack',
    ([one]) => one?.annotations.summary === EVENT_TYPES['rollout.rolled-back'],
  );
  t.match(rolledBack, {
    labels: { severity: 'critical', service: 'shop', version: 'v2', rollout: 'r-1' },
    annotations: { description: 'it is taken back· (évidence "<&>" ·😀)' },
    ...{ status: { state: 'active' }, generatorURL: 'https://sluice.example/api/v1/rollouts/r-1' },
  });
  t.equal(Date.parse(rolledBack!.startsAt), Date.parse(at));
  t.ok(Date.parse(rolledBack!.endsAt) > Date.now() + 4 * MINUTE, 'how long it holds is not the server’s to say');
  await until('people to be told', () => said('SluiceRolloutRolledBack').length > 0, 20_000);
  t.strictSame(said('SluiceRolloutRolledBack'), ['firing']);

  tell('rollout.incident', 'critical', 'it is held', 'r-2');
  const [incident] = await eventually('SluiceRolloutIncident', ({ length }) => length === 1);
  await until('people to be told', () => said('SluiceRolloutIncident').length > 0, 20_000);
  await clock.pass(REPEAT);
  const [again] = await eventually('SluiceRolloutIncident', ([one]) => one?.updatedAt !== incident!.updatedAt);
  t.ok(Date.parse(again!.endsAt) > Date.parse(incident!.endsAt), 'it was said again that it holds');
  t.equal(again!.startsAt, incident!.startsAt);

  const unheard = await eventually('SluiceNotAcknowledged', ({ length }) => length === 2);
  t.strictSame(unheard.map(({ labels }) => labels.rollout).sort(), ['r-1', 'r-2']);
  t.match(unheard[0], { annotations: { description: /^not acknowledged for \d+ seconds?: it is / } });

  tell('rollout.resumed', 'info', 'it goes on', 'r-2');
  t.strictSame(await eventually('SluiceRolloutIncident', ({ length }) => length === 0), [], 'what is over has ended');
  tell('rollout.succeeded', 'info', 'it is stable', 'r-2');
  t.strictSame(await eventually('SluiceRolloutRolledBack', ({ length }) => length === 0), []);
  await until('people to be told', () => said('SluiceRolloutIncident').includes('resolved'), 20_000);
  await until('people to be told', () => said('SluiceRolloutRolledBack').includes('resolved'), 20_000);
  t.match(notifications.counts(), [
    { name: 'am', failed: 0, fault: null },
    { name: 'pager', failed: 0, fault: null },
  ]);
});
