/**
 * What came of a storm: plain counts, and the list of everything that a user, or an operator whose change was acknowledged, has lost.
 */
import type { ClientReport } from './chaos-messages.ts';
import type { ChangeCounts, WrkReport } from './storm-load.ts';
import type { TransferReport } from './storm-visitors.ts';

/** MiB: more than what heaps fill up to in the first minutes, less than what pools or snapshots that are kept would come to. */
const MOST_GROWTH = 200;

export interface StormOutcome {
  readonly client: ClientReport;
  /** Null where wrk is not installed. */
  readonly wrk: WrkReport | null;
  readonly webSockets: { readonly opened: number; readonly echoes: number; readonly faults: readonly string[] };
  readonly transfers: TransferReport;
  readonly weights: ChangeCounts & {
    /** Of each, milliseconds: from the store until every worker had acknowledged it, and the whole call. */
    readonly appliedInMs: readonly number[];
    readonly callMs: readonly number[];
  };
  readonly reloads: ChangeCounts & Readonly<Record<'applied' | 'unchanged' | 'rejected', number>>;
  readonly generation: { readonly found: number; readonly expected: number };
  /** Share of `side`'s v2 in the file that was written last, and in what runs. */
  readonly lastFile: { readonly written: number; readonly running: number };
  /** Connections that each lasting upstream accepted while the storm lasted. */
  readonly newConnections: Readonly<Record<string, number>>;
  /** Resident memory of the proxy, MiB, from the beginning to the end. */
  readonly memory: readonly number[];
}

/** Everything that should not have been; empty where nothing was lost. */
export function losses(outcome: StormOutcome): string[] {
  const { client, wrk, webSockets, transfers, weights, reloads, generation, lastFile, newConnections, memory } =
    outcome;
  const lost = [
    ...Object.entries(client.errors).map(([kind, count]) => `client: ${count} × ${kind}`),
    ...(wrk?.complaints ?? []).map((complaint) => `wrk: ${complaint.trim()}`),
    ...webSockets.faults.map((fault) => `WebSocket: ${fault}`),
    ...transfers.faults,
    ...weights.faults,
    ...reloads.faults,
  ];
  if (client.inFlight > 0) lost.push(`client: ${client.inFlight} requests were never answered`);
  if (reloads.rejected > 0) lost.push(`${reloads.rejected} reloads were rejected`);
  if (generation.found !== generation.expected) {
    lost.push(`generation ${generation.found}, with what was acknowledged it must be ${generation.expected}`);
  }
  if (lastFile.running !== lastFile.written) {
    lost.push(`the last file gives side v2 ${lastFile.written} %, what runs ${lastFile.running} %`);
  }
  for (const [name, count] of Object.entries(newConnections)) {
    // A pool that a reload empties is filled again at once, by several connections in each of two workers.
    if (count > reloads.applied) lost.push(`${count} new connections to ${name} in ${reloads.applied} reloads`);
  }
  const growth = (memory.at(-1) ?? 0) - (memory[1] ?? 0);
  if (growth > MOST_GROWTH) lost.push(`${growth} MiB more than at first`);
  return lost;
}
