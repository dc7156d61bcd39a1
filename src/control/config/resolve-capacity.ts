/**
 * Refuses what the tables of the data plane have no room for (model/capacity.ts), so that a worker never meets it.
 */
import { MAX_READ_HEADERS, MAX_VERSIONS } from '../../model/capacity.ts';
import type { ServiceConfig } from '../../model/config.ts';
import type { Review } from './review.ts';

export function checkCapacity(services: readonly ServiceConfig[], review: Review): void {
  const versions = services.reduce((sum, service) => sum + service.versions.length, 0);
  if (versions > MAX_VERSIONS) {
    review.report(
      ['services'],
      `have ${versions} versions together, more than ${MAX_VERSIONS}; run a second Sluice for some`,
    );
  }
  const headers = new Set(services.flatMap((service) => service.override?.header.toLowerCase() ?? []));
  if (headers.size > MAX_READ_HEADERS) {
    review.report(
      ['services'],
      `read ${headers.size} different override headers, more than ${MAX_READ_HEADERS}; share some`,
    );
  }
}
