/** Commands of the client as processes: Ctrl-C, a reader that goes away, and the environment. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { FakeAdmin, SERVICE, STATUS } from './client-admin-server.ts';
import { SluiceProcess, sluice } from './sluice-process.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const admin = await new FakeAdmin().listen();
t.teardown(() => admin.close());
admin
  .on('GET /api/v1/status', { body: STATUS })
  .on('GET /api/v1/services', { body: { services: [SERVICE] } })
  .on('GET /api/v1/rollouts', { body: { rollouts: [] } });
const env = { SLUICE_ADMIN: admin.url };

t.test('status', async (t) => {
  t.match(await sluice(['status'], env), { code: 0, out: /^sluice 0\.1\.0 {2}serving/, err: '' });
});

t.test('Ctrl-C ends --watch in order', async (t) => {
  const watch = new SluiceProcess(['status', '--watch', '--interval', '100ms'], env);
  t.teardown(() => watch.signal('SIGKILL'));
  await watch.printed(/serving.*serving/s);
  watch.signal('SIGINT');
  t.equal(await watch.exited, 0);
  t.equal(watch.err, '');
});

t.test('so does a reader that has seen enough', async (t) => {
  const watch = spawn(process.execPath, [MAIN, 'status', '--watch', '--interval', '100ms'], {
    env: { ...env, PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => watch.kill('SIGKILL'));
  await once(watch.stdout, 'data');
  watch.stdout.destroy();
  t.strictSame(await once(watch, 'exit'), [0, null]);
});

t.test('on a terminal', async (t) => {
  const command = `stty rows 30; exec '${process.execPath}' '${MAIN}' status --watch --interval 100ms`;
  // script(1) makes a terminal of its standard input, so the byte of Ctrl-C is a Ctrl-C.
  const script = spawn('script', ['-qec', command, '/dev/null'], { env: { ...env, PATH: process.env.PATH } });
  const missing = await Promise.race([once(script, 'spawn').then(() => false), once(script, 'error').then(() => true)]);
  if (missing) {
    t.comment('there is no script(1) to make a terminal with');
    return;
  }
  t.teardown(() => script.kill('SIGKILL'));
  const exited = once(script, 'exit');
  let out = '';
  script.stdout.setEncoding('utf8');
  for await (const text of script.stdout) {
    if (out.split('serving').length < 3 && (out + text).split('serving').length >= 3) script.stdin.write('\x03');
    out += text;
  }
  t.ok(out.includes('\x1b[?25l\x1b[?7l\x1b[Hsluice'), 'drawn in place');
  t.ok(out.endsWith('\x1b[?7h\x1b[?25h'), 'and left as it was');
  t.strictSame(await exited, [0, null]);
});
