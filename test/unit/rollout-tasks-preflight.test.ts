/** Health, warm-up and smoke tests, against real servers, and through a real data plane. */
import type { ServerResponse } from 'node:http';
import t from 'tap';
import { PreflightReport } from '../../src/control/rollout/tasks/preflight-report.ts';
import type { HttpCheck, PreflightConfig } from '../../src/model/rollout-config.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { openProxy } from '../kit/proxy.ts';
import { turns, until } from '../kit/signal.ts';
import { deadUrl, listening, newStage, passing, targetOf } from './rollout-tasks-stage.ts';

const LONG = 3_600_000;

const preflight = (part: Partial<PreflightConfig> = {}) => ({
  kind: 'preflight' as const,
  config: {
    kind: 'preflight' as const,
    name: 'checks',
    health: false,
    warmUp: null,
    smoke: [],
    timeout: LONG,
    ...part,
  },
});

const check = ({
  expect,
  ...part
}: Partial<Omit<HttpCheck, 'expect'>> & { expect?: Partial<HttpCheck['expect']> } = {}): HttpCheck => ({
  ...{ name: 'home', method: 'GET', path: '/', headers: {}, body: null, timeout: LONG, retries: 0, ...part },
  expect: { status: [200], body: null, latency: 0, ...expect },
});

const smoke = (...checks: readonly HttpCheck[]) => preflight({ smoke: checks });
const ok = (response: ServerResponse): unknown => response.end('ok');

t.test('nothing asked for passes', async (t) => {
  const { runner } = newStage(t);
  t.match(await runner.run('preflight:0', preflight(), targetOf()), {
    ok: true,
    message: /passed, 0 checks$/,
    output: '',
  });
});

t.test('health is waited for: all endpoints, healthy and available', async (t) => {
  const { runner, clock } = newStage(t);
  let health = [
    { url: 'http://a:1', available: true, why: '' },
    { url: 'http://b:1', available: false, why: 'unhealthy: connection refused' },
  ];
  let looks = 0;
  const target = targetOf({
    healthy: () => {
      looks++;
      return health;
    },
  });
  const done = runner.run('preflight:0', preflight({ health: true, timeout: 60_000 }), target);
  clock.advance(100);
  await turns(3);
  clock.advance(100);
  await turns(3);
  t.equal(looks, 3, 'a look every 100 ms');
  t.equal(runner.size, 1);
  health = health.map((endpoint) => ({ ...endpoint, available: true }));
  clock.advance(100);
  const result = await done;
  t.match(result, { ok: true, message: 'the preflight of v2 passed, 2 checks' });
  t.equal(result.output, 'passed  health of http://a:1: available\npassed  health of http://b:1: available');
});

t.test('health that does not come in time, and a version without endpoints', async (t) => {
  const { runner, clock } = newStage(t);
  const healthy = () => [
    { url: 'http://a:1', available: true, why: '' },
    { url: 'http://b:1', available: false, why: 'unhealthy: status 503' },
    { url: 'http://c:1', available: false, why: '' },
  ];
  const server = await listening(t, ok);
  const config = { health: true, timeout: 10_000, smoke: [check()] };
  const late = await passing(clock, runner.run('p', preflight(config), targetOf({ healthy, endpoints: [server.url] })));
  t.equal(clock.now(), 10_000);
  t.equal(late.ok, false);
  t.equal(
    late.message,
    'the preflight of v2 was still waiting for healthy endpoints after 10000 ms; ' +
      'health of http://b:1: unhealthy: status 503 (and 1 more)',
  );
  t.match(
    late.output,
    /^passed {2}health of http:\/\/a:1: available\nFAILED {2}health of http:\/\/b:1: unhealthy: status 503\nFAILED/,
  );
  t.equal(server.asked.length, 0, 'nothing else was tried');

  const none = await passing(clock, runner.run('p', preflight({ health: true, timeout: 1_000 }), targetOf()));
  t.match(none, { ok: false, output: 'FAILED  health: v2 has no endpoints' });
  for (const part of [{ smoke: [check()] }, { warmUp: { path: '/', requests: 1, concurrency: 1 } }]) {
    t.match(await runner.run('p', preflight(part), targetOf()), { ok: false, message: /v2 has no endpoints$/ });
  }
});

