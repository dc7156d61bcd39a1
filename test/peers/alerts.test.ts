/**
 * An alert from end to end: a service that answers its users with errors, a running proxy that notices, its log, and a webhook server that
 * is told, first that the alert fires and then that it is over.
 *
 * The proxy looks once a second and the window is as short as it may be, so each step takes a second or two; the test waits for what
 * is posted and for nothing else.
 */
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import type { AlertEvent } from '../../src/control/monitor/alert-handlers.ts';
import { until } from '../kit/signal.ts';
import { startOrigin } from './origin.ts';
import { configOf, type SluiceProcess, startSluice } from './sluice-process.ts';

const PATIENCE = 20_000;

interface Posted {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly type: string | undefined;
  readonly body: AlertEvent;
}

async function webhook(t: Test) {
  const posted: Posted[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      const { method, url, headers } = request;
      posted.push({ method, url, type: headers['content-type'], body: JSON.parse(text) });
      response.statusCode = 202;
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const { port } = server.address() as AddressInfo;
  return { posted, url: `http://127.0.0.1:${port}/hooks/shop?key=hidden` };
}

/** One request after the other until told to end; counts the statuses. */
function traffic(t: Test, sluice: SluiceProcess) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const statuses = new Map<number, number>();
  let running = true;
  const ask = (): void => {
    if (!running) return;
    get(`${sluice.url}/shop`, { agent }, (response) => {
      const status = response.statusCode ?? 0;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      response.resume().on('end', ask);
    }).on('error', (error) => {
      if (running) t.fail(error.message);
    });
  };
  ask();
  t.teardown(() => {
    running = false;
    agent.destroy();
  });
  return statuses;
}

const alertLines = (sluice: SluiceProcess): Record<string, unknown>[] =>
  sluice.log.filter((line) => line.includes('"event":"alert"')).map((line) => JSON.parse(line));

t.test('a service that fails raises an alert and ends it, in the log and at the webhook', async (t) => {
  let well = true;
  const origin = await startOrigin(t, {
    '/shop': (_request, response) => {
      response.statusCode = well ? 200 : 500;
      response.end();
    },
  });
  const hook = await webhook(t);
  const monitor = {
    window: '1s',
    alerts: [
      { name: 'shop-fails', when: 'error_rate > 50%' },
      { name: 'shop-is-slow', when: 'p95 > 1m' },
    ],
    webhooks: [hook.url],
  };
  const sluice = await startSluice(t, configOf([origin.url], { monitor }));
  const statuses = traffic(t, sluice);
  await until('answers', () => (statuses.get(200) ?? 0) > 50);
  t.strictSame(hook.posted, [], 'nothing to tell while all is well');

  well = false;
  await until('the webhook', () => hook.posted.length > 0, PATIENCE);
  const [fired] = hook.posted;
  t.match(fired, { method: 'POST', url: '/hooks/shop?key=hidden', type: /^application\/json/ });
  t.match(fired?.body, {
    ...{ name: 'shop-fails', state: 'firing', metric: 'error_rate', when: 'above', threshold: 50 },
    ...{ service: 'shop', version: 'v1' },
  });
  t.ok((fired?.body.value ?? 0) > 50, `with the value, ${fired?.body.value} %`);
  t.match(fired?.body.at, /^\d{4}-\d{2}-\d{2}T/, 'and the time');
  t.ok((statuses.get(500) ?? 0) > 0, 'users had seen it');

  well = true;
  await until('the end of it', () => hook.posted.length > 1, PATIENCE);
  t.match(hook.posted[1]?.body, { name: 'shop-fails', state: 'ok', service: 'shop', version: 'v1' });
  t.equal(hook.posted.length, 2, 'the other alert has not been raised');

  const lines = alertLines(sluice);
  t.match(lines, [
    { level: 'warn', alert: 'shop-fails', state: 'firing', metric: 'error_rate' },
    { level: 'info', alert: 'shop-fails', state: 'ok' },
  ]);
  t.equal(lines.length, 2);
  t.notOk(
    sluice.log.some((line) => line.includes('hidden')),
    'the secret of the address is not in the log',
  );
});

t.test('an endpoint that fails alone is named', async (t) => {
  const good = await startOrigin(t, { '/shop': (_request, response) => void response.end() });
  const bad = await startOrigin(t, {
    '/shop': (_request, response) => {
      response.statusCode = 500;
      response.end();
    },
  });
  const hook = await webhook(t);
  const monitor = { window: '1s', alerts: [{ name: 'errors', when: 'error_rate > 80%' }], webhooks: [hook.url] };
  const sluice = await startSluice(t, configOf([good.url, bad.url], { monitor }));
  traffic(t, sluice);
  await until('the webhook', () => hook.posted.length > 0, PATIENCE);
  t.match(hook.posted[0]?.body, { name: 'errors', state: 'firing', service: 'shop', version: 'v1', endpoint: bad.url });
  t.equal(alertLines(sluice)[0]?.endpoint, bad.url, 'and the log names it too');
});

t.test('a webhook that nobody serves is given up and logged, and requests go on', async (t) => {
  const origin = await startOrigin(t, {
    '/shop': (_request, response) => {
      response.statusCode = 503;
      response.end();
    },
  });
  const gone = await startOrigin(t);
  await new Promise<void>((resolve) => gone.server.close(() => resolve()));
  const webhooks = [`${gone.url}/hooks/hidden`];
  const monitor = { window: '1s', alerts: [{ name: 'down', when: 'error_rate > 50%' }], webhooks };
  const sluice = await startSluice(t, configOf([origin.url], { monitor }));
  const statuses = traffic(t, sluice);
  const failure = (): string | undefined => sluice.log.find((line) => line.includes('alert_webhook_failed'));
  await until('the log to say so', () => failure() !== undefined, PATIENCE);
  t.match(JSON.parse(failure() ?? '{}'), { level: 'error', webhook: gone.url, alert: 'down' });
  t.notOk(failure()?.includes('hidden'), 'by its origin only');
  t.match(alertLines(sluice)[0], { level: 'warn', alert: 'down', state: 'firing' }, 'the log had it all the same');
  const before = statuses.get(503) ?? 0;
  await until('more answers', () => (statuses.get(503) ?? 0) > before);
});
