/**
 * Active health checks: which endpoints are probed, and who hears of it when one falls or rises.
 *
 * An endpoint that stays in the configuration keeps what is known of it, even if the way it is probed has changed; one whose address is new
 * under an old id starts afresh. Checks that go take their flag with them: an endpoint that nobody probes any more must not stay
 * unhealthy for ever. Without targets there is no timer and no socket.
 */
import { isDeepStrictEqual } from 'node:util';
import type { EndpointTable } from '../../model/endpoint-table.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Random } from '../../runtime/random.ts';
import type { CheckContext, HealthStatus } from './check.ts';
import { Check } from './check.ts';
import type { HealthTarget, NewProbe } from './probe.ts';
import { HttpProbe } from './probe-http.ts';
import { ProbeSchedule } from './probe-schedule.ts';
import { TcpProbe } from './probe-tcp.ts';

/** An endpoint became healthy or unhealthy. */
export interface HealthEvent {
  readonly endpointId: number;
  readonly url: string;
  readonly service: string;
  readonly version: string;
  readonly healthy: boolean;
  /** What was wrong with the probe that decided; null where the endpoint became healthy. */
  readonly fault: string | null;
  /** Clock milliseconds. */
  readonly at: number;
}

export interface HealthCheckerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly table: EndpointTable;
  readonly logger: Logger;
  readonly onChange?: (event: HealthEvent) => void;
  /** For tests. Default: HTTP over undici, or TCP. */
  readonly newProbe?: NewProbe;
}

const newProbe: NewProbe = (target) => (target.config.type === 'tcp' ? new TcpProbe(target) : new HttpProbe(target));

export class HealthChecker {
  readonly #options: HealthCheckerOptions;
  readonly #schedule: ProbeSchedule;
  readonly #context: CheckContext;
  readonly #checks = new Map<number, Check>();

  constructor(options: HealthCheckerOptions) {
    const { clock, random, table } = options;
    this.#options = options;
    this.#schedule = new ProbeSchedule(clock);
    this.#context = {
      ...{ clock, random, table, schedule: this.#schedule },
      newProbe: options.newProbe ?? newProbe,
      changed: (target, healthy, fault) => this.#changed(target, healthy, fault),
    };
  }

  /** Probes exactly these endpoints from now on; one target per endpoint id. */
  apply(targets: readonly HealthTarget[]): void {
    const staying = new Set<number>();
    for (const target of targets) {
      const check = this.#checks.get(target.endpointId);
      if (check !== undefined && isSameEndpoint(check.target, target)) staying.add(target.endpointId);
    }
    for (const [id, check] of this.#checks) {
      if (staying.has(id)) continue;
      this.#checks.delete(id);
      check.drop();
    }
    for (const target of targets) {
      const check = this.#checks.get(target.endpointId);
      if (check === undefined) this.#checks.set(target.endpointId, new Check(target, this.#context));
      else if (!isDeepStrictEqual(check.target, target)) check.retarget(target);
    }
  }

  states(): readonly HealthStatus[] {
    return Array.from(this.#checks.values(), (check) => check.status);
  }

  /** Ends every check; shared memory stays as it is, and the checker is not used again. */
  close(): Promise<void> {
    for (const check of this.#checks.values()) check.stop();
    this.#checks.clear();
    this.#schedule.close();
    return Promise.resolve();
  }

  #changed({ endpointId, url, service, version }: HealthTarget, healthy: boolean, fault: string | null): void {
    const { logger, clock, onChange } = this.#options;
    if (healthy) logger.info('endpoint_healthy', { service, version, endpoint: url });
    else logger.warn('endpoint_unhealthy', { service, version, endpoint: url, fault });
    onChange?.({ endpointId, url, service, version, healthy, fault, at: clock.now() });
  }
}

function isSameEndpoint(a: HealthTarget, b: HealthTarget): boolean {
  return a.url === b.url && a.service === b.service && a.version === b.version;
}
