/**
 * A service as a worker runs it: its versions, their endpoints and pools, and the choice between them.
 *
 * Choosing the version: the override header, whose value names a lane or a version, and otherwise the weighted split. A value that
 * names nothing is ignored, as a client must not be able to make errors by a header. Weight 0 gets exactly 0 requests, the header
 * aside. A version without endpoints fails over to stable.
 *
 * @hotpath bench/micro/choose.ts
 */
import type { EndpointSnapshot, ServiceSnapshot, VersionSnapshot } from '../../model/snapshot.ts';
import type { Random } from '../../runtime/random.ts';
import { SmoothWeighted } from '../balance/smooth-weighted.ts';
import { type FieldNames, UNKNOWN } from '../http1/field-names.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { EndpointPool } from '../upstream/pool.ts';

export class Version {
  readonly id: number;
  readonly name: string;
  /** The `x-sluice-version` response line, empty where the version is not exposed. */
  readonly line: string;
  readonly #pools: EndpointPool[];
  readonly #turn: SmoothWeighted;

  constructor(
    snapshot: VersionSnapshot,
    expose: boolean,
    random: Random,
    poolOf: (endpoint: EndpointSnapshot) => EndpointPool,
  ) {
    this.id = snapshot.id;
    this.name = snapshot.name;
    this.line = expose ? `x-sluice-version: ${snapshot.name}\r\n` : '';
    this.#pools = snapshot.endpoints.map(poolOf);
    const weights = snapshot.endpoints.map((endpoint) => endpoint.weight);
    this.#turn = new SmoothWeighted(weights, random);
  }

  /** The endpoint for the next request, null where the version has none. */
  pick(): EndpointPool | null {
    return this.#pools[this.#turn.pick()] ?? null;
  }
}

export class Service {
  readonly id: number;
  readonly name: string;
  readonly timeouts: ServiceSnapshot['timeouts'];
  readonly stable: Version;
  readonly #versions: Version[];
  readonly #split: SmoothWeighted;
  readonly #overrideId: number;
  readonly #byName = new Map<string, Version>();

  constructor(
    snapshot: ServiceSnapshot,
    names: FieldNames,
    random: Random,
    poolOf: (endpoint: EndpointSnapshot, service: ServiceSnapshot) => EndpointPool,
  ) {
    this.id = snapshot.id;
    this.name = snapshot.name;
    this.timeouts = snapshot.timeouts;
    this.#versions = snapshot.versions.map(
      (version) => new Version(version, snapshot.exposeVersion, random, (endpoint) => poolOf(endpoint, snapshot)),
    );
    this.stable = this.#versions[snapshot.stable]!;
    const weights = snapshot.versions.map((version) => version.weight);
    this.#split = new SmoothWeighted(weights, random);
    this.#overrideId = snapshot.overrideHeader === null ? UNKNOWN : names.idOf(snapshot.overrideHeader);
    snapshot.versions.forEach((version, i) => {
      this.#byName.set(version.name, this.#versions[i]!);
      if (version.lane !== null) this.#byName.set(version.lane, this.#versions[i]!);
    });
  }

  choose(head: RequestHead): Version {
    if (this.#overrideId !== UNKNOWN && head.has(this.#overrideId)) {
      const forced = this.#byName.get(head.value(this.#overrideId));
      if (forced !== undefined) return forced;
    }
    return this.#versions[this.#split.pick()] ?? this.stable;
  }
}
