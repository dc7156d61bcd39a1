/**
 * The endpoints of one version, and which of them the next attempt goes to.
 *
 *     available = healthy && enabled && !ejected   the flags in shared memory, looked at again when their epoch changes
 *     choice    = policy(available), then !full, then slow start
 *
 * Membership, health and load are settled here, so a policy is only a formula (balance/policy.ts). What a choice must pass over, because it was
 * tried for this request or is full, is barred for the length of the choice. When everything is barred because it was tried, it is
 * tried again: a second attempt on the only endpoint is better than none.
 *
 * Slow start: an endpoint that is new or back is passed over at random, less and less often until `slowStart` has gone by. This way it
 * works for every policy, at the price that keyed policies send some keys elsewhere meanwhile, as they must if the endpoint is to warm up.
 *
 * Panic: when fewer than `panicThreshold` percent are available, health is ignored and every endpoint that is not taken out by hand is used,
 * for then the few that are left would break under the load, or the checks are wrong. Off unless configured.
 *
 * @hotpath bench/micro/choose.ts
 */
import { DISABLED, DRAINING, type EndpointTable, epochOf, flagsOf } from '../../model/endpoint-table.ts';
import type { BalanceConfig } from '../../model/policy-config.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';
import { createPolicy } from '../balance/create-policy.ts';
import { type BalancingPolicy, NO_KEY } from '../balance/policy.ts';
import { Rendezvous } from '../route/rendezvous.ts';
import type { Endpoint } from './endpoint.ts';

/** Share of its turns that an endpoint gets at the very beginning of its slow start. */
const FIRST_SHARE = 0.1;
const NOT_SEEN = -1;

export class EndpointSet {
  readonly endpoints: readonly Endpoint[];
  readonly #config: BalanceConfig;
  readonly #table: EndpointTable;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #policy: BalancingPolicy<Endpoint>;
  #available: Endpoint[] = [];
  /** Where sessions go; made when the first one asks. */
  #sessions: Rendezvous | null = null;
  #epoch = NOT_SEEN;
  #bounded = false;
  /** Whether some endpoint may still be in its slow start. */
  #warming = false;

  constructor(
    endpoints: readonly Endpoint[],
    config: BalanceConfig,
    table: EndpointTable,
    clock: Clock,
    random: Random,
  ) {
    this.endpoints = endpoints;
    this.#config = config;
    this.#table = table;
    this.#clock = clock;
    this.#random = random;
    this.#policy = createPolicy(config, random);
    for (let i = 0; i < endpoints.length; i++) if (endpoints[i]!.maxRequests > 0) this.#bounded = true;
  }

  /** Whether the policy makes use of a key. */
  get keyed(): boolean {
    return this.#policy.keyed;
  }

  get size(): number {
    this.#refresh();
    return this.#available.length;
  }

