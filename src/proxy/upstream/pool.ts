/**
 * The connections of one worker to one endpoint.
 *
 * Idle ones form a stack: the warmest is used again first, so a falling load lets the coldest age out by itself. A connection leaves the
 * pool when it has been idle longer than the configured time or the upstream's own `Keep-Alive: timeout` hint less a second, when
 * it is older than `maxAge`, when its FIN is seen, or when a byte arrives that nobody asked for.
 *
 * Pools outlive snapshots: an endpoint that a new generation still has keeps its connections.
 *
 * @hotpath bench/micro/exchange.ts
 */
import type { PoolConfig, ServiceTimeoutsConfig } from '../../model/config.ts';
import type { EndpointSnapshot } from '../../model/snapshot.ts';
import { ClientConnection, type ConnectionHome, type UpstreamContext } from '../http1/client-connection.ts';

export class EndpointPool implements ConnectionHome {
  readonly endpoint: EndpointSnapshot;
  readonly context: UpstreamContext;
  config: PoolConfig;
  timeouts: ServiceTimeoutsConfig;
  /** Connections that carry or await an attempt. */
  active = 0;
  readonly #idle: ClientConnection[] = [];
  #closed = false;

  constructor(
    endpoint: EndpointSnapshot,
    config: PoolConfig,
    timeouts: ServiceTimeoutsConfig,
    context: UpstreamContext,
  ) {
    this.endpoint = endpoint;
    this.config = config;
    this.timeouts = timeouts;
    this.context = context;
  }

  get idle(): number {
    return this.#idle.length;
  }

  /** @param fresh whether a connection that has been used before will not do. */
  acquire(fresh: boolean): ClientConnection {
    this.active++;
    this.context.counters.upstreamActive(1);
    const pooled = fresh ? undefined : this.#idle.pop();
    if (pooled !== undefined) this.context.counters.upstreamIdle(-1);
    return pooled ?? new ClientConnection(this);
  }

  /** Takes a connection back; the connection closes itself where this returns false. */
  release(connection: ClientConnection): boolean {
    this.lose();
    const { maxIdle, maxAge } = this.config;
    if (this.#closed || this.#idle.length >= maxIdle) return false;
    if (maxAge > 0 && this.context.clock.now() - connection.created >= maxAge) return false;
    this.#idle.push(connection);
    this.context.counters.upstreamIdle(1);
    return true;
  }

  lose(): void {
    this.active--;
    this.context.counters.upstreamActive(-1);
  }

  /** Forgets an idle connection that has closed. */
  remove(connection: ClientConnection): void {
    const at = this.#idle.lastIndexOf(connection);
    if (at < 0) return;
    this.#idle.splice(at, 1);
    this.context.counters.upstreamIdle(-1);
  }

  /** Closes the connection that has been idle longest. @returns false where none is idle. */
  closeOldest(): boolean {
    const oldest = this.#idle[0];
    oldest?.destroy();
    return oldest !== undefined;
  }

  /** Closes what is idle now and the rest as it comes back. */
  close(): void {
    this.#closed = true;
    this.context.counters.upstreamIdle(-this.#idle.length);
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }
}
