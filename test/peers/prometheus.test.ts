/**
 * A real Prometheus scrapes what Sluice exposes, in OpenMetrics as it prefers and in the text format, and its answers are compared with
 * the truth, which the test knows because it did the counting: the same traffic before every scrape, so that a rate over any
 * window has the same ratios.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { DURATION_BOUNDS } from '../../src/model/request-table.ts';
import { Stage, TWO_VERSIONS } from '../unit/metrics-stage.ts';
import { lacking, run } from './commands.ts';
import { type Prometheus, type Sample, startPrometheus } from './prometheus-server.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8');

const blocks = (fence: string): string[] =>
  PAGE.split(`\`\`\`${fence}\n`)
    .slice(1)
    .map((rest) => rest.slice(0, rest.indexOf('\n```')));

/** What happens between two scrapes: 1 of 50 answers of v1 and 2 of 10 of v2 are errors. */
function traffic(stage: Stage): void {
  for (let ms = 1; ms <= 100; ms++) stage.answer('v1', ms % 50 === 0 ? 500 : 200, ms, 1, ms % 2);
  for (let i = 1; i <= 10; i++) {
    stage.answer('v2', i <= 2 ? 503 : 204, i * 30, 1, i % 2);
    stage.attempt('v2', i <= 4 ? 503 : 204, i * 30, i % 2);
  }
  for (let i = 1; i <= 90; i++) {
    stage.attempt('v1', i <= 9 ? 500 : 200, 10, i % 2);
    stage.count('v1', 'requests');
  }
  stage.count('v2', 'requests', 10);
}

/** Asks until the answer is as wanted: Prometheus scrapes when it wants to. What it last was is what the test then compares. */
async function ask(
  prometheus: Prometheus,
  query: string,
  enough: (samples: readonly Sample[]) => boolean,
): Promise<readonly Sample[]> {
  const until = performance.now() + 30_000;
  for (;;) {
    const samples = await prometheus.query(query);
    if (enough(samples) || performance.now() > until) return samples;
    await pause(100);
  }
}

const of = (samples: readonly Sample[], version: string): number | undefined =>
  samples.find(({ metric }) => metric.version === version)?.value;

