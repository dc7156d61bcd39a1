/**
 * Shared memory in which the workers count downstream connections; proxy/connection-ledger.ts says how it is used.
 *
 * One section a worker: two rows of hashed addresses, then the total.
 */
export const LEDGER_ROW = 8_192;
export const LEDGER_TOTAL = 2 * LEDGER_ROW;
export const LEDGER_SECTION = LEDGER_TOTAL + 1;

/** Shared memory for `workers` sections. */
export const newLedgerTable = (workers: number): Int32Array =>
  new Int32Array(new SharedArrayBuffer(workers * LEDGER_SECTION * Int32Array.BYTES_PER_ELEMENT));

/** Forgets everything that a worker counted; call when it has died. */
export const clearSection = (table: Int32Array, worker: number): void => {
  table.fill(0, worker * LEDGER_SECTION, (worker + 1) * LEDGER_SECTION);
};
