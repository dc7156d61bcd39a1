/** What docs/metrics.md lists is what is exposed: the same rows, and no sample without one. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { METRICS } from '../../src/control/metrics/metric-table.ts';
import { DISABLED, EJECTED, setFlag } from '../../src/model/endpoint-table.ts';
import { Stage, TWO_VERSIONS } from './metrics-stage.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8');

/** Every feature on. */
const EVERYTHING = `${TWO_VERSIONS}    retry: {}
    shield: {}
    hedge: { after: 50ms }
    affinity: { cookie: session }
    circuit: { maxRequests: 5 }
    outlier: {}
`;

t.test('the page lists exactly the metrics of the table', async (t) => {
  const rows = Object.entries(METRICS).map(
    ([name, { type, labels, help }]) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${help} |`,
  );
  t.strictSame(
    PAGE.split('\n').filter((line) => line.startsWith('| `')),
    rows,
  );
  const mentioned = new Set(PAGE.match(/\bsluice_[a-z_]+/g));
  for (const name of mentioned) t.ok(name.replace(/_(bucket|sum|count)$/, '') in METRICS, name);
});

t.test('every metric of the table is exposed with its labels, type and help, and nothing else is', async (t) => {
  const stage = new Stage(t, EVERYTHING, {
    pushed: () => [{ service: 'shop', version: 'v1', metric: 'memory', value: 1 }],
    rollouts: () => [
      {
        ...{ service: 'shop', id: 'shop-1', phase: 'Progressing', step: 1, waiting: false, failures: 2 },
        tests: [{ test: 'errors', state: 'watching', logE: 1, threshold: 7.6, message: '' }],
      },
    ],
    rolloutsEnded: () => [{ service: 'shop', phase: 'RolledBack', count: 1 }],
    alerts: () => [
      {
        ...{ name: 'errors', state: 'firing', service: 'shop', version: 'v1', metric: 'error_rate' },
        ...{ value: 9, when: 'above', threshold: 5, for: 0 },
      },
    ],
  });
  stage.answer('v1', 200);
  stage.answer(null, 404);
  setFlag(stage.endpoints, 0, EJECTED);
  setFlag(stage.endpoints, 1, DISABLED);
  const scrape = await stage.scrape();
  const suffixes = { counter: [''], gauge: [''], histogram: ['_bucket', '_sum', '_count'] };
  const known = new Set<string>();
  for (const [name, { type, labels, help }] of Object.entries(METRICS)) {
    t.ok(scrape.body.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`), `head of ${name}`);
    for (const suffix of suffixes[type]) {
      known.add(name + suffix);
      const found = new Set(scrape.lines(name + suffix).map((line) => Object.keys(line.labels).sort().join()));
      const wanted = [...labels, ...(suffix === '_bucket' ? ['le'] : [])].sort().join();
      t.strictSame([...found], [wanted], name + suffix);
    }
  }
  for (const name of scrape.names) t.ok(known.has(name) || /^(process|nodejs)_/.test(name), name);
});
