/**
 * A real Prometheus with our configuration and rules scrapes a real Sluice under traffic, in the middle of a rollout, with failures that are retried,
 * shielded and seen; and every query of the dashboard and every rule is asked.
 *
 * What is changed for the test: everything happens every second, and rates look ten seconds back. Every query must have an answer, because there is
 * everything here that one could ask for. Alerts must not, so of them it is the metrics they are made of that must be there; that they fire when they
 * should is what `promtool test rules` says (prometheus-rules.test.ts).
 */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { dashboard } from '../grafana/dashboard.ts';
import { lacking } from './commands.ts';
import { eventually, newSite, type Running, type Site, startControl } from './control-process.ts';
import { type Prometheus, type Sample, startPrometheus } from './prometheus-server.ts';
import { say, started, Users } from './rollout-site.ts';

const RULES = join(import.meta.dirname, '../../config/prometheus');
const read = (file: string): string => readFileSync(join(RULES, file), 'utf8');

/** Our own file, with other addresses and every second. */
const prometheusConfig = ({ adminPort }: Site): string =>
  read('prometheus.yaml')
    .replaceAll('15s', '1s')
    .replace('127.0.0.1:9901', `127.0.0.1:${adminPort}`)
    .replaceAll(/- (\w+-rules\.yaml)/g, (_, file: string) => `- ${join(RULES, file)}`);

/** Fails every twentieth request with one status, and every hundredth with another: both versions at once in one of ten would be an incident. */
async function upstream(t: Test, twentieth: number, hundredth: number): Promise<string> {
  let asked = 0;
  const server = createServer((request, response) => {
    request.resume();
    if (request.url !== '/health') {
      asked++;
      if (asked % 100 === 0) response.statusCode = hundredth;
      else if (asked % 20 === 0) response.statusCode = twentieth;
    }
    response.end();
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Everything on that has metrics of its own. v1 fails so that it is retried, or seen; v2 so that it is shielded. */
async function configOf(t: Test, site: Site): Promise<object> {
  const [a, b, c] = await Promise.all([upstream(t, 503, 500), upstream(t, 503, 500), upstream(t, 500, 500)]);
  return {
    ...{ listen: `127.0.0.1:${site.proxyPort}`, workers: 2, data: site.data, timeouts: { drain: '200ms' } },
    admin: { listen: `127.0.0.1:${site.adminPort}` },
    services: {
      shop: {
        versions: { v1: { endpoints: [a, b] }, v2: { endpoints: [c] } },
        ...{ lanes: { stable: 'v1' }, affinity: { cookie: 'session' }, health: { path: '/health' } },
        ...{ retry: { on: [503] }, shield: {}, hedge: { after: '2s' }, outlier: { consecutive5xx: 1000 } },
        circuit: { maxRequests: 1000 },
      },
    },
    // Both versions fail alike, which no test holds against v2; the step lasts as long as it is looked at.
    strategies: { watched: { evidence: { latency: 'off' }, steps: [{ weight: 30, for: '1h' }] } },
  };
}

/** With the dashboard's variables filled in as for one service and everything else. */
const filled = (expression: string): string =>
  expression
    .replaceAll('$__rate_interval', '10s')
    .replaceAll('$__interval', '3s')
    .replaceAll('$service', 'shop')
    .replaceAll(/\$(instance|version)/g, '.+');

interface Board {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
  readonly annotations: {
    readonly list: readonly { readonly name: string; readonly target: { readonly expr?: string } }[];
  };
}
const board = dashboard as unknown as Board;

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
}
const rulesOf = (file: string): readonly Rule[] =>
  (parse(read(file)) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules);

/** Asks until there is an answer; the limit is only reached by a query that has none. */
async function answered(t: Test, prometheus: Prometheus, name: string, expression: string): Promise<readonly Sample[]> {
  let samples: readonly Sample[] = [];
  await eventually(name, async () => {
    samples = await prometheus.query(expression);
    return samples.length > 0;
  }).catch(() => t.fail(`${name} has no answer: ${expression}`));
  for (const { value, metric } of samples)
    t.ok(Number.isFinite(value), `${name} ${JSON.stringify(metric)} is ${value}`);
  return samples;
}

t.test('every query has an answer', { skip: lacking('prometheus') }, async (t) => {
  const site = await newSite(t);
  const config = await configOf(t, site);
  const running: Running = await startControl(t, site, JSON.stringify(config));
  const prometheus = await startPrometheus(t, prometheusConfig(site));
  const users = new Users(t, site, 8, 4);
  const { id } = await started(running, 'v2', { strategy: 'watched' });
  await users.more(500);

  for (const { title, targets = [] } of board.panels) {
    for (const { expr } of targets) await answered(t, prometheus, `panel ${title}`, filled(expr));
  }

  await t.test('a lane is one series, with its version', async (t) => {
    const rates = board.panels.find(({ title }) => title === 'Error rate of attempts')?.targets?.[0]?.expr ?? '';
    const lanes = await prometheus.query(filled(rates));
    t.strictSame(lanes.map(({ metric }) => `${metric.version} ${metric.lane}`).sort(), ['v1 stable', 'v2 canary']);
    for (const { value } of lanes) t.ok(value > 0.02 && value < 0.1, `one in twenty attempts fails: ${value}`);
  });

  await t.test('variables', async (t) => {
    for (const { name, definition } of board.templating.list) {
      if (definition === undefined) continue;
      const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(definition) ?? [];
      const values = await answered(t, prometheus, name, filled(`count by (${label}) (${selector})`));
      const found = values.map(({ metric }) => metric[label]).sort();
      const wanted = { instance: [`127.0.0.1:${site.adminPort}`], service: ['shop'], version: ['v1', 'v2'] };
      t.strictSame(found, wanted[name as keyof typeof wanted], name);
    }
  });

  await t.test('recording rules', async (t) => {
    for (const { record = '' } of rulesOf('recording-rules.yaml')) await answered(t, prometheus, record, record);
  });

  await t.test('alerts can be asked, and what they are made of is there', async (t) => {
    for (const { alert = '', expr } of rulesOf('alert-rules.yaml')) {
      await prometheus.query(expr);
      for (const name of new Set(expr.match(/\b(?:sluice|process|nodejs|service)_?\w*[_:][\w:]+(?=[\s{[)]|$)/g))) {
        await answered(t, prometheus, `${name} of ${alert}`, `count(${name})`);
      }
    }
  });

  await t.test('marks: a phase that begins, an alert that fires', async (t) => {
    const marks = new Map(board.annotations.list.map(({ name, target }) => [name, target.expr ?? '']));
    await say(running, id, 'pause', { reason: 'a mark' });
    const phases = await answered(t, prometheus, 'phases', filled(marks.get('Rollout phases') ?? ''));
    t.match(phases, [{ metric: { rollout: id, phase: 'Paused' }, value: 1 }]);

    writeFileSync(site.file, JSON.stringify({ ...config, workers: 'none' }));
    await running.calls.call('POST', '/api/v1/config/reload');
    const alerts = await answered(t, prometheus, 'alerts', filled(marks.get('Firing alerts') ?? ''));
    t.match(alerts, [{ metric: { alertname: 'SluiceConfigRejected', severity: 'warning' } }]);
  });
});
