/**
 * Session affinity of one service in one worker: where the session key comes from, and the table of sessions.
 *
 * The table outlives snapshots as long as its configuration does. Hits and misses are counted per version in shared memory.
 *
 * @hotpath bench/micro/choose.ts
 */

import type { ClientFacts, RequestIds } from '../http1/field-rules.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { Counters } from '../record/counters.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { AffinityTable, Session } from './affinity-table.ts';
import type { Choice } from './choice.ts';
import type { KeyReader } from './key-reader.ts';
import { type SessionCookie, sessionId } from './session-cookie.ts';

/** Characters. */
const LONGEST_COOKIE = 256;

export class Affinity {
  readonly table: AffinityTable<string, Endpoint>;
  readonly #reader: KeyReader;
  readonly #cookie: SessionCookie | null;
  readonly #ids: RequestIds;
  readonly #counters: Counters;

  /** @param cookie null where the key is not a cookie of Sluice's own. */
  constructor(
    table: AffinityTable<string, Endpoint>,
    reader: KeyReader,
    cookie: SessionCookie | null,
    ids: RequestIds,
    counters: Counters,
  ) {
    this.table = table;
    this.#reader = reader;
    this.#cookie = cookie;
    this.#ids = ids;
    this.#counters = counters;
  }

  /** Session key of the request, empty where it brings none. */
  key(head: RequestHead, client: ClientFacts): string {
    const key = this.#reader.read(head, client);
    // A cookie is sent back now and then; what is longer than any session of ours is not one.
    return this.#cookie !== null && key.length > LONGEST_COOKIE ? '' : key;
  }

  /** Begins a session where Sluice issues them. @returns its key, or nothing where a request without a key belongs to no session. */
  begin(): string {
    if (this.#cookie === null) return '';
    return sessionId(this.#ids.next());
  }

  /** Has the cookie of a session sent with the answer where the client should get it, for the first time or anew. */
  sendCookie(session: Session<string, Endpoint>, key: string, secure: boolean, now: number, choice: Choice): void {
    if (this.#cookie === null || !this.#cookie.isDue(session.cookieAt, now)) return;
    choice.cookie = this.#cookie.issue(key, secure);
  }

  hit(versionId: number): void {
    this.#counters.affinityHit(versionId);
  }

  miss(versionId: number): void {
    this.#counters.affinityMiss(versionId);
  }
}
