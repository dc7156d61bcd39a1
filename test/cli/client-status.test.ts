/** `sluice status`: once, again and again on a terminal and elsewhere, with rates from the counters and a server that comes and goes. */
import t, { type Test } from 'tap';
import type { Io } from '../../src/cli/command.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import {
  called,
  endpointView,
  FakeAdmin,
  problem,
  SERVICE,
  STATUS,
  start,
  traffic,
  versionView,
} from './client-admin-server.ts';

const SERVER =
  'sluice 0.1.0  serving  up 1h 2m  127.0.0.1:8080  2/2 workers  generation 7  12 connections  3 in flight\n';
const TABLE = `VERSION  LANE     WEIGHT  REQ/S  ERRORS     P50     P95     P99   UP  IN FLIGHT
v1       stable  90.00 %   90.0  0.00 %  1.2 ms  3.4 ms  512 ms  1/1          3
v2       canary  10.00 %      -       -       -       -       -  1/1          3
`;

async function fakeAdmin(t: Test): Promise<FakeAdmin> {
  const admin = await new FakeAdmin().listen();
  t.teardown(() => admin.close());
  return admin
    .on('GET /api/v1/status', { body: STATUS })
    .on('GET /api/v1/services', { body: { services: [SERVICE] } })
    .on('GET /api/v1/services/demo', { body: SERVICE })
    .on('GET /api/v1/rollouts', { body: { rollouts: [] } });
}

t.test('once', async (t) => {
  const admin = await fakeAdmin(t);
  t.strictSame(await called(admin, ['status']), { code: 0, out: `${SERVER}\ndemo  weighted\n${TABLE}`, err: '' });
  const json = await called(admin, ['status', '--json']);
  t.strictSame(JSON.parse(json.out), { server: STATUS, services: [SERVICE] });
  t.strictSame(JSON.parse((await called(admin, ['status', 'demo', '--json'])).out), SERVICE);
  const { out } = await called(admin, ['status', 'demo']);
  const endpoints = out.split('IN FLIGHT\n').slice(2);
  t.match(out, `demo  weighted\n${TABLE}\nv1\nENDPOINT `);
  t.match(endpoints[0], /^http:\/\/127\.0\.0\.1:3001 {2}up +1 +90\.0 +0\.00 % .* 3\n/);
  t.equal(endpoints.length, 2);
});

t.test('what is not as usual', async (t) => {
  const admin = await fakeAdmin(t);
  const alert = { name: 'errors', metric: 'error_rate', value: 7.1, when: 'above', threshold: 5, for: 12_000 } as const;
  const of = { service: 'demo', version: 'v2' };
  const trouble = { kind: 'full', message: 'no space left', since: STATUS.startedAt } as const;
  const service = {
    ...SERVICE,
    overrides: ['weights', 'versions/v3'],
    rollback: { by: 20, everyMs: 60_000, reason: 'slow' },
    alerts: [
      { ...alert, ...of, state: 'firing' },
      { ...alert, ...of, state: 'pending', metric: 'p95', value: null, endpoint: 'http://a:1' },
    ],
    versions: [
      versionView('v1', 100, {
        endpoints: [
          endpointView(1, { state: 'disabled', available: false }),
          endpointView(2, { healthy: false, available: false }),
          endpointView(3, { ejected: true, available: false }),
          endpointView(4),
        ],
      }),
    ],
  };
  admin.on('GET /api/v1/status', { body: { ...STATUS, state: 'draining', store: { ...STATUS.store, trouble } } });
  admin.on('GET /api/v1/services', { body: { services: [service] } });
  const { out } = await called(admin, ['status']);
  t.match(out, /^sluice 0\.1\.0 {2}draining .*\nThe state cannot be written: no space left\n/);
  t.match(
    out,
    `1/4          3
rolling back by 20 % every 1m 0s: slow
alert errors firing for 12s: error_rate of v2 is 7.10 %, above 5.00 %
alert errors pending for 12s: p95 of v2 http://a:1 above 5.0 ms
changed at run time: weights, versions/v3
`,
  );
  admin.on('GET /api/v1/services/demo', { body: service });
  t.match((await called(admin, ['status', 'demo'])).out, /:1 +disabled.*:2 +unhealthy.*:3 +ejected.*:4 +up/s);
  admin.on('GET /api/v1/services', { body: { services: [] } });
  t.match((await called(admin, ['status'])).out, /\nNo service is configured\.\n$/);
});

/** A run of `--watch` whose clock stands still until `next`. */
function watching(admin: FakeAdmin, argv: readonly string[], io: Partial<Io> = {}) {
  const clock = new FakeClock();
  let interrupt = (): void => {};
  let printed = Promise.withResolvers<void>();
  const result = { code: -1, out: '', err: '' };
  let all = '';
  const shown = (part: 'out' | 'err') => (text: string) => {
    result[part] += text;
    all += text;
    printed.resolve();
    printed = Promise.withResolvers();
  };
  const run = start(
    ['status', ...argv],
    {
      clock,
      onInterrupt(listener) {
        interrupt = listener;
        return () => {};
      },
      env: { SLUICE_ADMIN: admin.url, ...io.env },
      ...io,
      out: shown('out'),
      err: shown('err'),
    },
    result,
  );
  return {
    result,
    ended: run.ended,
    interrupt: () => interrupt(),
    /** Resolves with what the next drawing printed. */
    async next(ms = 0): Promise<string> {
      const before = all.length;
      const waiting = printed.promise;
      // The command begins to wait in a turn of its own after it has printed.
      await new Promise(setImmediate);
      clock.advance(ms);
      await waiting;
      return all.slice(before);
    },
  };
}

