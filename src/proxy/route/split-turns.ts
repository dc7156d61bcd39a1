/**
 * Split by turns: the versions that have a weight take turns, whatever their weights are.
 *
 * Keys are ignored: a turn is a turn. Whoever wants users to stay where they are asks for `hash`, or adds session affinity. A version
 * of weight 0 gets no turn, so that a rollback works with this strategy as with every other.
 *
 * @hotpath bench/micro/split.ts
 */
import type { ServiceSnapshot } from '../../model/snapshot.ts';
import type { Random } from '../../runtime/random.ts';
import { SmoothWeighted } from '../balance/smooth-weighted.ts';
import type { VersionSplit } from './split-strategy.ts';

export class TurnsSplit implements VersionSplit {
  readonly #turn: SmoothWeighted;

  constructor(service: ServiceSnapshot, random: Random) {
    this.#turn = new SmoothWeighted(
      service.versions.map((version) => (version.weight > 0 ? 1 : 0)),
      random,
    );
  }

  pick(_head: unknown, _hash: number, _now: number): number {
    return this.#turn.pick();
  }

  isByWeight(): boolean {
    return false;
  }
}