t.test('Prometheus', { skip: lacking('prometheus') }, async (t) => {
  const stage = new Stage(t, TWO_VERSIONS, {
    rollouts: () => [
      {
        ...{ service: 'shop', id: 'shop-1', phase: 'Progressing', step: 1, waiting: false, failures: 2 },
        tests: [{ test: 'errors', state: 'watching', logE: 1.9, threshold: 7.6, message: '' }],
      },
    ],
  });
  const accepted = new Set<string>();
  let called = true;
  let scrapes = 0;
  const server = createServer(async (request, response) => {
    const accept = request.headers.accept ?? '';
    const open = request.url === '/metrics';
    if (open && called) traffic(stage);
    if (open) scrapes++;
    const { contentType, body } = await stage.metrics.expose(open ? accept : 'text/plain');
    accepted.add(contentType);
    response.setHeader('Content-Type', contentType);
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const targets = `static_configs: [ { targets: [ "127.0.0.1:${port}" ] } ]`;
  const prometheus = await startPrometheus(
    t,
    `global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - { job_name: open, ${targets} }
  - { job_name: text, metrics_path: /text, ${targets} }
`,
  );

  await t.test('it takes both formats', async (t) => {
    const up = await ask(prometheus, 'up == 1', (samples) => samples.length === 2);
    t.strictSame(up.map(({ metric }) => metric.job).sort(), ['open', 'text']);
    for (const { job, health, lastError } of await prometheus.targets())
      t.strictSame([health, lastError], ['up', ''], job);
    t.strictSame([...accepted].map((type) => type.split(';')[0]).sort(), [
      'application/openmetrics-text',
      'text/plain',
    ]);
    const same = (samples: readonly Sample[]): boolean =>
      samples.length === 2 && samples[0]?.value === samples[1]?.value;
    const series = await ask(prometheus, 'count by (job) ({__name__=~"sluice_.+"})', same);
    t.ok(same(series) && series.every(({ value }) => value > 100), 'the same series from both');
  });

  await t.test('error rates are those that were counted', async (t) => {
    await ask(
      prometheus,
      'sum(increase(sluice_requests_total{job="open"}[1m])) > 200',
      (samples) => samples.length > 0,
    );
    const errors = await prometheus.query(
      `sum by (version) (rate(sluice_requests_total{job="open",code=~"5.."}[1m]))
        / sum by (version) (rate(sluice_requests_total{job="open"}[1m]))`,
    );
    t.equal(of(errors, 'v1')?.toFixed(9), '0.020000000');
    t.equal(of(errors, 'v2')?.toFixed(9), '0.200000000');
    const attempts = await prometheus.query(
      `sum by (version) (rate(sluice_attempts_total{job="open",outcome!~"[1-4]xx"}[1m]))
        / sum by (version) (rate(sluice_attempts_total{job="open"}[1m]))`,
    );
    t.equal(of(attempts, 'v1')?.toFixed(9), '0.100000000');
    t.equal(of(attempts, 'v2')?.toFixed(9), '0.400000000');
  });

  await t.test('p95 is within the bucket that the truth is in', async (t) => {
    const p95 = await prometheus.query(
      'histogram_quantile(0.95, sum by (version, le) (rate(sluice_request_duration_seconds_bucket{job="open"}[1m])))',
    );
    for (const [version, truth] of [
      ['v1', 0.095],
      ['v2', 0.3],
    ] as const) {
      const upper = DURATION_BOUNDS.findIndex((bound) => truth <= bound);
      const found = of(p95, version) ?? Number.NaN;
      t.ok(
        found > DURATION_BOUNDS[upper - 1]! && found <= DURATION_BOUNDS[upper]!,
        `${version}: ${found} is in the bucket of ${truth}`,
      );
    }
    const mean = await prometheus.query(
      `rate(sluice_request_duration_seconds_sum{job="open",version="v1"}[1m])
        / rate(sluice_request_duration_seconds_count{job="open",version="v1"}[1m])`,
    );
    t.equal(mean[0]?.value.toFixed(6), '0.050500', 'the mean needs no buckets');
  });

  await t.test('queries of the page have answers', async (t) => {
    const queries = blocks('promql');
    t.ok(queries.length >= 5);
    for (const query of queries) {
      const samples = await prometheus.query(
        query.replaceAll(/(sluice_\w+)\{?/g, (found, name: string) =>
          found.endsWith('{') ? `${name}{job="open",` : `${name}{job="open"}`,
        ),
      );
      t.ok(samples.length > 0 && samples.every(({ value }) => Number.isFinite(value)), query);
    }
  });

  await t.test('a version that takes over the row of another makes no counter fall or jump', async (t) => {
    const row = stage.idOf('v2');
    stage.apply(
      TWO_VERSIONS.replace(/^ +v2: \{.*\n/m, '')
        .replace(', canary: v2', '')
        .replace(/^ +split:.*\n/m, ''),
    );
    stage.apply(TWO_VERSIONS.replaceAll('v2', 'v3'));
    t.equal(stage.idOf('v3'), row);
    called = false;
    stage.answer('v3', 200, 5, 10);
    const before = scrapes;
    const found = await ask(
      prometheus,
      'sluice_requests_total{job="open",version="v3"}',
      (samples) => scrapes > before && samples.length > 0,
    );
    t.strictSame(
      found.map(({ value }) => value),
      [10],
    );
    await ask(prometheus, 'sluice_attempts_total{job="open",version="v3"}', () => scrapes > before + 2);
    for (const name of [
      'requests_total',
      'attempts_total',
      'request_duration_seconds_bucket',
      'requests_routed_total',
    ]) {
      const resets = await prometheus.query(`sum(resets(sluice_${name}{job="open"}[5m]))`);
      t.equal(resets[0]?.value, 0, `${name} was never lower than before`);
    }
    const jump = await prometheus.query('max(increase(sluice_attempts_total{job="open",version="v3"}[1m]))');
    t.equal(jump[0]?.value, 0);
  });
});

t.test('promtool', { skip: lacking('promtool') }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-promtool-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const clean = async (args: readonly string[], input?: string): Promise<void> => {
    const { status, output, errors } = await run('promtool', args, input);
    t.strictSame([status, errors.trim()], [0, ''], `${args.join(' ')}: ${output}${errors}`);
  };
  const written = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const stage = new Stage(t);
  traffic(stage);
  await clean(['check', 'metrics'], (await stage.metrics.expose()).body);
  const [config] = blocks('yaml title=prometheus.yml');
  await clean(['check', 'config', '--syntax-only', written('prometheus.yml', config ?? '')]);
});
