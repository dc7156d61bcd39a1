/**
 * What a change is refused for, or answered with where it is done only in part.
 *
 * The core decides when to ask; here is what is said then, each with what to do about it.
 */
import { MAX_ENDPOINTS, MAX_VERSIONS } from '../../model/capacity.ts';
import type { SluiceConfig } from '../../model/config.ts';
import type { Acknowledged } from '../acknowledgements.ts';
import type { Applied } from '../operations.ts';
import { OperationError } from '../problems.ts';
import type { Dropped } from '../state/effective.ts';
import { StoreError } from '../store/store.ts';

/** @throws OperationError not_acknowledged */
export function settled(acknowledged: Acknowledged, generation: number, appliedInMs: number): Applied {
  if (acknowledged.missing.length === 0) return { generation, appliedInMs, workers: acknowledged.taken };
  const message = `the change is kept, but ${acknowledged.missing.join(', ')} has not taken it up in time; it will as soon as it can`;
  throw new OperationError('not_acknowledged', message);
}

export function storeProblem(error: unknown): OperationError {
  if (!(error instanceof StoreError)) throw error;
  if (error.trouble === 'conflict') return new OperationError('conflict', error.message);
  const code = error.trouble === 'full' ? 'store_full' : 'store_unavailable';
  return new OperationError(code, `the state cannot be written (${error.message}); traffic goes on as before`, [], 5);
}

/** @throws OperationError conflict */
export function refuseMisfits(dropped: readonly Dropped[]): void {
  if (dropped.length > 0) throw new OperationError('conflict', dropped[0]!.reason);
}

/** @throws OperationError conflict */
export function checkCapacity(config: SluiceConfig): void {
  const versions = config.services.flatMap((service) => service.versions);
  const endpoints = versions.reduce((sum, version) => sum + version.endpoints.length, 0);
  if (versions.length > MAX_VERSIONS) {
    throw new OperationError('conflict', `that would be ${versions.length} versions; ${MAX_VERSIONS} fit`);
  }
  if (endpoints > MAX_ENDPOINTS) {
    throw new OperationError('conflict', `that would be ${endpoints} endpoints; ${MAX_ENDPOINTS} fit`);
  }
}
