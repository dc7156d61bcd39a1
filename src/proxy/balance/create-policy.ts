/**
 * From the configured name to a policy. The one place that knows them all; whoever balances knows the interface only.
 *
 * A policy starts without candidates and picks null until it is told some.
 */
import type { BalanceConfig } from '../../model/policy-config.ts';
import type { Random } from '../../runtime/random.ts';
import { LeastRequestPolicy } from './least-request.ts';
import { MaglevPolicy } from './maglev.ts';
import { PeakEwmaPolicy } from './peak-ewma.ts';
import type { BalancingPolicy, Candidate } from './policy.ts';
import { RandomPolicy } from './random.ts';
import { RingHashPolicy } from './ring-hash.ts';
import { RoundRobinPolicy } from './round-robin.ts';
import { WeightedRoundRobinPolicy } from './weighted-round-robin.ts';

export function createPolicy<C extends Candidate>(config: BalanceConfig, random: Random): BalancingPolicy<C> {
  switch (config.policy) {
    case 'round_robin':
      return new RoundRobinPolicy<C>(random);
    case 'weighted_round_robin':
      return new WeightedRoundRobinPolicy<C>(random);
    case 'random':
      return new RandomPolicy<C>(random);
    case 'least_request':
      return new LeastRequestPolicy<C>(random);
    case 'peak_ewma':
      return new PeakEwmaPolicy<C>(random);
    case 'ring_hash':
      return new RingHashPolicy<C>(config.maxLoad, random);
    case 'maglev':
      return new MaglevPolicy<C>(random);
  }
}
