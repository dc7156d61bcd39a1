/** Providers against real servers: what is asked, what counts as a value, and everything that a server can do wrong. */
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { MetricUse } from '../../src/control/analysis/metric-uses.ts';
import { LASTS } from '../../src/control/analysis/providers/provider-reading.ts';
import {
  type Following,
  ProviderReadings,
  type Subject,
} from '../../src/control/analysis/providers/provider-readings.ts';
import type { MetricProviderConfig } from '../../src/model/rollout-config.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { LoadedDice } from '../kit/fake-time.ts';
import { turns, until } from '../kit/signal.ts';

type Reply = (request: IncomingMessage, response: ServerResponse) => void;

const EVERY = 10_000;
const USE: MetricUse[] = [{ metric: 'queue', window: null }];
const SUBJECT: Subject = { service: 'shop', canary: 'v2', stable: 'v1', sinceStep: () => 90_500 };

const json =
  (body: unknown, status = 200): Reply =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
const vector = (...values: string[]): Reply =>
  json({
    status: 'success',
    data: { resultType: 'vector', result: values.map((value) => ({ metric: {}, value: [1, value] })) },
  });

class ProviderStage {
  readonly clock = new FakeClock();
  readonly asked: IncomingMessage[] = [];
  readonly readings: ProviderReadings;
  readonly env: NodeJS.ProcessEnv = {};
  providers: MetricProviderConfig[] = [];
  reply: Reply = json({ value: 1 });
  url = '';
  #following: Following | null = null;

  constructor(t: Test) {
    const { clock, env } = this;
    this.readings = new ProviderReadings({ clock, env, random: new LoadedDice(0), providers: () => this.providers });
    t.teardown(() => this.readings.close());
  }

