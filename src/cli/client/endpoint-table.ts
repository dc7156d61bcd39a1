/**
 * The endpoints of a version as a table. STATE is the one word that decides whether requests are sent there: what the operator said comes
 * before what the checks found, because an operator who has disabled an endpoint wants to see that first.
 */
import type { EndpointView } from '../../control/operations.ts';
import { latency, percent, rate } from './format.ts';
import { type Cell, type Paint, table } from './table.ts';

const TITLES = ['ENDPOINT', 'STATE', '>WEIGHT', '>REQ/S', '>ERRORS', '>P50', '>P95', '>P99', '>IN FLIGHT'];

export function endpointTable(endpoints: readonly EndpointView[], paint: Paint): string {
  const rows = endpoints.map((endpoint): Cell[] => [
    endpoint.url,
    endpointState(endpoint),
    String(endpoint.weight),
    rate(endpoint.values.throughput),
    errorCell(endpoint.values.error_rate),
    latency(endpoint.values.p50),
    latency(endpoint.values.p95),
    latency(endpoint.values.p99),
    String(endpoint.inFlight),
  ]);
  return table(TITLES, rows, paint);
}

function endpointState({ state, healthy, ejected }: EndpointView): Cell {
  if (state !== 'enabled') return { text: state, tone: 'warning' };
  if (!healthy) return { text: 'unhealthy', tone: 'bad' };
  return ejected ? { text: 'ejected', tone: 'bad' } : { text: 'up', tone: 'good' };
}

/** Percent. Any error is worth a colour, from 1 % on the strong one. */
export function errorCell(value: number | null): Cell {
  const text = percent(value);
  if (value === null || value <= 0) return text;
  return { text, tone: value >= 1 ? 'bad' : 'warning' };
}
