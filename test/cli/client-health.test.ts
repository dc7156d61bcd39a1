/** `sluice health`: the exit codes that container engines and service managers look at; and one demo version by itself. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { called, FakeAdmin, start } from './client-admin-server.ts';
import { SluiceProcess } from './sluice-process.ts';

const admin = await new FakeAdmin().listen();
t.teardown(() => admin.close());
const readiness = (state: string, reasons: readonly string[] = [], notes: readonly string[] = []) => ({
  ready: reasons.length === 0,
  ...{ state, reasons, notes },
});

t.test('alive', async (t) => {
  admin.on('GET /healthz', { body: { status: 'ok' } });
  t.strictSame(await called(admin, ['health']), { code: 0, out: 'alive\n', err: '' });
  t.strictSame(JSON.parse((await called(admin, ['health', '--json'])).out), { status: 'ok' });
});

t.test('ready, and not', async (t) => {
  admin.on('GET /readyz', { body: readiness('serving', [], ['The state cannot be written: disk full']) });
  t.strictSame(await called(admin, ['health', '--ready']), {
    ...{ code: 0, err: '' },
    out: 'ready\nThe state cannot be written: disk full\n',
  });
  const draining = readiness('draining', ['Sluice is shutting down.']);
  admin.on('GET /readyz', { status: 503, body: draining });
  t.strictSame(await called(admin, ['health', '--ready']), {
    ...{ code: 1, out: '' },
    err: 'sluice health: not ready, draining. Sluice is shutting down.\n',
  });
  const json = await called(admin, ['health', '--ready', '--json']);
  t.equal(json.code, 1);
  t.strictSame(JSON.parse(json.out), draining, 'a script gets the answer');
  t.equal((await called(admin, ['health'])).code, 0, 'it is alive all the same');
});

t.test('nobody, a stranger, a wrong call', async (t) => {
  t.match(await start(['health', '--admin', 'http://127.0.0.1:9']).ended, { code: 1, err: /no server answers/ });
  admin.on('GET /healthz', { status: 500, body: {} });
  t.match(await called(admin, ['health']), { code: 1, err: /the server answered with status 500/ });
  t.match(await called(admin, ['health', 'now']), { code: 2, err: /unexpected argument "now"/ });
  t.match(await called(admin, ['health', '--timeout', 'x']), { code: 2, err: /--timeout must be a time/ });
  t.match(await called(admin, ['health', '--cacert', '/nowhere']), { code: 2, err: /no such file/ });
});

t.test('a server that drips is not waited for: the time is that of the whole answer', async (t) => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'sluice-api': '1' });
    const drip = setInterval(() => response.write(' '), 50);
    response.once('close', () => clearInterval(drip));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { ended } = start(['health', '--admin', address, '--timeout', '300ms']);
  t.match(await ended, { code: 1, err: /\(timed out\)/ });
});

t.test('one demo version by itself', async (t) => {
  const demo = new SluiceProcess(['demo', '--upstream', 'v2', '--listen', '127.0.0.1:0']);
  t.teardown(() => demo.signal('SIGKILL'));
  const [, address = ''] = await demo.printed(/^v2 answers on (127\.0\.0\.1:\d+)\./);
  t.equal(await (await fetch(`http://${address}/`)).text(), 'hello from v2\n');
  demo.signal('SIGTERM');
  t.equal(await demo.exited, 0);
  const both = await start(['demo', '--upstreams', '--upstream', 'v2']).ended;
  t.match(both, { code: 2, err: /--upstreams runs all versions/ });
});
