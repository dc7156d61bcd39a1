/**
 * The split strategies: how a request that nothing else has decided about gets its version. One small file and class per strategy.
 *
 * A split is made for one service of one snapshot and lives as long. It knows weights and names; whether the version can be used
 * is for the caller to see, who fails over to stable.
 *
 * | strategy | with a key | without one |
 * |---|---|---|
 * | `weighted`, `hash` | rendezvous hashing: depends on key and weights only | smooth weighted round robin |
 * | `round_robin` | equal turns | equal turns |
 * | `latency` | by the latest latencies | by the latest latencies |
 * | `header` | the version that the value names, else as `weighted` | likewise |
 */
import type { ServiceSnapshot } from '../../model/snapshot.ts';
import type { Random } from '../../runtime/random.ts';
import type { FieldNames } from '../http1/field-names.ts';
import { HeaderSplit } from './split-header.ts';
import { type LatencyAt, LatencySplit } from './split-latency.ts';
import type { VersionSplit } from './split-strategy.ts';
import { TurnsSplit } from './split-turns.ts';
import { WeightedSplit } from './split-weighted.ts';

export type { VersionSplit };

/** Lower-case names of the headers that the service's split reads by itself and that must therefore have a number. */
export const splitHeaders = (service: ServiceSnapshot): string[] =>
  service.split.strategy === 'header' && service.split.header !== undefined ? [service.split.header.name] : [];

/** @param latencyAt latency of a version by its index, for the strategy `latency`. */
export function createSplit(
  service: ServiceSnapshot,
  names: FieldNames,
  random: Random,
  latencyAt: LatencyAt,
): VersionSplit {
  switch (service.split.strategy) {
    case 'weighted':
    case 'hash':
      return new WeightedSplit(service, random);
    case 'round_robin':
      return new TurnsSplit(service, random);
    case 'latency':
      return new LatencySplit(service, random, latencyAt);
    case 'header':
      return new HeaderSplit(service, names, random);
  }
}
