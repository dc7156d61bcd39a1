/** The access log at the wire: one line for each request, whatever becomes of it, and none lost. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, renameSync } from 'node:fs';
import t from 'tap';
import { testLog } from '../kit/access-log.ts';
import { workerCounts } from '../kit/counts.ts';
import { pass } from '../kit/fake-time.ts';
import { nothingInFlight, REFUSED, startLanes } from '../kit/lanes.ts';
import { value } from '../kit/message.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { chunkedUpload, GET, head, upload } from '../kit/requests.ts';
import { until } from '../kit/signal.ts';
import { answers, breaksOffAfter, hangs, inTurn, resets, says } from '../kit/steps.ts';
import { ask, get, snapshotOf } from '../kit/who-answers.ts';

expectNoSockets(t);

const ANY = inTurn(answers(200, 'hello'));
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

t.test('a forwarded request', async (t) => {
  const log = testLog(t);
  const { proxy, clock, stable } = await startLanes(t, { stable: [ANY], config: log.config });
  const fields = { 'User-Agent': 'curl/8', Referer: 'http://a/', Authorization: 'Bearer secret', Cookie: 'sid=secret' };
  const client = await proxy.send(head('GET', fields, '/a/b?c=d'));
  await client.answer();
  await log.until(clock, 1);
  const { time, durationMs, upstreamMs, ...rest } = log.json()[0]!;
  t.match(time, TIME);
  t.strictSame([durationMs, upstreamMs], [0, 0]);
  t.strictSame(rest, {
    id: value(stable[0]!.requests[0]!, 'x-request-id'),
    client: '127.0.0.1',
    method: 'GET',
    target: '/a/b?c=d',
    host: 'a',
    protocol: 'HTTP/1.1',
    status: 200,
    bytesIn: 0,
    bytesOut: 5,
    route: 'default',
    service: 'web',
    version: 'v1',
    lane: 'stable',
    endpoint: stable[0]!.url,
    attempts: 1,
    userAgent: 'curl/8',
    referer: 'http://a/',
  });
  t.notMatch(log.lines()[0], /secret/);
});

t.test('durations and bytes', async (t) => {
  const log = testLog(t);
  const { proxy, clock, stable } = await startLanes(t, { stable: [inTurn(hangs)], config: log.config });
  const client = await proxy.send(upload('x'.repeat(70_000)));
  await stable[0]!.untilRequests(1);
  clock.advance(25);
  const connection = stable[0]!.connections[0]!;
  connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
  await client.untilText('abc');
  clock.advance(50);
  connection.write('4\r\ndefg\r\n0\r\n\r\n');
  await client.answer();
  await log.until(clock, 1);
  t.match(log.json()[0], { durationMs: 75, upstreamMs: 25, bytesIn: 70_000, bytesOut: 7, method: 'POST' });
});

t.test('HEAD has no body, a chunked request has one, HTTP/1.0 is told', async (t) => {
  const log = testLog(t);
  const routes = [
    { match: { path: '/fixed' }, reply: { status: 200, body: 'twelve bytes' } },
    { match: { pathPrefix: '/' }, service: 'web' },
  ];
  const { proxy, clock } = await startLanes(t, { stable: [ANY], config: { ...log.config, routes } });
  const requests = [head('HEAD', {}, '/fixed'), head('GET', {}, '/fixed'), head('HEAD'), chunkedUpload('12345')];
  await ask(proxy, requests.concat('GET / HTTP/1.0\r\n\r\n'));
  await log.until(clock, 5);
  const found = log.json().map(({ bytesIn, bytesOut, protocol, host }) => [bytesIn, bytesOut, protocol, host]);
  t.strictSame(found, [
    [0, 0, 'HTTP/1.1', 'a'],
    [0, 12, 'HTTP/1.1', 'a'],
    [0, 0, 'HTTP/1.1', 'a'],
    [5, 5, 'HTTP/1.1', 'a'],
    [0, 5, 'HTTP/1.0', undefined],
  ]);
});

t.test('what Sluice answers itself', async (t) => {
  const log = testLog(t);
  const routes = [
    { name: 'faulty', match: { path: '/faulty' }, service: 'web', fault: { abort: { status: 418, percent: 100 } } },
    { name: 'slow', match: { path: '/slow' }, service: 'web', rateLimit: { rate: '1/h', burst: 1 } },
    { name: 'moved', match: { path: '/moved' }, redirect: { path: '/new', status: 301 } },
  ];
  const { proxy, clock } = await startLanes(t, { stable: [ANY], config: { ...log.config, routes } });
  await ask(
    proxy,
    ['/faulty', '/slow', '/slow', '/moved', '/none'].map((target) => head('GET', {}, target)),
  );
  await (await proxy.send('GET / HTTP/1.1\r\nUser-Agent: x\r\n\r\n')).answer();
  await log.until(clock, 6);
  const found = log.json().map(({ status, flags, route, version, target }) => [status, flags, route, version, target]);
  t.strictSame(found, [
    [418, 'FI', 'faulty', undefined, '/faulty'],
    [200, undefined, 'slow', 'v1', '/slow'],
    [429, 'RL', 'slow', undefined, '/slow'],
    [301, undefined, 'moved', undefined, '/moved'],
    [404, 'NR', undefined, undefined, '/none'],
    [400, 'DPE', undefined, undefined, undefined],
  ]);
});

t.test('attempts that fail, are repeated, are shielded', async (t) => {
  const log = testLog(t);
  const { proxy, clock } = await startLanes(t, {
    stable: [ANY],
    canary: [inTurn(answers(500), answers(503), answers(200), answers(503), answers(503))],
    service: { shield: { on: [500] }, retry: { on: [503] } },
    config: log.config,
  });
  const client = await proxy.connect();
  for (let i = 1; i <= 3; i++) {
    client.write(GET);
    await client.answers(i);
  }
  await log.until(clock, 3);
  const found = log.json();
  t.match(found[0], { status: 200, flags: 'SH', version: 'v1', lane: 'stable', shieldedFrom: 'v2', attempts: 2 });
  t.match(found[1], { status: 200, flags: 'RT', version: 'v2', lane: 'canary', attempts: 2 });
  t.match(found[2], { status: 503, flags: 'URX', version: 'v2', lane: 'canary', attempts: 2 });
  t.notOk('shieldedFrom' in found[1]!);
});

t.test('bytes of an answer that was taken back do not count', async (t) => {
  const log = testLog(t);
  const broken = says('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nnonsense');
  const { proxy, clock } = await startLanes(t, {
    stable: [inTurn(broken, answers(200, 'hello'))],
    service: { retry: { on: ['reset'] } },
    config: log.config,
  });
  t.equal((await (await proxy.send(GET)).answer()).body, 'hello');
  await log.until(clock, 1);
  t.match(log.json()[0], { status: 200, bytesOut: 5, attempts: 2, flags: 'RT' });
});

t.test('no connection, a reset, a cut, a client that leaves', async (t) => {
  const log = testLog(t);
  const cut = breaksOffAfter('HTTP/1.1 206 Part\r\nContent-Length: 10\r\n\r\nhalf');
  const { proxy, clock, stable } = await startLanes(t, {
    stable: [inTurn(resets, cut, hangs)],
    canary: [REFUSED],
    service: { split: { weights: { v1: 100, v2: 0 } } },
    config: log.config,
  });
  await (await proxy.send(head('GET', { 'X-Lane': 'canary' }))).answer();
  await (await proxy.send(GET)).answer();
  await (await proxy.send(GET)).untilClosed();
  const leaving = await proxy.send(GET);
  await stable[0]!.untilRequests(3);
  leaving.reset();
  await log.until(clock, 4);
  const found = log
    .json()
    .map(({ status, flags, version, bytesOut, upstreamMs }) => [status, flags, version, typeof bytesOut, upstreamMs]);
  t.strictSame(found, [
    [503, 'UF', 'v2', 'number', undefined],
    [502, 'UC', 'v1', 'number', undefined],
    [206, 'UC', 'v1', 'number', 0],
    [499, 'DC', 'v1', 'number', undefined],
  ]);
  t.equal(log.json()[2]!.bytesOut, 4);
});

t.test('a tunnel is logged at its end, with what went through', async (t) => {
  const log = testLog(t);
  const switches = says('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
  const { proxy, clock, stable } = await startLanes(t, { stable: [inTurn(switches)], config: log.config });
  const client = await proxy.send(head('GET', { Connection: 'upgrade', Upgrade: 'x' }));
  await client.answer();
  client.write('ping!');
  const connection = stable[0]!.connections[0]!;
  await connection.untilText('ping!');
  connection.write('pong');
  await client.untilText('pong');
  t.strictSame(log.lines(), []);
  client.fin();
  connection.fin();
  await log.until(clock, 1);
  t.match(log.json()[0], { status: 101, bytesIn: 5, bytesOut: 4 });
  t.notOk('flags' in log.json()[0]!);
});

/** Every byte that a field value may have. */
const NASTY = `"\\\t'<script>\x7e${Array.from({ length: 128 }, (_, i) => String.fromCharCode(128 + i)).join('')}`;

