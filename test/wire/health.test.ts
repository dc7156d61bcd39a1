/** Active checks against real servers that answer badly, late or never, are stopped, die and come back. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import type { HealthStatus } from '../../src/control/health/check.ts';
import type { HealthEvent } from '../../src/control/health/health-checker.ts';
import { HealthChecker } from '../../src/control/health/health-checker.ts';
import type { HealthTarget } from '../../src/control/health/probe.ts';
import { flagsOf, newEndpointTable, UNHEALTHY } from '../../src/model/endpoint-table.ts';
import type { HealthConfig } from '../../src/model/policy-config.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { expectNoSockets, openSockets } from '../kit/open-sockets.ts';
import { type Behaviour, RawUpstream } from '../kit/raw-upstream.ts';
import { until } from '../kit/signal.ts';

expectNoSockets(t);

const CONFIG: HealthConfig = {
  type: 'http',
  path: '/health',
  status: [[200, 299]],
  interval: 40,
  unhealthyInterval: 20,
  jitter: 10,
  timeout: 200,
  healthy: 2,
  unhealthy: 2,
};

const ID = 3;

const at = (port: number, config: Partial<HealthConfig> = {}, host = '127.0.0.1'): HealthTarget => ({
  endpointId: ID,
  ...{ url: `http://${host}:${port}`, host, port, authority: `${host}:${port}` },
  ...{ service: 'shop', version: 'v1', config: { ...CONFIG, ...config } },
});

function check(t: Test, target: HealthTarget) {
  const table = newEndpointTable();
  const events: HealthEvent[] = [];
  const checker = new HealthChecker({
    ...{ clock: systemClock, random: new SeededRandom(1), table, logger: silentLogger },
    onChange: (event) => events.push(event),
  });
  checker.apply([target]);
  t.teardown(() => checker.close());
  const status = (): HealthStatus => checker.states()[0]!;
  const unhealthy = (): boolean => (flagsOf(table, ID) & UNHEALTHY) !== 0;
  const toFall = (): Promise<void> => until(`the endpoint to fall; it is ${JSON.stringify(status())}`, unhealthy);
  const toRise = (): Promise<void> => until('the endpoint to rise', () => !unhealthy());
  const probes = (count: number): Promise<void> => until(`${count} probes`, () => status().probes >= count);
  return { checker, events, status, unhealthy, toFall, toRise, probes };
}

const answer = (status: number, body = 'ok', fields = ''): Behaviour => {
  // Connections of the kit write latin1.
  const bytes = Buffer.from(body).toString('latin1');
  const text = `HTTP/1.1 ${status} Whatever\r\nContent-Length: ${bytes.length}\r\n${fields}\r\n${bytes}`;
  return async (connection) => {
    for (;;) {
      await connection.request();
      connection.write(text);
    }
  };
};

t.test('a server that answers well', async (t) => {
  const upstream = await RawUpstream.start(t, answer(200));
  const { probes, status, unhealthy, events } = check(t, at(upstream.port, { host: 'shop.example.com' }));
  await probes(20);
  t.notOk(unhealthy());
  t.match(status(), { phase: 'healthy', failures: 0, last: { fault: null } });
  t.strictSame(events, []);
  t.equal(upstream.connections.length, 1, 'probes keep their connection');
  const [request] = upstream.requests;
  t.match(request, { method: 'GET', target: '/health' });
  const field = (name: string) =>
    request!.fields.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
  t.strictSame(field('host'), ['shop.example.com']);
  t.strictSame(field('user-agent'), ['sluice-health']);
  t.strictSame(field('accept-encoding'), ['identity']);
});

t.test('bad answers make it fall, good ones bring it back', async (t) => {
  const good = answer(200, 'all is well');
  const cases: readonly [name: string, config: Partial<HealthConfig>, bad: Behaviour, fault: RegExp][] = [
    ['500', {}, answer(500), /^answered 500$/],
    ['a redirect, which is not followed', {}, answer(302, '', 'Location: /\r\n'), /^answered 302$/],
    ['a body without the text', { body: 'well' }, answer(200, 'all is lost'), /lacks/],
    ['an empty body where text is expected', { body: 'well' }, answer(200, ''), /lacks/],
    ['the text behind 64 KiB', { body: 'well' }, answer(200, `${'-'.repeat(65_533)}well`), /lacks/],
    ['no answer', {}, () => {}, /^no answer within 200 ms$/],
    ['half a head', {}, (connection) => connection.write('HTTP/1.1 200 OK\r\nContent-'), /^no answer/],
    ['half a body', {}, (c) => c.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall'), /^no answer/],
    ['a body that drips for ever', {}, drips, /^no answer/],
    ['a body that is cut', {}, cuts, /^connection closed/],
    ['a reset', {}, async (c) => void ((await c.request()) && c.reset()), /^connection (reset|closed)/],
    ['a connection that is closed without a word', {}, (connection) => connection.fin(), /^connection closed/],
    ['nonsense', {}, async (c) => void ((await c.request()) && c.write('SSH-2.0-OpenSSH\r\n\r\n')), /^malformed/],
  ];
  for (const [name, config, bad, fault] of cases) {
    await t.test(name, async (t) => {
      const upstream = await RawUpstream.start(t, good);
      const { events, probes, status, toFall, toRise } = check(t, at(upstream.port, config));
      await probes(3);
      t.equal(status().failures, 0);
      const turnTo = (behaviour: Behaviour): void => {
        upstream.behaviour = behaviour;
        for (const connection of upstream.connections) connection.reset();
      };
      turnTo(bad);
      await toFall();
      t.match(status().last?.fault, fault);
      turnTo(good);
      await toRise();
      t.match(events, [
        { healthy: false, fault },
        { healthy: true, fault: null },
      ]);
    });
  }
});

const drips: Behaviour = async (connection) => {
  await connection.request();
  connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  const timer = setInterval(() => connection.write('1\r\n.\r\n'), 10);
  try {
    await connection.request();
  } finally {
    clearInterval(timer);
  }
};

const cuts: Behaviour = async (connection) => {
  await connection.request();
  connection.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall');
  connection.fin();
};

t.test('answers that are good in unusual ways', async (t) => {
  const cases: readonly [name: string, config: Partial<HealthConfig>, behaviour: Behaviour][] = [
    [
      'a status of the list',
      {
        status: [
          [200, 204],
          [401, 401],
        ],
      },
      answer(401),
    ],
    ['the last of a range', { status: [[200, 204]] }, answer(204, '')],
    [
      'text that ends at 64 KiB, of a longer body',
      { body: 'well' },
      answer(200, `${'-'.repeat(65_532)}well${'-'.repeat(99_999)}`),
    ],
    ['text in two packets, after early hints', { body: 'well' }, inTwo],
    ['text that is not ASCII', { body: 'größer' }, answer(200, 'viel größer')],
    ['a body that ends with the connection', { body: 'well' }, untilClose],
    ['an answer that closes the connection', {}, answer(200, 'ok', 'Connection: close\r\n')],
  ];
  for (const [name, config, behaviour] of cases) {
    await t.test(name, async (t) => {
      const upstream = await RawUpstream.start(t, behaviour);
      const { probes, status } = check(t, at(upstream.port, config));
      await probes(4);
      t.equal(status().failures, 0, status().last?.fault ?? '');
    });
  }
});

const inTwo: Behaviour = async (connection) => {
  for (;;) {
    await connection.request();
    connection.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nis we');
    await new Promise((resolve) => setImmediate(resolve));
    connection.write('ll.');
  }
};

const untilClose: Behaviour = async (connection) => {
  await connection.request();
  connection.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall is well');
  connection.fin();
};

t.test('a kept connection that is closed or reset as the probe arrives says nothing about the endpoint', async (t) => {
  for (const end of ['fin', 'reset'] as const) {
    const upstream = await RawUpstream.start(t, async (connection) => {
      await connection.request();
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      await connection.request();
      connection[end]();
    });
    const { probes, status } = check(t, at(upstream.port));
    await probes(12);
    t.equal(status().failures, 0, end);
    t.ok(upstream.connections.length >= 6, 'every second probe needed a new one');
  }
});

t.test('nobody listens, then somebody does', async (t) => {
  const { server, port } = await listen((socket) => socket.end());
  await close(server);
  for (const type of ['http', 'tcp'] as const) {
    await t.test(type, async (t) => {
      const { events, toFall, toRise, status } = check(t, at(port, { type }));
      await toFall();
      t.equal(status().last?.fault, 'connection refused');
      const upstream = createServer((socket) => {
        socket.resume().on('error', () => {});
        socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
      });
      await new Promise<void>((resolve) => upstream.listen(port, '127.0.0.1', resolve));
      await toRise();
      await close(upstream);
      await toFall();
      t.strictSame(
        events.map(({ healthy }) => healthy),
        [false, true, false],
      );
    });
  }
});

t.test('a black hole that accepts and never answers', async (t) => {
  const { server, port, sockets } = await listen(() => {});
  t.teardown(() => close(server));
  const { probes, toFall, checker } = check(t, at(port, { timeout: 60 }));
  await toFall();
  await probes(10);
  t.ok(sockets.size <= 2, `${sockets.size} connections are open: those of probes that are over are closed`);
  await checker.close();
  await until('the server to be left alone', () => sockets.size === 0);
});

t.test('a TCP probe is content with the connection', async (t) => {
  const { server, port, sockets } = await listen(() => {});
  t.teardown(() => close(server));
  const { probes, status } = check(t, at(port, { type: 'tcp' }));
  await probes(10);
  t.equal(status().failures, 0);
  t.ok(sockets.size <= 1);
});

t.test(
  'a process that is stopped, goes on, is killed and starts again',
  { skip: process.platform === 'win32' },
  async (t) => {
    const first = await startServer(t, 0);
    const { toFall, toRise, status, probes } = check(t, at(first.port));
    await probes(2);
    first.child.kill('SIGSTOP');
    await toFall();
    t.equal(status().last?.fault, 'no answer within 200 ms', 'its kernel still accepts');
    first.child.kill('SIGCONT');
    await toRise();

    first.child.kill('SIGKILL');
    await toFall();
    t.equal(status().last?.fault, 'connection refused');
    await startServer(t, first.port);
    await toRise();
  },
);

t.test('closing in the middle of probes leaves no socket', async () => {
  const { server, port } = await listen(() => {});
  const table = newEndpointTable();
  const checker = new HealthChecker({
    ...{ clock: systemClock, random: new SeededRandom(1), table, logger: silentLogger },
  });
  const targets = ['http', 'tcp'].flatMap((type, kind) =>
    Array.from({ length: 20 }, (_, i) => ({
      ...at(port, { type: type as 'http' | 'tcp', timeout: 5_000 }),
      endpointId: kind * 20 + i,
    })),
  );
  checker.apply(targets);
  await until('probes under way', () => openSockets() > 20);
  await checker.close();
  await close(server);
  await until('every socket to be closed', () => openSockets() === 0);
});

async function listen(
  onSocket: (socket: Socket) => void,
): Promise<{ server: Server; port: number; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    // Read, or the end of the connection would not be seen.
    socket.resume();
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port, sockets };
}

const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

const SERVER = `
  const server = require('node:http').createServer((_, response) => response.end('ok'));
  server.listen(Number(process.argv[1]), '127.0.0.1', () => process.send(server.address().port));
  process.on('disconnect', () => process.exit());
`;

async function startServer(t: Test, port: number): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, ['-e', SERVER, String(port)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const [bound] = await once(child, 'message');
  return { child, port: bound as number };
}
