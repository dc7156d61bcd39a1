import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { prefersOpenMetrics, print } from '../../src/control/metrics/exposition.ts';
import { ProcessMetrics } from '../../src/control/metrics/process-metrics.ts';
import type { OpenAlert } from '../../src/control/monitor/alert-watch.ts';
import { DISABLED, DRAINING, EJECTED, setFlag, UNHEALTHY } from '../../src/model/endpoint-table.ts';
import { Stage, TWO_VERSIONS } from './metrics-stage.ts';

t.test('the format is what the scraper prefers', async (t) => {
  const cases: readonly (readonly [accept: string | undefined, open: boolean])[] = [
    [undefined, false],
    ['*/*', false],
    ['text/plain', false],
    ['application/openmetrics-text', true],
    ['application/openmetrics-text;version=1.0.0,application/openmetrics-text;q=0.75,text/plain;q=0.5,*/*;q=0.1', true],
    ['application/openmetrics-text;q=0.5,text/plain;version=0.0.4', false],
    ['application/openmetrics-text;q=0.5,*/*', false],
    ['application/openmetrics-text; q=0.9, text/*;q=0.8', true],
    ['application/openmetrics-text;q=0', false],
    ['Application/OpenMetrics-Text', true],
    [',;q=,', false],
  ];
  for (const [accept, open] of cases) t.equal(prefersOpenMetrics(accept), open, String(accept));
});

