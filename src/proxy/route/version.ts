/**
 * A version as a worker runs it: its endpoints, its circuit breaker, its outlier detector, and the requests that wait for a connection.
 *
 * `circuit.maxConnections` counts the connections that carry something and the idle ones. At the limit an idle connection to
 * another endpoint gives way; where there is none the request waits, for `timeouts.connect` at most, and the first in the line goes on when an
 * attempt ends. The line belongs to one worker, which is why the limit is divided among them. It outlives snapshots: a request that waits in
 * an old generation would else be forgotten while the new one uses the connections.
 *
 * @hotpath bench/micro/choose.ts
 */
import type { Lane } from '../../model/config.ts';
import type { VersionSnapshot } from '../../model/snapshot.ts';
import type { Circuit } from '../admit/circuit.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { EndpointSet } from '../upstream/endpoint-set.ts';
import type { OutlierDetector } from '../upstream/outlier.ts';

/** A request that waits for a connection. */
export interface Waiter {
  onConnectionFree(): void;
}

/** Who waits, first come first, and the circuit breaker that counts it as waiting. */
export type WaitingLine = Map<Waiter, Circuit>;

export class Version {
  readonly id: number;
  readonly name: string;
  readonly lane: Lane | null;
  /** The `x-sluice-version` response line, empty where the version is not exposed. */
  readonly line: string;
  /** Host of a request that brings none. */
  readonly authority: string;
  readonly endpoints: EndpointSet;
  readonly circuit: Circuit;
  readonly detector: OutlierDetector | null;
  readonly #waiting: WaitingLine;

  constructor(
    snapshot: VersionSnapshot,
    expose: boolean,
    endpoints: EndpointSet,
    circuit: Circuit,
    detector: OutlierDetector | null,
    waiting: WaitingLine = new Map(),
  ) {
    this.id = snapshot.id;
    this.name = snapshot.name;
    this.lane = snapshot.lane;
    this.line = expose ? `x-sluice-version: ${snapshot.name}\r\n` : '';
    this.authority = snapshot.endpoints[0]?.authority ?? '';
    this.endpoints = endpoints;
    this.circuit = circuit;
    this.detector = detector;
    this.#waiting = waiting;
  }

  /** Mean latency of the endpoints that have been measured, milliseconds; 0 where none has. */
  latencyAt(now: number): number {
    const { endpoints } = this.endpoints;
    let sum = 0;
    let measured = 0;
    for (let i = 0; i < endpoints.length; i++) {
      const latency = endpoints[i]!.latencyAt(now);
      if (latency <= 0) continue;
      sum += latency;
      measured++;
    }
    return measured === 0 ? 0 : sum / measured;
  }

  /** Whether an attempt on `endpoint` finds or may open a connection; makes room where an idle one elsewhere can go. */
  mayConnect(endpoint: Endpoint): boolean {
    const { maxConnections } = this.circuit;
    if (maxConnections === 0 || endpoint.pool.idle > 0 || this.#open() < maxConnections) return true;
    const { endpoints } = this.endpoints;
    for (let i = 0; i < endpoints.length; i++) if (endpoints[i]!.pool.closeOldest()) return true;
    return false;
  }

  /** Connections of all endpoints, the idle ones among them. */
  #open(): number {
    const { endpoints } = this.endpoints;
    let open = 0;
    for (let i = 0; i < endpoints.length; i++) open += endpoints[i]!.pool.active + endpoints[i]!.pool.idle;
    return open;
  }

  /** Whether some attempt may have a connection. */
  get #hasRoom(): boolean {
    const { maxConnections } = this.circuit;
    if (maxConnections === 0 || this.#open() < maxConnections) return true;
    const { endpoints } = this.endpoints;
    for (let i = 0; i < endpoints.length; i++) if (endpoints[i]!.pool.idle > 0) return true;
    return false;
  }

  /** @returns false where as many wait as may. */
  wait(waiter: Waiter): boolean {
    if (!this.circuit.tryWait()) return false;
    this.#waiting.set(waiter, this.circuit);
    return true;
  }

  stopWaiting(waiter: Waiter): void {
    this.#waiting.get(waiter)?.waited();
    this.#waiting.delete(waiter);
  }

  /**
   * An attempt has ended: whoever waits longest goes on, and further ones as long as there is room, since one that goes on may find no endpoint
   * any more and leave its connection to the next. Nobody is asked twice: a request of another generation may have to wait again.
   */
  connectionFreed(): void {
    for (let left = this.#waiting.size; left > 0 && this.#hasRoom; left--) {
      const first = this.#waiting.keys().next().value;
      if (first === undefined) return;
      this.stopWaiting(first);
      first.onConnectionFree();
    }
  }
}
