/**
 * One scenario: all proxies start, each is warmed up, then rounds go round the field; the medians of the rounds are the result.
 *
 * Rounds are interleaved and each begins one place further on, so that a slow minute of the machine meets everybody and not one proxy. A proxy
 * is fresh in every scenario: its peak memory is the scenario's own. The figure that counts is processor time per request; it hardly
 * depends on how well the load generator keeps up, which requests per second do.
 *
 * A round with a wrong answer makes the cell invalid; nothing is measured again until it fits.
 */
import { type Arena, type Contestant, startProxy, startUpstream } from './arena.ts';
import { checkScenario } from './checks.ts';
import { applyLoad, type LoadResult } from './load.ts';
import { type Plan, warmUpSeconds } from './options.ts';
import { machineBusyMicroseconds, ownCpuMicroseconds, treeCpuMicroseconds, treeMemory } from './proc-stat.ts';
import { type Child, logTail, stop } from './processes.ts';
import type { ProxySetup } from './proxies/proxy-setup.ts';
import type { Scenario } from './scenarios.ts';

export interface Round {
  readonly cpuUs: number;
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Share of one core that the proxy used. Well below 1, the load generator or the upstream was the limit. */
  readonly coreShare: number;
  /** Processor time that no process of the benchmark used, in cores: 0 on a quiet machine. */
  readonly othersShare: number;
}

export interface Figures extends Round {
  readonly peakKiB: number;
  /** CPU per request of the round that was disturbed least. */
  readonly leastCpuUs: number;
  /** Highest minus lowest CPU per request of the rounds, over their median. */
  readonly cpuSpread: number;
}

export type Cell =
  | { readonly figures: Figures; readonly fault: null }
  | { readonly figures: null; readonly fault: string };

/** Where the rounds of one scenario take place. */
interface Place {
  readonly arena: Arena;
  readonly scenario: Scenario;
  readonly upstream: Child;
}

interface Entry {
  readonly proxy: ProxySetup;
  readonly contestant: Contestant | null;
  readonly rounds: Round[];
  fault: string | null;
}

export async function measureScenario(
  arena: Arena,
  plan: Plan,
  scenario: Scenario,
  proxies: readonly ProxySetup[],
): Promise<Map<string, Cell>> {
  const upstream = await startUpstream(arena, scenario.upstream);
  const place: Place = { arena, scenario, upstream: upstream.child };
  const entries = await Promise.all(proxies.map((proxy) => enter(arena, proxy, upstream.port)));
  for (const entry of entries) {
    if (entry.contestant === null) continue;
    entry.fault = await checkScenario(entry.contestant.port, scenario);
    if (entry.fault === null) await oneRound(place, entry, warmUpSeconds(plan, entry.proxy));
  }
  for (const entry of entries) entry.rounds.length = 0;
  for (let round = 0; round < plan.rounds * scenario.roundsFactor; round++) {
    for (let turn = 0; turn < entries.length; turn++) {
      const entry = entries[(round + turn) % entries.length]!;
      if (entry.fault === null) await oneRound(place, entry, plan.roundSeconds);
    }
  }
  const cells = new Map(entries.map((entry) => [entry.proxy.id, cellOf(entry)]));
  await Promise.all([
    ...entries.map((entry) => entry.contestant && stop(entry.contestant.child)),
    stop(upstream.child),
  ]);
  return cells;
}

async function enter(arena: Arena, proxy: ProxySetup, upstreamPort: number): Promise<Entry> {
  try {
    return { proxy, contestant: await startProxy(arena, proxy, upstreamPort), rounds: [], fault: null };
  } catch (error) {
    return { proxy, contestant: null, rounds: [], fault: (error as Error).message };
  }
}

async function oneRound(place: Place, entry: Entry, seconds: number): Promise<void> {
  const { arena, scenario, upstream } = place;
  const { child, port } = entry.contestant!;
  const ours = () => ownCpuMicroseconds(process.pid) + treeCpuMicroseconds(upstream.pid);
  // The machine's counter and the clock are read nearest to the load: on a starved machine the other looks take a while.
  const oursBefore = ours();
  const cpuBefore = treeCpuMicroseconds(child.pid);
  const busyBefore = machineBusyMicroseconds();
  const startedAt = performance.now();
  let load: LoadResult;
  try {
    load = await applyLoad(port, scenario, seconds, arena.pinning.loadCores, arena.directory);
  } catch (error) {
    entry.fault = (error as Error).message;
    return;
  }
  const wallUs = (performance.now() - startedAt) * 1000;
  const busy = machineBusyMicroseconds() - busyBefore;
  const cpu = treeCpuMicroseconds(child.pid) - cpuBefore;
  const others = busy - cpu - (ours() - oursBefore);
  entry.fault = load.fault;
  if (!child.isRunning()) entry.fault = `it ended: ${logTail(child)}`;
  entry.rounds.push({
    cpuUs: cpu / load.requests,
    requestsPerSecond: load.requestsPerSecond,
    p50Us: load.p50Us,
    p99Us: load.p99Us,
    coreShare: cpu / wallUs,
    othersShare: Math.max(0, others) / wallUs,
  });
}

function cellOf({ fault, rounds, contestant }: Entry): Cell {
  if (fault !== null || contestant === null) return { figures: null, fault: fault ?? 'it did not start' };
  const costs = rounds.map((round) => round.cpuUs);
  const cpuUs = median(costs);
  return {
    fault: null,
    figures: {
      cpuUs,
      leastCpuUs: Math.min(...costs),
      cpuSpread: (Math.max(...costs) - Math.min(...costs)) / cpuUs,
      requestsPerSecond: median(rounds.map((round) => round.requestsPerSecond)),
      p50Us: median(rounds.map((round) => round.p50Us)),
      p99Us: median(rounds.map((round) => round.p99Us)),
      coreShare: median(rounds.map((round) => round.coreShare)),
      othersShare: median(rounds.map((round) => round.othersShare)),
      peakKiB: treeMemory(contestant.child.pid).peakKiB,
    },
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
