/** `sluice run` as a process: what it serves, what signals do, and what it says when it cannot start. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { listenFailure, probeAddresses } from '../../src/cli/listen-probe.ts';
import { SluiceProcess, sluice } from './sluice-process.ts';

const directory = t.testdir({});

/** Answers to `/held` stay open until the test ends them. */
const held: ServerResponse[] = [];
const upstream = createServer((request, response) => {
  if (request.url === '/held') {
    response.write('begun ');
    held.push(response);
  } else {
    response.end('answered');
  }
});
upstream.listen(0, '127.0.0.1');
await once(upstream, 'listening');
t.teardown(() => {
  upstream.closeAllConnections();
  upstream.close();
});

function configFile(name: string, listen: string): string {
  const file = join(directory, name);
  const { port } = upstream.address() as AddressInfo;
  const versions = `{ v1: { endpoints: [ "http://127.0.0.1:${port}" ] } }`;
  writeFileSync(file, `listen: ${listen}\nworkers: 2\nservices: { shop: { versions: ${versions} } }\n`);
  return file;
}

async function running(t: Test, name: string) {
  const run = new SluiceProcess(['run', '-c', configFile(name, '127.0.0.1:0')]);
  t.teardown(() => run.signal('SIGKILL'));
  const [line] = await run.printed(/^.*"event":"listening".*$/m);
  const { port } = JSON.parse(line).addresses[0] as { port: number };
  const open = async (path: string): Promise<IncomingMessage> => {
    const request = get({ host: '127.0.0.1', port, path, agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return response;
  };
  return { run, open };
}

t.test('the first signal lets requests finish', async (t) => {
  const { run, open } = await running(t, 'drain.yaml');
  t.equal(await text(await open('/')), 'answered');
  run.signal('SIGHUP');
  await run.printed(/"event":"config_reloaded"/);
  const response = await open('/held');
  run.signal('SIGTERM');
  await run.printed(/"signal":"SIGTERM","event":"stopping"/);
  held.pop()?.end('finished');
  t.equal(await text(response), 'begun finished');
  t.equal(await run.exited, 0);
  t.equal(run.err, '');
  for (const line of run.out.trimEnd().split('\n'))
    t.match(JSON.parse(line), { time: String, level: String, event: String });
});

t.test('the second signal ends at once', async (t) => {
  const { run, open } = await running(t, 'kill.yaml');
  const response = await open('/held');
  response.on('error', () => {});
  run.signal('SIGINT');
  await run.printed(/"event":"stopping"/);
  run.signal('SIGTERM');
  t.equal(await run.exited, 1);
  t.match(run.out, /"signal":"SIGTERM","event":"killed"/);
});

t.test('an address in use is one line', async (t) => {
  // SO_REUSEPORT on both sides is how another Sluice holds a port.
  for (const reusePort of [false, true]) {
    const other = createTcpServer();
    other.listen({ host: '127.0.0.1', port: 0, reusePort });
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    t.strictSame(await sluice(['run', '-c', configFile('taken.yaml', `127.0.0.1:${port}`)]), {
      code: 1,
      out: '',
      err: `sluice run: cannot listen on 127.0.0.1:${port}: the port is in use\n`,
    });
    other.close();
  }
});

t.test('a faulty configuration', async (t) => {
  const file = configFile('faulty.yaml', 'nowhere');
  t.match(await sluice(['run', '-c', file]), { code: 1, out: '', err: `${file}:1:9: listen: must be an address` });
});

t.test('why an address cannot be bound', async (t) => {
  const error = (code: string, fields: object) =>
    Object.assign(new Error(`listen ${code}: why [::1]:80`), { code, ...fields });
  const at = { address: '::1', port: 80 };
  t.equal(listenFailure(error('EADDRINUSE', at)), 'cannot listen on [::1]:80: the port is in use');
  t.equal(
    listenFailure(error('EADDRINUSE', {})),
    'cannot listen on [::1]:80: the port is in use',
    'from the message alone',
  );
  t.match(listenFailure(error('EACCES', at)), /permission denied; ports below 1024/);
  t.match(listenFailure(error('EADDRNOTAVAIL', at)), /does not have that address$/);
  t.match(listenFailure(error('EAFNOSUPPORT', at)), /does not have that address family$/);
  t.match(listenFailure(error('ENOTFOUND', {})), /^cannot listen: /);
  t.equal(listenFailure(error('EPIPE', at)), null);
  t.equal(listenFailure('text'), null);
});

t.test('the probe opens no port of its own, and calls nobody else', async (t) => {
  // An address of the range for documentation belongs to no machine.
  await t.resolves(probeAddresses([{ host: '192.0.2.1', port: 9 }]));
  const taken = createTcpServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  await t.rejects(probeAddresses([{ host: '127.0.0.1', port }]), { code: 'EADDRINUSE' });
  await t.rejects(probeAddresses([{ host: '0.0.0.0', port }]), { code: 'EADDRINUSE' });
  taken.close();
  const free = probeAddresses([{ host: '127.0.0.1', port }]);
  // Whoever waits for the port must not be let in before the workers are there.
  await t.rejects(
    new Promise((resolve, reject) => connect(port, '127.0.0.1').on('connect', resolve).on('error', reject)),
    { code: 'ECONNREFUSED' },
  );
  await t.resolves(free);
});

t.test('an address that this machine does not have is one line', async (t) => {
  const { code, err } = await sluice(['run', '-c', configFile('foreign.yaml', '192.0.2.1:8080')]);
  t.equal(code, 1);
  t.match(err, /cannot listen on .*192\.0\.2\.1:8080: this machine does not have that address\n$/);
});