t.test('nasty bytes stay in their field', async (t) => {
  const log = testLog(t);
  const { proxy, clock } = await startLanes(t, { stable: [ANY], config: log.config });
  const target = '/"},{"status":200,"x":"\\u000a{}';
  await (await proxy.send(head('GET', { 'User-Agent': NASTY, Referer: '"}' }, target))).answer();
  await log.until(clock, 1);
  t.match(log.json(), [{ target, userAgent: NASTY, referer: '"}', status: 200 }]);
  t.match(log.lines()[0], /^[\x20-\x7e]+$/);
});

t.test('the combined format', async (t) => {
  const log = testLog(t, { format: 'combined' });
  const { proxy, clock } = await startLanes(t, { stable: [ANY], config: log.config });
  await ask(proxy, [head('GET', { 'User-Agent': NASTY, Referer: 'a"b' }, '/"?\\'), GET]);
  await (await proxy.send('nonsense\r\n\r\n')).answer();
  await log.until(clock, 3);
  const [odd, plain, refused] = log.lines();
  const time = '\\[\\d\\d/[A-Z][a-z]{2}/\\d{4}:\\d\\d:\\d\\d:\\d\\d [+-]\\d{4}\\]';
  t.match(
    odd,
    new RegExp(
      `^127\\.0\\.0\\.1 - - ${time} "GET /\\\\x22\\?\\\\x5C HTTP/1\\.1" 200 5 "a\\\\x22b" "\\\\x22\\\\x5C\\\\x09'`,
    ),
  );
  t.match(odd, /~\\x80\\x81.*\\xFE\\xFF"$/);
  t.match(plain, new RegExp(`^127\\.0\\.0\\.1 - - ${time} "GET / HTTP/1\\.1" 200 5 "-" "-"$`));
  t.match(refused, new RegExp(`^127\\.0\\.0\\.1 - - ${time} "-" 400 \\d+ "-" "-"$`));
});

t.test('behind a trusted proxy: the client and the id are those that it tells', async (t) => {
  const log = testLog(t);
  const config = { ...log.config, trustedProxies: ['127.0.0.1'] };
  const { proxy, clock } = await startLanes(t, { stable: [ANY], config });
  const told = { 'X-Forwarded-For': '198.51.100.7', 'X-Request-Id': 'from "afar"' };
  await (await proxy.send(head('GET', told))).answer();
  await log.until(clock, 1);
  t.match(log.json()[0], { client: '198.51.100.7', id: 'from "afar"' });
  const distrusting = testLog(t);
  const other = await startLanes(t, { stable: [ANY], config: distrusting.config });
  await (await other.proxy.send(head('GET', told))).answer();
  await distrusting.until(other.clock, 1);
  t.match(distrusting.json()[0], { client: '127.0.0.1', id: /^[0-9a-f]{32}$/ });
});

t.test('sampling', async (t) => {
  const statuses = async (settings: Record<string, unknown>, dice: number, expected: number) => {
    const log = testLog(t, settings);
    const steps = inTurn(answers(200), answers(500), answers(404));
    const { proxy, clock } = await startLanes(t, { stable: [steps], config: log.config, dice });
    await ask(proxy, [get(), get(), get()]);
    const drained = proxy.plane.drain(1000);
    await log.until(clock, expected);
    await drained;
    return log.json().map(({ status }) => status);
  };
  t.strictSame(await statuses({ sample: '50%' }, 0.499, 3), [200, 500, 404], 'in the sample');
  t.strictSame(await statuses({ sample: '50%' }, 0.5, 1), [500], 'not in it, but errors are logged');
  t.strictSame(await statuses({ sample: '50%', errors: false }, 0.5, 0), []);
  t.strictSame(await statuses({ sample: 0, errors: false }, 0, 0), [], '0 is none');
  t.strictSame(await statuses({ sample: 100, errors: false }, 0.999, 3), [200, 500, 404], '100 is all');
});

t.test('rotation under load loses nothing', async (t) => {
  const log = testLog(t);
  const { proxy, clock } = await startLanes(t, { stable: [ANY], config: log.config });
  let sent = 0;
  const files = [log.path];
  for (let round = 1; round <= 6; round++) {
    const asked = ask(
      proxy,
      Array.from({ length: 60 }, () => get(`/${sent++}`)),
    );
    clock.advance(100);
    if (log.lines().length > 0) {
      renameSync(log.path, `${log.path}.${round}`);
      files.push(`${log.path}.${round}`);
      proxy.plane.reopen();
    }
    await asked;
  }
  const targets = () => files.flatMap((file) => log.json(file)).map(({ target }) => target);
  await until('every line', () => {
    clock.advance(100);
    return targets().length >= sent;
  });
  t.ok(files.length > 3, `${files.length} files`);
  t.strictSame(new Set(targets()).size, sent);
  t.equal(targets().length, sent);
  t.equal(workerCounts(proxy).logLinesDropped, undefined);
});

t.test('a new snapshot may change path, format and sample, or turn the log off and on', async (t) => {
  const log = testLog(t);
  const { proxy, clock, stable } = await startLanes(t, { stable: [inTurn(answers(200), hangs)], config: log.config });
  const apply = (generation: number, config: Readonly<Record<string, unknown>>) =>
    proxy.plane.apply(snapshotOf({ upstream: stable[0]!, config }, generation));
  await (await proxy.send(GET)).answer();
  const slow = await proxy.send(GET);
  await stable[0]!.untilRequests(2);
  const other = `${log.path}.other`;
  apply(2, { accessLog: { path: other, format: 'combined' } });
  stable[0]!.connections.at(-1)!.write('HTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n');
  await slow.answer();
  await log.until(clock, 1);
  await log.until(clock, 1, other);
  t.equal(log.lines().length, 1, 'what waited went to the old path');
  t.match(log.lines(other), [/" 201 0 "-" "-"$/], 'what ended later to the new one');
  apply(3, {});
  stable[0]!.behaviour = ANY;
  const unlogged = await proxy.send(GET);
  await stable[0]!.untilRequests(3);
  stable[0]!.connections.at(-1)!.write('HTTP/1.1 202 Taken\r\nContent-Length: 0\r\n\r\n');
  await unlogged.answer();
  apply(4, log.config);
  const again = await proxy.send(GET);
  await stable[0]!.untilRequests(4);
  stable[0]!.connections.at(-1)!.write('HTTP/1.1 203 Other\r\nContent-Length: 0\r\n\r\n');
  await again.answer();
  await log.until(clock, 2);
  t.strictSame(
    log.json().map(({ status }) => status),
    [200, 203],
  );
  t.equal(log.lines(other).length, 1);
});

t.test('drain writes what waits, the requests that it cuts among it', async (t) => {
  const log = testLog(t);
  const { proxy, clock, stable } = await startLanes(t, { stable: [inTurn(answers(200), hangs)], config: log.config });
  await (await proxy.send(GET)).answer();
  const busy = await proxy.send(GET);
  await stable[0]!.untilRequests(2);
  let done = false;
  const drained = proxy.plane.drain(500).then(() => {
    done = true;
  });
  await pass(clock, 450);
  t.notOk(done);
  clock.advance(100);
  await drained;
  await busy.untilClosed();
  t.strictSame(
    log.json().map(({ status, flags }) => [status, flags]),
    [
      [200, undefined],
      [499, 'DC'],
    ],
  );
});

t.test('a log that nobody reads holds up no request', async (t) => {
  const log = testLog(t, { buffer: '16KiB' });
  execFileSync('mkfifo', [log.path]);
  const reader = openSync(log.path, constants.O_RDONLY | constants.O_NONBLOCK);
  t.teardown(() => closeSync(reader));
  const { proxy, clock } = await startLanes(t, { stable: [ANY], config: log.config });
  const dropped = () => workerCounts(proxy).logLinesDropped ?? 0;
  for (let round = 0; dropped() < 100 && round < 50; round++) {
    clock.advance(100);
    const found = await ask(proxy, Array(100).fill(get(`/${'x'.repeat(500)}`)));
    t.ok(found.every(({ status }) => status === 200));
  }
  t.ok(dropped() >= 100, `${dropped()} lines were dropped`);
  await nothingInFlight(proxy);
});
