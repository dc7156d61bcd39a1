/**
 * An upstream that records every byte and does to each connection what the test says.
 *
 * A behaviour is called once for every accepted connection and drives it like a script: `await connection.request()` gives the next whole
 * request, `connection.write`, `fin`, `reset` act. A script whose connection goes away while it waits simply stops.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Test } from 'tap';
import { RawConnection } from './connection.ts';
import { type RequestMessage, readRequest } from './message.ts';
import { Signal } from './signal.ts';

class Gone extends Error {}

export class UpstreamConnection extends RawConnection {
  readonly index: number;
  readonly requests: RequestMessage[] = [];
  /** Why the bytes are not a request, once they are not. */
  bad: string | null = null;
  /** A request was begun and is not whole. */
  partial = false;
  #at = 0;
  #given = 0;

  constructor(socket: Socket, index: number) {
    super(socket);
    this.index = index;
  }

  /** Reads on; called after every packet. Tests that stream large bodies switch `keep` off and do without. */
  parse(): void {
    while (this.keep && this.bad === null) {
      const text = this.text;
      this.partial = text.length > this.#at;
      if (!this.partial) return;
      const read = readRequest(text, this.#at);
      if (read.state === 'bad') this.bad = read.why;
      if (read.state !== 'complete') return;
      this.requests.push(read.message);
      this.#at = read.end;
    }
  }

  /** What came after the whole requests: a body that has begun, or the bytes of a tunnel. */
  get rest(): string {
    return this.text.slice(this.#at);
  }

  async request(): Promise<RequestMessage> {
    const more = () => this.requests.length > this.#given;
    await this.signal.wait('a request', () => more() || this.over, 120_000);
    if (!more()) throw new Gone();
    return this.requests[this.#given++]!;
  }

  /** The head of a request whose body may not have come. */
  async head(): Promise<void> {
    await this.signal.wait('a request head', () => this.text.includes('\r\n\r\n') || this.over, 120_000);
    if (!this.text.includes('\r\n\r\n')) throw new Gone();
  }
}

export type Behaviour = (connection: UpstreamConnection) => unknown;

export class RawUpstream {
  readonly connections: UpstreamConnection[] = [];
  /** All whole requests in the order in which they became whole. */
  readonly requests: RequestMessage[] = [];
  /** All bytes of all connections. */
  bytes = 0;
  behaviour: Behaviour;
  readonly signal = new Signal(this);
  readonly #server: Server;

  private constructor(behaviour: Behaviour) {
    this.behaviour = behaviour;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  static async open(behaviour: Behaviour): Promise<RawUpstream> {
    const upstream = new RawUpstream(behaviour);
    await new Promise<void>((resolve) =>
      upstream.#server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve),
    );
    return upstream;
  }

  static async start(t: Test, behaviour: Behaviour): Promise<RawUpstream> {
    const upstream = await RawUpstream.open(behaviour);
    t.teardown(() => upstream.close());
    return upstream;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Connections that have not gone away. */
  get live(): number {
    return this.connections.filter((connection) => !connection.closed).length;
  }

  #accept(socket: Socket): void {
    const connection = new UpstreamConnection(socket, this.connections.length);
    this.connections.push(connection);
    connection.onData = (chunk) => {
      this.bytes += chunk.length;
      const before = connection.requests.length;
      connection.parse();
      this.requests.push(...connection.requests.slice(before));
      this.signal.notify();
    };
    for (const event of ['end', 'close', 'error']) socket.on(event, () => this.signal.notify());
    this.signal.notify();
    void this.#run(connection);
  }

  async #run(connection: UpstreamConnection): Promise<void> {
    try {
      await this.behaviour(connection);
    } catch (error) {
      if (!(error instanceof Gone)) throw error;
    }
  }

  untilConnections(count: number): Promise<void> {
    return this.signal.wait(`${count} upstream connections`, () => this.connections.length >= count);
  }

  untilRequests(count: number): Promise<void> {
    return this.signal.wait(`${count} upstream requests`, () => this.requests.length >= count);
  }

  untilBytes(count: number): Promise<void> {
    return this.signal.wait(`${count} upstream bytes`, () => this.bytes >= count);
  }

  /** Every connection is gone. */
  untilDeserted(): Promise<void> {
    return this.signal.wait('every upstream connection to be gone', () => this.live === 0);
  }

  /** Forgets finished connections, so that long runs stay small. */
  forget(): void {
    const live = this.connections.filter((connection) => !connection.closed);
    this.connections.splice(0, this.connections.length, ...live);
    this.requests.length = 0;
  }

  describe(): string {
    const each = this.connections.map((connection) => `#${connection.index} ${connection.describe()}`);
    return `upstream with ${this.connections.length} connections: ${each.slice(-4).join('; ')}`;
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.destroy();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }
}