t.test('warm-up: so many requests to each endpoint, so many at a time', async (t) => {
  expectNoSockets(t);
  const { runner } = newStage(t);
  const waiting: ServerResponse[] = [];
  let most = 0;
  const slow = await listening(t, (response) => {
    waiting.push(response);
    most = Math.max(most, waiting.length);
  });
  const quick = await listening(t, ok);
  const warmUp = { path: '/warm?x=1', requests: 50, concurrency: 4 };
  const done = runner.run('p', preflight({ warmUp }), targetOf({ endpoints: [slow.url, quick.url] }));
  for (let answered = 0; answered < 50; answered++) {
    await until('a request', () => waiting.length === Math.min(4, 50 - answered));
    waiting.shift()!.writeHead(404).end();
  }
  const result = await done;
  t.match(result, { ok: true, message: 'the preflight of v2 passed, 2 checks' });
  t.match(result.output, `passed  warm-up GET /warm?x=1 at ${slow.url}: 50 requests in 0 ms`);
  t.equal(most, 4);
  t.strictSame([slow.asked.length, quick.asked.length], [50, 50]);
  t.equal(slow.asked[0]?.url, '/warm?x=1');
});

t.test('warm-up: one failure in ten is forgiven, two are not', async (t) => {
  expectNoSockets(t);
  const { runner } = newStage(t);
  const failing = (many: number) =>
    listening(t, (response, _, count) => (count < many ? response.writeHead(503).end() : response.end()));
  const warmUp = { path: '/', requests: 10, concurrency: 1 };
  const [one, two] = [await failing(1), await failing(2)];
  const good = await runner.run('p', preflight({ warmUp }), targetOf({ endpoints: [one.url] }));
  t.match(good, { ok: true, output: /10 requests in 0 ms, 1 failed, last status 503$/ });
  const dead = await deadUrl();
  const bad = await runner.run(
    'p',
    preflight({ warmUp, smoke: [check()] }),
    targetOf({ endpoints: [one.url, two.url, dead] }),
  );
  t.match(bad, { ok: false, message: /^the preflight of v2 failed: warm-up GET \/ at .*\(and 1 more\)$/ });
  t.match(bad.output, `FAILED  warm-up GET / at ${two.url}: 2 requests in 0 ms, 2 of 10 failed, last status 503`);
  t.match(bad.output, `FAILED  warm-up GET / at ${dead}: 2 requests in 0 ms, 2 of 10 failed, last connection refused`);
  t.equal(two.asked.length, 2, 'who cannot pass any more is not asked');
  t.notMatch(bad.output, /smoke/, 'smoke tests have to wait for a warm process');
});

t.test('warm-up: an endpoint that hangs fails, its requests end after ten seconds', async (t) => {
  expectNoSockets(t);
  const { runner, clock } = newStage(t);
  const hanging = await listening(t, () => {});
  const warmUp = { path: '/', requests: 20, concurrency: 3 };
  const done = runner.run('p', preflight({ warmUp }), targetOf({ endpoints: [hanging.url] }));
  await until('three requests', () => hanging.asked.length === 3);
  clock.advance(10_000);
  t.match(await done, {
    ok: false,
    output: /3 requests in 10000 ms, 3 of 20 failed, last no complete answer within 10000 ms$/,
  });
});

t.test('smoke tests: what is sent, and every endpoint is asked directly', async (t) => {
  expectNoSockets(t);
  const { runner } = newStage(t);
  const [one, two] = [await listening(t, ok), await listening(t, ok)];
  const post = check({
    name: 'order',
    method: 'POST',
    path: '/order?dry=1',
    headers: { 'Content-Type': 'text/x', Host: 'shop' },
    body: 'hä',
  });
  const result = await runner.run('p', smoke(post, check()), targetOf({ endpoints: [one.url, two.url] }));
  t.match(result, { ok: true, message: 'the preflight of v2 passed, 4 checks' });
  t.strictSame(result.output.split('\n').sort(), [
    ...[one.url, two.url].map((url) => `passed  smoke test home GET / at ${url}: status 200 in 0 ms`).sort(),
    ...[one.url, two.url]
      .map((url) => `passed  smoke test order POST /order?dry=1 at ${url}: status 200 in 0 ms`)
      .sort(),
  ]);
  for (const { asked } of [one, two]) {
    t.match(asked[0], {
      ...{ method: 'POST', url: '/order?dry=1', body: 'hä' },
      headers: { host: 'shop', 'content-type': 'text/x', 'content-length': '3', 'accept-encoding': 'identity' },
    });
    t.match(asked[1], { method: 'GET', url: '/', body: '' });
  }
});

