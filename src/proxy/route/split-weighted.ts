/**
 * Split by weight: who has a key always gets the same version, who has none takes its turn.
 *
 * With a key, rendezvous hashing: the version depends on key and weights alone. Without one, a smooth weighted round robin: each
 * version is within one request of its exact share. Strategy `hash` is the same; the difference is what the caller hashes.
 *
 * @hotpath bench/micro/split.ts
 */
import type { ServiceSnapshot } from '../../model/snapshot.ts';
import type { Random } from '../../runtime/random.ts';
import { NO_KEY } from '../balance/policy.ts';
import { SmoothWeighted } from '../balance/smooth-weighted.ts';
import { Rendezvous } from './rendezvous.ts';
import type { VersionSplit } from './split-strategy.ts';

export class WeightedSplit implements VersionSplit {
  readonly #rendezvous: Rendezvous;
  readonly #turn: SmoothWeighted;

  constructor(service: ServiceSnapshot, random: Random) {
    const weights = service.versions.map((version) => version.weight);
    this.#rendezvous = new Rendezvous(
      service.versions.map((version) => version.name),
      weights,
    );
    this.#turn = new SmoothWeighted(weights, random);
  }

  pick(_head: unknown, hash: number, _now: number): number {
    return hash === NO_KEY ? this.#turn.pick() : this.#rendezvous.pick(hash);
  }

  isByWeight(): boolean {
    return true;
  }
}
