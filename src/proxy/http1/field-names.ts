/**
 * The header fields that Sluice itself reads or rewrites, as small numbers.
 *
 * The scanner hashes a name while it validates it; a hit in this table, confirmed byte by byte so that a crafted collision gains
 * nothing, gives the field's number. Everything later asks for numbers: no string is built and no map is searched per request. A
 * snapshot adds the names that its routes and services read (override headers), numbered from FIRST_CUSTOM_ID.
 *
 * @hotpath bench/micro/request-head.ts
 */
import { MAX_READ_HEADERS } from '../../model/capacity.ts';

/** A field that nothing here cares about. */
export const UNKNOWN = 0;
/** A field that the Connection header nominates, or that is otherwise not to be forwarded. */
export const NOMINATED = 1;

const NAMES = [
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'proxy-connection',
  'te',
  'upgrade',
  'http2-settings',
  'expect',
  'trailer',
  'via',
  'date',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-real-ip',
  'forwarded',
  'x-request-id',
  'traceparent',
  'tracestate',
  'x-sluice-version',
  'x-forwarded-*',
  'authorization',
  'cookie',
  'set-cookie',
  'content-type',
  'content-encoding',
  'content-range',
  'range',
  'cache-control',
] as const;

export type KnownName = (typeof NAMES)[number];

const FIRST_ID = 2;

/** Number of each known field; `x-forwarded-*` stands for every other field with that prefix. */
export const FIELD = Object.fromEntries(NAMES.map((name, i) => [name, FIRST_ID + i])) as Record<KnownName, number>;

export const FIRST_CUSTOM_ID = FIRST_ID + NAMES.length;

const SLOTS = 1024;
const MASK = SLOTS - 1;

/** The hash that the scanner computes: start at 0, then one step per lower-case byte. */
export const hashStep = (hash: number, lower: number): number => (Math.imul(hash, 31) + lower) | 0;

const slotOf = (hash: number): number => (hash ^ (hash >>> 11)) & MASK;

const PREFIX = Buffer.from('x-forwarded-', 'latin1');

/** What a client may only claim of itself: worth nothing but from a trusted proxy. */
export const CLAIMS: readonly KnownName[] = [
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-*',
  'x-real-ip',
  'forwarded',
  'x-request-id',
];

export class FieldNames {
  readonly #hashes = new Int32Array(SLOTS);
  readonly #ids = new Uint8Array(SLOTS);
  readonly #bytes: Uint8Array[] = [];
  readonly #custom = new Map<string, number>();

  /** @param custom further names, lower case; repeated and already known ones are fine. */
  constructor(custom: readonly string[] = []) {
    for (const name of NAMES) this.#add(name, FIELD[name]);
    this.include(custom);
  }

  /**
   * Gives further names a number. Numbers given before stay, so that a request that began under an older snapshot still means the same.
   *
   * @returns false where there is no room for all of them.
   */
  include(custom: readonly string[]): boolean {
    for (const name of custom) {
      if (this.idOf(name) !== UNKNOWN) continue;
      const id = FIRST_CUSTOM_ID + this.#custom.size;
      if (this.#custom.size === MAX_READ_HEADERS) return false;
      this.#custom.set(name, id);
      this.#add(name, id);
    }
    return true;
  }

  /** Marks the numbers of all claims, those among the custom names included. */
  claims(): Uint8Array {
    const marks = new Uint8Array(256);
    for (const name of CLAIMS) marks[FIELD[name]] = 1;
    for (const [name, id] of this.#custom) if (isForwardedName(name)) marks[id] = 1;
    return marks;
  }

  /** Whether a claim has a number of its own that no list of known names has. */
  get hasCustomClaims(): boolean {
    return this.#custom.keys().some(isForwardedName);
  }

  /** Number of a lower-case name, UNKNOWN where it has none. */
  idOf(name: string): number {
    // FIELD inherits what every object does: "constructor" and "__proto__" are names of headers too.
    if (Object.hasOwn(FIELD, name)) return (FIELD as Record<string, number>)[name]!;
    return this.#custom.get(name) ?? UNKNOWN;
  }

  #add(name: string, id: number): void {
    const bytes = Buffer.from(name, 'latin1');
    let hash = 0;
    for (const byte of bytes) hash = hashStep(hash, byte);
    let slot = slotOf(hash);
    while (this.#ids[slot] !== UNKNOWN) slot = (slot + 1) & MASK;
    this.#hashes[slot] = hash;
    this.#ids[slot] = id;
    this.#bytes[id] = bytes;
  }

  /** Number of the field whose name is `buf[start..end)` and hashes to `hash`. */
  lookup(buf: Uint8Array, start: number, end: number, hash: number): number {
    let slot = slotOf(hash);
    for (;;) {
      const id = this.#ids[slot]!;
      if (id === UNKNOWN) break;
      if (this.#hashes[slot] === hash && equalsLower(buf, start, end, this.#bytes[id]!)) return id;
      slot = (slot + 1) & MASK;
    }
    return end - start > PREFIX.length && equalsLower(buf, start, start + PREFIX.length, PREFIX)
      ? FIELD['x-forwarded-*']
      : UNKNOWN;
  }
}

/** Whether `buf[start..end)`, token characters only, spells `lower` in any case. */
export function equalsLower(buf: Uint8Array, start: number, end: number, lower: Uint8Array): boolean {
  if (end - start !== lower.length) return false;
  for (let i = 0; i < lower.length; i++) {
    const c = buf[start + i]!;
    const folded = c >= 65 && c <= 90 ? c | 32 : c;
    if (folded !== lower[i]) return false;
  }
  return true;
}

const isForwardedName = (name: string): boolean => name.startsWith('x-forwarded-');

/** Whether a field of this lower-case name is a claim. */
export const isClaim = (name: string): boolean => isForwardedName(name) || CLAIMS.includes(name as KnownName);
