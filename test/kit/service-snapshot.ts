/** A service as a split strategy sees it: versions with weights in percent, stable first, and nothing that the split does not read. */
import type { SplitConfig } from '../../src/model/policy-config.ts';
import type { ServiceSnapshot } from '../../src/model/snapshot.ts';

export function splitService(
  weights: Readonly<Record<string, number>>,
  split: Partial<SplitConfig> = {},
): ServiceSnapshot {
  const versions = Object.entries(weights).map(([name, percent], id) => ({
    id,
    name,
    lane: id === 0 ? 'stable' : null,
    weight: Math.round(percent * 100),
    endpoints: [],
  }));
  const service: Pick<ServiceSnapshot, 'id' | 'name' | 'stable' | 'split'> & { versions: typeof versions } = {
    id: 0,
    name: 'shop',
    stable: 0,
    versions,
    split: { strategy: 'weighted', floor: 5, ...split },
  };
  return service as unknown as ServiceSnapshot;
}
