/**
 * A real Prometheus as the provider of a metric: it scrapes a page whose figures the test knows, and conditions are judged on what its queries
 * come to, for the canary, for stable, and for what is not there.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { evaluate } from '../../src/control/analysis/evaluate.ts';
import { ProviderReadings } from '../../src/control/analysis/providers/provider-readings.ts';
import type { MetricReader, MetricValue } from '../../src/control/analysis/verdict.ts';
import type { Condition, MetricProviderConfig } from '../../src/model/rollout-config.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { lacking } from './commands.ts';
import { startProgram } from './server-program.ts';

const PAGE = `# TYPE queue_depth gauge
queue_depth{version="v1"} 10
queue_depth{version="v2"} 14
queue_depth{version="v3",shard="a"} 1
queue_depth{version="v3",shard="b"} 2
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes{version="v1"} 1e8
process_resident_memory_bytes{version="v2"} 1.5e8
`;

const QUERIES: Readonly<Record<string, string>> = {
  queue: 'queue_depth{version="{{version}}"}',
  memory: 'process_resident_memory_bytes{version="{{version}}"} / 1e6',
  growth: 'avg_over_time(queue_depth{version="{{version}}"}[{{window}}])',
  several: 'queue_depth{version="v3"}',
  scalar: 'scalar(queue_depth{version="v1"}) + 0.5',
  nothing: 'no_such_metric{version="{{version}}"}',
  undefined_ratio: 'sum(queue_depth{version="{{version}}"} - queue_depth{version="{{version}}"}) / 0',
  wrong: 'sum(',
};

/** Null where there is no good answer. */
async function answerOf(url: string): Promise<string | null> {
  try {
    const response = await fetch(url);
    const body = await response.text();
    return response.ok ? body : null;
  } catch {
    return null;
  }
}

t.test('conditions on a real Prometheus', { skip: lacking('prometheus') }, async (t) => {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(PAGE);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const folder = t.testdir({
    'prometheus.yml': `global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs: [ { job_name: app, static_configs: [ { targets: [ "127.0.0.1:${port}" ] } ] } ]
`,
  });
  const own = await startProgram(t, {
    ...{ name: 'prometheus', folder, signal: 'SIGKILL' },
    argumentsFor: (listen, attempt) => [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, `data-${attempt}`)}`,
      `--web.listen-address=127.0.0.1:${listen}`,
      '--log.level=warn',
    ],
    isReady: async (listen) => (await answerOf(`http://127.0.0.1:${listen}/-/ready`)) !== null,
  });
  const url = `http://127.0.0.1:${own}`;
  const patience = performance.now() + 30_000;
  while (!(await answerOf(`${url}/api/v1/query?query=queue_depth`))?.includes('"14"') && performance.now() < patience) {
    await pause(50);
  }

  const providers = Object.entries(QUERIES).map(
    ([name, query]): MetricProviderConfig => ({
      name,
      source: { kind: 'prometheus', url, query },
      ...{ timeout: 5_000, retries: 2, every: 1_000, token: null },
    }),
  );
  const readings = new ProviderReadings({ providers: () => providers, clock: systemClock, env: {} });
  t.teardown(() => readings.close());
  const uses = providers.map(({ name: metric }) => ({ metric, window: null }));
  const reader: MetricReader = readings.follow(
    { service: 'shop', canary: 'v2', stable: 'v1', sinceStep: () => 0 },
    uses,
  );
  const read = async (metric: string, side: 'canary' | 'stable' = 'canary'): Promise<MetricValue> => {
    for (;;) {
      const value = reader.read(metric, side, null);
      if (value.note !== 'it has not been read yet' || performance.now() > patience) return value;
      await pause(20);
    }
  };

  t.match(await read('queue'), { value: 14, samples: 1, error: null });
  t.match(await read('queue', 'stable'), { value: 10, error: null });
  t.match(await read('memory'), { value: 150 });
  t.match(await read('growth'), { value: 14 });
  t.match(await read('scalar'), { value: 10.5 });
  t.match(await read('nothing'), { value: null, error: null, note: 'there is no data' });
  t.match(await read('undefined_ratio'), { value: null, error: null, note: 'there is no data' });
  t.match(await read('several'), { value: null, error: /gives 2 series/ });
  t.match(await read('wrong'), { value: null, error: /^answered 400: .*parse error/ });

  const judged = (metric: string, by: number) => {
    const operand: Condition['operand'] = { kind: 'baseline', operator: '*', by };
    const condition: Condition = { text: metric, metric, operator: '<=', operand, window: null };
    return evaluate(condition, reader, 20);
  };
  t.match(judged('queue', 1.5), {
    status: 'pass',
    limit: 15,
    message: 'queue is 14, must be <= 15 (baseline 10 * 1.5)',
  });
  t.match(judged('queue', 1.2), { status: 'fail', value: 14, limit: 12, baseline: 10 });
  t.match(judged('nothing', 1), { status: 'inconclusive', message: 'nothing has no value yet: there is no data' });
  t.match(judged('wrong', 1), { status: 'error', message: /^wrong could not be read: answered 400/ });
});
