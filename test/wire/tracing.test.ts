/** Tracing at the wire: what upstreams are told, and what a collector gets. */
import t, { type Test } from 'tap';
import { parseConfig } from '../../src/control/config/load.ts';
import { TraceExport } from '../../src/control/tracing/trace-export.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import type { TraceRecord } from '../../src/model/trace-record.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { workerCounts } from '../kit/counts.ts';
import { pass } from '../kit/fake-time.ts';
import { type LaneOptions, type Lanes, REFUSED, startLanes } from '../kit/lanes.ts';
import { value } from '../kit/message.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import type { ReadSpan } from '../kit/otlp.ts';
import { OtlpReceiver } from '../kit/otlp-receiver.ts';
import { configText } from '../kit/proxy.ts';
import { GET, head } from '../kit/requests.ts';
import { until } from '../kit/signal.ts';
import { answers, breaksOffAfter, hangs, inTurn, resets } from '../kit/steps.ts';
import { ask, get, snapshotOf } from '../kit/who-answers.ts';

expectNoSockets(t);

const ANY = inTurn(answers(200, 'hello'));
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const parent = (flags: string): string => `00-${TRACE}-${SPAN}-${flags}`;
const ENDPOINT = 'http://127.0.0.1:4318';

interface Traced extends Lanes {
  readonly records: TraceRecord[];
  untilRecords(count: number): Promise<void>;
}

/** Records as the main thread would get them; each batch is taken at once. */
async function traced(t: Test, tracing: object, options: LaneOptions): Promise<Traced> {
  const records: TraceRecord[] = [];
  const config = { ...options.config, tracing: { endpoint: ENDPOINT, sample: 100, ...tracing } };
  const lanes = await startLanes(t, {
    ...options,
    config,
    plane: {
      ...options.plane,
      onTraces: (batch) => {
        records.push(...structuredClone(batch));
        queueMicrotask(() => lanes.proxy.plane.tracesTaken());
      },
    },
  });
  const untilRecords = (count: number) =>
    until(`${count} traced requests`, () => {
      lanes.clock.advance(50);
      return records.length >= count;
    });
  return { ...lanes, records, untilRecords };
}

/** A pipeline to a collector that sends what it has at once. */
async function exporter(t: Test, receiver: OtlpReceiver, tracing: object = {}) {
  const log: [level: string, event: string, fields: Readonly<Record<string, unknown>>][] = [];
  const write =
    (level: string) =>
    (event: string, fields: Readonly<Record<string, unknown>> = {}) =>
      void log.push([level, event, fields]);
  const logger = { info: write('info'), warn: write('warn'), error: write('error') };
  const traces = new TraceExport({ logger, release: '1.2.3', delay: 1 });
  t.teardown(() => traces.close());
  const configOf = (more: object) => {
    const config = { environment: 'staging', tracing: { endpoint: receiver.url, ...tracing, ...more } };
    return parseConfig(configText({ upstream: ['http://127.0.0.1:1'], config }), 'test.yaml', { KEY: 'Bearer k' })
      .tracing;
  };
  await traces.configure(configOf({}));
  return { traces, log, configOf };
}

const byKind = (spans: readonly ReadSpan[], kind: ReadSpan['kind']): ReadSpan[] =>
  spans.filter((span) => span.kind === kind);

