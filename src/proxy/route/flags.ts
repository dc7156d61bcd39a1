/**
 * Feature flags: for each named flag, whether it is on for the user of a request.
 *
 * A flag is on for a share of the keys. The key is hashed once, the hash is mixed with a seed that comes from the flag's name, and the flag is
 * on where the result is below share × 2^32. So a user always gets the same answer, on every worker and machine and after every restart;
 * raising the share adds users and takes the flag from nobody; and who has one flag says nothing about another, about an experiment or
 * about the rollout, since their seeds differ. Share 0 is on for nobody and share 10,000 for everyone, with or without a key. In between a
 * request without the key has the flag off: dice would switch it on and off for one user.
 *
 * What costs is reading and hashing the key, not the flag. So flags that have the same key share one hash, which is remembered until the next
 * request begins: a worker decides one request at a time. A flag is then one multiplication or two, however often it is asked for.
 *
 * Upstreams are told in header fields. A client's own fields of those names are struck before anything reads the request, so that neither a
 * route nor a key nor an upstream can take them for Sluice's word. From a trusted proxy they are struck as well: an answer has one source.
 *
 * Rejected: hashing flag name and key together, which any program could repeat without knowing `mix`, but hashes every key once per flag.
 *
 * @hotpath bench/micro/flags.ts
 */
import type { KeySource } from '../../model/policy-config.ts';
import type { FlagSnapshot } from '../../model/snapshot.ts';
import { hashKey, mix } from '../balance/key-hash.ts';
import { NO_KEY } from '../balance/policy.ts';
import { type FieldNames, NOMINATED } from '../http1/field-names.ts';
import type { ClientFacts } from '../http1/field-rules.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { type IsTrusted, KeyReader, keyHeaders } from './key-reader.ts';

const EVERYONE = 10_000;
const TWO_32 = 4_294_967_296;
/** A key that this request has not been asked for yet. */
const UNREAD = -2;

export class FlagSet {
  readonly #names: readonly string[];
  /** By flag: results below it are on; 0 and TWO_32 are so for every request. */
  readonly #bounds: Float64Array;
  readonly #seeds: Int32Array;
  /** By flag: place of its key in `#readers`, -1 where it has none. */
  readonly #keys: Int16Array;
  readonly #readers: KeyReader[] = [];
  /** By key: its hash in the present request, NO_KEY or UNREAD. */
  readonly #hashes: Float64Array;
  /** Flags that upstreams are told about, and what they are told. */
  readonly #told: number[] = [];
  readonly #fieldIds: number[] = [];
  readonly #onLines: string[] = [];
  readonly #offLines: string[] = [];

  /** @param names must number what {@link flagHeaders} gives. */
  constructor(flags: readonly FlagSnapshot[], names: FieldNames, isTrusted: IsTrusted) {
    this.#names = flags.map((flag) => flag.name);
    this.#bounds = Float64Array.from(flags, (flag) => (flag.share / EVERYONE) * TWO_32);
    // A name has no line break, so a flag's seed is never that of a version or an experiment of the same name.
    this.#seeds = Int32Array.from(flags, (flag) => hashKey(`flag\n${flag.name}`));
    const places = new Map<string, number>();
    const placeOf = (key: KeySource): number => {
      const identity = JSON.stringify(key);
      const known = places.get(identity);
      if (known !== undefined) return known;
      places.set(identity, this.#readers.length);
      return this.#readers.push(new KeyReader(key, names, isTrusted)) - 1;
    };
    this.#keys = Int16Array.from(flags, (flag) => (flag.key === null ? -1 : placeOf(flag.key)));
    this.#hashes = new Float64Array(this.#readers.length).fill(UNREAD);
    flags.forEach(({ header }, index) => {
      if (header === null) return;
      this.#told.push(index);
      this.#fieldIds.push(names.idOf(header.toLowerCase()));
      this.#onLines.push(`${header}: true\r\n`);
      this.#offLines.push(`${header}: false\r\n`);
    });
  }

  /** -1 where there is no flag of this name. */
  indexOf(name: string): number {
    return this.#names.indexOf(name);
  }

  /** Begins a request: forgets the keys of the last one and strikes what the client has written in the names of flags. */
  begin(head: RequestHead): void {
    this.#hashes.fill(UNREAD);
    const ids = this.#fieldIds;
    for (let i = 0; i < ids.length; i++) if (head.has(ids[i]!)) head.renumber(ids[i]!, NOMINATED);
  }

  /** Whether a flag is on for the request that was begun last. */
  isOn(index: number, head: RequestHead, client: ClientFacts): boolean {
    const bound = this.#bounds[index]!;
    if (bound === 0) return false;
    if (bound === TWO_32) return true;
    const key = this.#keys[index]!;
    if (key < 0) return false;
    let hash = this.#hashes[key]!;
    if (hash === UNREAD) {
      hash = this.#readers[key]!.hash(head, client);
      this.#hashes[key] = hash;
    }
    return hash !== NO_KEY && mix(hash, this.#seeds[index]!) < bound;
  }

  /** Field lines that tell the upstream; call before the head is edited, which may take a key away. */
  lines(head: RequestHead, client: ClientFacts): string {
    const told = this.#told;
    let out = '';
    for (let i = 0; i < told.length; i++) {
      out += this.isOn(told[i]!, head, client) ? this.#onLines[i]! : this.#offLines[i]!;
    }
    return out;
  }
}

/** A flag that must be on, or off. */
export class FlagPredicate {
  readonly #flags: FlagSet;
  readonly #index: number;
  readonly #on: boolean;

  /** @param name of a flag of the set; the configuration has proved that it is there. */
  constructor(flags: FlagSet, name: string, on: boolean) {
    this.#flags = flags;
    this.#index = flags.indexOf(name);
    this.#on = on;
  }

  accepts(head: RequestHead, client: ClientFacts): boolean {
    return this.#flags.isOn(this.#index, head, client) === this.#on;
  }
}

/** Lower-case names of the headers that flags read or write: no client may take them away by naming them in Connection. */
export const flagHeaders = (flags: readonly FlagSnapshot[]): string[] =>
  flags.flatMap(({ key, header }) => {
    const read = key === null ? [] : keyHeaders(key);
    return header === null ? read : read.concat(header.toLowerCase());
  });
