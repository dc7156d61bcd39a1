/**
 * Session affinity: which version and endpoint a session had last, by session key. An LRU with a time to live that begins anew at every use.
 *
 * One table per worker and service, without a lock or a message. That is enough because the table is a memory and not an authority: a
 * session that a worker does not know is decided by the hash of its key, which gives the same version on every worker; the table adds
 * what a hash cannot know, an endpoint that was good until now. Losing an entry costs one decision, never an error.
 *
 * An entry carries the number of the division (service.ts) that it was decided by. Whoever finds another one decides anew and writes the answer
 * into the entry, which is why entries can be changed: new weights void a hundred thousand entries without touching one. What makes an entry void otherwise (an
 * ejected endpoint, a drained one past its deadline) is known to whoever looks at the endpoint, so it is not kept here.
 *
 * Memory is bounded by `max` entries of bounded size. A key comes as a slice of a request head and would keep all of that head alive,
 * up to 16 KiB for 32 characters, so what is stored is a copy. A key over 256 characters is stored as two hashes and its length; two such
 * keys that collide in 64 bits share an entry, which is harmless.
 *
 * The LRU is lru-cache. It reads the time from the table, which reads the clock once per call; with a `ttlResolution` of 0 it keeps no timer.
 * Expired entries go when they are asked for or when room is needed, so `size` counts them until then.
 *
 * @hotpath bench/micro/split.ts
 */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../runtime/clock.ts';
import { hashKey } from '../balance/key-hash.ts';
import { NO_KEY } from '../balance/policy.ts';

const LONGEST_KEY = 256;
const SECOND_SEED = 0x85ebca6b;

/** What is remembered of one session; whoever decides about it anew writes here. */
export class Session<V, E> {
  version: V;
  endpoint: E | null;
  /** Number of the division that it was decided by. */
  division: number;
  /** Whether the weights decided, and not an experiment or a header. */
  byWeight = false;
  /** Hash of the key, so that a session that is known is not hashed again; NO_KEY until someone has. */
  hash: number = NO_KEY;
  /** When this worker last sent the session's cookie, clock milliseconds; long ago where it never did. */
  cookieAt = Number.NEGATIVE_INFINITY;

  constructor(version: V, endpoint: E | null, division: number) {
    this.version = version;
    this.endpoint = endpoint;
    this.division = division;
  }
}

/** Given to every look-up, so that the library makes no object of its own for it. */
const NO_OPTIONS = {};

export class AffinityTable<V, E> {
  readonly #clock: Clock;
  readonly #sessions: LRUCache<string, Session<V, E>>;
  #now = 1;

  /** @param config `ttl` in milliseconds since the last use; `max` sessions, at least 1. */
  constructor(config: { readonly ttl: number; readonly max: number }, clock: Clock) {
    this.#clock = clock;
    this.#sessions = new LRUCache({
      max: config.max,
      ttl: Math.max(1, Math.ceil(config.ttl)),
      ttlResolution: 0,
      updateAgeOnGet: true,
      perf: { now: () => this.#now },
    });
  }

  /** Sessions in memory, those among them that have expired but were not asked for since. */
  get size(): number {
    return this.#sessions.size;
  }

  /** The session of a key, null where it is unknown or has expired; counts as a use. */
  find(key: string): Session<V, E> | null {
    this.#readClock();
    return this.#sessions.get(storedKey(key), NO_OPTIONS) ?? null;
  }

  /** Makes or rewrites the entry of a key; counts as a use. */
  remember(key: string, version: V, endpoint: E | null, division: number): Session<V, E> {
    this.#readClock();
    const stored = storedKey(key);
    const known = this.#sessions.get(stored, NO_OPTIONS);
    if (known !== undefined) {
      known.version = version;
      known.endpoint = endpoint;
      known.division = division;
      return known;
    }
    const session = new Session(version, endpoint, division);
    this.#sessions.set(copyOf(stored), session);
    return session;
  }

  clear(): void {
    this.#sessions.clear();
  }

  /** lru-cache takes 0 for no time at all, and a clock may start there. */
  #readClock(): void {
    this.#now = this.#clock.now() + 1;
  }
}

/** No header, cookie or address contains the NUL in front of a hashed key. */
function storedKey(key: string): string {
  if (key.length <= LONGEST_KEY) return key;
  return `\0${key.length}:${hashKey(key)}:${hashKey(key, SECOND_SEED)}`;
}

/** The same text with characters of its own: V8 has no copy of a string, but bytes are one. */
function copyOf(text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  const copy = bytes.toString('latin1');
  return copy === text ? copy : Buffer.from(text, 'utf16le').toString('utf16le');
}
