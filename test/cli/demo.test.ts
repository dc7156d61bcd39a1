/** `sluice demo`: what it prints works when pasted. */
import { exec } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { promisify } from 'node:util';
import t from 'tap';
import { SluiceProcess, sluice } from './sluice-process.ts';

const shell = promisify(exec);

t.test('the printed commands', async (t) => {
  const demo = new SluiceProcess(['demo', '--port', '0', '--admin-port', '0']);
  t.teardown(() => demo.signal('SIGKILL'));
  await demo.printed(/Ctrl-C ends it\.\n/);
  const [, proxy = ''] = await demo.printed(/proxy {2}(http:\/\/127\.0\.0\.1:\d+)\n/);
  const [, admin = ''] = await demo.printed(/admin {2}(http:\/\/127\.0\.0\.1:\d+) /);
  const commands = [...demo.out.matchAll(/^ {2}((?:for|curl|seq) .*)$/gm)].map(([, command = '']) => command);
  t.equal(commands.length, 19);
  for (const command of commands) t.ok(command.includes(proxy) || command.includes(admin), command);

  const run = async (part: RegExp): Promise<string> => {
    const command = commands.find((line) => part.test(line)) ?? '';
    return (await shell(command.replace('curl ', 'curl --max-time 20 '))).stdout;
  };
  const [loop, canary, shielded, bug, upload, chunked, stream, slow, failing] = await Promise.all([
    run(/curl -s http/),
    run(/X-Canary-Deploy.*\/$/),
    run(/http_code/),
    run(/X-Canary-Deploy.*\/bug$/),
    run(/-d 'hello'/),
    run(/seq 100000/),
    run(/\/stream/),
    run(/\/slow/),
    run(/\/status\/503/),
  ]);
  const counts = [...loop.matchAll(/^ +(\d+) hello from v([12])$/gm)].map(([, count]) => Number(count));
  t.equal(
    counts.reduce((sum, count) => sum + count, 0),
    20,
  );
  t.match(canary, /^HTTP\/1\.1 200 .*x-sluice-version: v2\r\n(.*\r\n)?\r\nhello from v2\n$/s);
  t.match(shielded, /^ +20 200\n$/);
  t.match(bug, /^HTTP\/1\.1 500 .*x-sluice-version: v2\r\n(.*\r\n)?\r\nv2 has a bug\n$/s);
  t.match(upload, /^POST \/echo HTTP\/1\.1\n.*^content-length: 5\n.*\n\nhello$/ims);
  t.equal(chunked, '100000\n');
  t.match(stream, /^data: 1 from v[12]\n\n(.*\n\n){8}data: 10 from v[12]\n\n$/s);
  t.match(slow, /^hello from v[12] after 2000 ms\n$/);
  t.match(failing, /^HTTP\/1\.1 503 /);

  t.match(JSON.parse(await run(/\/weights$/)), { weights: { v1: 50, v2: 50 }, workers: Number });
  t.match(JSON.parse(await run(/\/rollback$/)), { weights: { v1: 100, v2: 0 }, mode: 'immediate' });
  t.match(
    await run(/\/metrics/),
    /^sluice_requests_total\{service="demo",version="v1",lane="stable",code="200"\} [0-9]+$/m,
  );
  t.match(await run(/\/events$/), /"rollback\.finished"/);

  // A bounded load in place of the two minutes of it that the page has.
  await shell(`curl -s -o /dev/null '${proxy}/?[1-200]'`);
  t.match(JSON.parse(await run(/\/rollouts$/)), { id: 'demo-1', version: 'v2', strategy: 'quick' });
  t.equal(await run(/\/fail\?percent=50/), 'v2 fails 50 %\n');
  const isBack = async (): Promise<boolean> => {
    await shell(`curl -s -o /dev/null '${proxy}/?[1-100]'`);
    return JSON.parse(await run(/demo-1\/why$/)).phase === 'RolledBack';
  };
  // The first look may see it being taken back, and needs another one.
  t.ok((await isBack()) || (await isBack()) || (await isBack()), 'what fails is taken back');
  // The one that asked for v2 by name is all that anybody saw of it.
  t.strictSame((await run(/\/metrics/)).match(/^.*code="500".*$/gm), [
    'sluice_requests_total{service="demo",version="v2",lane="canary",code="500"} 1',
  ]);

  t.match(JSON.parse(await run(/\/flags\//)), { flag: { name: 'new-checkout', value: 50 } });
  t.match(await run(/x-flag/), /^(X-Flag-New-Checkout: (true|false)\n){6}$/);

  demo.signal('SIGINT');
  t.equal(await demo.exited, 0);
  t.equal(demo.err, '');
});

t.test('a port in use is one line that names --port', async (t) => {
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const message = `cannot listen on 127.0.0.1:${port}: the port is in use; choose other ones with --port N and --admin-port N`;
  t.strictSame(await sluice(['demo', '--port', String(port), '--admin-port', '0']), {
    code: 1,
    out: '',
    err: `sluice demo: ${message}\n`,
  });
  other.close();
});

t.test('the versions alone, where the example configuration expects them', async (t) => {
  const demo = new SluiceProcess(['demo', '--upstreams']);
  t.teardown(() => demo.signal('SIGKILL'));
  const ready = demo.printed(/Ctrl-C ends them/).then(() => true);
  // Ports that are written in a file can be in use on the machine that runs the tests.
  if (!(await Promise.race([ready, demo.exited.then(() => false)]))) {
    t.match(demo.err, /^sluice demo: cannot listen on 127\.0\.0\.1:300\d: the port is in use\n$/);
    return;
  }
  const answers = await Promise.all(
    [3001, 3002, 3003].map(async (port) => (await fetch(`http://127.0.0.1:${port}/`)).text()),
  );
  t.strictSame(answers, ['hello from v1\n', 'hello from v1\n', 'hello from v2\n']);
  const second = await sluice(['demo', '--upstreams']);
  t.equal(second.code, 1);
  t.match(second.err, /^sluice demo: cannot listen on 127\.0\.0\.1:300\d: the port is in use\n$/);
  demo.signal('SIGTERM');
  t.equal(await demo.exited, 0);
});