t.test('a traced request: ids, attributes, and what the upstream is told', async (t) => {
  const receiver = await OtlpReceiver.start(t);
  const { proxy, canary, records, untilRecords } = await traced(t, {}, { stable: [ANY], canary: [ANY] });
  const fields = { traceparent: parent('01'), tracestate: 'a=1,b=2', 'User-Agent': 'curl/8', Cookie: 'sid=secret' };
  await ask(proxy, [head('GET', fields, '/a/b?token=secret')]);
  await untilRecords(1);
  const { traces } = await exporter(t, receiver, { headers: { 'X-Tenant': 'red', Authorization: 'env:KEY' } });
  traces.accept(records);
  await receiver.untilSpans(2);
  const [server] = byKind(receiver.spans, 'SERVER');
  const [client] = byKind(receiver.spans, 'CLIENT');
  t.match([server!.traceId, client!.traceId], [TRACE, TRACE]);
  t.equal(server!.parentId, SPAN);
  t.equal(client!.parentId, server!.spanId);
  const asked = canary[0]!.requests[0]!;
  t.equal(value(asked, 'traceparent'), `00-${TRACE}-${client!.spanId}-01`);
  t.equal(value(asked, 'tracestate'), 'a=1,b=2');
  t.equal(server!.state, 'a=1,b=2');
  t.equal(asked.fields.filter(([name]) => name.toLowerCase() === 'traceparent').length, 1);
  t.strictSame([server!.name, client!.name], ['GET web', 'GET web']);
  t.strictSame(server!.attributes, {
    'http.request.method': 'GET',
    'http.response.status_code': 200,
    'url.path': '/a/b',
    'url.scheme': 'http',
    'server.address': 'a',
    'client.address': '127.0.0.1',
    'user_agent.original': 'curl/8',
    'network.protocol.version': '1.1',
    'sluice.service': 'web',
    'sluice.route': 'default',
    'sluice.version': 'v2',
    'sluice.lane': 'canary',
    'deployment.strategy': 'canary',
    'sluice.request_id': value(asked, 'x-request-id'),
  });
  t.strictSame(client!.attributes, {
    'http.request.method': 'GET',
    'http.response.status_code': 200,
    'url.full': `${canary[0]!.url}/a/b`,
    'server.address': '127.0.0.1',
    'server.port': canary[0]!.port,
    'network.protocol.version': '1.1',
    'service.version': 'v2',
    'deployment.environment.name': 'staging',
    'deployment.environment': 'staging',
    'deployment.strategy': 'canary',
    'peer.service': 'web',
    'sluice.service': 'web',
    'sluice.version': 'v2',
    'sluice.lane': 'canary',
    'sluice.attempt': 'first',
    'sluice.outcome': '2xx',
  });
  t.match(server!.resource, {
    'service.name': 'sluice',
    'service.version': '1.2.3',
    'deployment.environment.name': 'staging',
    'deployment.environment': 'staging',
    'telemetry.sdk.name': 'opentelemetry',
  });
  t.equal(server!.scope, 'sluice 1.2.3');
  t.strictSame([server!.status.code, client!.status.code], ['UNSET', 'UNSET']);
  const [batch] = receiver.batches;
  t.match(batch, { path: '/v1/traces', headers: { 'content-type': 'application/x-protobuf', 'x-tenant': 'red' } });
  t.equal(batch!.headers.authorization, 'Bearer k');
  t.notMatch(JSON.stringify(receiver.spans), /secret|sid/);
  await until('both to be counted', () => traces.counts.exported === 2);
  t.equal(traces.counts.dropped, 0);
});

t.test("times nest, and durations are the clock's", async (t) => {
  const { proxy, clock, stable, records, untilRecords } = await traced(t, {}, { stable: [inTurn(hangs)] });
  const client = await proxy.send(GET);
  await stable[0]!.untilRequests(1);
  clock.advance(25);
  stable[0]!.connections[0]!.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no');
  await client.untilText('\r\n\r\no');
  clock.advance(75);
  stable[0]!.connections[0]!.write('k');
  await client.answer();
  await untilRecords(1);
  const [record] = records;
  t.equal(record!.end - record!.start, 100);
  t.strictSame([record!.attempts[0]!.start - record!.start, record!.attempts[0]!.end - record!.start], [0, 100]);
});