const counted = (ok: number, failed: number) => ({
  body: { services: [{ ...SERVICE, versions: [versionView('v1', 100, { traffic: traffic('v1', ok, failed) })] }] },
});

t.test('again and again: rates between two looks, one block below the other', async (t) => {
  const admin = await fakeAdmin(t);
  admin.on('GET /api/v1/services', counted(1000, 0));
  const watch = watching(admin, ['--watch', '--interval', '2s']);
  const first = await watch.next();
  t.match(first, /^sluice 0\.1\.0.*\nv1 +stable +100\.00 % +90\.0 +0\.00 %/s, 'the window, for want of a difference');
  admin.on('GET /api/v1/services', counted(1150, 50));
  const second = await watch.next(2000);
  t.match(second, /^\nsluice 0\.1\.0.*\nv1 +stable +100\.00 % +100 +25\.00 % +1\.2 ms/s);
  t.match(await watch.next(2000), /\nv1 +stable +100\.00 % +0\.00 +- +1\.2 ms/);
  watch.interrupt();
  t.match(await watch.ended, { code: 0, err: '' });
  t.notMatch(watch.result.out, '\x1b', 'no terminal, no escape sequences');
});

t.test('on a terminal it is drawn in place, and the terminal is left as it was', async (t) => {
  const admin = await fakeAdmin(t);
  const watch = watching(admin, ['-w'], { terminal: { rows: () => 5 } });
  const first = await watch.next();
  const page = first.split('\x1b[H')[1] ?? '';
  t.ok(first.startsWith('\x1b[?25l\x1b[?7l\x1b[H'), 'cursor hidden, no wrapping, home');
  t.ok(page.endsWith('\x1b[K\n\x1b[J'), 'each line and the rest of the screen are cleared behind');
  t.equal(page.split('\n').length - 1, 4, 'no line below the window, its last row empty');
  t.match(page, '\x1b[32mserving\x1b[0m', 'colour');
  const second = await watch.next(1000);
  t.ok(second.startsWith('\x1b[Hsluice'), 'home, and nothing else before');
  watch.interrupt();
  t.equal((await watch.ended).code, 0);
  t.ok(watch.result.out.endsWith('\x1b[J\x1b[?7h\x1b[?25h'), 'wrapping and cursor are back');
});

t.test('NO_COLOR', async (t) => {
  const admin = await fakeAdmin(t);
  const io = { terminal: { rows: () => 50 } };
  t.match((await called(admin, ['status'], io)).out, '\x1b[32m');
  t.notMatch((await called(admin, ['status'], { ...io, env: { NO_COLOR: '1' } })).out, '\x1b');
  t.notMatch((await called(admin, ['status', '--json'], io)).out, '\x1b');
});

t.test('--json is one line a look', async (t) => {
  const admin = await fakeAdmin(t);
  const watch = watching(admin, ['--watch', '--json']);
  t.strictSame(JSON.parse(await watch.next()), { server: STATUS, services: [SERVICE] });
  t.strictSame((await watch.next(1000)).match(/\n/g), ['\n']);
  watch.interrupt();
  await watch.ended;
});

t.test('a server that goes away is waited for', async (t) => {
  const admin = await fakeAdmin(t);
  const watch = watching(admin, ['--watch']);
  await watch.next();
  await admin.close();
  t.match(await watch.next(1000), /^sluice status: no server answers at .*connection refused/);
  await admin.listen();
  t.match(await watch.next(1000), /^\nsluice 0\.1\.0 .*\nv1 /s, watch.result.err);
  admin.on('GET /api/v1/status', problem(403, 'The token is of no use any more.'));
  watch.next(1000).catch(() => {});
  t.match(await watch.ended, { code: 4, err: /sluice status: The token is of no use any more\.\n$/ });
});

t.test('a server that does not answer does not hold up the end', async (t) => {
  const admin = await fakeAdmin(t);
  const asked = Promise.withResolvers<void>();
  const watch = watching(admin, ['--watch']);
  await watch.next();
  admin.on('GET /api/v1/status', () => void asked.resolve());
  watch.next(1000).catch(() => {});
  await asked.promise;
  watch.interrupt();
  t.equal((await watch.ended).code, 0);
});

t.test('a server that is not there at the first look is a failure', async (t) => {
  const admin = await fakeAdmin(t);
  await admin.close();
  t.match(await called(admin, ['status', '--watch']), { code: 3, out: '' });
});

t.test('wrong calls', async (t) => {
  const admin = await fakeAdmin(t);
  for (const [argv, message] of [
    [['a', 'b'], 'unexpected argument "b"'],
    [['--watch', '--interval', '1'], '--interval must be a time from 100ms on, not "1"'],
    [['--watch', '--interval', '99ms'], '--interval must be a time from 100ms on, not "99ms"'],
    [['--interval', '2s'], '--interval needs --watch'],
  ] as const) {
    t.match(await called(admin, ['status', ...argv]), { code: 2, err: `sluice status: ${message}\n` }, message);
  }
});
