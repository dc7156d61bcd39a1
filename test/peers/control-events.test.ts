/** Events of a real process: a stream that is resumed over kill -9, and a webhook that can be believed. */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { request } from 'undici';
import type { SluiceEvent } from '../../src/control/events/event.ts';
import {
  configFor,
  eventsOf,
  eventually,
  newSite,
  type Site,
  startControl,
  threeUpstreams,
} from './control-process.ts';

const SECRET = 'what-the-receiver-knows';

interface Stream {
  /** `id type` of each. */
  readonly got: string[];
  readonly ended: Promise<void>;
}

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly event: SluiceEvent;
}

/** A receiver of webhooks that accepts everything. */
async function startReceiver(t: Test): Promise<{ readonly url: string; readonly received: readonly Received[] }> {
  const received: Received[] = [];
  const server = createServer((incoming, response) => {
    let text = '';
    incoming.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    incoming.on('end', () => {
      received.push({ headers: incoming.headers, text, event: JSON.parse(text) });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/sluice`, received };
}

/** @param last number of the last event that was seen. */
async function follow(t: Test, site: Site, last: string | null): Promise<Stream> {
  const headers = { accept: 'text/event-stream', ...(last === null ? {} : { 'last-event-id': last }) };
  const { statusCode, body } = await request(`${site.admin}/api/v1/events?types=weights.changed`, { headers });
  if (statusCode !== 200) throw new Error(`events: ${statusCode}`);
  const got: string[] = [];
  let text = '';
  body.setEncoding('utf8');
  body.on('data', (part: string) => {
    text += part;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = new Map(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => line.split(/: ?/, 2) as [string, string]),
      );
      text = text.slice(end + 2);
      if (fields.has('id') && fields.has('event')) got.push(`${fields.get('id')} ${fields.get('event')}`);
    }
  });
  const ended = new Promise<void>((resolve) => {
    body.on('error', () => resolve());
    body.on('close', () => resolve());
  });
  t.teardown(() => body.destroy());
  return { got, ended };
}

t.test('events', async (t) => {
  const site = await newSite(t);
  const urls = await threeUpstreams(t);
  const { url, received } = await startReceiver(t);
  const first = await startControl(t, site, configFor(site, urls));
  const live = await follow(t, site, '0');
  for (const v2 of [10, 20, 30]) await first.calls.setWeights('shop', { v1: 100 - v2, v2 });
  await eventually('three events', async () => live.got.length === 3);
  const seen = live.got[1]!.split(' ')[0]!;
  // The reader has not seen the third, and this one nobody can tell it.
  await first.calls.setWeights('shop', { v1: 60, v2: 40 });
  await first.kill();
  await live.ended;

  const webhooks = [{ name: 'chat', url, secret: 'env:HOOK_SECRET', types: ['weights.changed', 'rollback.*'] }];
  const text = configFor(site, urls, { events: { webhooks } });
  const second = await startControl(t, site, text, { env: { HOOK_SECRET: SECRET } });
  const resumed = await follow(t, site, seen);
  // The subscription is new: it begins with what happens once it is there.
  await eventually('the start', async () => (await eventsOf(second)).at(-1)?.type === 'server.started');
  await second.calls.setWeights('shop', { v1: 50, v2: 50 });
  await second.calls.call('PUT', '/api/v1/services/shop/lanes', { canary: null });
  await second.calls.call('POST', '/api/v1/services/shop/rollback', { reason: 'enough' });

  await t.test('a stream is resumed over kill -9, with nothing lost and nothing twice', async (t) => {
    await eventually('all of them', async () => resumed.got.length >= 4);
    const stored = (await eventsOf(second)).filter(({ type }) => type === 'weights.changed');
    t.strictSame(
      stored.map(({ data }) => (data as { after: { v2: number } }).after.v2),
      [10, 20, 30, 40, 50, 0],
    );
    t.strictSame(
      resumed.got,
      stored.slice(2).map(({ id, type }) => `${id} ${type}`),
      'what was not seen, and then what happens',
    );
  });

  await t.test('a webhook that can be believed', async (t) => {
    await eventually('four deliveries', async () => received.length >= 4);
    t.strictSame(
      received.map(({ event }) => event.type),
      ['weights.changed', 'weights.changed', 'rollback.started', 'rollback.finished'],
    );
    for (const { headers, text } of received) {
      const { 'webhook-id': id, 'webhook-timestamp': at } = headers;
      const expected = createHmac('sha256', SECRET).update(`${id}.${at}.${text}`).digest('base64');
      t.equal(headers['webhook-signature'], `v1,${expected}`);
    }
  });
  t.strictSame(await second.stop(), { code: 0, signal: null });
  await resumed.ended;
});
