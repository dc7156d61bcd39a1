/**
 * Shared memory that says which endpoints may be used: one row of integers per endpoint, read by every worker on every choice.
 *
 * `available = healthy && enabled && !ejected` is one number: FLAGS is 0. Each bit has one owner: UNHEALTHY the active health checks,
 * DRAINING and DISABLED the operator, EJECTED whoever detects an outlier (a worker at once, the control plane from success rates)
 * and the control plane, which alone takes it away. (The fourth word of the rule, `full`, changes with every request and is
 * asked of the endpoint itself.)
 *
 * EPOCH is raised after every change of a flag, so that a worker rebuilds its list of available endpoints only when it has to.
 */
import { ENDPOINT_ROWS } from './capacity.ts';

export const UNHEALTHY = 1;
export const DRAINING = 2;
export const DISABLED = 4;
export const EJECTED = 8;

/** Columns of a row. */
export const FLAGS = 0;
/** Answers 5xx and local failures in a row, over all workers. */
export const CONSECUTIVE_5XX = 1;
export const CONSECUTIVE_GATEWAY = 2;
export const CONSECUTIVE_LOCAL = 3;
/** Ejections so far that have not been forgiven. */
export const EJECTIONS = 4;
/** Monotonic count of ejections, so that the control plane notices one that came and went between two looks. */
export const EJECTION_EVENTS = 5;
const COLUMNS = 8;

const EPOCH = 0;
const HEADER = 8;

/** A row is found by the endpoint's id. */
export type EndpointTable = Int32Array;

export const newEndpointTable = (): EndpointTable =>
  new Int32Array(new SharedArrayBuffer((HEADER + ENDPOINT_ROWS * COLUMNS) * Int32Array.BYTES_PER_ELEMENT));

export const endpointRow = (endpointId: number): number => HEADER + endpointId * COLUMNS;

/** Plain read: a worker that sees a new epoch a few nanoseconds late chooses as if the request had come that much earlier. */
export const epochOf = (table: EndpointTable): number => table[EPOCH]!;

export const flagsOf = (table: EndpointTable, endpointId: number): number => table[endpointRow(endpointId) + FLAGS]!;

/** @returns whether the flag was not set before. */
export function setFlag(table: EndpointTable, endpointId: number, flag: number): boolean {
  const before = Atomics.or(table, endpointRow(endpointId) + FLAGS, flag);
  if ((before & flag) !== 0) return false;
  Atomics.add(table, EPOCH, 1);
  return true;
}

/** @returns whether the flag was set before. */
export function clearFlag(table: EndpointTable, endpointId: number, flag: number): boolean {
  const before = Atomics.and(table, endpointRow(endpointId) + FLAGS, ~flag);
  if ((before & flag) === 0) return false;
  Atomics.add(table, EPOCH, 1);
  return true;
}

/** A row for an endpoint that takes over an id starts with nothing held against it. */
export function clearRow(table: EndpointTable, endpointId: number): void {
  const row = endpointRow(endpointId);
  table.fill(0, row, row + COLUMNS);
  Atomics.add(table, EPOCH, 1);
}
