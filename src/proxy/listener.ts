/**
 * Phase 1: accepts connections on one address and turns them into ServerConnections, within the connection limits.
 *
 * A connection over a limit is closed at once, without an answer: a limit that made work for the one who exceeds it would be none.
 * Trusted proxies are exempt from the limit per address, since many clients stand behind each.
 */
import net from 'node:net';
import type { ListenConfig } from '../model/config.ts';
import type { ConnectionOwner } from './codec.ts';
import type { ConnectionLedger } from './connection-ledger.ts';
import { clientFacts } from './http1/field-rules.ts';
import { ServerConnection } from './http1/server-connection.ts';
import { adopt, SocketReader } from './socket-reader.ts';
import type { WorkerContext } from './worker-context.ts';

const BACKLOG = 4_096;
/**
 * Listening sockets a worker opens per address. libuv accepts one connection per socket and turn of the event loop; under load, with
 * turns of tens of milliseconds, a single socket lets a burst of new clients wait for seconds.
 */
const ACCEPTORS = 8;

export class Listener implements ConnectionOwner<ServerConnection> {
  draining = false;
  ending = false;
  readonly connections = new Set<ServerConnection>();
  readonly #context: WorkerContext;
  readonly #ledger: ConnectionLedger;
  readonly #isTrusted: (address: string) => boolean;
  readonly #onError: (error: Error) => void;
  readonly #servers: net.Server[] = [];
  #onEmpty: (() => void) | null = null;

  constructor(
    context: WorkerContext,
    ledger: ConnectionLedger,
    isTrusted: (address: string) => boolean,
    onError: (error: Error) => void,
  ) {
    this.#context = context;
    this.#ledger = ledger;
    this.#isTrusted = isTrusted;
    this.#onError = onError;
  }

  /** @returns the address that was bound. Rejects where it cannot be. */
  async listen(address: ListenConfig, reusePort: boolean): Promise<ListenConfig> {
    const bound = await this.#bind(address, reusePort);
    for (let i = 1; reusePort && i < ACCEPTORS; i++) await this.#bind(bound, true);
    return bound;
  }

  #bind(address: ListenConfig, reusePort: boolean): Promise<ListenConfig> {
    const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#accept(socket);
    });
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: address.host, port: address.port, backlog: BACKLOG, reusePort }, () => {
        server.off('error', reject);
        server.on('error', this.#onError);
        const bound = server.address() as net.AddressInfo;
        resolve({ host: bound.address, port: bound.port });
      });
    });
  }

  #accept(accepted: net.Socket): void {
    const address = accepted.remoteAddress;
    // A client may be gone before its connection is accepted.
    if (address === undefined) {
      accepted.destroy();
      return;
    }
    const client = plainAddress(address);
    const trusted = this.#isTrusted(client);
    if (this.#isOverLimit(client, trusted)) {
      this.#context.counters.connectionRejected();
      accepted.destroy();
      return;
    }
    const reader = new SocketReader(this.#context.readBuffer);
    const facts = clientFacts(client, trusted, 'http');
    const connection = new ServerConnection(this.#context, this, facts, adopt(accepted, reader), reader);
    this.#ledger.add(client, 1);
    this.#context.counters.connectionOpened();
    this.connections.add(connection);
  }

  #isOverLimit(client: string, trusted: boolean): boolean {
    const { connections, connectionsPerAddress } = this.#context.current.snapshot.limits;
    if (this.#ledger.total >= connections) return true;
    return !trusted && connectionsPerAddress > 0 && this.#ledger.of(client) >= connectionsPerAddress;
  }

  connectionClosed(connection: ServerConnection): void {
    if (!this.connections.delete(connection)) return;
    this.#ledger.add(connection.client.address, -1);
    this.#context.counters.connectionClosed();
    if (this.connections.size === 0) this.#onEmpty?.();
  }

  /** Stops accepting. */
  stop(): void {
    for (const server of this.#servers.splice(0)) server.close();
  }

  /** Tells every connection to end behind its present response; idle ones end now. */
  drain(): void {
    this.ending = true;
    for (const connection of this.connections) connection.drain();
  }

  /** Resolves when the last connection has closed. */
  empty(): Promise<void> {
    if (this.connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  destroyAll(): void {
    for (const connection of this.connections) connection.destroy();
  }
}

/** IPv4 addresses as such also where a dual-stack socket shows them mapped into IPv6. */
const plainAddress = (address: string): string =>
  address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