t.test('the same samples in both formats', async (t) => {
  const stage = new Stage(t);
  stage.answer('v1', 200);
  const [text, open] = await Promise.all([
    stage.metrics.expose(),
    stage.metrics.expose('application/openmetrics-text'),
  ]);
  t.equal(text.contentType, 'text/plain; version=0.0.4; charset=utf-8');
  t.equal(open.contentType, 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  t.match(text.body, '# TYPE sluice_requests_total counter\n');
  t.match(open.body, '# TYPE sluice_requests counter\n');
  t.match(open.body, '# TYPE process_cpu_seconds counter\n');
  t.ok(open.body.endsWith('\n# EOF\n'));
  const series = (body: string): string[] =>
    body.split('\n').flatMap((line) => (/^sluice_/.test(line) ? [line.slice(0, line.lastIndexOf(' '))] : []));
  t.ok(series(text.body).length > 100);
  t.strictSame(series(open.body), series(text.body));
});

t.test('a long metric is printed in pieces, with one head and none of it lost', async (t) => {
  const samples = Array.from({ length: 2_500 }, (_, i) => ({ value: i, labels: { i: String(i) } }));
  let turns = 0;
  let done = false;
  const counting = (async () => {
    while (!done) {
      await nextTurn();
      turns++;
    }
  })();
  const { body } = await print(
    [{ name: 'a_total', help: 'Two\nlines.', type: 'counter', collect: () => samples }],
    undefined,
  );
  done = true;
  await counting;
  t.ok(turns >= 3, 'others had their turn');
  t.strictSame(body.split('\n'), [
    '# HELP a_total Two\\nlines.',
    '# TYPE a_total counter',
    ...samples.map(({ value }) => `a_total{i="${value}"} ${value}`),
    '',
  ]);
});

t.test('names that need it are escaped', async (t) => {
  const labels = { endpoint: 'a"b\\c\nd' };
  const { body } = await print([{ name: 'a', help: 'h', type: 'gauge', collect: () => [{ value: 1, labels }] }], '');
  t.equal(body, '# HELP a h\n# TYPE a gauge\na{endpoint="a\\"b\\\\c\\nd"} 1\n');
});

t.test('endpoints: health, ejection, the operator’s word', async (t) => {
  const stage = new Stage(t, `${TWO_VERSIONS}    outlier: {}\n`);
  const [v1, v2] = stage.snapshot.services[0]!.versions;
  setFlag(stage.endpoints, v1!.endpoints[0]!.id, UNHEALTHY);
  setFlag(stage.endpoints, v1!.endpoints[0]!.id, EJECTED);
  setFlag(stage.endpoints, v1!.endpoints[1]!.id, DRAINING);
  const states = async (url: string) => {
    const scrape = await stage.scrape();
    const of = (what: string): number | null => scrape.value(`sluice_endpoint_${what}`, { endpoint: url });
    const [state, ...more] = scrape.lines('sluice_endpoint_state', { endpoint: url });
    t.strictSame([state?.value, more], [1, []], 'one state');
    return [of('healthy'), of('available'), of('ejected'), state?.labels.state];
  };
  t.strictSame(await states('http://127.0.0.1:3001'), [0, 0, 1, 'enabled']);
  t.strictSame(await states('http://127.0.0.1:3002'), [1, 0, 0, 'draining']);
  t.strictSame(await states('http://127.0.0.1:3003'), [1, 1, 0, 'enabled']);
  setFlag(stage.endpoints, v2!.endpoints[0]!.id, DISABLED);
  t.strictSame(await states('http://127.0.0.1:3003'), [1, 0, 0, 'disabled']);
  const scrape = await stage.scrape();
  t.equal(scrape.value('sluice_outlier_ejections_active', { service: 'shop', version: 'v1' }), 1);
  t.equal(scrape.value('sluice_outlier_ejections_active', { version: 'v2' }), 0);
});

t.test('workers and connections', async (t) => {
  const stage = new Stage(t, TWO_VERSIONS, { listening: () => 1, rateOverflows: () => 9 });
  for (const [slot, by] of Object.entries({
    ...{ open: 10, inFlight: 3, upstreamActive: 2, upstreamIdle: 4, accepted: 50, rejected: 1, rateLimited: 5 },
    ...{ logLinesDropped: 6, faultsInjected: 7, refused: 8, localReplies: 11, cut: 12, clientAborts: 13 },
  })) {
    stage.countWorker(slot as 'open', by, 0);
    stage.countWorker(slot as 'open', by, 1);
  }
  const scrape = await stage.scrape();
  const connections = (side: string, state: string) => scrape.value('sluice_connections', { side, state });
  t.strictSame([connections('downstream', 'active'), connections('downstream', 'idle')], [6, 14]);
  t.strictSame([connections('upstream', 'active'), connections('upstream', 'idle')], [4, 8]);
  const counts = {
    ...{ requests_in_flight: 6, connections_accepted_total: 100, connections_rejected_total: 2 },
    ...{ rate_limited_total: 10, access_log_dropped_total: 12, faults_injected_total: 14 },
    ...{ requests_refused_total: 16, local_replies_total: 22, responses_cut_total: 24, client_aborts_total: 26 },
    rate_table_overflows_total: 9,
  };
  for (const [name, value] of Object.entries(counts)) t.equal(scrape.value(`sluice_${name}`), value, name);
  t.equal(scrape.value('sluice_workers', { state: 'configured' }), 2);
  t.equal(scrape.value('sluice_workers', { state: 'listening' }), 1);
  t.equal(scrape.value('sluice_workers_replaced_total'), 0, 'is there before the first, so that an increase is seen');
  stage.metrics.observeReplaced();
  t.equal((await stage.scrape()).value('sluice_workers_replaced_total'), 1);
});

t.test('weights, configuration, alerts, pushed values, the store', async (t) => {
  let now = 1_000_000;
  let trouble: { readonly kind: 'full'; readonly message: string; readonly since: string } | null = null;
  const alert = (name: string, state: OpenAlert['state'], endpoint?: string): OpenAlert => ({
    ...{ name, state, service: 'shop', version: 'v2', metric: 'error_rate', value: 9, when: 'above', threshold: 5 },
    ...{ for: 0, ...(endpoint !== undefined && { endpoint }) },
  });
  const weights = new Map<number, number>();
  const stage = new Stage(t, TWO_VERSIONS, {
    wallClock: () => now,
    weights: () => weights,
    storeTrouble: () => trouble,
    alerts: () => [
      alert('errors', 'firing'),
      alert('errors', 'firing', 'http://127.0.0.1:3003'),
      alert('slow', 'pending'),
    ],
    pushed: () => [{ service: 'shop', version: 'v2', metric: 'task_success_rate', value: 0.995 }],
  });
  weights.set(stage.idOf('v1'), 99.95);
  now = 2_000_000;
  stage.metrics.observeReload('applied');
  stage.metrics.observeReload('unchanged');
  now = 3_000_000;
  stage.metrics.observeReload('rejected');
  trouble = { kind: 'full', message: 'no space left', since: '' };
  const scrape = await stage.scrape();
  t.equal(scrape.value('sluice_weight', { version: 'v1', lane: 'stable' }), 99.95);
  t.equal(scrape.value('sluice_weight', { version: 'v2', lane: 'canary' }), 10, 'as in the snapshot');
  t.strictSame(
    ['applied', 'unchanged', 'rejected'].map((result) => scrape.value('sluice_config_reloads_total', { result })),
    [1, 1, 1],
  );
  t.equal(scrape.value('sluice_config_last_success_timestamp_seconds'), 2_000);
  t.equal(scrape.value('sluice_config_last_reload_successful'), 0);
  t.equal(scrape.value('sluice_config_generation'), 1);
  t.strictSame(
    scrape.lines('sluice_alerts_firing').map(({ labels, value }) => [labels, value]),
    [[{ service: 'shop', version: 'v2', alert: 'errors' }, 2]],
  );
  t.equal(scrape.value('sluice_pushed_metric', { version: 'v2', metric: 'task_success_rate' }), 0.995);
  t.equal(scrape.value('sluice_store_up'), 0);
  t.equal(scrape.value('sluice_build_info', { version: '1.2.3', node: process.versions.node }), 1);
});

t.test('what every program has', async (t) => {
  const names = async (metrics: ProcessMetrics): Promise<Set<string>> => {
    const { body } = await print(metrics.families(), undefined);
    return new Set([...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name));
  };
  const metrics = new ProcessMetrics();
  t.teardown(() => metrics.close());
  const found = await names(metrics);
  for (const name of [
    ...['process_cpu_seconds_total', 'process_start_time_seconds', 'process_resident_memory_bytes'],
    ...['nodejs_heap_size_used_bytes', 'nodejs_heap_space_size_used_bytes', 'nodejs_version_info'],
    ...(process.platform === 'linux' ? ['process_open_fds', 'process_max_fds', 'process_virtual_memory_bytes'] : []),
  ]) {
    t.ok(found.has(name), name);
  }
  for (const name of found) t.notMatch(name, /^nodejs_active_/, 'no gauge that is called _total');

  // The event loop is looked at from time to time; another observer says when that has happened.
  const observer = monitorEventLoopDelay({ resolution: 50 });
  observer.enable();
  while (observer.count < 4) await nextTurn();
  observer.disable();
  const { body } = await print(metrics.families(), undefined);
  const lag = Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(body)?.[1]);
  t.ok(lag >= 0 && lag < 60, String(lag));
});

t.test('two sets of process metrics at once, and one that is closed', async (t) => {
  const [one, two] = [new ProcessMetrics(), new ProcessMetrics()];
  one.close();
  one.close();
  t.ok((await print(two.families(), undefined)).body.includes('process_cpu_seconds_total'));
  two.close();
});
