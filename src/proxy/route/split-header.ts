/**
 * Split by header: a map from values of one header to versions; every other request is split by weight.
 *
 * A value in the map is an explicit order and holds whatever the weights are, 0 included; values are compared exactly. A request without the
 * header, or with a value that is not in the map, must still get an answer, and gets the one that it would get without this strategy.
 *
 * @hotpath bench/micro/split.ts
 */
import type { ServiceSnapshot } from '../../model/snapshot.ts';
import type { Random } from '../../runtime/random.ts';
import { type FieldNames, UNKNOWN } from '../http1/field-names.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { VersionSplit } from './split-strategy.ts';
import { WeightedSplit } from './split-weighted.ts';

export class HeaderSplit implements VersionSplit {
  readonly #id: number;
  readonly #versionOf = new Map<string, number>();
  readonly #others: WeightedSplit;

  constructor(service: ServiceSnapshot, names: FieldNames, random: Random) {
    const { header } = service.split;
    this.#id = header === undefined ? UNKNOWN : names.idOf(header.name);
    for (const [value, name] of Object.entries(header?.values ?? {})) {
      const index = service.versions.findIndex((version) => version.name === name);
      // Heads are read as latin1, so that is how text beyond ASCII has to be compared.
      if (index >= 0) this.#versionOf.set(Buffer.from(value, 'utf8').toString('latin1'), index);
    }
    this.#others = new WeightedSplit(service, random);
  }

  pick(head: RequestHead, hash: number, now: number): number {
    return this.#named(head) ?? this.#others.pick(head, hash, now);
  }

  isByWeight(head: RequestHead): boolean {
    return this.#named(head) === undefined;
  }

  #named(head: RequestHead): number | undefined {
    return head.has(this.#id) ? this.#versionOf.get(head.value(this.#id)) : undefined;
  }
}