t.test('smoke tests: status, body, latency, and no answer', async (t) => {
  expectNoSockets(t);
  const { runner, clock } = newStage(t);
  const server = await listening(t, (response, { url }) => {
    if (url === '/redirect') response.writeHead(302, { location: '/' }).end();
    else if (url === '/slow') {
      clock.advance(201);
      response.end('ok');
    } else if (url === '/reset') response.destroy();
    else if (url === '/half') {
      response.writeHead(200, { 'content-length': '10' }).write('half');
      setImmediate(() => response.destroy());
    } else if (url === '/far') response.end(`${'x'.repeat(1024 * 1024)}needle`);
    else response.end('all is ok here');
  });
  const cases: readonly (readonly [HttpCheck, RegExp | null])[] = [
    [check({ expect: { body: 'is ok' } }), null],
    [check({ expect: { body: 'bad' } }), /status 200 in 0 ms: the body does not contain "bad"$/],
    [check({ method: 'HEAD', expect: { body: 'bad' } }), null],
    [check({ expect: { status: [201, 204] } }), /status 200 in 0 ms: expected status 201 or 204$/],
    [check({ path: '/redirect' }), /status 302 in 0 ms: expected status 200$/],
    [check({ path: '/redirect', expect: { status: [302] } }), null],
    [check({ path: '/slow', expect: { latency: 201 } }), null],
    [check({ path: '/slow', expect: { latency: 200 } }), /status 200 in 201 ms: took longer than 200 ms$/],
    [check({ path: '/reset' }), /no answer in 0 ms: connection closed before the answer was complete$/],
    [check({ path: '/half' }), /connection closed before the answer was complete$/],
    [check({ path: '/far', expect: { body: 'needle' } }), /the body does not contain "needle"$/],
    [check({ headers: { 'Transfer-Encoding': 'x' } }), /no answer in 0 ms/],
    [check({ path: '//elsewhere.example/x' }), null],
  ];
  for (const [test, expected] of cases) {
    const result = await runner.run('p', smoke(test), targetOf({ endpoints: [server.url] }));
    t.equal(result.ok, expected === null, result.output);
    if (expected !== null) t.match(result.output, expected);
  }
  t.equal(server.asked.at(-1)?.url, '//elsewhere.example/x', 'a path is a path, whatever it looks like');
  const refused = await runner.run('p', smoke(check()), targetOf({ endpoints: [await deadUrl()] }));
  t.match(refused, { ok: false, message: /no answer in 0 ms: connection refused$/ });
});

t.test('smoke tests: the timeout of a test, and further tries', async (t) => {
  expectNoSockets(t);
  const { runner, clock } = newStage(t);
  const silent = await listening(t, () => {});
  const waiting = runner.run('p', smoke(check({ timeout: 5_000 })), targetOf({ endpoints: [silent.url] }));
  await until('the question', () => silent.asked.length === 1);
  clock.advance(5_000);
  t.match(await waiting, { ok: false, output: /no answer in 5000 ms: no complete answer within 5000 ms$/ });

  const flaky = await listening(t, (response, _, count) => response.writeHead(count < 2 ? 500 : 200).end());
  const done = runner.run('p', smoke(check({ retries: 2 })), targetOf({ endpoints: [flaky.url] }));
  await until('the first try', () => flaky.asked.length === 1);
  await turns(20);
  t.equal(flaky.asked.length, 1, 'the second one has to wait');
  t.match(await passing(clock, done), { ok: true, output: /status 200 in \d+ ms, tried 3 times$/ });

  const bad = await listening(t, (response) => response.writeHead(500).end());
  const tests = [check({ retries: 1 }), check({ name: 'other', path: '/other' })];
  const result = await passing(clock, runner.run('p', smoke(...tests), targetOf({ endpoints: [bad.url] })));
  t.match(result, {
    ok: false,
    message: /^the preflight of v2 failed: smoke test home .*, tried 2 times \(and 1 more\)$/,
  });
  t.match(result.output, /FAILED {2}smoke test other GET \/other/, 'the others are done all the same');
});