t.test('who is traced', async (t) => {
  const cases = [
    ['no parent, everything', {}, {}, true],
    ['no parent, nothing', { sample: 0 }, {}, false],
    ['sampled parent, nothing of our own', { sample: 0 }, { traceparent: parent('01') }, true],
    ['unsampled parent, everything of our own', {}, { traceparent: parent('00') }, false],
    ['malformed parent', {}, { traceparent: `00-${'0'.repeat(32)}-${SPAN}-01` }, true],
    ['sampled parent, ignored', { sample: 0, parent: 'ignore' }, { traceparent: parent('01') }, false],
    ['unsampled parent, ignored', { parent: 'ignore' }, { traceparent: parent('00') }, true],
    ['sampled parent, none may be followed', { maxPerSecond: 0 }, { traceparent: parent('01') }, false],
  ] as const;
  for (const [name, tracing, fields, expected] of cases) {
    const { proxy, stable, clock, records } = await traced(t, tracing, { stable: [ANY] });
    await ask(proxy, [head('GET', { ...fields, tracestate: 'a=1' })]);
    await pass(clock, 1000);
    t.equal(records.length, expected ? 1 : 0, name);
    const [request] = stable[0]!.requests;
    const told = value(request!, 'traceparent')!;
    const isFollowed = 'traceparent' in fields && !name.includes('malformed') && !name.includes('ignored');
    t.equal(told.slice(3, 35) === TRACE, isFollowed, `${name}: trace id`);
    t.equal(records[0]?.parentId ?? '', expected && isFollowed ? SPAN : '', `${name}: parent`);
    if (!expected && isFollowed) t.equal(told, fields.traceparent, `${name}: as it came`);
    else if (!isFollowed) t.equal(told.slice(3, 35), value(request!, 'x-request-id'), `${name}: request id`);
    if (expected) t.match(told, new RegExp(`^00-[0-9a-f]{32}-${records[0]!.attempts[0]!.spanId}-01$`), name);
    t.equal(value(request!, 'tracestate'), isFollowed ? 'a=1' : null, `${name}: state`);
    proxy.close();
  }
});

t.test('clients cannot have more than maxPerSecond traced, and take nothing from our own share', async (t) => {
  const { proxy, clock, records } = await traced(t, { sample: 100, maxPerSecond: 5 }, { stable: [ANY] });
  const wish = head('GET', { traceparent: parent('01') });
  await ask(proxy, Array(50).fill(wish));
  await ask(proxy, Array(3).fill(GET));
  await pass(clock, 1000);
  t.equal(records.filter(({ parentId }) => parentId === SPAN).length, 5);
  t.equal(records.filter(({ parentId }) => parentId === '').length, 3);
  await ask(proxy, Array(50).fill(wish));
  await pass(clock, 1000);
  t.equal(records.filter(({ parentId }) => parentId === SPAN).length, 10, 'a second later as many again');
});

t.test('a thousand requests at 10 %', async (t) => {
  const { proxy, clock, stable, records } = await traced(
    t,
    { sample: '10%' },
    { stable: [ANY], plane: { random: new SeededRandom(6) } },
  );
  await ask(proxy, Array(1_000).fill(GET));
  await pass(clock, 1000);
  t.ok(records.length > 70 && records.length < 130, `${records.length} of 1000`);
  const told = stable[0]!.requests.map((request) => value(request, 'traceparent')!);
  t.equal(told.filter((line) => line.endsWith('-01')).length, records.length, 'upstreams hear of each');
  t.equal(new Set(records.map(({ traceId }) => traceId)).size, records.length);
  t.equal(new Set(told).size, 1_000);
});

t.test('retry: an attempt each, and an event', async (t) => {
  const service = { retry: { attempts: 1, on: [503, 'reset'], backoff: '0ms' } };
  const { proxy, stable, records, untilRecords } = await traced(
    t,
    {},
    {
      stable: [inTurn(resets, answers(200), answers(503), answers(200))],
      service,
    },
  );
  await ask(proxy, [GET, GET]);
  await untilRecords(2);
  const receiver = await OtlpReceiver.start(t);
  const { traces } = await exporter(t, receiver);
  traces.accept(records);
  await receiver.untilSpans(6);
  for (const [index, [error, outcome]] of [
    ['upstream_closed', 'reset'],
    ['503', '5xx'],
  ].entries()) {
    const record = records[index]!;
    const spans = receiver.spans.filter(({ traceId }) => traceId === record.traceId);
    const [server] = byKind(spans, 'SERVER');
    const [first, second] = byKind(spans, 'CLIENT');
    t.match(first, { status: { code: 'ERROR' }, attributes: { 'error.type': error, 'sluice.outcome': outcome } });
    t.match(second, {
      status: { code: 'UNSET' },
      attributes: { 'http.request.resend_count': 1, 'sluice.attempt': 'retry' },
    });
    t.match(server, { status: { code: 'UNSET' }, attributes: { 'sluice.response_flags': 'RT' } });
    t.match(server!.events, [{ name: 'sluice.retry', attributes: { 'error.type': error, 'sluice.version': 'v1' } }]);
    t.equal(server!.events[0]!.time, second!.start);
    t.strictSame([first!.parentId, second!.parentId], [server!.spanId, server!.spanId]);
    const told = stable[0]!.requests.slice(2 * index, 2 * index + 2).map((request) => value(request, 'traceparent'));
    t.strictSame(
      told,
      [first, second].map((span) => `00-${record.traceId}-${span!.spanId}-01`),
    );
  }
});