  /** Whether an endpoint is available that is not among those tried. */
  hasOther(tried: readonly Endpoint[]): boolean {
    this.#refresh();
    for (let i = 0; i < this.#available.length; i++) if (!tried.includes(this.#available[i]!)) return true;
    return false;
  }

  /** Whether the endpoint may be used by a session that is pinned to it: draining ones keep theirs. */
  keeps(endpoint: Endpoint): boolean {
    return endpoint.current && (flagsOf(this.#table, endpoint.id) & ~DRAINING) === 0;
  }

  /**
   * @param hash of the key, or NO_KEY. @param now clock time. @param tried endpoints that this request has been sent to.
   * @returns null where no endpoint is available or every available one is full.
   */
  pick(hash: number, now: number, tried: readonly Endpoint[]): Endpoint | null {
    this.#refresh();
    if (tried.length === 0 && !this.#bounded && !this.#warming) return this.#policy.pick(hash, now);
    return this.#pickAround(hash, now, tried);
  }

  /** The endpoint of a session that has none yet: by its key alone, so that every worker finds the same. */
  pickForSession(hash: number, now: number): Endpoint | null {
    this.#refresh();
    if (this.#policy.keyed) return this.pick(hash, now, NONE);
    if (this.#sessions === null) {
      const urls: string[] = [];
      const weights: number[] = [];
      for (let i = 0; i < this.#available.length; i++) {
        urls.push(this.#available[i]!.url);
        weights.push(this.#available[i]!.weight);
      }
      this.#sessions = new Rendezvous(urls, weights);
    }
    const found = this.#available[this.#sessions.pick(hash)] ?? null;
    return found?.full ? this.pick(NO_KEY, now, NONE) : found;
  }

  #pickAround(hash: number, now: number, tried: readonly Endpoint[]): Endpoint | null {
    for (let i = 0; i < tried.length; i++) tried[i]!.barred = true;
    let chosen = this.#pickFree(hash, now);
    if (chosen === null) {
      for (let i = 0; i < tried.length; i++) tried[i]!.barred = false;
      chosen = this.#pickFree(hash, now);
    }
    // What was tried may belong to another version, which would find it barred for ever.
    for (let i = 0; i < tried.length; i++) tried[i]!.barred = false;
    for (let i = 0; i < this.endpoints.length; i++) this.endpoints[i]!.barred = false;
    // A request that has failed over was sent to endpoints of another version, whose set would not know that they are barred.
    for (let i = 0; i < tried.length; i++) tried[i]!.barred = false;
    return chosen;
  }

  #pickFree(hash: number, now: number): Endpoint | null {
    let passed: Endpoint | null = null;
    for (;;) {
      const chosen = this.#policy.pick(hash, now);
      // Slow start passes over an endpoint only where there is another.
      if (chosen === null) return passed;
      if (chosen.full) chosen.barred = true;
      else if (this.#warming && this.#isPassedOver(chosen, now)) {
        passed ??= chosen;
        chosen.barred = true;
      } else return chosen;
    }
  }

  #isPassedOver(endpoint: Endpoint, now: number): boolean {
    const share = (now - endpoint.availableSince) / this.#config.slowStart;
    return share < 1 && this.#random.next() >= (share > FIRST_SHARE ? share : FIRST_SHARE);
  }

  #refresh(): void {
    const epoch = epochOf(this.#table);
    if (epoch === this.#epoch && !this.#warming) return;
    if (epoch !== this.#epoch) this.#rebuild(epoch);
    if (this.#warming) this.#warming = this.#isWarming();
  }

  #rebuild(epoch: number): void {
    const now = this.#clock.now();
    const first = this.#epoch === NOT_SEEN;
    this.#epoch = epoch;
    let usable = this.#withoutFlags(~0);
    for (let i = 0; i < this.endpoints.length; i++) {
      const endpoint = this.endpoints[i]!;
      const available = usable.includes(endpoint);
      if (available && !endpoint.wasAvailable) {
        endpoint.availableSince = now;
        this.#warming = this.#config.slowStart > 0;
      }
      endpoint.wasAvailable = available;
    }
    if (first) this.#warming = this.#config.slowStart > 0;
    if (usable.length * 100 < this.endpoints.length * this.#config.panicThreshold) {
      usable = this.#withoutFlags(DISABLED | DRAINING);
    }
    this.#available = usable;
    this.#sessions = null;
    this.#policy.replace(usable);
  }

  #withoutFlags(mask: number): Endpoint[] {
    const found: Endpoint[] = [];
    for (let i = 0; i < this.endpoints.length; i++) {
      const endpoint = this.endpoints[i]!;
      if ((flagsOf(this.#table, endpoint.id) & mask) === 0) found.push(endpoint);
    }
    return found;
  }

  #isWarming(): boolean {
    const since = this.#clock.now() - this.#config.slowStart;
    for (let i = 0; i < this.#available.length; i++) if (this.#available[i]!.availableSince > since) return true;
    return false;
  }
}

/** No endpoint has been tried. */
export const NONE: readonly Endpoint[] = [];
