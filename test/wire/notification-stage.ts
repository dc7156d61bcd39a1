/**
 * What tests of notifications stand on: HTTP servers whose answers are decided call by call, and a "process", which is an event log with its
 * notifications over a store that outlives it. Time is turned by hand, packets are real.
 */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import type { EventType, NewEvent, SluiceEvent } from '../../src/control/events/event.ts';
import { EventLog } from '../../src/control/events/event-log.ts';
import { createLogger } from '../../src/control/log.ts';
import type { ReaderCounts } from '../../src/control/notify/event-reader.ts';
import { NotificationOperations } from '../../src/control/notify/notification-operations.ts';
import { Notifications } from '../../src/control/notify/notifications.ts';
import type { NotificationConfig } from '../../src/model/rollout-config.ts';
import { LoadedDice } from '../kit/fake-time.ts';
import { turns, until } from '../kit/signal.ts';
import { WatchedClock } from '../kit/watched-clock.ts';
import { MemoryStore } from '../unit/events-store.ts';

export const START = Date.parse('2026-01-01T00:00:00.000Z');

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: each kind of channel posts something else, and each test looks at its own.
  readonly body: any;
}

export const reply = (response: ServerResponse, status: number, headers: Record<string, string> = {}): void =>
  void response.writeHead(status, headers).end('{}');

/** @param answer of the nth request, from 1. */
export async function receiver(
  t: Test,
  answer: (response: ServerResponse, nth: number) => void = (r) => reply(r, 200),
) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      received.push({ path: request.url ?? '', headers: request.headers, text, body: JSON.parse(text) });
      answer(response, received.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve(undefined)));
  });
  const { port } = server.address() as AddressInfo;
  const messages = (): string[] => received.map(({ body }) => body.message);
  return { received, messages, origin: `http://127.0.0.1:${port}`, url: `http://127.0.0.1:${port}/hidden-path` };
}

export const channel = (name: string, url: string, part: Partial<NotificationConfig> = {}): NotificationConfig => ({
  ...{ name, kind: 'webhook', url, severity: 'info', types: [], template: null, secret: null, escalate: null },
  ...part,
});

/** Starts a process on what the last one left. */
export async function start(
  t: Test,
  configs: readonly NotificationConfig[],
  { store = new MemoryStore(), clock = new WatchedClock(), env = {} as NodeJS.ProcessEnv } = {},
) {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger((line) => void lines.push(JSON.parse(line)));
  const wallClock = (): number => START + clock.now();
  const log = await EventLog.open({ store, clock, wallClock, logger });
  // 0: every pause is as long as it can be.
  const random = new LoadedDice(0);
  const notifications = new Notifications({ log, store, clock, wallClock, random, logger, env });
  const operations = new NotificationOperations({ notifications, store, events: log });
  t.teardown(() => notifications.close());
  await notifications.configure(configs);
  const emit = (message: string, part: Partial<NewEvent> & { type?: EventType } = {}): SluiceEvent =>
    log.emit({ type: 'flag.changed', level: 'info', message, ...part });
  const critical = (message: string, part: Partial<NewEvent> = {}): SluiceEvent => {
    const place = { service: 'shop', version: 'v2', data: { rollout: 'r-1' } };
    return emit(message, { type: 'rollout.incident', level: 'critical', ...place, ...part });
  };
  const counts = (name: string): ReaderCounts => notifications.counts().find((each) => each.name === name)!;
  /** Waits until everything that was emitted is done with. */
  const done = (...names: string[]): Promise<void> =>
    until('all events to be done with', () =>
      notifications
        .counts()
        .filter(({ name }) => names.length === 0 || names.includes(name))
        .every(({ cursor, state }) => cursor === log.lastId && state === 'idle'),
    );
  /** Waits for a pause after a failed try, then lets that time pass. */
  const retry = async (name: string, ms: number): Promise<void> => {
    await until('a pause', () => counts(name).state === 'retrying' && clock.waiting.includes(ms));
    clock.advance(ms);
    await turns(3);
  };
  const stop = async (): Promise<void> => {
    await notifications.close();
    await log.close();
  };
  return {
    ...{ store, clock, lines, log, notifications, operations, emit, critical, counts, done, retry, stop },
  };
}
