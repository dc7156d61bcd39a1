/**
 * Active checks in a running process: an endpoint whose checks fail is named in the log and gets no more requests; when they pass again,
 * it is named once more and has its share back.
 *
 * Only `/health` fails here while everything else would be answered, so that it can be nothing but the checks that keep requests away.
 */
import { Agent, get, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { until } from '../kit/signal.ts';
import { type Origin, startOrigin } from './origin.ts';
import { configOf, type SluiceProcess, startSluice } from './sluice-process.ts';

/** Enough that both workers are asked, and that a share of a third cannot be missed by chance. */
const MANY = 60;
const NAMES = ['a', 'b', 'c'];

const health = { interval: '100ms', timeout: '1s', healthy: 2, unhealthy: 2 };

interface Checked extends Origin {
  readonly name: string;
  well: boolean;
}

async function checked(t: Test, name: string): Promise<Checked> {
  const checks = (_: IncomingMessage, response: ServerResponse): void => {
    response.statusCode = found.well ? 204 : 500;
    response.end();
  };
  const origin = await startOrigin(t, {
    '/health': checks,
    '/who': (_request, response) => void response.end(name),
  });
  const found: Checked = { ...origin, name, well: true };
  return found;
}

/** Who answers `MANY` requests, each on a connection of its own. */
async function answerers(sluice: SluiceProcess): Promise<Map<string, number>> {
  const answers = await Promise.all(Array.from({ length: MANY }, () => textOf(`${sluice.url}/who`)));
  const found = new Map<string, number>();
  for (const answer of answers) found.set(answer, (found.get(answer) ?? 0) + 1);
  return found;
}

function textOf(url: string): Promise<string> {
  const agent = new Agent({ keepAlive: false });
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve(response.statusCode === 200 ? text : `status ${response.statusCode}`));
      response.on('error', reject);
    }).on('error', reject);
  });
}

interface LogEntry {
  readonly event: string;
  readonly level: string;
  readonly endpoint?: string;
  readonly version?: string;
  readonly fault?: string;
}

const entries = (sluice: SluiceProcess, event: string): LogEntry[] =>
  sluice.log
    .filter((line) => line.startsWith('{'))
    .map((line): LogEntry => JSON.parse(line))
    .filter((entry) => entry.event === event);

const logged = (sluice: SluiceProcess, event: string, count = 1): Promise<void> =>
  until(`${count} × ${event} in the log`, () => entries(sluice, event).length >= count);

t.test('checks over HTTP take an endpoint out and bring it back', async (t) => {
  const origins = await Promise.all(NAMES.map((name) => checked(t, name)));
  const urls = origins.map(({ url }) => url);
  const sluice = await startSluice(t, configOf(urls, {}, { health: { path: '/health', ...health } }));
  t.strictSame([...(await answerers(sluice)).keys()].sort(), NAMES, 'all take part');

  const [, victim] = origins;
  if (victim === undefined) throw new Error('no victim');
  victim.well = false;
  await logged(sluice, 'endpoint_unhealthy');
  const [down] = entries(sluice, 'endpoint_unhealthy');
  t.match(down, { level: 'warn', version: 'v1', endpoint: victim.url });
  t.match(down?.fault, /500/, 'the log says what was wrong');
  t.strictSame([...(await answerers(sluice)).keys()].sort(), ['a', 'c'], 'traffic avoids it');

  victim.well = true;
  await logged(sluice, 'endpoint_healthy');
  t.match(entries(sluice, 'endpoint_healthy')[0], { level: 'info', endpoint: victim.url });
  const back = (await answerers(sluice)).get('b') ?? 0;
  t.ok(back > MANY / 6, `traffic returns, ${back} of ${MANY} requests`);
  t.equal(entries(sluice, 'endpoint_unhealthy').length, 1, 'nobody else was named');
});

t.test('a version without a healthy endpoint fails over to stable; without a stable one there is 503', async (t) => {
  const stable = await checked(t, 'stable');
  const canary = await checked(t, 'canary');
  const sluice = await startSluice(
    t,
    configOf(
      [],
      {},
      {
        versions: { v1: { endpoints: [stable.url] }, v2: { endpoints: [canary.url] } },
        lanes: { stable: 'v1', canary: 'v2' },
        split: { weights: { v1: 50, v2: 50 } },
        health: { path: '/health', ...health },
      },
    ),
  );
  t.strictSame([...(await answerers(sluice)).keys()].sort(), ['canary', 'stable']);
  canary.well = false;
  await logged(sluice, 'endpoint_unhealthy');
  t.strictSame(await answerers(sluice), new Map([['stable', MANY]]), 'stable answers for the canary');
  stable.well = false;
  await logged(sluice, 'endpoint_unhealthy', 2);
  t.strictSame(await answerers(sluice), new Map([['status 503', MANY]]), 'nobody is left');
  canary.well = true;
  stable.well = true;
  await logged(sluice, 'endpoint_healthy', 2);
  t.strictSame([...(await answerers(sluice)).keys()].sort(), ['canary', 'stable'], 'both are back');
});

t.test('checks over TCP notice that nobody listens', async (t) => {
  const stay = await checked(t, 'stay');
  const bare = await bareServer(t);
  const sluice = await startSluice(t, configOf([stay.url, bare.url], {}, { health: { tcp: true, ...health } }));
  await until('a check', () => bare.connections() > 0);
  await bare.close();
  await logged(sluice, 'endpoint_unhealthy');
  t.match(entries(sluice, 'endpoint_unhealthy')[0], { endpoint: bare.url, fault: 'connection refused' });
  t.strictSame(await answerers(sluice), new Map([['stay', MANY]]), 'all go to the other');
});

/** Accepts, and has nothing to say. */
async function bareServer(t: Test) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  t.teardown(close);
  return { url: `http://127.0.0.1:${port}`, close, connections: () => sockets.size };
}
