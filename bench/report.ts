/**
 * The document of a run: markdown, made from the results alone, so that a table can never say what was not measured.
 *
 * The columns are padded: the same text is the table on the terminal. A cell without figures says why it has none. `notes.md`, written by hand, is
 * appended when it exists: where the time goes and what was tried.
 */
import type { DecisionFigures } from './decision.ts';
import type { IdleMemory } from './idle-memory.ts';
import { idleConnections } from './idle-memory.ts';
import type { Machine, Pinning } from './machine.ts';
import { type Cell, type Figures, median } from './measure.ts';
import type { Plan } from './options.ts';
import type { ProxySetup } from './proxies/proxy-setup.ts';
import type { Scenario } from './scenarios.ts';

export interface Results {
  readonly date: string;
  readonly commandLine: string;
  readonly machine: Machine;
  readonly pinning: Pinning;
  /** Name and version of everything that took part. */
  readonly versions: ReadonlyMap<string, string>;
  readonly rounds: number;
  readonly roundSeconds: number;
  readonly warmUp: Plan['warmUp'];
  /** Proxies that were measured, in the order of the report. */
  readonly proxies: readonly ProxySetup[];
  /** Proxies that were not, and why. */
  readonly leftOut: ReadonlyMap<string, string>;
  readonly scenarios: readonly { readonly scenario: Scenario; readonly cells: ReadonlyMap<string, Cell> }[];
  readonly idleMemory: ReadonlyMap<string, IdleMemory>;
  /** Phases 3 to 6; empty where they were not asked for. */
  readonly decisions: readonly DecisionFigures[];
  /** Wrong answers and failures; a run with any is refused. */
  readonly faults: readonly string[];
}

interface Budget {
  readonly against: string;
  readonly title: string;
  readonly budget: number;
  readonly goal: number;
}

/** Design, section 7: CPU per request of Sluice as a multiple of the other's. */
const budgets: readonly Budget[] = [
  { against: 'nginx', title: 'nginx', budget: 1.6, goal: 1.25 },
  { against: 'nginx-buffering', title: 'nginx, buffering', budget: 1.6, goal: 1.25 },
  { against: 'http-proxy', title: 'http-proxy', budget: 0.3, goal: 0.22 },
  { against: 'caddy', title: 'Caddy', budget: 0.45, goal: 0.35 },
];

/** A proxy's core is called busy from here on; below, requests/s is the load generator's or the upstream's limit. */
const busyShare = 0.9;

/** Foreign load, in cores, above which figures are not to be relied on. */
const quietShare = 0.1;

