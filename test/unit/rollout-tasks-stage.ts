/**
 * What tests of a rollout's tasks stand on: a clock that stands still, a runner, a target, and a real server that answers as it is told.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import type { TaskTarget } from '../../src/control/rollout/tasks/task.ts';
import { TaskRunner } from '../../src/control/rollout/tasks/task-runner.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { turns } from '../kit/signal.ts';

export const NOW = Date.parse('2026-03-04T12:00:00Z');

export interface Line {
  readonly level: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>> | undefined;
}

export function newStage(t: Test, env: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: '/home/sluice' }) {
  const clock = new FakeClock();
  const lines: Line[] = [];
  const write = (level: string) => (event: string, fields?: Line['fields']) =>
    void lines.push({ level, event, fields });
  const logger = { info: write('info'), warn: write('warn'), error: write('error') };
  const runner = new TaskRunner({ clock, logger, env, wallClock: () => NOW + clock.now() });
  t.teardown(async () => {
    const closing = runner.close();
    let closed = false;
    closing.then(() => {
      closed = true;
    });
    while (!closed) {
      clock.advance(1_000);
      await turns(3);
    }
  });
  return { clock, runner, lines };
}

export function targetOf(part: Partial<TaskTarget> = {}): TaskTarget {
  const endpoints = part.endpoints ?? [];
  return {
    rollout: 'r-1',
    service: 'shop',
    version: 'v2',
    stable: 'v1',
    strategy: 'standard',
    step: 'checks',
    weight: 5,
    phase: 'Preflight',
    endpoints,
    healthy: () => endpoints.map((url) => ({ url, available: true, why: '' })),
    proxy: null,
    ...part,
  };
}

/** Lets time pass until a promise has settled, in steps; the sockets get their turns between them. */
export async function passing<T>(clock: FakeClock, promise: Promise<T>, step = 100): Promise<T> {
  let settled = false;
  const watched = promise.finally(() => {
    settled = true;
  });
  while (!settled) {
    clock.advance(step);
    await turns(3);
  }
  return watched;
}

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Listener {
  readonly url: string;
  readonly asked: Asked[];
}

/** @param answer called with the number of the request, from 0; one that answers nothing leaves the request hanging. */
export async function listening(
  t: Test,
  answer: (response: ServerResponse, asked: Asked, count: number) => unknown,
): Promise<Listener> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const { method = '', url = '', headers } = request;
    const question = { method, url, headers, body };
    asked.push(question);
    answer(response, question, asked.length - 1);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** An address at which nobody listens. */
export async function deadUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
