/**
 * A service as a worker runs it, and the choice of the version (phase 4) and the endpoint (phase 6).
 *
 * The version is named by the first of these that has an answer:
 *
 *   1. the route                       every request of the route goes to a lane or version
 *   2. the override header, then cookie   a value that names nothing is ignored: no client can make errors with it
 *   3. an experiment                   by its own key and salt
 *   4. session affinity                a live entry of the present division
 *   5. the split strategy              by the session's hash, the split's own key, or in turn
 *
 * A session without an entry is split by the hash of its key and finds its endpoint by that hash, so that every worker and machine comes to
 * the same answer without talking; the entry then holds both in place while endpoints come and go. An entry of an older division is
 * decided anew, which moves only the share that the weights moved, and keeps its endpoint where version and endpoint are still
 * good. Where the strategy ignores keys there is nothing to decide by: an entry then outlives its division as long as its version has a
 * weight, or every change of the configuration would deal all sessions anew. An entry whose endpoint has become unusable gets another one; a
 * draining endpoint keeps the sessions it has.
 *
 * Weight 0 gets exactly 0 requests, 1 to 3 aside.
 *
 * A rollout that is over for a version marks it (model/evidence-table.ts): CLOSED sends what 3 to 5 decided to stable instead, sessions for good; the
 * request is then nobody's sample. NO_OVERRIDE makes 2 pass over a value that names the version.
 *
 * @hotpath bench/micro/choose.ts
 */
import type { ServiceTimeoutsConfig } from '../../model/config.ts';
import { CLOSED, NO_OVERRIDE } from '../../model/evidence-table.ts';
import type { RateGate } from '../admit/rate-gate.ts';
import { hashKey } from '../balance/key-hash.ts';
import { NO_KEY } from '../balance/policy.ts';
import { UNKNOWN } from '../http1/field-names.ts';
import { type ClientFacts, schemeOf } from '../http1/field-rules.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { Recovery } from '../upstream/recovery.ts';
import type { Affinity } from './affinity.ts';
import type { Session } from './affinity-table.ts';
import type { Choice } from './choice.ts';
import type { Experiment } from './experiment.ts';
import type { KeyReader } from './key-reader.ts';
import type { LiveWeights } from './live-weights.ts';
import type { Version } from './version.ts';
import type { VersionSplit } from './version-split.ts';

/** How a service's requests are divided by the weights of the moment. */
export interface Division {
  readonly split: VersionSplit;
  /** Versions whose sessions stay without being decided anew: those with a weight, if the strategy ignores keys. */
  readonly holding: ReadonlySet<string>;
  /** Another one for every division of the worker: what sessions remember having been decided by. */
  readonly number: number;
}

/** What a service is made of; `compile.ts` puts it together. */
export interface ServiceParts {
  readonly name: string;
  readonly weights: LiveWeights;
  /** By version id. */
  readonly marks: Int32Array;
  /** @param weights hundredths of a percent, in the order of the versions. */
  readonly divide: (weights: readonly number[]) => Division;
  readonly timeouts: ServiceTimeoutsConfig;
  readonly versions: readonly Version[];
  readonly stable: Version;
  /** Versions by name and by lane. */
  readonly byName: ReadonlyMap<string, Version>;
  readonly overrideHeader: number;
  readonly overrideCookie: KeyReader | null;
  readonly experiments: readonly Experiment[];
  readonly affinity: Affinity | null;
  /** Key of a `hash` split. */
  readonly splitKey: KeyReader | null;
  /** Key of a hashing balancing policy; null where it is that of the sessions. */
  readonly balanceKey: KeyReader | null;
  readonly rate: RateGate | null;
  readonly recovery: Recovery;
}

export class Service {
  readonly name: string;
  readonly timeouts: ServiceTimeoutsConfig;
  readonly stable: Version;
  readonly rate: RateGate | null;
  readonly recovery: Recovery;
  readonly #parts: ServiceParts;
  #division: Division;

  constructor(parts: ServiceParts) {
    this.name = parts.name;
    this.timeouts = parts.timeouts;
    this.stable = parts.stable;
    this.rate = parts.rate;
    this.recovery = parts.recovery;
    this.#parts = parts;
    this.#division = parts.divide(parts.weights.weights);
  }

  /** Takes up live weights; requests do it by themselves. @returns the epoch of those in force. */
  weigh(): number {
    const { weights, divide } = this.#parts;
    if (weights.stale && weights.refresh()) this.#division = divide(weights.weights);
    return weights.epoch;
  }

  /** By version or lane name. */
  find(name: string): Version | null {
    return this.#parts.byName.get(name) ?? null;
  }

  /** Phase 4. @param routed the version that the route names, or null. @param choice takes the answer. */
  choose(head: RequestHead, client: ClientFacts, routed: Version | null, now: number, choice: Choice): void {
    choice.reset();
    const { affinity, balanceKey, weights } = this.#parts;
    if (weights.stale) this.weigh();
    const key = affinity === null ? '' : affinity.key(head, client);
    if (balanceKey !== null) choice.hash = balanceKey.hash(head, client);
    const named = routed ?? this.#override(head, client);
    if (named !== null) {
      if (key !== '') choice.sessionHash = hashKey(key);
      choice.version = named;
      choice.forced = true;
      return;
    }
    const assigned = this.#experiment(head, client);
    if (affinity === null) choice.version = this.#choose(assigned, head, client, now, choice);
    else this.#chooseInSession(affinity, key, assigned, head, client, now, choice);
  }