export function renderDocument(results: Results, reference: ProxySetup, notes: string | null): string {
  const parts = [
    '# Benchmark results',
    'Made by `npm run bench`; do not edit. Method and limits: [README.md](README.md).',
    results.faults.length === 0 ? '' : refusal(results.faults),
    renderTables(results, reference),
    '## The run',
    describeRun(results),
    notes ?? '',
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** The part that is also printed on the terminal. */
export function renderTables(results: Results, reference: ProxySetup): string {
  const parts: string[] = [];
  if (results.scenarios.length > 0) {
    parts.push(`## CPU per request, as a multiple of ${reference.title}`, summary(results, reference));
    const verdicts = againstBudgets(results);
    if (verdicts !== '') parts.push(verdicts);
  }
  for (const { scenario, cells } of results.scenarios) {
    parts.push(`## ${scenario.title}`, describeScenario(scenario), detail(results.proxies, cells, reference));
  }
  if (results.decisions.length > 0) parts.push('## Routing decision (phases 3 to 6)', decisionTable(results.decisions));
  if (results.idleMemory.size > 0)
    parts.push(`## ${idleConnections.toLocaleString('en')} idle connections`, idle(results));
  return parts.join('\n\n');
}

function refusal(faults: readonly string[]): string {
  return `**This run is not valid.** Cells with a fault have no figures.\n\n${faults.map((fault) => `- ${fault}`).join('\n')}`;
}

function summary({ scenarios, proxies }: Results, reference: ProxySetup): string {
  const rows = proxies.map((proxy) => [
    proxy.title,
    ...scenarios.map(({ cells }) => {
      const own = cells.get(proxy.id)?.figures;
      const other = cells.get(reference.id)?.figures;
      return own == null ? 'invalid' : other == null ? '–' : (own.cpuUs / other.cpuUs).toFixed(2);
    }),
  ]);
  return table(['', ...scenarios.map(({ scenario }) => scenario.id)], rows);
}

function againstBudgets({ scenarios, decisions }: Results): string {
  const rows: string[][] = [];
  const compare = (id: string, proxy: string, title: string, { against, budget, goal, title: other }: Budget): void => {
    const cells = scenarios.find(({ scenario }) => scenario.id === id)?.cells;
    const own = cells?.get(proxy)?.figures;
    const reference = cells?.get(against)?.figures;
    if (own == null || reference == null) return;
    const ratio = own.leastCpuUs / reference.leastCpuUs;
    rows.push([
      `${title} ÷ ${other}`,
      (own.cpuUs / reference.cpuUs).toFixed(2),
      ratio.toFixed(2),
      budget.toFixed(2),
      goal.toFixed(2),
      verdict(ratio, budget, goal),
    ]);
  };
  for (const budget of budgets) compare('small', 'sluice', 'CPU of a small GET, Sluice', budget);
  compare('session', 'sluice-all', 'CPU of a GET in a session, Sluice with all on', budgets[0]!);
  if (decisions.length > 0) {
    const worst = Math.max(...decisions.map(({ p95 }) => p95));
    const title = 'routing decision, p95 of the slowest case, µs';
    rows.push([title, worst.toFixed(2), '', '5.00', '2.00', verdict(worst, 5, 2)]);
  }
  return rows.length === 0 ? '' : table(['', 'median', 'least', 'budget', 'goal', ''], rows);
}

const verdict = (value: number, budget: number, goal: number): string =>
  value <= goal ? 'goal met' : value <= budget ? 'within the budget' : 'over the budget';

function decisionTable(decisions: readonly DecisionFigures[]): string {
  const rows = decisions.map(({ title, p50, p95, p99 }) => [title, p50.toFixed(2), p95.toFixed(2), p99.toFixed(2)]);
  return table(['µs, one decision at a time', 'p50', 'p95', 'p99'], rows);
}

function describeScenario(scenario: Scenario): string {
  const what = scenario.uploadBytes > 0 ? `POST ${scenario.path}` : `GET ${scenario.path}`;
  return `\`${scenario.id}\`: ${what}, ${scenario.connections.toLocaleString('en')} connections.`;
}

function detail(proxies: readonly ProxySetup[], cells: ReadonlyMap<string, Cell>, reference: ProxySetup): string {
  const referenceFigures = cells.get(reference.id)?.figures ?? null;
  const rows = proxies.map((proxy) => {
    const cell = cells.get(proxy.id);
    if (cell?.figures == null) return [proxy.title, `invalid: ${oneLine(cell?.fault ?? 'not measured')}`];
    return [proxy.title, ...figureColumns(cell.figures, referenceFigures)];
  });
  const header = [
    '',
    'CPU µs/request',
    'spread',
    `× ${reference.title}`,
    'least µs',
    `× ${reference.title}`,
    'requests/s',
    'p50 ms',
    'p99 ms',
    'peak RSS MiB',
    'core',
  ];
  return table(header, rows);
}

const micros = (value: number): string => (value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en'));

function figureColumns(figures: Figures, reference: Figures | null): string[] {
  return [
    micros(figures.cpuUs),
    `${(figures.cpuSpread * 100).toFixed(0)} %`,
    reference === null ? '–' : (figures.cpuUs / reference.cpuUs).toFixed(2),
    micros(figures.leastCpuUs),
    reference === null ? '–' : (figures.leastCpuUs / reference.leastCpuUs).toFixed(2),
    Math.round(figures.requestsPerSecond).toLocaleString('en'),
    (figures.p50Us / 1000).toFixed(2),
    (figures.p99Us / 1000).toFixed(2),
    (figures.peakKiB / 1024).toFixed(0),
    `${(figures.coreShare * 100).toFixed(0)} %${figures.coreShare < busyShare ? ' ¹' : ''}`,
  ];
}

function idle({ idleMemory, proxies }: Results): string {
  const rows: string[][] = [];
  for (const proxy of proxies) {
    const memory = idleMemory.get(proxy.id);
    if (memory === undefined) continue;
    if (memory.fault !== null) rows.push([proxy.title, `invalid: ${oneLine(memory.fault)}`]);
    else rows.push([proxy.title, memory.kibPerConnection.toFixed(1), (memory.totalKiB / 1024).toFixed(0)]);
  }
  return table(['', 'KiB per connection', 'RSS MiB with them'], rows);
}

function describeRun(results: Results): string {
  const { machine, pinning } = results;
  const lines = [
    `- Date: ${results.date}. Command: \`${results.commandLine}\`.`,
    `- Machine: ${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}.`,
    pinning.proxyCore === null
      ? '- Nothing was pinned to a core (one core only, or no taskset): compare with care.'
      : `- The proxy under test had core ${pinning.proxyCore}; load, upstream and harness had ${pinning.loadCores}.`,
    `- Rounds: ${results.rounds} of ${results.roundSeconds} s after a warm-up of ${results.warmUp.compiledSeconds} s (${results.warmUp.justInTimeSeconds} s in JavaScript), interleaved; medians.`,
    `- Versions: ${[...results.versions].map(([name, version]) => `${name} ${version}`).join(', ')}.`,
    ...results.proxies.map((proxy) => `- ${proxy.title}: ${proxy.note}.`),
    ...[...results.leftOut].map(([title, reason]) => `- Not measured: ${title} (${oneLine(reason)}).`),
    '- Spread: highest minus lowest round over the median, CPU per request. Core: the share of its core that the proxy used; ' +
      `¹ below ${busyShare * 100} %, where load or upstream, or the client side of the connections, was the limit of requests/s.`,
  ];
  const quietness = describeQuietness(results);
  if (quietness !== null) lines.push(`- ${quietness}`);
  return lines.join('\n');
}

/** How much else ran on the machine meanwhile, and whether the figures may be quoted; null when no scenario was measured. */
export function describeQuietness(results: Results): string | null {
  const others = results.scenarios.flatMap(({ cells }) =>
    [...cells.values()].flatMap((cell) => (cell.figures === null ? [] : [cell.figures.othersShare])),
  );
  if (others.length === 0) return null;
  const usual = median(others);
  const verdict = usual > quietShare ? ' **The machine was not quiet: do not quote these figures.**' : '';
  const [shown, worst] = [usual.toFixed(2), Math.max(...others).toFixed(2)];
  return `Processor time taken by anything else meanwhile, in cores: median ${shown}, worst cell ${worst}.${verdict}`;
}

/** A markdown table whose columns line up in plain text: the first one to the left, figures to the right. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, column) => Math.max(3, name.length, ...rows.map((row) => fitted(row, column))));
  const line = (cells: readonly string[]) =>
    `| ${header.map((_, column) => pad(cells[column] ?? '', widths[column]!, column === 0)).join(' | ')} |`;
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(header), line(rule), ...rows.map(line)].join('\n');
}

/** A row that is cut short carries a sentence in its last cell; it may stick out and must not widen a column of figures. */
function fitted(row: readonly string[], column: number): number {
  const cell = row[column] ?? '';
  return cell.startsWith('invalid:') ? 0 : cell.length;
}

function pad(cell: string, width: number, left: boolean): string {
  return left ? cell.padEnd(width) : cell.padStart(width);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replaceAll('|', '/').slice(0, 200);
}
