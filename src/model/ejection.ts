/**
 * The ejection of an endpoint as shared memory has it: who may be ejected, and what is written when one is and when it is back.
 *
 * The cap holds outliers to what their version can spare. At most `maxEjectionPercent` of the endpoints are out at once, but one may
 * always be where there are several, and never the last one that is available: answers of a bad endpoint are worth more than none. Two settings mean
 * what they say: 100 lifts the cap altogether, 0 allows no ejection. A version other than stable has no cap (`mayEmpty`): when its last
 * endpoint is ejected its requests go to stable, which is what a failing canary is wanted to do.
 *
 * Envoy counts only the share and sends requests everywhere once too few endpoints are left (its panic mode); here panic is off unless
 * configured, so the last endpoint is kept instead. Workers and the control plane apply the rule each for itself: two of them may both take the
 * last place in the same instant, and the outlier monitor then gives one back.
 */
import type { EndpointTable } from './endpoint-table.ts';
import {
  CONSECUTIVE_5XX,
  CONSECUTIVE_GATEWAY,
  CONSECUTIVE_LOCAL,
  clearFlag,
  EJECTED,
  EJECTION_EVENTS,
  EJECTIONS,
  endpointRow,
  flagsOf,
  setFlag,
} from './endpoint-table.ts';

/** What the cap depends on. */
export interface EjectionCap {
  /** Most endpoints that are ejected at once. */
  readonly most: number;
  /** Whether the last available endpoint stays. */
  readonly keepsLast: boolean;
}

export function ejectionCap(endpoints: number, maxEjectionPercent: number, mayEmpty: boolean): EjectionCap {
  if (maxEjectionPercent === 0) return { most: 0, keepsLast: true };
  if (mayEmpty || maxEjectionPercent >= 100) return { most: endpoints, keepsLast: false };
  return { most: Math.max(1, Math.floor((endpoints * maxEjectionPercent) / 100)), keepsLast: true };
}

/** Ejects an endpoint of the version `endpointIds` if the cap allows. @returns whether it did. */
export function eject(
  table: EndpointTable,
  endpointIds: readonly number[],
  endpointId: number,
  cap: EjectionCap,
): boolean {
  let ejected = 0;
  let othersAvailable = 0;
  for (let i = 0; i < endpointIds.length; i++) {
    const id = endpointIds[i]!;
    const flags = flagsOf(table, id);
    if ((flags & EJECTED) !== 0) ejected++;
    else if (flags === 0 && id !== endpointId) othersAvailable++;
  }
  if (ejected >= cap.most || (cap.keepsLast && othersAvailable === 0)) return false;
  if (!setFlag(table, endpointId, EJECTED)) return false;
  const row = endpointRow(endpointId);
  Atomics.add(table, row + EJECTIONS, 1);
  Atomics.add(table, row + EJECTION_EVENTS, 1);
  forgetFailures(table, row);
  return true;
}

/** Lets an endpoint back in with nothing counted against it. @returns whether it was ejected. */
export function endEjection(table: EndpointTable, endpointId: number): boolean {
  // First the counts, so that no worker finds the endpoint back in with a count from before.
  if ((flagsOf(table, endpointId) & EJECTED) === 0) return false;
  forgetFailures(table, endpointRow(endpointId));
  return clearFlag(table, endpointId, EJECTED);
}

/** Begins the rows of failures anew. */
export function forgetFailures(table: EndpointTable, row: number): void {
  Atomics.store(table, row + CONSECUTIVE_5XX, 0);
  Atomics.store(table, row + CONSECUTIVE_GATEWAY, 0);
  Atomics.store(table, row + CONSECUTIVE_LOCAL, 0);
}
