/**
 * Split by latency: a version's share is in proportion to 1 / latency, but never less than the floor.
 *
 * The floor keeps a slow version measured: without requests nobody would notice that it has become fast. Versions held at the floor take their
 * part first, the rest is divided among the others in proportion, and that is repeated until nobody else falls below. A version that
 * was never measured gets an equal share, as if it had the mean speed of the measured ones; where none was, all are equal. A floor that
 * would take more than everything means equal shares. Only versions with a weight take part, however large it is.
 *
 * Drawn by credits: each request gives every version its share, and the one with the most credit takes the request and pays 1 for it. Credits
 * survive a change of shares, so that what a version is owed is not forgotten ten times a second, as it would be if the smooth
 * weighted round robin began anew. Rejected: rolling dice, which is right on average but off by √n.
 *
 * Shares are computed at most every 100 ms: latencies are averages over seconds, and a share that follows each response makes all
 * workers run to the same version together.
 *
 * Keys are ignored: what is fast now says nothing about who the user is. Session affinity keeps a user on its version.
 *
 * @hotpath bench/micro/split.ts
 */
import type { ServiceSnapshot } from '../../model/snapshot.ts';
import type { Random } from '../../runtime/random.ts';
import type { VersionSplit } from './split-strategy.ts';

const REFRESH = 100;

/** Latency of a version by its index at `now` (clock milliseconds), in milliseconds; 0 where nothing was measured. */
export type LatencyAt = (index: number, now: number) => number;

/**
 * Writes the share of each version, sum 1, over its latency.
 *
 * @param values latencies in milliseconds, 0 where not measured; at least one. @param floor least share of each, 0 to 1.
 */
export function latencyShares(values: Float64Array, floor: number): void {
  const n = values.length;
  let speeds = 0;
  let measured = 0;
  for (let i = 0; i < n; i++) {
    if (values[i]! <= 0) continue;
    values[i] = 1 / values[i]!;
    speeds += values[i]!;
    measured++;
  }
  if (measured === 0 || floor * n >= 1) {
    values.fill(1 / n);
    return;
  }
  const mean = speeds / measured;
  for (let i = 0; i < n; i++) {
    if (values[i]! <= 0) values[i] = mean;
    values[i] = values[i]! / (mean * n);
  }
  raiseToFloor(values, floor);
}

/** A share at the floor is recognised by its value, as no share is ever written again once it is there. */
function raiseToFloor(shares: Float64Array, floor: number): void {
  for (let round = 0; round < shares.length; round++) {
    let held = 0;
    let free = 0;
    let below = false;
    for (let i = 0; i < shares.length; i++) {
      if (shares[i]! < floor) {
        shares[i] = floor;
        below = true;
      }
      if (shares[i] === floor) held += floor;
      else free += shares[i]!;
    }
    if (!below || free <= 0) return;
    const scale = (1 - held) / free;
    for (let i = 0; i < shares.length; i++) {
      if (shares[i] !== floor) shares[i] = shares[i]! * scale;
    }
  }
}

export class LatencySplit implements VersionSplit {
  readonly #indices: number[] = [];
  readonly #shares: Float64Array;
  readonly #credits: Float64Array;
  readonly #floor: number;
  readonly #latencyAt: LatencyAt;
  #due = Number.NEGATIVE_INFINITY;

  constructor(service: ServiceSnapshot, random: Random, latencyAt: LatencyAt) {
    service.versions.forEach((version, index) => {
      if (version.weight > 0) this.#indices.push(index);
    });
    this.#shares = new Float64Array(this.#indices.length);
    this.#credits = new Float64Array(this.#indices.length);
    // A random phase, so that workers do not all begin with the same version.
    for (let i = 0; i < this.#credits.length; i++) this.#credits[i] = random.next() - 0.5;
    this.#floor = service.split.floor / 100;
    this.#latencyAt = latencyAt;
  }

  pick(_head: unknown, _hash: number, now: number): number {
    const indices = this.#indices;
    if (indices.length < 2) return indices[0] ?? -1;
    if (now >= this.#due) this.#refresh(now);
    const shares = this.#shares;
    const credits = this.#credits;
    let best = 0;
    for (let i = 0; i < credits.length; i++) {
      credits[i] = credits[i]! + shares[i]!;
      if (credits[i]! > credits[best]!) best = i;
    }
    credits[best] = credits[best]! - 1;
    return indices[best]!;
  }

  isByWeight(): boolean {
    return false;
  }

  #refresh(now: number): void {
    this.#due = now + REFRESH;
    for (let i = 0; i < this.#indices.length; i++) this.#shares[i] = this.#latencyAt(this.#indices[i]!, now);
    latencyShares(this.#shares, this.#floor);
  }
}
