/** What a split strategy is: given a request and its hash, name the version. Apart from the factory, so that strategies need not import it. */
import type { RequestHead } from '../http1/request-head.ts';

export interface VersionSplit {
  /**
   * @param hash 32 bits of the request's key without sign, or NO_KEY. @param now clock milliseconds.
   * @returns an index into the service's versions, -1 where none has a weight.
   */
  pick(head: RequestHead, hash: number, now: number): number;
  /** Whether each version's weight is the share that it has of requests like this one. */
  isByWeight(head: RequestHead): boolean;
}
