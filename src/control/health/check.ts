/**
 * The check of one endpoint: probes it when its turn comes, keeps its state, and writes what follows into shared memory.
 *
 *     waiting ──turn: ask──▶ asking ──verdict, or turn: time is up──▶ waiting
 *
 *   waiting   `dueAt` is the start of the next probe
 *   asking    `dueAt` is the end of its timeout, which counts from its start; the next probe starts no earlier than this one has ended
 *
 * UNHEALTHY is written after every probe, not only when it changes, so that shared memory cannot stay wrong for longer than an interval.
 *
 * A passed probe is also word against an ejection. `healthy` of them in a row, asked and answered while the endpoint was ejected, end it; after n
 * ejections that were not forgiven it takes n times as many. Why more: an endpoint that fails its users and passes its checks would
 * otherwise be back every few seconds, and the growing ejection time would be without effect.
 */

import { endEjection } from '../../model/ejection.ts';
import type { EndpointTable } from '../../model/endpoint-table.ts';
import {
  clearFlag,
  EJECTED,
  EJECTION_EVENTS,
  EJECTIONS,
  endpointRow,
  flagsOf,
  setFlag,
  UNHEALTHY,
} from '../../model/endpoint-table.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';
import type { CheckPhase, CheckState } from './check-state.ts';
import { afterProbe, INITIAL_STATE, isHealthy, pauseIn } from './check-state.ts';
import type { HealthTarget, NewProbe, Probe } from './probe.ts';
import type { ProbeSchedule, Turn } from './probe-schedule.ts';
import { nearestLine } from './probe-schedule.ts';

/** The first probes of endpoints that come together are spread over this time, milliseconds. */
const FIRST_WITHIN = 1_000;
/** How much longer an answer may take that the thread itself had no time to read. */
const GRACE = 50;
const NOT_EJECTED = -1;

/** What the API shows of a check. Times are clock milliseconds. */
export interface HealthStatus {
  readonly endpointId: number;
  readonly url: string;
  readonly service: string;
  readonly version: string;
  readonly phase: CheckPhase;
  readonly healthy: boolean;
  /** Results in a row that speak against the settled phase. */
  readonly streak: number;
  /** When the endpoint became what it is, healthy or not. */
  readonly since: number;
  /** Of the last probe that ended; `fault` is null where it passed. */
  readonly last: { readonly at: number; readonly took: number; readonly fault: string | null } | null;
  readonly probes: number;
  readonly failures: number;
}

export interface CheckContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly table: EndpointTable;
  readonly schedule: ProbeSchedule;
  readonly newProbe: NewProbe;
  /** Called when an endpoint has become healthy or unhealthy; `fault` is that of the probe which decided. */
  readonly changed: (target: HealthTarget, healthy: boolean, fault: string | null) => void;
}

export class Check implements Turn {
  dueAt: number;
  readonly #context: CheckContext;
  #target: HealthTarget;
  #probe: Probe;
  #state: CheckState = INITIAL_STATE;
  #since: number;
  #last: HealthStatus['last'] = null;
  #probes = 0;
  #failures = 0;
  #asking = false;
  #startedAt = 0;
  /** EJECTION_EVENTS when the open probe started, where the endpoint was ejected then; else NOT_EJECTED. */
  #ejectionAtStart = NOT_EJECTED;
  /** The ejection that passed probes are counted for, and how many in a row there were. */
  #ejection = NOT_EJECTED;
  #passedSince = 0;

  constructor(target: HealthTarget, context: CheckContext) {
    this.#context = context;
    this.#target = target;
    this.#probe = context.newProbe(target);
    this.#since = context.clock.now();
    this.dueAt = this.#soon();
    // Left by a check of the same endpoint that was taken out of the configuration and is back.
    clearFlag(context.table, target.endpointId, UNHEALTHY);
    context.schedule.add(this);
  }

  get target(): HealthTarget {
    return this.#target;
  }

