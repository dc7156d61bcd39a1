/**
 * The control plane's half of passive health: it notices ejections, ends them, ejects for success rates, and forgives.
 *
 * Workers eject by themselves, in the middle of a request (proxy/upstream/outlier.ts); they do not know the time and take nothing back.
 * Every 100 ms the monitor looks at each endpoint once: a new ejection is reported, and one that has lasted
 *
 *     min(baseEjection × ejections not forgiven, maxEjection)
 *
 * is ended. Once an `interval` the success rates are compared (success-rate.ts), and an endpoint that was in for the whole of it is
 * forgiven one ejection, so that a bad hour does not make the next small fault an ejection of minutes.
 *
 * The cap is kept here as well, because the world changes under an ejection: endpoints are removed, the percentage is lowered, the last
 * endpoint that was available fails its checks, two workers eject in the same instant. Then those that have been out longest come
 * back. A longer detour, a message from worker to control plane for each ejection, would be later and could be lost.
 */
import type { WorkerMemory } from '../../model/counters.ts';
import type { EjectionCap } from '../../model/ejection.ts';
import { eject, ejectionCap, endEjection } from '../../model/ejection.ts';
import type { EndpointTable } from '../../model/endpoint-table.ts';
import { EJECTED, EJECTIONS, endpointRow, flagsOf } from '../../model/endpoint-table.ts';
import type { OutlierConfig } from '../../model/policy-config.ts';
import type { Clock, Interval } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { OutlierRecord } from './outlier-record.ts';
import { rateOutliers } from './success-rate.ts';

const LOOK_EVERY = 100;

/** A version whose endpoints may be ejected. */
export interface OutlierTarget {
  readonly service: string;
  readonly version: string;
  /** Whether even the last endpoint may be ejected: true for versions other than stable. */
  readonly mayEmpty: boolean;
  readonly endpoints: readonly { readonly id: number; readonly url: string }[];
  readonly config: OutlierConfig;
}

export type EjectionCause =
  /** Failures in a row, seen by a worker. */
  | 'consecutive'
  /** Fails much more often than its peers. */
  | 'success-rate';

export type ReturnCause =
  /** It has been out for its time. */
  | 'time'
  /** Active checks have passed, or the ejection was ended from outside. */
  | 'check'
  /** More are out than the version can spare. */
  | 'cap'
  /** Outlier detection of its version was switched off. */
  | 'configuration';

/** Times are clock milliseconds. */
export type OutlierEvent = {
  readonly endpointId: number;
  readonly url: string;
  readonly service: string;
  readonly version: string;
  readonly at: number;
} & (
  | { readonly kind: 'ejected'; readonly cause: EjectionCause; readonly ejections: number; readonly until: number }
  | { readonly kind: 'returned'; readonly cause: ReturnCause }
);

/** An endpoint that is out now. */
export interface EjectionStatus {
  readonly endpointId: number;
  readonly url: string;
  readonly service: string;
  readonly version: string;
  readonly since: number;
  readonly until: number;
  readonly ejections: number;
}

export interface OutlierMonitorOptions {
  readonly clock: Clock;
  readonly table: EndpointTable;
  readonly memories: readonly WorkerMemory[];
  readonly logger: Logger;
  readonly onChange?: (event: OutlierEvent) => void;
}

interface WatchedVersion {
  readonly target: OutlierTarget;
  readonly ids: readonly number[];
  readonly cap: EjectionCap;
  readonly records: readonly OutlierRecord[];
  intervalEnds: number;
}

export class OutlierMonitor {
  readonly #options: OutlierMonitorOptions;
  #versions: WatchedVersion[] = [];
  /** Endpoints that were watched once. A request that began while they were may still eject them, and nobody else would let them back in. */
  readonly #departed = new Set<number>();
  #timer: Interval | null = null;

  constructor(options: OutlierMonitorOptions) {
    this.#options = options;
  }

