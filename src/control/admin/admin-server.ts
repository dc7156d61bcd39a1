/**
 * The admin API's server: listens, takes a new configuration without dropping a connection, closes.
 *
 *     constructed ─listen─▶ listening ─close─▶ closing ─all answered, or the time is up─▶ closed
 *                              └─reconfigure─┘
 *
 * listening: every request is looked at with the rules of that moment. closing: nothing new is accepted, requests on open
 * connections get 503, those under way finish, event streams end (their readers resume elsewhere or later).
 *
 * What `reconfigure` changes (tokens, hosts, origins, certificate) is read and checked first and put in place in one turn, so a file
 * that cannot be read leaves everything as it was. Turning TLS on or off needs a new listener and is refused.
 */

import type { Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { AdminConfig } from '../../model/admin-config.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { authority } from '../config/addresses.ts';
import type { EventSource } from '../events/event-log.ts';
import type { Operations } from '../operations.ts';
import { OperationError } from '../problems.ts';
import type { Store } from '../store/store.ts';
import { guardRules } from './browser-guard.ts';
import type { MetricsText } from './call.ts';
import { CALLS } from './call-list.ts';
import { BUNDLE, DashboardFiles } from './dashboard-files.ts';
import { EventStreams } from './event-streams.ts';
import { type Denial, Gate } from './gate.ts';
import { httpFront } from './http-front.ts';
import { liveState } from './live-state.ts';
import { LiveTicker } from './live-ticker.ts';
import { openApiDocument } from './openapi.ts';
import { readTlsFiles } from './tls-files.ts';

export interface AdminServerOptions {
  readonly config: AdminConfig;
  readonly operations: Operations;
  readonly events: EventSource;
  readonly store: Store;
  readonly metrics: MetricsText;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds since 1970; Date.now unless told. */
  readonly wallClock?: () => number;
  /** Folder of the dashboard's files; the one that was built unless told. */
  readonly bundle?: URL;
  /** Is told once per burst of wrong tokens. */
  readonly onDenied?: (denial: Denial) => void;
}

export interface AdminAddress {
  readonly host: string;
  readonly port: number;
  /** Where a client on this machine reaches it. */
  readonly url: string;
}

export class AdminServer {
  readonly #options: AdminServerOptions;
  readonly #gate: Gate;
  readonly #streams = new EventStreams();
  #config: AdminConfig;
  #app: FastifyInstance | null = null;
  #closing = false;

  constructor(options: AdminServerOptions) {
    const { config, clock, onDenied = () => {} } = options;
    this.#options = options;
    this.#config = config;
    this.#gate = new Gate({ tokens: config.tokens, publicMetrics: config.publicMetrics, clock, onDenied });
  }

  /** @throws OperationError config_invalid for TLS files; what `net.Server` emits for an address that cannot be bound */
  async listen(): Promise<AdminAddress> {
    const { operations, events, store, metrics, clock, logger, wallClock = Date.now, bundle = BUNDLE } = this.#options;
    const { listen, tls } = this.#config;
    const document = openApiDocument(CALLS, operations.status().version);
    let guard = { of: this.#config, rules: guardRules(this.#config) };
    const app = await httpFront({
      calls: CALLS,
      parts: {
        ...{ operations, events, store, metrics, clock, wallClock, streams: this.#streams },
        live: new LiveTicker({ make: () => liveState(operations, wallClock()), clock, logger }),
        dashboard: await DashboardFiles.read(bundle),
        openApi: () => document,
        isOpen: () => this.#gate.isOpen,
        stillHolds: (authorization, identity) => this.#gate.stillHolds(authorization, identity),
      },
      rules: () => {
        if (guard.of !== this.#config) guard = { of: this.#config, rules: guardRules(this.#config) };
        return { guard: guard.rules, gate: this.#gate, closing: this.#closing };
      },
      logger,
      tls: tls === undefined ? null : await readTlsFiles(tls),
    });
    this.#app = app;
    // fastify would listen on every address that localhost stands for, and a port of 0 would be two.
    await app.listen({ host: listen.host === 'localhost' ? '127.0.0.1' : listen.host, port: listen.port });
    return addressOf(app.server.address() as AddressInfo, tls !== undefined);
  }

  /** Tokens, hosts, origins and certificate anew. @throws OperationError conflict, config_invalid; nothing has changed then */
  async reconfigure(config: AdminConfig): Promise<void> {
    if ((config.tls === undefined) !== (this.#config.tls === undefined)) {
      const message = 'TLS of the admin listener cannot be turned on or off by a reload; restart Sluice.';
      throw new OperationError('conflict', message, [{ field: 'admin.tls', message }]);
    }
    const tls = config.tls === undefined ? null : await readTlsFiles(config.tls);
    if (tls !== null) (this.#app?.server as TlsServer | undefined)?.setSecureContext(tls);
    this.#config = config;
    this.#gate.reconfigure(config.tokens, config.publicMetrics);
    this.#streams.recheck();
  }

  /** @param graceMs how long requests under way may take. */
  async close(graceMs: number): Promise<void> {
    const app = this.#app;
    if (app === null || this.#closing) return;
    this.#closing = true;
    this.#streams.close();
    const deadline = this.#options.clock.setInterval(() => app.server.closeAllConnections(), graceMs);
    try {
      await app.close();
    } finally {
      deadline.stop();
    }
  }
}

function addressOf({ address: host, port }: AddressInfo, tls: boolean): AdminAddress {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return { host, port, url: `${tls ? 'https' : 'http'}://${authority({ host: reachable, port })}` };
}
