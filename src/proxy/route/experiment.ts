/**
 * An experiment: a named A/B test whose users are divided by key, whatever the rollout of the service does.
 *
 * The key is hashed with the experiment's salt as seed. The hash itself says whether the user takes part, the hashes that weighted
 * rendezvous derives from it say which version it sees. So the same key always gets the same answer, on every machine and after every
 * restart; raising `traffic` adds users and changes nobody's version; and knowing where the rollout, or an experiment with another
 * salt, has put a user says nothing about this one. Two experiments with one salt share their users on purpose.
 *
 * A request without the key takes no part: dice would show one user both versions.
 *
 * @hotpath bench/micro/split.ts
 */
import type { ExperimentConfig } from '../../model/policy-config.ts';
import { hashKey } from '../balance/key-hash.ts';
import type { FieldNames } from '../http1/field-names.ts';
import type { ClientFacts } from '../http1/field-rules.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { type IsTrusted, KeyReader } from './key-reader.ts';
import { Rendezvous } from './rendezvous.ts';

const TWO_32 = 4_294_967_296;

export class Experiment {
  readonly name: string;
  readonly #reader: KeyReader;
  readonly #seed: number;
  /** Hashes below this take part. */
  readonly #bound: number;
  readonly #rendezvous: Rendezvous;
  readonly #versions: number[];

  /** @param versionIndex index of a version by its name, -1 where there is none. */
  constructor(
    config: ExperimentConfig,
    versionIndex: (name: string) => number,
    names: FieldNames,
    isTrusted: IsTrusted,
  ) {
    this.name = config.name;
    this.#reader = new KeyReader(config.key, names, isTrusted);
    this.#seed = hashKey(config.salt);
    this.#bound = (config.traffic / 100) * TWO_32;
    const versions = Object.keys(config.weights);
    this.#versions = versions.map(versionIndex);
    this.#rendezvous = new Rendezvous(versions, Object.values(config.weights), config.salt);
  }

  /** Index of the version that the experiment shows to this request, -1 where the request takes no part. */
  choose(head: RequestHead, client: ClientFacts): number {
    const key = this.#reader.read(head, client);
    if (key === '') return -1;
    const hash = hashKey(key, this.#seed);
    if (hash >= this.#bound) return -1;
    return this.#versions[this.#rendezvous.pick(hash)] ?? -1;
  }
}