t.test('shield: the canary fails, stable answers', async (t) => {
  const { proxy, records, untilRecords } = await traced(
    t,
    {},
    {
      stable: [ANY],
      canary: [inTurn(answers(500))],
      service: { shield: {} },
    },
  );
  await ask(proxy, [GET]);
  await untilRecords(1);
  const receiver = await OtlpReceiver.start(t);
  const { traces } = await exporter(t, receiver);
  traces.accept(records);
  await receiver.untilSpans(3);
  const [server] = byKind(receiver.spans, 'SERVER');
  const [first, second] = byKind(receiver.spans, 'CLIENT');
  t.match(server, {
    status: { code: 'UNSET' },
    attributes: {
      'sluice.version': 'v1',
      'sluice.lane': 'stable',
      'sluice.shielded_from': 'v2',
      'sluice.response_flags': 'SH',
    },
    events: [{ name: 'sluice.shield', attributes: { 'error.type': '500', 'sluice.shielded_from': 'v2' } }],
  });
  t.notOk('deployment.strategy' in server!.attributes);
  t.match(first!.attributes, { 'service.version': 'v2', 'deployment.strategy': 'canary', 'sluice.outcome': '5xx' });
  t.match(second!.attributes, { 'service.version': 'v1', 'sluice.lane': 'stable', 'sluice.attempt': 'shield' });
  t.notOk('deployment.strategy' in second!.attributes);
});

t.test("a hedge: the loser is nobody's error", async (t) => {
  const service = { hedge: { after: '50ms' } };
  const { proxy, clock, stable, records, untilRecords } = await traced(
    t,
    {},
    { stable: [inTurn(hangs), ANY], service },
  );
  const client = await proxy.send(GET);
  await stable[0]!.untilRequests(1);
  await pass(clock, 100);
  await client.answer();
  await untilRecords(1);
  t.match(records[0]!.attempts, [
    { cause: 'first', status: 0, judged: false, failure: '' },
    { cause: 'hedge', status: 200, judged: true, failure: '' },
  ]);
  t.ok(records[0]!.attempts.every(({ end, start }) => end >= start));
});

t.test('a pooled connection that the upstream had closed', async (t) => {
  const { proxy, stable, records, untilRecords } = await traced(
    t,
    {},
    {
      stable: [inTurn(answers(200), resets, answers(200))],
    },
  );
  await ask(proxy, [GET, GET]);
  await untilRecords(2);
  t.match(records[1]!.attempts, [
    { cause: 'first', failure: 'upstream_closed' },
    { cause: 'resend', status: 200 },
  ]);
  t.equal(stable[0]!.requests.length, 3);
});

