/**
 * What a balancing policy is: given the endpoints that may be used, name the next one.
 *
 * One small class per policy, one method. Who is a member, who is healthy and how much is in flight belongs to the endpoint set
 * (upstream/endpoint-set.ts); a policy keeps only what its own formula needs. Slow start is the set's as well, so that it works for every
 * policy alike.
 */

/** No key to hash: policies that hash draw at random then. */
export const NO_KEY = -1;

/** What a policy may know of an endpoint. */
export interface Candidate {
  /** Identity that survives restarts and is the same on every worker and machine. */
  readonly url: string;
  readonly weight: number;
  /** Attempts in flight. */
  readonly active: number;
  /** Not to be chosen this time: it has been tried for this request already, or is full. Set for the length of one choice. */
  readonly barred: boolean;
  /** Peak-sensitive moving average of the latency at `now` (clock milliseconds), milliseconds; 0 where nothing was measured. */
  latencyAt(now: number): number;
}

export interface BalancingPolicy<C extends Candidate> {
  /** Whether `pick` makes use of a hash. */
  readonly keyed: boolean;
  /** Tells the policy who may be chosen from now on; never with an array that changes later. Order carries no meaning. */
  replace(candidates: readonly C[]): void;
  /**
   * @param hash 32 bits without sign, or NO_KEY. @param now clock milliseconds.
   * @returns null where every candidate is barred or there is none.
   */
  pick(hash: number, now: number): C | null;
}
