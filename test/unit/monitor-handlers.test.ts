import { EventEmitter } from 'node:events';
import t from 'tap';
import { createLogger } from '../../src/control/log.ts';
import { type AlertEvent, AlertHandlers, eventHandler, logHandler } from '../../src/control/monitor/alert-handlers.ts';
import { turns } from '../kit/signal.ts';

const event: AlertEvent = {
  name: 'errors',
  state: 'firing',
  metric: 'error_rate',
  value: 7,
  when: 'above',
  threshold: 5,
  service: 'shop',
  version: 'v2',
  at: '2026-01-01T00:00:00.000Z',
};

function setUp() {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger((line) => void lines.push(JSON.parse(line)));
  return { lines, logger, handlers: new AlertHandlers(logger) };
}

t.test('every handler hears every event until it is taken out', async (t) => {
  const { handlers } = setUp();
  const emitter = new EventEmitter();
  const heard: string[] = [];
  emitter.on('alert', (e: AlertEvent) => heard.push(`emitter ${e.name}`));
  handlers.add(eventHandler((e) => void emitter.emit('alert', e)));
  const remove = handlers.add(eventHandler((e) => void heard.push(`callback ${e.state}`)));
  handlers.send(event);
  t.strictSame(heard, ['emitter errors', 'callback firing']);
  remove();
  remove();
  handlers.send(event);
  t.strictSame(heard.length, 3);
});

t.test('a handler that throws or rejects is logged and disturbs nobody', async (t) => {
  const { handlers, lines } = setUp();
  let heard = 0;
  handlers.add(
    eventHandler(() => {
      throw new Error('first');
    }, 'thrower'),
  );
  handlers.add(eventHandler(() => Promise.reject(new Error('second')), 'rejecter'));
  handlers.add(
    eventHandler(() => {
      throw 'a string';
    }, 'odd'),
  );
  handlers.add(eventHandler(() => void heard++));
  handlers.send(event);
  handlers.send(event);
  await turns(2);
  t.equal(heard, 2);
  t.strictSame(lines.map(({ level, event: what, handler, message }) => [level, what, handler, message]).sort(), [
    ['error', 'alert_handler_failed', 'odd', 'a string'],
    ['error', 'alert_handler_failed', 'odd', 'a string'],
    ['error', 'alert_handler_failed', 'rejecter', 'second'],
    ['error', 'alert_handler_failed', 'rejecter', 'second'],
    ['error', 'alert_handler_failed', 'thrower', 'first'],
    ['error', 'alert_handler_failed', 'thrower', 'first'],
  ]);
});

t.test('a handler may add and remove handlers while it is called', async (t) => {
  const { handlers } = setUp();
  const heard: string[] = [];
  const remove = handlers.add(
    eventHandler(() => {
      heard.push('once');
      remove();
      handlers.add(eventHandler(() => void heard.push('added')));
    }),
  );
  handlers.send(event);
  t.strictSame(heard, ['once']);
  handlers.send(event);
  t.strictSame(heard, ['once', 'added']);
});

t.test('the log has the alert at the level of its state', async (t) => {
  const { logger, lines } = setUp();
  const handler = logHandler(logger);
  for (const state of ['firing', 'warning', 'ok'] as const) handler.handle({ ...event, state });
  t.match(lines[0]!, { level: 'warn', event: 'alert', alert: 'errors', state: 'firing', value: 7, version: 'v2' });
  t.strictSame(
    lines.map((line) => line.level),
    ['warn', 'warn', 'info'],
  );
});