  /** Watches exactly these versions from now on. Endpoints that stay keep their ejection; those no longer watched come back. */
  apply(targets: readonly OutlierTarget[]): void {
    const { clock, table, memories } = this.#options;
    const before = new Map<number, { readonly version: WatchedVersion; readonly record: OutlierRecord }>();
    for (const version of this.#versions) {
      for (const record of version.records) before.set(record.endpointId, { version, record });
    }
    const watched = (id: number, url: string): OutlierRecord => {
      const known = before.get(id)?.record;
      if (known === undefined || known.url !== url) return new OutlierRecord(id, url, table, memories);
      before.delete(id);
      return known;
    };
    const since = new Map(this.#versions.map((version) => [nameOf(version.target), version]));
    this.#versions = targets.map((target) => {
      const { endpoints, config, mayEmpty } = target;
      const intervalEnds = clock.now() + config.interval;
      return {
        target,
        ids: endpoints.map(({ id }) => id),
        cap: ejectionCap(endpoints.length, config.maxEjectionPercent, mayEmpty),
        records: endpoints.map(({ id, url }) => watched(id, url)),
        // A version that is configured again every few seconds must still come to the end of an interval.
        intervalEnds: Math.min(intervalEnds, since.get(nameOf(target))?.intervalEnds ?? intervalEnds),
      };
    });
    const staying = new Set(this.#versions.flatMap(({ ids }) => ids));
    for (const { version, record } of before.values()) {
      // Under an id that is in use again stands another endpoint, which owes nothing.
      if (staying.has(record.endpointId)) continue;
      this.#return(version, record, 'configuration');
      this.#departed.add(record.endpointId);
    }
    for (const id of staying) this.#departed.delete(id);
    if (targets.length === 0 && this.#departed.size === 0) this.close();
    else this.#timer ??= clock.setInterval(this.#look, LOOK_EVERY);
  }

  ejections(): readonly EjectionStatus[] {
    return this.#versions.flatMap(({ target, records }) =>
      records.flatMap((record) => {
        if (record.outSince === null) return [];
        const { service, version } = target;
        const { endpointId, url, outSince: since } = record;
        const ejections = record.ejections(this.#options.table);
        return [{ endpointId, url, service, version, since, until: this.#until(target, record), ejections }];
      }),
    );
  }

  /** Looks no more; shared memory stays as it is. */
  close(): void {
    this.#timer?.stop();
    this.#timer = null;
  }

  readonly #look = (): void => {
    const now = this.#options.clock.now();
    const { table } = this.#options;
    for (const id of this.#departed) if ((flagsOf(table, id) & EJECTED) !== 0) endEjection(table, id);
    // What is reported may lead to another configuration; the versions of this look are looked at to the end.
    for (const version of this.#versions) {
      for (const record of version.records) this.#lookAt(version, record, now);
      this.#keepCap(version);
      if (now >= version.intervalEnds) {
        this.#endInterval(version);
        version.intervalEnds = now + version.target.config.interval;
      }
    }
  };

  #lookAt(version: WatchedVersion, record: OutlierRecord, now: number): void {
    switch (record.look(this.#options.table, now)) {
      case 'nothing':
        break;
      case 'ejected':
        this.#reportEjected(version, record, 'consecutive', now);
        break;
      case 'returned':
        this.#reportReturned(version, record, 'check');
        break;
      case 'ejected-and-returned':
        this.#reportEjected(version, record, 'consecutive', now);
        this.#reportReturned(version, record, 'check');
        break;
      case 'returned-and-ejected':
        this.#reportReturned(version, record, 'check');
        this.#reportEjected(version, record, 'consecutive', now);
        break;
    }
    if (record.outSince !== null && now >= this.#until(version.target, record)) this.#return(version, record, 'time');
  }

  #keepCap(version: WatchedVersion): void {
    const { cap, records } = version;
    const { table } = this.#options;
    const out = records.filter(({ outSince }) => outSince !== null);
    if (out.length === 0) return;
    out.sort((a, b) => a.outSince! - b.outSince!);
    for (const record of out.splice(0, Math.max(0, out.length - cap.most))) this.#return(version, record, 'cap');
    if (!cap.keepsLast || version.ids.some((id) => flagsOf(table, id) === 0)) return;
    // One that is not otherwise out, or it would be let back in and still get no request.
    const first = out.find(({ endpointId }) => flagsOf(table, endpointId) === EJECTED);
    if (first !== undefined) this.#return(version, first, 'cap');
  }

  #endInterval({ target, cap, ids, records }: WatchedVersion): void {
    const { clock, table, memories, logger } = this.#options;
    const counts = records.map((record) => record.count(memories));
    const behaved = records.map((record) => record.behaved);
    const inside = counts.filter((_, at) => records[at]!.outSince === null);
    for (const { endpointId, rate, peers } of rateOutliers(inside, target.config)) {
      if (!eject(table, ids, endpointId, cap)) continue;
      const record = records.find((each) => each.endpointId === endpointId)!;
      record.look(table, clock.now());
      const { service, version } = target;
      logger.warn('success_rate_outlier', { service, version, endpoint: record.url, rate, peers });
      this.#reportEjected({ target }, record, 'success-rate', clock.now());
    }
    records.forEach((record, at) => {
      if (behaved[at] && record.outSince === null && record.ejections(table) > 0) {
        Atomics.sub(table, endpointRow(record.endpointId) + EJECTIONS, 1);
      }
      record.behaved = record.outSince === null;
    });
  }

  #until({ config }: OutlierTarget, record: OutlierRecord): number {
    const times = Math.max(1, record.ejections(this.#options.table));
    return (record.outSince ?? 0) + Math.min(config.baseEjection * times, config.maxEjection);
  }

  #return(version: WatchedVersion, record: OutlierRecord, cause: ReturnCause): void {
    const noticed = record.outSince !== null;
    record.returned();
    const ended = endEjection(this.#options.table, record.endpointId);
    if (noticed || ended) this.#reportReturned(version, record, cause);
  }

  #reportEjected(
    { target }: Pick<WatchedVersion, 'target'>,
    record: OutlierRecord,
    cause: EjectionCause,
    at: number,
  ): void {
    const { service, version, config } = target;
    const { endpointId, url } = record;
    const ejections = record.ejections(this.#options.table);
    const lasts = Math.min(config.baseEjection * Math.max(1, ejections), config.maxEjection);
    this.#options.logger.warn('endpoint_ejected', { service, version, endpoint: url, cause, ejections, forMs: lasts });
    const event = { endpointId, url, service, version, at };
    this.#options.onChange?.({ ...event, kind: 'ejected', cause, ejections, until: at + lasts });
  }

  #reportReturned({ target }: Pick<WatchedVersion, 'target'>, record: OutlierRecord, cause: ReturnCause): void {
    const { service, version } = target;
    const { endpointId, url } = record;
    this.#options.logger.info('endpoint_returned', { service, version, endpoint: url, cause });
    const at = this.#options.clock.now();
    this.#options.onChange?.({ endpointId, url, service, version, at, kind: 'returned', cause });
  }
}

const nameOf = ({ service, version }: OutlierTarget): string => JSON.stringify([service, version]);