  get status(): HealthStatus {
    const { endpointId, url, service, version } = this.#target;
    const { phase, streak } = this.#state;
    return {
      ...{ endpointId, url, service, version, phase, streak },
      ...{ healthy: isHealthy(this.#state), since: this.#since, last: this.#last },
      ...{ probes: this.#probes, failures: this.#failures },
    };
  }

  /** Asks in another way from now on; the state stays. */
  retarget(target: HealthTarget): void {
    this.#probe.close();
    this.#probe = this.#context.newProbe(target);
    this.#target = target;
    this.#asking = false;
    this.dueAt = this.#soon();
    this.#context.schedule.sooner(this.dueAt);
  }

  turn(now: number, late: boolean): void {
    if (!this.#asking) {
      this.#ask(now);
    } else if (late) {
      this.dueAt = now + GRACE;
    } else {
      this.#probe.cancel();
      this.#end(`no answer within ${this.#target.config.timeout} ms`);
    }
  }

  /** Probes no more. Shared memory stays as it is, so that a proxy that drains goes on avoiding what is dead. */
  stop(): void {
    this.#context.schedule.remove(this);
    this.#probe.close();
  }

  /** Stops, and counts the endpoint as healthy, since nobody looks any more. */
  drop(): void {
    this.stop();
    clearFlag(this.#context.table, this.#target.endpointId, UNHEALTHY);
  }

  #soon(): number {
    const { clock, random } = this.#context;
    const { interval } = this.#target.config;
    return nearestLine(clock.now() + random.next() * Math.min(interval, FIRST_WITHIN), interval);
  }

  #ask(now: number): void {
    this.#asking = true;
    this.#startedAt = now;
    this.#ejectionAtStart = this.#presentEjection();
    this.dueAt = now + this.#target.config.timeout;
    this.#probe.run((fault) => this.#end(fault));
  }

  #end(fault: string | null): void {
    const { clock, random, schedule, changed } = this.#context;
    const { config } = this.#target;
    const now = clock.now();
    this.#asking = false;
    this.#probes++;
    if (fault !== null) this.#failures++;
    this.#last = { at: now, took: now - this.#startedAt, fault };

    const before = isHealthy(this.#state);
    this.#state = afterProbe(this.#state, fault === null, config);
    const healthy = this.#publish();
    this.#judgeEjection(fault === null);

    const pause = pauseIn(this.#state, config);
    const jittered = pause * (1 + (config.jitter / 100) * (2 * random.next() - 1));
    this.dueAt = Math.max(now, nearestLine(this.#startedAt + jittered, pause));
    schedule.sooner(this.dueAt);

    if (healthy === before) return;
    this.#since = now;
    changed(this.#target, healthy, fault);
  }

  #publish(): boolean {
    const healthy = isHealthy(this.#state);
    const { table } = this.#context;
    if (healthy) clearFlag(table, this.#target.endpointId, UNHEALTHY);
    else setFlag(table, this.#target.endpointId, UNHEALTHY);
    return healthy;
  }

  #judgeEjection(passed: boolean): void {
    const now = this.#presentEjection();
    if (now === NOT_EJECTED) return;
    if (!passed || this.#ejectionAtStart !== now) {
      this.#passedSince = 0;
      return;
    }
    this.#passedSince = this.#ejection === now ? this.#passedSince + 1 : 1;
    this.#ejection = now;
    const { table } = this.#context;
    const { endpointId, config } = this.#target;
    const times = Math.max(1, table[endpointRow(endpointId) + EJECTIONS]!);
    if (this.#passedSince >= config.healthy * times) endEjection(table, endpointId);
  }

  #presentEjection(): number {
    const { table } = this.#context;
    const { endpointId } = this.#target;
    if ((flagsOf(table, endpointId) & EJECTED) === 0) return NOT_EJECTED;
    return table[endpointRow(endpointId) + EJECTION_EVENTS]!;
  }
}
