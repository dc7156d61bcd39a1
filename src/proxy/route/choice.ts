/**
 * What was decided about one request: its version, and what its endpoint is chosen by. One per worker, filled and read in one turn.
 */
import { NO_KEY } from '../balance/policy.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { Session } from './affinity-table.ts';
import type { Version } from './version.ts';

export class Choice {
  version: Version | null = null;
  /** Whether the route, a header or a cookie named the version. */
  forced = false;
  /** Hash that a keyed balancing policy takes. */
  hash: number = NO_KEY;
  /** Hash of the session key, NO_KEY where the request belongs to no session. */
  sessionHash: number = NO_KEY;
  /** Entry of the session; null for requests without one and for forced ones, which leave no trace in it. */
  session: Session<string, Endpoint> | null = null;
  /** Mark of the version (model/evidence-table.ts); 0 where the request says nothing about it: it was asked for by name, or sent on from another. */
  mark = 0;
  /** Whether the weights decided, so that the version's share is how likely it was. */
  byWeight = false;
  /** Hash of whom the request comes from, by session or the split's own key; NO_KEY where that is not known. */
  key: number = NO_KEY;
  /** `Set-Cookie` line of a session that begins here, else empty. */
  cookie = '';

  reset(): void {
    this.version = null;
    this.forced = false;
    this.hash = NO_KEY;
    this.sessionHash = NO_KEY;
    this.session = null;
    this.mark = 0;
    this.byWeight = false;
    this.key = NO_KEY;
    this.cookie = '';
  }
}
