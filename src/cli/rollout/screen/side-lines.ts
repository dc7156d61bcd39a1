/**
 * Stable and canary side by side, row by row: the last ten seconds, and what users got since the rollout began.
 */
import type { RolloutView, SideView } from '../../../control/rollout/view.ts';
import { errorCell } from '../../client/endpoint-table.ts';
import { count, latency, rate } from '../../client/format.ts';
import { type Cell, type Paint, table } from '../../client/table.ts';

const TITLES = ['', '>REQ/S', '>ERRORS', '>P50', '>P95', '>P99', '>IN FLIGHT', '>SHIELDED', '>USER ERR'];

export function sideLines({ baseline, canary }: RolloutView, paint: Paint): string[] {
  const text = table(TITLES, [row('stable', baseline), row('canary', canary)], paint);
  return text.trimEnd().split('\n');
}

function row(side: string, view: SideView): Cell[] {
  const { throughput, errorRate, p50, p95, p99, inFlight, shielded, userErrors } = view;
  const percentiles = [p50, p95, p99].map((each) => latency(each));
  const hurt: Cell = userErrors > 0 ? { text: count(userErrors), tone: 'bad' } : count(userErrors);
  return [side, rate(throughput), errorCell(errorRate), ...percentiles, count(inFlight), count(shielded), hurt];
}
