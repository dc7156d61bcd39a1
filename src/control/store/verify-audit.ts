/**
 * Verifies the audit chain of a file, beside a running server or without one.
 *
 * On a connection of its own and in one read transaction, so what it sees is one moment however long it takes, and writers do not wait. Rows
 * are taken in batches with turns of the event loop between them: a hundred thousand rows take about a second, which the main thread
 * must not be away.
 */
import { setImmediate } from 'node:timers/promises';
import { CHAIN_START, ChainVerifier, type StoredAudit } from './audit-chain.ts';
import { openReader, stateFile } from './state-file.ts';
import { StateTables } from './state-tables.ts';
import { type AuditVerdict, StoreError } from './store.ts';
import { errorCode, primaryCode, SQLITE } from './trouble.ts';

const BATCH = 500;

/** @throws StateFileError for a file that is no state; StoreError where it cannot be read. */
export async function verifyAuditFile(directory: string): Promise<AuditVerdict> {
  const database = openReader(directory);
  if (database === null)
    throw new StoreError(
      'unavailable',
      `no state in ${directory} can be read: there is none, or a running Sluice keeps it to itself and must be asked instead`,
    );
  try {
    database.exec('BEGIN');
    return await verifyAuditTable(new StateTables(database), () => setImmediate());
  } catch (error) {
    throw primaryCode(error) === 0 ? error : new StoreError('unavailable', `${stateFile(directory)}: ${error}`);
  } finally {
    database.close();
  }
}

/** @param pause is awaited after each batch; without it the rows are taken in one go, as a connection that others write on needs. */
export async function verifyAuditTable(tables: StateTables, pause?: () => Promise<unknown>): Promise<AuditVerdict> {
  const verifier = new ChainVerifier(tables.auditAnchor() ?? CHAIN_START);
  const rows = tables.auditChain();
  for (let count = 1; ; count++) {
    const row = nextRow(rows, verifier);
    if (row === null) return verifier.finish(tables.auditHead());
    verifier.add(row);
    if (pause !== undefined && count % BATCH === 0) await pause();
  }
}

/** A number beyond what we count with, or a damaged page, is a finding; the walk ends there. */
function nextRow(rows: Iterator<StoredAudit>, verifier: ChainVerifier): StoredAudit | null {
  try {
    const next = rows.next();
    return next.done === true ? null : next.value;
  } catch (error) {
    if (primaryCode(error) !== SQLITE.CORRUPT && errorCode(error) !== 'ERR_OUT_OF_RANGE') throw error;
    verifier.unreadable(String(error));
    return null;
  }
}