  /** Phase 6. @param tried endpoints that this request has been sent to. */
  pick(version: Version, choice: Picking, now: number, tried: readonly Endpoint[]): Endpoint | null {
    const { session, sessionHash } = choice;
    if (tried.length > 0 || sessionHash === NO_KEY) return version.endpoints.pick(choice.hash, now, tried);
    const hash = choice.hash === NO_KEY ? sessionHash : choice.hash;
    if (session === null || session.version !== version.name) return version.endpoints.pickForSession(hash, now);
    const pinned = session.endpoint;
    if (pinned !== null && version.endpoints.keeps(pinned) && !pinned.full) return pinned;
    const endpoint = version.endpoints.pickForSession(hash, now);
    session.endpoint = endpoint;
    return endpoint;
  }

  /** A session moves along to the endpoint that answered in place of the one it was pinned to. */
  moveSession(version: Version, choice: Picking, endpoint: Endpoint): void {
    const { session } = choice;
    if (session !== null && session.version === version.name) session.endpoint = endpoint;
  }

  #override(head: RequestHead, client: ClientFacts): Version | null {
    const { overrideHeader, overrideCookie, byName } = this.#parts;
    if (overrideHeader !== UNKNOWN && head.has(overrideHeader)) {
      const named = byName.get(head.value(overrideHeader));
      if (named !== undefined && this.#mayOverride(named)) return named;
    }
    if (overrideCookie === null) return null;
    const name = overrideCookie.read(head, client);
    const named = name === '' ? undefined : byName.get(name);
    return named !== undefined && this.#mayOverride(named) ? named : null;
  }

  #mayOverride(version: Version): boolean {
    return (this.#parts.marks[version.id]! & NO_OVERRIDE) === 0;
  }

  #experiment(head: RequestHead, client: ClientFacts): Version | null {
    const { experiments, versions } = this.#parts;
    for (let i = 0; i < experiments.length; i++) {
      const index = experiments[i]!.choose(head, client);
      if (index >= 0) return versions[index]!;
    }
    return null;
  }

  /** Without a session. */
  #choose(assigned: Version | null, head: RequestHead, client: ClientFacts, now: number, choice: Choice): Version {
    const version = this.#unlessClosed(assigned ?? this.#split(head, client, NO_KEY, now, choice), choice);
    if (choice.mark !== 0) choice.byWeight = assigned === null && this.#division.split.isByWeight(head);
    return version;
  }

  #split(head: RequestHead, client: ClientFacts, hash: number, now: number, choice: Choice): Version {
    const { splitKey, versions } = this.#parts;
    const own = splitKey === null ? NO_KEY : splitKey.hash(head, client);
    const key = own === NO_KEY ? hash : own;
    choice.key = key;
    return versions[this.#division.split.pick(head, key, now)] ?? this.stable;
  }

  /** Notes the mark of a version that the request was not given by name. @returns stable in place of one that is closed. */
  #unlessClosed(version: Version, choice: Choice): Version {
    const mark = this.#parts.marks[version.id]!;
    if ((mark & CLOSED) !== 0 && version !== this.stable) return this.stable;
    choice.mark = mark;
    return version;
  }

  #chooseInSession(
    affinity: Affinity,
    presented: string,
    assigned: Version | null,
    head: RequestHead,
    client: ClientFacts,
    now: number,
    choice: Choice,
  ): void {
    const key = presented === '' ? affinity.begin() : presented;
    if (key === '') {
      choice.version = this.#choose(assigned, head, client, now, choice);
      return;
    }
    let session = presented === '' ? null : affinity.table.find(key);
    choice.sessionHash = session === null || session.hash === NO_KEY ? hashKey(key) : session.hash;
    const kept = session === null ? null : this.#keptVersion(session);
    const chosen = assigned ?? kept ?? this.#split(head, client, choice.sessionHash, now, choice);
    const version = this.#unlessClosed(chosen, choice);
    if (session === null) {
      session = affinity.table.remember(key, version.name, null, this.#division.number);
      session.hash = choice.sessionHash;
      session.byWeight = assigned === null && version === chosen && this.#division.split.isByWeight(head);
    } else if (kept === null || (kept === chosen && version !== chosen)) {
      if (session.version !== version.name) session.endpoint = null;
      session.version = version.name;
      session.division = this.#division.number;
      session.byWeight = assigned === null && version === chosen && this.#division.split.isByWeight(head);
    }
    choice.key = choice.sessionHash;
    choice.byWeight = assigned === null && session.byWeight;
    if (kept === version) affinity.hit(version.id);
    else affinity.miss(version.id);
    choice.version = version;
    choice.session = session;
    affinity.sendCookie(session, key, schemeOf(head, client) === 'https', now, choice);
  }

  /** The version that a session holds on to, null where it is to be decided anew. */
  #keptVersion(session: Session<string, Endpoint>): Version | null {
    const { number, holding } = this.#division;
    if (session.division !== number) {
      if (!holding.has(session.version)) return null;
      session.division = number;
    }
    return this.#parts.byName.get(session.version) ?? null;
  }
}

/** What `pick` needs of a choice; an exchange keeps it for further attempts. */
export type Picking = Pick<Choice, 'session' | 'sessionHash' | 'hash'>;
