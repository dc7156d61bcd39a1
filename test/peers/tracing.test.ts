/** Tracing in a process of its own: what is loaded, what a collector gets, a reload under load, and the end. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { request } from 'undici';
import { OtlpReceiver } from '../kit/otlp-receiver.ts';
import { until } from '../kit/signal.ts';
import { configOf, type SluiceProcess, startSluice } from './sluice-process.ts';

const LOADS = ['--import', join(import.meta.dirname, 'tell-loads.ts')];

/** Answers everything and remembers what it was told of traces. */
async function startOrigin(t: Test) {
  const told: string[] = [];
  const server = createServer((asked, answer) => {
    told.push(asked.headers.traceparent as string);
    answer.end('ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, told };
}

async function get(sluice: SluiceProcess, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const { statusCode, body } = await request(sluice.url);
    await body.dump();
    if (statusCode !== 200) throw new Error(`status ${statusCode}`);
  }
}

const events = (sluice: SluiceProcess, event: string): Record<string, unknown>[] =>
  sluice.log
    .filter((line) => line.startsWith('{'))
    .flatMap((line) => {
      const entry = JSON.parse(line);
      return entry.event === event ? [entry] : [];
    });

t.test('off: nothing is loaded, and nobody is told', async (t) => {
  const origin = await startOrigin(t);
  const sluice = await startSluice(t, configOf([origin.url]), LOADS);
  await get(sluice, 3);
  t.ok(origin.told.every((line) => line.endsWith('-00')));
  sluice.child.kill('SIGTERM');
  t.strictSame(await sluice.exit, { code: 0, signal: null });
  t.strictSame(
    sluice.log.filter((line) => line.startsWith('loads ')),
    [],
  );
});

t.test('on: every request is told, another endpoint is taken up under load, and the last spans are sent', async (t) => {
  const origin = await startOrigin(t);
  const [first, second] = [await OtlpReceiver.start(t), await OtlpReceiver.start(t)];
  const tracing = { endpoint: first.url, sample: 100, environment: 'staging' };
  const lanes = {
    versions: { v1: { endpoints: [origin.url] }, v2: { endpoints: [origin.url] } },
    lanes: { stable: 'v1', canary: 'v2' },
    split: { weights: { v1: 50, v2: 50 } },
  };
  const sluice = await startSluice(t, configOf([], { tracing }, lanes), LOADS);
  await get(sluice, 20);
  await first.untilSpans(40);
  const attempts = first.spans.filter(({ kind }) => kind === 'CLIENT');
  t.strictSame(attempts.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`).sort(), [...origin.told].sort());
  const canaries = attempts.filter(({ attributes }) => attributes['deployment.strategy'] === 'canary');
  t.ok(canaries.length > 0 && canaries.length < 20);
  t.ok(canaries.every(({ attributes }) => attributes['service.version'] === 'v2'));
  const now = Date.now();
  for (const { start, end } of first.spans) t.ok(start > now - 60_000 && start <= end && end < now + 1_000);

  let stopped = false;
  const load = (async () => {
    while (!stopped) await get(sluice, 1);
  })();
  const file = readFileSync(sluice.file, 'utf8');
  writeFileSync(sluice.file, file.replace(first.url, second.url));
  sluice.child.kill('SIGHUP');
  await second.untilSpans(40);
  stopped = true;
  await load;
  await get(sluice, 1);
  sluice.child.kill('SIGTERM');
  t.strictSame(await sluice.exit, { code: 0, signal: null });
  const known = new Set([...first.spans, ...second.spans].map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`));
  t.ok(
    origin.told.every((line) => known.has(line)),
    'every attempt was told to one of the two',
  );
  t.equal(events(sluice, 'tracing').length, 2);
  const loads = sluice.log.filter((line) => line.startsWith('loads '));
  t.ok(loads.length > 0 && loads.every((line) => line.endsWith('in the main thread')), 'workers load nothing');
});

t.test('a collector that is not there costs requests nothing and is logged once', async (t) => {
  const origin = await startOrigin(t);
  const tracing = { endpoint: 'http://127.0.0.1:1', sample: 100, timeout: '100ms' };
  const sluice = await startSluice(t, configOf([origin.url], { tracing }));
  await get(sluice, 10);
  await until('the log to say so', () => events(sluice, 'tracing_failed').length > 0, 20_000);
  await get(sluice, 10);
  sluice.child.kill('SIGTERM');
  t.strictSame(await sluice.exit, { code: 0, signal: null });
  t.match(events(sluice, 'tracing_failed'), [
    { level: 'warn', endpoint: 'http://127.0.0.1:1', message: /ECONNREFUSED/ },
  ]);
  t.equal(events(sluice, 'tracing_failed').length, 1);
});