  async listen(t: Test): Promise<this> {
    const server = createServer((request, response) => {
      this.asked.push(request);
      this.reply(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => {
      server.close();
      server.closeAllConnections();
    });
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return this;
  }

  http(source: Partial<Extract<MetricProviderConfig['source'], { kind: 'http' }>> = {}): void {
    this.provide({ kind: 'http', url: `${this.url}/?of={{version}}`, path: 'value', headers: {}, ...source });
  }

  prometheus(query = 'sum(queue{version="{{version}}"})', url = this.url): void {
    this.provide({ kind: 'prometheus', url, query });
  }

  provide(source: MetricProviderConfig['source'], others: Partial<MetricProviderConfig> = {}): void {
    this.providers = [{ name: 'queue', source, timeout: 2_000, retries: 0, every: EVERY, token: null, ...others }];
  }

  change(others: Partial<MetricProviderConfig>): void {
    this.providers = this.providers.map((provider) => ({ ...provider, ...others }));
  }

  follow(uses = USE): Following {
    this.#following ??= this.readings.follow(SUBJECT, uses);
    return this.#following;
  }

  /** The value once the next reading is over. */
  async next(side: 'canary' | 'stable' = 'canary') {
    if (this.#following === null) this.follow();
    else this.clock.advance(EVERY);
    return this.settled(side);
  }

  async settled(side: 'canary' | 'stable' = 'canary') {
    const following = this.follow();
    const before = JSON.stringify(following.read('queue', side, null));
    for (let i = 0; i < 400; i++) {
      await turns(1);
      if (JSON.stringify(following.read('queue', side, null)) !== before) break;
    }
    return following.read('queue', side, null);
  }
}

/** A reading of its own: what a first answer comes to. */
async function first(t: Test, prepare: (stage: ProviderStage) => void) {
  const stage = await new ProviderStage(t).listen(t);
  stage.http();
  prepare(stage);
  stage.follow();
  await until('a reading', () => stage.follow().read('queue', 'canary', null).note !== 'it has not been read yet');
  const value = stage.follow().read('queue', 'canary', null);
  await stage.readings.close();
  return value;
}

t.test('what Prometheus answers', async (t) => {
  const data = (resultType: string, result: unknown): Reply =>
    json({ status: 'success', data: { resultType, result } });
  const cases: [string, Reply, unknown][] = [
    ['a vector of one', vector('0.25'), { value: 0.25, samples: 1, error: null }],
    ['a scalar', data('scalar', [1, '7e3']), { value: 7_000, error: null }],
    ['an empty vector', vector(), { value: null, samples: 0, error: null, note: 'there is no data' }],
    ['nothing by nothing', vector('NaN'), { value: null, error: null, note: 'there is no data' }],
    ['something by nothing', vector('+Inf'), { value: null, error: null }],
    ['several', vector('1', '2', '3'), { value: null, error: /gives 3 series where one is needed; put sum/ }],
    ['a matrix', data('matrix', []), { error: /gives a matrix; it must give a vector with one sample/ }],
    ['a value that is none', vector('x'), { error: 'the value is no number: x' }],
    ['a vector of nothing', data('vector', [null]), { error: /no value where Prometheus has it/ }],
    [
      'an error',
      json({ status: 'error', error: 'parse error\u001b[31m at 3' }, 400),
      { error: 'answered 400: parse error [31m at 3' },
    ],
    ['an error as a success', json({ status: 'error', error: 'no' }), { error: 'the query failed: no' }],
    ['a page', json('<html>'), { error: 'the answer is not that of Prometheus' }],
    ['something else', json([]), { error: 'the answer is not that of Prometheus' }],
  ];
  for (const [name, reply, wanted] of cases) {
    t.match(
      await first(t, (stage) => {
        stage.prometheus();
        stage.reply = reply;
      }),
      wanted as object,
      name,
    );
  }
});

t.test('what an HTTP endpoint answers', async (t) => {
  const cases: [string, string, Reply, unknown][] = [
    ['a number', 'value', json({ value: 0.5 }), { value: 0.5, samples: 1, error: null }],
    ['zero', 'value', json({ value: 0 }), { value: 0, error: null }],
    ['a text that is one', 'value', json({ value: ' 12.5 ' }), { value: 12.5 }],
    ['deep down', 'data.items.1.rate', json({ data: { items: [{}, { rate: 3 }] } }), { value: 3 }],
    ['a version with dots', 'by.{{version}}', json({ by: { v2: 4 } }), { value: 4 }],
    ['nothing', 'value', json({ value: null }), { value: null, error: null, note: 'there is no data' }],
    ['nowhere', 'a.b.c', json({ a: { b: {} } }), { value: null, error: 'there is no "c" in a.b' }],
    ['not even the beginning', 'a.b', json({}), { error: 'there is no "a" in the answer' }],
    ['what every object has', 'constructor', json({}), { error: 'there is no "constructor" in the answer' }],
    ['an index of nothing', 'a.x', json({ a: [1] }), { error: 'there is no "x" in a' }],
    ['an object', 'value', json({ value: {} }), { error: 'value is {} and not a number' }],
    ['a word', 'value', json({ value: 'many' }), { error: 'value is "many" and not a number' }],
    ['an empty text', 'value', json({ value: '' }), { error: 'value is "" and not a number' }],
    ['no JSON', 'value', json('value=1'), { error: 'the answer is not JSON' }],
    ['an empty answer', 'value', json('', 204), { error: 'the answer is not JSON' }],
    ['a failure', 'value', json('', 503), { error: 'answered 503' }],
    ['nothing there', 'value', json('', 404), { error: 'answered 404' }],
  ];
  for (const [name, path, reply, wanted] of cases) {
    t.match(
      await first(t, (stage) => {
        stage.http({ path });
        stage.reply = reply;
      }),
      wanted as object,
      name,
    );
  }
});

t.test('what servers do wrong', async (t) => {
  let elsewhere = 0;
  const moved: Reply = (request, response) => {
    if (request.url === '/elsewhere') elsewhere++;
    response.writeHead(302, { location: '/elsewhere' });
    response.end();
  };
  t.match(
    await first(t, (stage) => {
      stage.reply = moved;
    }),
    { value: null, error: /answered 302, and redirects are not followed/ },
  );
  t.equal(elsewhere, 0);
  const long: Reply = (_, response) => {
    response.writeHead(200);
    for (let i = 0; i < 40; i++) response.write(' '.repeat(64 * 1024));
    response.end('{"value": 1}');
  };
  t.match(
    await first(t, (stage) => {
      stage.reply = long;
    }),
    { error: 'the answer is longer than 1 MiB' },
  );
  const cut: Reply = (_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('{"value": 1}');
    setImmediate(() => response.destroy());
  };
  t.match(
    await first(t, (stage) => {
      stage.reply = cut;
    }),
    { error: /connection/ },
  );
  t.match(
    await first(t, (stage) => {
      stage.reply = (request) => request.socket.end('SSH-2.0\r\n\r\n');
    }),
    { error: 'malformed answer' },
  );
  t.match(await first(t, (stage) => stage.http({ url: 'http://127.0.0.1:1/' })), {
    error: /connection refused|bad port/i,
  });
  t.match(await first(t, (stage) => stage.http({ url: 'nonsense' })), { value: null, error: /Invalid URL/ });
  t.match(await first(t, (stage) => stage.http({ headers: { 'x-a': 'a\u0000b' } })), { value: null, error: /header/ });
});

t.test('an answer that does not come, or not to its end', async (t) => {
  const slow: Reply[] = [
    () => {},
    (_, response) => {
      response.writeHead(200);
      response.write('{"value":');
    },
  ];
  for (const reply of slow) {
    const stage = await new ProviderStage(t).listen(t);
    stage.http();
    stage.reply = reply;
    const following = stage.follow();
    await until('the question', () => stage.asked.length > 0);
    await turns(20);
    stage.clock.advance(1_999);
    await turns(20);
    t.match(following.read('queue', 'canary', null), { value: null, error: null, note: 'it has not been read yet' });
    stage.clock.advance(1);
    await until('the fault', () => following.read('queue', 'canary', null).error !== null);
    t.equal(following.read('queue', 'canary', null).error, 'no complete answer in 2000 ms');
  }
});

t.test('what is asked', async (t) => {
  const stage = await new ProviderStage(t).listen(t);
  stage.prometheus(
    'sum(rate(q{service="{{service}}",version="{{version}}",base="{{ stable }}"}[{{window}}])) or {{other}}',
    `${stage.url}/prom/?tenant=a`,
  );
  stage.env.PROM = 'secret';
  stage.change({ token: 'env:PROM' });
  stage.reply = vector('1');
  const following = stage.follow([
    { metric: 'queue', window: null },
    { metric: 'queue', window: 300_000 },
    { metric: 'p95', window: 1 },
  ]);
  await until('four readings', () => stage.asked.length === 4);
  const queries = stage.asked.map(({ url }) => new URL(url ?? '', stage.url));
  t.ok(queries.every(({ pathname }) => pathname === '/prom/api/v1/query'));
  t.ok(queries.every(({ searchParams }) => searchParams.get('tenant') === 'a'));
  t.strictSame(queries.map(({ searchParams }) => searchParams.get('query')).sort(), [
    'sum(rate(q{service="shop",version="v1",base="v1"}[300s])) or {{other}}',
    'sum(rate(q{service="shop",version="v1",base="v1"}[91s])) or {{other}}',
    'sum(rate(q{service="shop",version="v2",base="v1"}[300s])) or {{other}}',
    'sum(rate(q{service="shop",version="v2",base="v1"}[91s])) or {{other}}',
  ]);
  t.ok(stage.asked.every(({ headers }) => headers.authorization === 'Bearer secret'));
  await until('a value', () => following.read('queue', 'canary', null).value === 1);
  following.stop();
  stage.clock.advance(5 * EVERY);
  await turns(20);
  t.equal(stage.asked.length, 4, 'nobody is asked afterwards');
  t.equal(following.read('queue', 'canary', 77_000).value, null);
  await turns(20);
  t.equal(stage.asked.length, 4, 'not even for something new');
});

t.test('addresses and headers are filled in and escaped', async (t) => {
  const stage = await new ProviderStage(t).listen(t);
  stage.http({
    url: `http://user:p%40ss@${stage.url.slice(7)}/a/{{version}}?s={{service}}`,
    headers: { 'X-Of': '{{version}}/{{window}}' },
  });
  stage.readings.follow({ ...SUBJECT, service: 'a b&c', canary: '../x' }, USE);
  await until('two readings', () => stage.asked.length === 2);
  const canary = stage.asked.find(({ url }) => !url?.includes('/v1'));
  t.equal(canary?.url, '/a/..%2Fx?s=a%20b%26c');
  t.equal(canary?.headers['x-of'], '../x/91s');
  t.equal(canary?.headers.authorization, `Basic ${Buffer.from('user:p@ss').toString('base64')}`);
  stage.prometheus();
  stage.readings.follow({ ...SUBJECT, canary: 'a"} or up{x="\\' }, USE);
  await until('the query', () => stage.asked.some(({ url }) => url?.includes('query')));
  const queries = stage.asked.map(({ url }) => new URL(url ?? '', stage.url).searchParams.get('query'));
  t.ok(queries.includes('sum(queue{version="a\\"} or up{x=\\"\\\\"})'), 'nobody gets out of a literal');
});

t.test('what does not depend on version or window is read once', async (t) => {
  const stage = await new ProviderStage(t).listen(t);
  stage.prometheus('queue_depth');
  stage.reply = vector('5');
  const following = stage.follow([
    { metric: 'queue', window: null },
    { metric: 'queue', window: 60_000 },
  ]);
  await until('a value', () => following.read('queue', 'canary', null).value === 5);
  t.equal(following.read('queue', 'stable', 60_000).value, 5);
  t.equal(stage.asked.length, 1);
});

t.test('a token is read at each use', async (t) => {
  const stage = await new ProviderStage(t).listen(t);
  const file = join(t.testdir({ token: 'one\n' }), 'token');
  stage.http({ url: `${stage.url}/` });
  stage.change({ token: `file:${file}` });
  t.match(await stage.next(), { value: 1 });
  writeFileSync(file, 'two\n');
  stage.reply = json({ value: 2 });
  t.match(await stage.next(), { value: 2 });
  t.same(
    stage.asked.map(({ headers }) => headers.authorization),
    ['Bearer one', 'Bearer two'],
  );
  stage.change({ token: 'env:NOT_SET' });
  stage.clock.advance(LASTS * EVERY);
  const failed = await stage.next();
  t.match(failed, { value: null, error: /NOT_SET is not set/ });
  t.equal(stage.asked.length, 2, 'without its token nobody is asked');
});

t.test('faults are tried again, with pauses, where that may help', async (t) => {
  const stage = await new ProviderStage(t).listen(t);
  stage.http({ url: `${stage.url}/` });
  stage.change({ retries: 2 });
  const asked = (count: number) =>
    until(`${count} questions`, () => stage.asked.length === count).then(() => turns(20));
  stage.reply = (request, response) => (stage.asked.length < 3 ? json('', 503) : json({ value: 9 }))(request, response);
  const following = stage.follow();
  await asked(1);
  stage.clock.advance(999);
  await turns(20);
  t.equal(stage.asked.length, 1);
  stage.clock.advance(1);
  await asked(2);
  stage.clock.advance(1_999);
  await turns(20);
  t.equal(stage.asked.length, 2, 'the second pause is longer');
  t.match(following.read('queue', 'canary', null), { value: null, error: null }, 'not over yet');
  stage.clock.advance(1);
  await until('the value', () => following.read('queue', 'canary', null).value === 9);

  stage.reply = json('', 404);
  stage.clock.advance(EVERY - 3_000);
  await asked(4);
  stage.clock.advance(5_000);
  await turns(20);
  t.equal(stage.asked.length, 4, 'what is not there will not be there in a second');
});

t.test('a value outlives a few faults, and no more', async (t) => {
  const stage = await new ProviderStage(t).listen(t);
  stage.http({ url: `${stage.url}/` });
  stage.reply = json({ value: 0.7 });
  t.match(await stage.next(), { value: 0.7 });
  stage.reply = json('', 500);
  for (let i = 1; i <= LASTS; i++) {
    stage.clock.advance(EVERY);
    await until('a failed reading', () => stage.asked.length === i + 1);
    await turns(20);
    t.match(stage.follow().read('queue', 'canary', null), { value: 0.7, error: null }, `after ${i}`);
  }
  stage.clock.advance(1);
  t.match(stage.follow().read('queue', 'canary', null), { value: null, samples: 0, error: 'answered 500' });
  stage.reply = json({ value: null });
  t.match(await stage.next(), { value: null, error: null, note: 'there is no data' });
  stage.reply = json({ value: 0.8 });
  t.match(await stage.next(), { value: 0.8 });
  stage.reply = json({ value: null });
  t.match(await stage.next(), { value: null, error: null, note: 'there is no data' }, 'no data is news, too');
});

t.test('a slow provider is asked one thing at a time, and the end does not wait for it', async (t) => {
  const stage = await new ProviderStage(t).listen(t);
  stage.http({ url: `${stage.url}/` });
  stage.change({ timeout: 10 * EVERY });
  stage.reply = () => {};
  stage.follow();
  await until('the question', () => stage.asked.length === 1);
  stage.clock.advance(5 * EVERY);
  await turns(20);
  t.equal(stage.asked.length, 1);
  await stage.readings.close();
  await turns(20);
  stage.clock.advance(5 * EVERY);
  await turns(20);
  t.equal(stage.asked.length, 1);
  t.match(stage.readings.follow(SUBJECT, USE).read('queue', 'canary', null), { value: null, error: null });
});

t.test('a reload changes what is asked, or ends it', async (t) => {
  const stage = await new ProviderStage(t).listen(t);
  stage.http({ url: `${stage.url}/` });
  t.ok(stage.readings.knows('queue'));
  t.notOk(stage.readings.knows('cpu'));
  t.match(await stage.next(), { value: 1 });
  stage.http({ url: `${stage.url}/other`, path: 'rate' });
  stage.reply = json({ rate: 2 });
  t.match(await stage.next(), { value: 2 });
  stage.providers = [];
  t.match(stage.follow().read('queue', 'canary', null), { value: null, error: /has no metric of this name any more/ });
  stage.clock.advance(EVERY);
  await turns(20);
  t.equal(stage.asked.length, 2);
});