t.test('the time of a preflight is for everything together', async (t) => {
  expectNoSockets(t);
  const { runner, clock } = newStage(t);
  const hanging = await listening(t, (response, { url }) => (url === '/' ? response.end() : undefined));
  const tests = [check(), check({ name: 'hangs', path: '/hangs' }), check({ name: 'late', path: '/late' })];
  const done = runner.run('p', preflight({ smoke: tests, timeout: 20_000 }), targetOf({ endpoints: [hanging.url] }));
  await until('the second test', () => hanging.asked.length === 2);
  clock.advance(20_000);
  const result = await done;
  t.match(
    result.message,
    /^the preflight of v2 was still smoke testing after 20000 ms; smoke test hangs .*: cut short \(and 1 more\)$/,
  );
  t.match(
    result.output,
    /^passed {2}smoke test home .*\nFAILED {2}smoke test hangs .*\nFAILED {2}smoke test late GET \/late: not asked$/,
  );
  t.notOk('again' in result);
});

t.test('a preflight that is cancelled has neither passed nor failed', async (t) => {
  expectNoSockets(t);
  const { runner } = newStage(t);
  const hanging = await listening(t, () => {});
  const warmUp = { path: '/', requests: 100, concurrency: 20 };
  const running = [
    runner.run('p', preflight({ warmUp }), targetOf({ endpoints: [hanging.url] })),
    runner.run('p', smoke(check()), targetOf({ endpoints: [hanging.url] })),
    runner.run('p', preflight({ health: true }), targetOf()),
  ];
  await until('them to be under way', () => hanging.asked.length === 21);
  await runner.cancel('r-1');
  for (const result of await Promise.all(running)) t.match(result, { ok: false, again: true, message: /^cut short/ });
  t.equal(hanging.asked.length, 21);
});

t.test('through the proxy: the override header names the version, and who answered is checked', async (t) => {
  const { runner } = newStage(t);
  const [v1, v2] = [await listening(t, (r) => r.end('from v1')), await listening(t, (r) => r.end('from v2'))];
  for (const exposeVersion of [true, false]) {
    const proxy = await openProxy({
      upstream: [v1.url],
      service: {
        versions: { v1: { endpoints: [v1.url] }, v2: { endpoints: [v2.url] } },
        lanes: { stable: 'v1', candidate: 'v2' },
        override: { header: 'X-Canary-Deploy' },
        exposeVersion,
      },
      config: { routes: [{ match: { host: 'shop.example.com', pathPrefix: '/' }, service: 'web' }] },
    });
    t.teardown(() => proxy.close());
    const address = { url: `http://127.0.0.1:${proxy.port}`, host: 'shop.example.com', header: 'X-Canary-Deploy' };
    const target = targetOf({ endpoints: [v2.url], proxy: address });
    const home = check({ headers: { 'x-canary-deploy': 'v1' }, expect: { body: 'from v2' } });
    const good = await runner.run('p', smoke(home), target);
    t.match(good, { ok: true, output: `passed  smoke test home GET / at ${address.url}: status 200 in 0 ms` });
    t.equal(v2.asked.at(-1)?.headers.host, 'shop.example.com');

    const any = check({ expect: { status: [200, 404] } });
    const other = await runner.run('p', smoke(any), { ...target, version: 'v3' });
    if (exposeVersion) t.match(other, { ok: false, message: /status 200 in 0 ms: v1 answered, not v3$/ });

    const nowhere = await runner.run('p', smoke(any), { ...target, proxy: { ...address, host: null } });
    t.match(nowhere, { ok: false, message: /Sluice answered itself \(sluice; error=\S+ details="NR"\), not v2$/ });

    let looks = 0;
    const lost = { ...target, healthy: () => [{ url: v2.url, available: looks++ % 2 === 0, why: 'ejected' }] };
    const unsure = await runner.run('p', smoke(any), lost);
    if (exposeVersion) t.ok(unsure.ok, 'the field says who it was');
    else
      t.match(unsure, { ok: false, message: /no endpoint of v2 is available, so another version may have answered$/ });
  }
  t.ok(v1.asked.length > 0, 'stable did answer where v3 was asked for');
});

t.test('a report of many lines shows what failed first', async (t) => {
  const report = new PreflightReport();
  for (let i = 0; i < 250; i++) report.add(i % 5 !== 0, `check ${i}`);
  const lines = report.text().split('\n');
  t.equal(lines.length, 101);
  t.strictSame(
    [lines[0], lines[50], lines[100]],
    ['FAILED  check 0', 'passed  check 1', 'and 150 more, 0 of them failed'],
  );
  for (let i = 0; i < 100; i++) report.add(false, 'more');
  t.match(report.text(), /\nand 250 more, 50 of them failed$/);
  t.equal(report.failures, 150);
});