t.test('what goes wrong', async (t) => {
  const routes = [
    { match: { path: '/moved' }, redirect: { path: '/new' } },
    { match: { path: '/limited' }, service: 'web', rateLimit: { rate: '1/h', burst: 1 } },
    { match: { path: '/fault' }, service: 'web', fault: { abort: { status: 555 } } },
    { match: { pathPrefix: '/web' }, service: 'web' },
  ];
  const config = { routes };
  const { proxy, stable, records, untilRecords } = await traced(t, {}, { stable: [ANY], config });
  const receiver = await OtlpReceiver.start(t);
  const { traces } = await exporter(t, receiver);
  const seen = async (count: number): Promise<ReadSpan> => {
    await untilRecords(count);
    const before = receiver.spans.length;
    traces.accept(records.slice(-1));
    await receiver.untilSpans(before + 1 + records.at(-1)!.attempts.length);
    return byKind(receiver.spans.slice(before), 'SERVER')[0]!;
  };
  await ask(proxy, [get('/nowhere')]);
  t.match(await seen(1), {
    name: 'GET',
    status: { code: 'UNSET' },
    attributes: { 'http.response.status_code': 404, 'sluice.response_flags': 'NR' },
  });
  await ask(proxy, [get('/moved')]);
  t.match(await seen(2), { name: 'GET routes[0]', attributes: { 'http.response.status_code': 302 } });
  await ask(proxy, [get('/limited')]);
  await seen(3);
  await ask(proxy, [get('/limited')]);
  t.match(await seen(4), {
    status: { code: 'UNSET' },
    attributes: { 'http.response.status_code': 429, 'sluice.response_flags': 'RL' },
  });
  await ask(proxy, ['BREW /web HTTP/1.1\r\nHost: [::1]:81\r\n\r\n']);
  t.match(await seen(5), {
    name: 'HTTP web',
    attributes: {
      'http.request.method': '_OTHER',
      'http.request.method_original': 'BREW',
      'server.address': '::1',
      'server.port': 81,
    },
  });
  stable[0]!.behaviour = inTurn(answers(500));
  for (const connection of stable[0]!.connections) connection.destroy();
  await stable[0]!.untilDeserted();
  await ask(proxy, [get('/web')]);
  t.match(await seen(6), {
    status: { code: 'ERROR', message: '' },
    attributes: { 'error.type': '500', 'http.response.status_code': 500 },
  });
  stable[0]!.behaviour = inTurn(breaksOffAfter('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
  for (const connection of stable[0]!.connections) connection.destroy();
  await stable[0]!.untilDeserted();
  const cut = await proxy.send(get('/web'));
  await cut.untilClosed();
  t.match(await seen(7), {
    status: { code: 'ERROR', message: 'the upstream closed the connection' },
    attributes: { 'error.type': 'upstream_closed', 'http.response.status_code': 200 },
  });
  stable[0]!.behaviour = inTurn(hangs);
  const before = stable[0]!.requests.length;
  const gone = await proxy.send(get('/web'));
  await stable[0]!.untilRequests(before + 1);
  gone.reset();
  t.match(await seen(8), {
    status: { code: 'UNSET' },
    attributes: { 'http.response.status_code': 499, 'sluice.response_flags': 'DC' },
  });
  t.match(records.at(-1)!.attempts, [{ judged: false, failure: '' }], 'the attempt ended with the request');
  t.ok(records.at(-1)!.attempts[0]!.end > 0);
});

t.test('no endpoint, and nobody at the endpoint', async (t) => {
  const { proxy, records, untilRecords } = await traced(t, {}, { stable: [REFUSED] });
  await ask(proxy, [GET]);
  await untilRecords(1);
  const receiver = await OtlpReceiver.start(t);
  const { traces } = await exporter(t, receiver);
  traces.accept(records);
  await receiver.untilSpans(2);
  t.match(byKind(receiver.spans, 'SERVER')[0], {
    status: { code: 'ERROR', message: 'no connection to the upstream' },
    attributes: { 'error.type': 'connect_failed', 'http.response.status_code': 503 },
  });
  t.match(byKind(receiver.spans, 'CLIENT')[0], {
    status: { code: 'ERROR' },
    attributes: { 'error.type': 'connect_failed', 'sluice.outcome': 'connect_failure', 'sluice.response_flags': 'UF' },
  });
});

t.test('a reload changes the sample, or turns tracing off and on, with requests under way', async (t) => {
  const { proxy, clock, stable, records, untilRecords } = await traced(
    t,
    {},
    { stable: [inTurn(hangs, answers(200))] },
  );
  const apply = (generation: number, config: object): void => {
    const snapshot: Snapshot = snapshotOf(
      { upstream: stable[0]!, config: config as Record<string, unknown> },
      generation,
    );
    proxy.plane.apply(snapshot);
  };
  const slow = await proxy.send(GET);
  await stable[0]!.untilRequests(1);
  apply(2, {});
  stable[0]!.connections[0]!.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  t.equal((await slow.answer()).status, 200);
  await ask(proxy, [GET]);
  await pass(clock, 1000);
  t.equal(records.length, 0, 'off: what began before is not told either');
  t.match(value(stable[0]!.requests[1]!, 'traceparent'), /-00$/);
  apply(3, { tracing: { endpoint: ENDPOINT, sample: 100 } });
  await ask(proxy, [GET]);
  await untilRecords(1);
  apply(4, { tracing: { endpoint: ENDPOINT, sample: 0 } });
  await ask(proxy, [GET]);
  await pass(clock, 1000);
  t.equal(records.length, 1);
});

t.test('what the main thread does not take is dropped and counted, and requests do not notice', async (t) => {
  const batches: number[] = [];
  const { proxy, clock } = await startLanes(t, {
    stable: [ANY],
    config: { tracing: { endpoint: ENDPOINT, sample: 100 } },
    plane: { onTraces: (batch) => void batches.push(batch.length) },
  });
  const found = await ask(proxy, Array(1_200).fill(GET));
  t.ok(found.every(({ status }) => status === 200));
  await pass(clock, 2000);
  t.strictSame(batches, [128], 'one batch is under way');
  t.equal(workerCounts(proxy).spansDropped, 2 * (1_200 - 128 - 1_024));
  proxy.plane.tracesTaken();
  t.strictSame(batches, [128, 128]);
});

t.test('closing hands over what waits', async (t) => {
  const { proxy, records } = await traced(t, {}, { stable: [ANY] });
  await ask(proxy, [GET, GET]);
  await proxy.plane.close();
  t.equal(records.length, 2);
});

t.test('nobody who takes records: nothing is traced', async (t) => {
  const { proxy, stable } = await startLanes(t, {
    stable: [ANY],
    config: { tracing: { endpoint: ENDPOINT, sample: 100 } },
  });
  await ask(proxy, [GET]);
  t.match(value(stable[0]!.requests[0]!, 'traceparent'), /-00$/);
});

t.test('the exporter', async (t) => {
  const { proxy, records, untilRecords } = await traced(t, {}, { stable: [ANY] });
  await ask(proxy, Array(1_000).fill(GET));
  await untilRecords(1_000);

  t.test('batches of many, compressed where asked', async (t) => {
    const receiver = await OtlpReceiver.start(t);
    const { traces } = await exporter(t, receiver, { compression: 'gzip' });
    traces.accept(records);
    await receiver.untilSpans(2_000);
    t.ok(receiver.batches.length <= 6, `${receiver.batches.length} batches`);
    t.equal(receiver.batches[0]!.headers['content-encoding'], 'gzip');
    await until('all to be counted', () => traces.counts.exported === 2_000);
    t.equal(traces.counts.dropped, 0);
  });

  t.test('a collector that refuses: counted, logged once, and once more when it is over', async (t) => {
    const receiver = await OtlpReceiver.start(t);
    const { traces, log } = await exporter(t, receiver, { timeout: '500ms' });
    receiver.status = 500;
    for (let round = 1; round <= 3; round++) {
      traces.accept(records.slice(0, 10));
      await until('a failed batch', () => traces.counts.dropped === round * 20);
    }
    receiver.status = 200;
    traces.accept(records.slice(0, 5));
    await until('a good batch', () => traces.counts.exported === 10);
    const { origin } = receiver;
    t.match(
      log.filter(([, event]) => event !== 'tracing'),
      [
        ['warn', 'tracing_failed', { endpoint: origin, message: /^the collector does not take spans: .*500/ }],
        ['info', 'tracing_recovered', { endpoint: origin, dropped: 60 }],
      ],
    );
    t.equal(log.length, 3);
  });

  t.test('a collector that never answers holds a bounded number of spans', async (t) => {
    const receiver = await OtlpReceiver.start(t);
    receiver.status = 0;
    const { traces, log } = await exporter(t, receiver, { queue: 600, timeout: '300ms' });
    for (let round = 0; round < 10; round++) traces.accept(records);
    t.ok(traces.counts.dropped >= 20_000 - 600 - 4 * 512, `${traces.counts.dropped} dropped at once`);
    await until('the rest to be given up', () => traces.counts.dropped === 20_000);
    t.equal(log.filter(([, event]) => event === 'tracing_failed').length, 1);
    t.equal(traces.counts.exported, 0);
  });

  t.test('a collector that answers a byte now and then is given up', async (t) => {
    const receiver = await OtlpReceiver.start(t);
    receiver.status = 503;
    receiver.drips = true;
    const { traces } = await exporter(t, receiver, { timeout: '1s' });
    traces.accept(records.slice(0, 10));
    await until('a batch that is given up', () => traces.counts.dropped === 20);
    await until('the end of its connection', () => receiver.connections === 0);
    receiver.status = 200;
    receiver.drips = false;
    traces.accept(records.slice(0, 10));
    await until('a good batch', () => traces.counts.exported === 20);
  });

  t.test('all that waits is sent at the end, though it is several batches', async (t) => {
    const receiver = await OtlpReceiver.start(t);
    const { traces } = await exporter(t, receiver, { queue: 4_096 });
    traces.accept(records);
    traces.accept(records);
    await traces.close();
    t.strictSame(traces.counts, { exported: 4_000, dropped: 0 });
  });

  t.test('the collector before: no connections are left to it, and it says nothing of the one after', async (t) => {
    const [old, next] = [await OtlpReceiver.start(t), await OtlpReceiver.start(t)];
    const { traces, log, configOf } = await exporter(t, old);
    for (let round = 0; round < 3; round++) {
      traces.accept(records.slice(0, 10));
      await traces.configure(configOf({ endpoint: next.origin }));
      await traces.configure(configOf({}));
    }
    await old.untilSpans(60);
    old.status = 500;
    traces.accept(records.slice(0, 10));
    await traces.configure(configOf({ endpoint: next.origin }));
    await until('what waited to be refused', () => traces.counts.dropped === 20);
    await until('the end of its connections', () => old.connections === 0, 2_000);
    t.ok(log.every(([, event]) => event === 'tracing'));
  });

  t.test('a collector that is down, and then there', async (t) => {
    const receiver = await OtlpReceiver.start(t);
    const { traces, log } = await exporter(t, receiver, { timeout: '200ms' });
    await receiver.close();
    traces.accept(records.slice(0, 10));
    await until('a failed batch', () => traces.counts.dropped === 20);
    t.match(log.at(-1), ['warn', 'tracing_failed', { message: /ECONNREFUSED/ }]);
    await receiver.listen();
    traces.accept(records.slice(0, 10));
    await receiver.untilSpans(20);
    await until('the end of it', () => log.at(-1)![1] === 'tracing_recovered');
  });

  t.test('another endpoint: what waits goes to the old one, what comes to the new one', async (t) => {
    const [old, next] = [await OtlpReceiver.start(t), await OtlpReceiver.start(t)];
    const { traces, configOf } = await exporter(t, old);
    traces.accept(records.slice(0, 10));
    await traces.configure(configOf({ endpoint: next.origin, service: 'edge' }));
    traces.accept(records.slice(10, 20));
    await Promise.all([old.untilSpans(20), next.untilSpans(20)]);
    t.equal(next.batches[0]!.path, '/v1/traces');
    t.equal(next.spans[0]!.resource['service.name'], 'edge');
    await traces.configure(null);
    traces.accept(records.slice(0, 10));
    await until('all counted', () => traces.counts.exported === 40);
    t.strictSame(traces.counts, { exported: 40, dropped: 20 });
  });

  t.test('closing sends what waits, and does not wait for a collector that does not answer', async (t) => {
    const receiver = await OtlpReceiver.start(t);
    const { traces, configOf } = await exporter(t, receiver);
    traces.accept(records.slice(0, 10));
    await traces.close();
    t.equal(receiver.spans.length, 20);
    receiver.status = 0;
    await traces.configure(configOf({}));
    traces.accept(records.slice(0, 10));
    const before = systemClock.now();
    await traces.close();
    t.ok(systemClock.now() - before < 8_000);
  });
  t.end();
});
