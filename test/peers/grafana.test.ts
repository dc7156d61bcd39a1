/**
 * The dashboard for Grafana as a file: that it is the one described in test/grafana, and that Grafana can show it.
 *
 * Grafana itself is no package that could be installed here, so what it would refuse or show wrongly is looked for one by one. That the queries have
 * answers is the matter of grafana-live.test.ts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { dashboard } from '../grafana/dashboard.ts';

const CONFIG = join(import.meta.dirname, '../../config');
const read = (file: string): string => readFileSync(join(CONFIG, file), 'utf8');

/** As the file has it: nothing below may lean on what TypeScript knows. */
interface Board {
  readonly schemaVersion: number;
  readonly panels: readonly BoardPanel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; datasource?: unknown }[];
  };
  readonly annotations: { readonly list: readonly { readonly builtIn?: number; readonly datasource: unknown }[] };
}

interface BoardPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: unknown;
  readonly fieldConfig: {
    readonly defaults: { readonly unit?: string; readonly thresholds: { steps: { value: unknown }[] } };
  };
  readonly targets: readonly {
    readonly expr: string;
    readonly refId: string;
    readonly legendFormat: string;
    datasource: unknown;
  }[];
}

const text = read('grafana/sluice.json');
const board = JSON.parse(text) as Board;
const panels = board.panels.filter(({ type }) => type !== 'row');
const SELECTED = { type: 'prometheus', uid: `\${datasource}` };

t.test('the file is what its description makes; `npm run grafana` writes it', async (t) => {
  t.strictSame(board, JSON.parse(JSON.stringify(dashboard)));
});

t.test('every panel has a number and a place of its own', async (t) => {
  const ids = board.panels.map(({ id }) => id);
  t.equal(new Set(ids).size, ids.length);
  const taken = new Map<string, string>();
  for (const { title, gridPos } of board.panels) {
    t.ok(gridPos.x >= 0 && gridPos.w > 0 && gridPos.x + gridPos.w <= 24, `${title} is within 24 columns`);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        const other = taken.get(`${x} ${y}`);
        if (other !== undefined) t.fail(`${title} lies on ${other}`);
        taken.set(`${x} ${y}`, title);
      }
    }
  }
  const rows = board.panels.filter(({ type }) => type === 'row');
  t.ok(rows.length >= 8 && board.panels[0]?.type === 'row');
});

t.test('every panel is of a kind that needs no plugin, says what it shows, and has a unit', async (t) => {
  t.strictSame([...new Set(panels.map(({ type }) => type))].sort(), ['stat', 'state-timeline', 'table', 'timeseries']);
  const titles = panels.map(({ title }) => title);
  t.equal(new Set(titles).size, titles.length, 'titles are unique');
  for (const { title, description, fieldConfig, targets } of panels) {
    t.match(description, /^[A-Z`0-9].{10,}\.$/s, `${title} has a description`);
    t.match(fieldConfig.defaults.unit, /^[a-z]+$/, `${title} has a unit`);
    const steps = fieldConfig.defaults.thresholds.steps.map(({ value }) => value);
    t.strictSame(
      [steps[0], [...steps.slice(1)].sort()],
      [null, steps.slice(1)],
      `thresholds of ${title} rise from null`,
    );
    t.strictSame(
      [...new Set(targets.map(({ refId }) => refId))].length,
      targets.length,
      `queries of ${title} have letters`,
    );
  }
  for (const { type, title, targets } of panels) {
    if (type === 'table') continue;
    for (const { legendFormat } of targets) t.ok(legendFormat.length > 0, `a legend in ${title}`);
  }
});

t.test('everything asks the Prometheus that was chosen', async (t) => {
  for (const { title, datasource, targets } of panels) {
    t.strictSame(
      [datasource, ...targets.map((target) => target.datasource)],
      [datasource, ...targets.map(() => SELECTED)],
    );
    t.strictSame(datasource, SELECTED, title);
  }
  for (const { name, type, datasource } of board.templating.list) {
    if (type !== 'datasource') t.strictSame(datasource, SELECTED, name);
  }
  for (const { builtIn, datasource } of board.annotations.list) if (builtIn !== 1) t.strictSame(datasource, SELECTED);
});

t.test('every variable that is used is there', async (t) => {
  const declared = new Set(board.templating.list.map(({ name }) => name));
  const used = new Set([...text.matchAll(/\$\{?([A-Za-z]\w*)/g)].map(([, name]) => name ?? ''));
  for (const name of used) t.ok(declared.has(name), name);
  for (const name of declared) t.ok(used.has(name), `${name} is used`);
  t.strictSame([...declared], ['datasource', 'instance', 'service', 'version']);
  const own = new Set([...text.matchAll(/\$\{?(__[A-Za-z_.]+)/g)].map(([, name]) => name));
  t.strictSame([...own].sort(), [
    '__all',
    '__dashboard.uid',
    '__interval',
    '__rate_interval',
    '__url_time_range',
    '__value.text',
  ]);
});

t.test('a lane has one colour everywhere', async (t) => {
  const colours = new Map<string, Set<string>>();
  for (const [, lane, colour] of text.matchAll(/\/ (stable|canary|candidate)\$\/.*?"fixedColor": "(\w+)"/gs)) {
    colours.set(lane ?? '', (colours.get(lane ?? '') ?? new Set()).add(colour ?? ''));
  }
  t.strictSame([...colours].map(([lane, of]) => [lane, ...of]).sort(), [
    ['canary', 'orange'],
    ['candidate', 'purple'],
    ['stable', 'blue'],
  ]);
});

t.test('provisioning', async (t) => {
  const { datasources } = parse(read('grafana/provisioning/datasources/prometheus.yaml'));
  const { global } = parse(read('prometheus/prometheus.yaml'));
  t.match(datasources, [{ type: 'prometheus', access: 'proxy', isDefault: true }]);
  t.equal(datasources[0].jsonData.timeInterval, global.scrape_interval, 'Grafana knows how often Prometheus asks');
  const { apiVersion, providers } = parse(read('grafana/provisioning/dashboards/sluice.yaml'));
  t.match([apiVersion, providers], [1, [{ type: 'file', options: { path: '/var/lib/grafana/dashboards' } }]]);
});
