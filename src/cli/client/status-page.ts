/**
 * What `sluice status` shows: one line about the server, then per service its table, and below it whatever is not as usual.
 *
 * Nothing is said of what is in order: no alert, no override, no rollback is no line. Columns are the same for every service, so that the eye
 * finds the error rate without reading the header twice.
 */
import type { OpenAlert } from '../../control/monitor/alert-watch.ts';
import type { ServerStatus, ServiceView, VersionView } from '../../control/operations.ts';
import type { RolloutSummary } from '../../control/rollout/view.ts';
import { endpointTable, errorCell } from './endpoint-table.ts';
import { counted, latency, metricText, percent, rate, share, span } from './format.ts';
import type { LiveRate } from './live-rates.ts';
import { printable } from './printable.ts';
import { type Cell, type Paint, type Tone, table } from './table.ts';

export interface StatusPage {
  readonly server: ServerStatus;
  readonly services: readonly ServiceView[];
  /** That are not over. */
  readonly rollouts: readonly RolloutSummary[];
  /** Whether each version's endpoints are listed. */
  readonly endpoints: boolean;
  readonly live: (service: string, version: string) => LiveRate | null;
  readonly paint: Paint;
}

const TITLES = ['VERSION', 'LANE', '>WEIGHT', '>REQ/S', '>ERRORS', '>P50', '>P95', '>P99', '>UP', '>IN FLIGHT'];

export function statusText(page: StatusPage): string {
  const services = page.services.map((service) => `\n${serviceText(service, page)}`);
  const empty = page.services.length === 0 ? '\nNo service is configured.\n' : '';
  return serverText(page.server, page.paint) + services.join('') + empty;
}

function serverText(server: ServerStatus, paint: Paint): string {
  const { workers, store } = server;
  const facts = [
    `sluice ${printable(server.version)}`,
    paint(printable(server.state), server.state === 'serving' ? 'good' : 'warning'),
    `up ${span(server.uptimeMs)}`,
    printable(server.listen.join(', ')),
    paint(
      `${workers.listening}/${counted(workers.configured, 'worker')}`,
      workers.listening < workers.configured ? 'bad' : 'good',
    ),
    `generation ${server.generation}`,
    counted(server.connections, 'connection'),
    `${server.inFlight} in flight`,
  ];
  if (server.environment !== 'default') facts.push(`environment ${printable(server.environment)}`);
  const trouble =
    store.trouble === null ? '' : paint(`The state cannot be written: ${printable(store.trouble.message)}`, 'bad');
  return `${facts.join('  ')}\n${trouble === '' ? '' : `${trouble}\n`}`;
}

function serviceText(service: ServiceView, page: StatusPage): string {
  const { paint } = page;
  const title = `${paint(printable(service.name), 'strong')}  ${printable(service.strategy)}\n`;
  const rows = service.versions.map((version) => versionRow(version, page.live(service.name, version.name)));
  const endpoints = page.endpoints
    ? service.versions.map(
        ({ name, endpoints }) => `\n${paint(printable(name), 'strong')}\n${endpointTable(endpoints, paint)}`,
      )
    : [];
  return `${title}${table(TITLES, rows, paint)}${rolloutLines(service.name, page)}${notes(service, paint)}${endpoints.join('')}`;
}

function versionRow(version: VersionView, live: LiveRate | null): Cell[] {
  const { values, endpoints } = version;
  const up = endpoints.filter(({ available }) => available).length;
  return [
    version.name,
    version.lane ?? '-',
    percent(version.weight),
    rate(live === null ? values.throughput : live.throughput),
    errorCell(live === null ? values.error_rate : live.errorRate),
    latency(values.p50),
    latency(values.p95),
    latency(values.p99),
    { text: `${up}/${endpoints.length}`, tone: upTone(up, endpoints.length) },
    String(version.traffic.inFlight),
  ];
}

/** What runs or waits; the page of a rollout itself is `sluice rollout watch`. */
function rolloutLines(service: string, { rollouts, paint }: StatusPage): string {
  const lines = rollouts
    .filter((rollout) => rollout.service === service)
    .map(({ id, version, phase, step, stepCount, weight, waiting }) => {
      const place = step === 0 ? '' : `, step ${step} of ${stepCount}, ${share(weight)}`;
      const text = printable(`rollout ${id} of ${version}: ${phase}${place}${waiting === null ? '' : `; ${waiting}`}`);
      return `${phase === 'RollingBack' ? paint(text, 'bad') : text}\n`;
    });
  return lines.join('');
}

function upTone(up: number, all: number): Tone {
  if (up === all) return 'good';
  return up === 0 ? 'bad' : 'warning';
}

function notes({ overrides, rollback, alerts }: ServiceView, paint: Paint): string {
  const lines: string[] = [];
  if (rollback !== null) {
    const steps = `${share(rollback.by)} every ${span(rollback.everyMs)}`;
    lines.push(paint(`rolling back by ${steps}: ${printable(rollback.reason)}`, 'warning'));
  }
  for (const alert of alerts) lines.push(paint(alertText(alert), alert.state === 'firing' ? 'bad' : 'warning'));
  if (overrides.length > 0) lines.push(paint(`changed at run time: ${printable(overrides.join(', '))}`, 'faint'));
  return lines.map((line) => `${line}\n`).join('');
}

function alertText({ name, state, metric, value, when, threshold, version, endpoint, for: ms }: OpenAlert): string {
  const of = endpoint === undefined ? version : `${version} ${endpoint}`;
  const now = value === null ? '' : ` is ${metricText(metric, value)},`;
  return printable(
    `alert ${name} ${state} for ${span(ms)}: ${metric} of ${of}${now} ${when} ${metricText(metric, threshold)}`,
  );
}
