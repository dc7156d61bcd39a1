/** A collector for OTLP over HTTP: takes spans, refuses them, or never answers, as the test says. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { Test } from 'tap';
import { type ReadSpan, readSpans } from './otlp.ts';
import { Signal } from './signal.ts';

export interface Batch {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly spans: readonly ReadSpan[];
}

export class OtlpReceiver {
  /** Answered with 200. */
  readonly batches: Batch[] = [];
  /** Every request. */
  asked = 0;
  /** 0 does not answer at all. */
  status = 200;
  /** Answers a byte now and then, without end. */
  drips = false;
  connections = 0;
  readonly signal = new Signal(this);
  readonly #server: Server;
  #port = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        this.asked++;
        if (this.status === 200) {
          const body = Buffer.concat(pieces);
          const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
          this.batches.push({ path: request.url ?? '', headers: request.headers, spans: readSpans(plain) });
        }
        if (this.drips) {
          response.writeHead(this.status);
          const dripping = setInterval(() => response.write('.'), 20);
          response.on('close', () => clearInterval(dripping));
        } else if (this.status !== 0) response.writeHead(this.status).end();
        this.signal.notify();
      });
    });
    // Connections that nobody ends stay.
    this.#server.keepAliveTimeout = 0;
    this.#server.on('connection', (socket) => {
      this.connections++;
      socket.on('close', () => this.connections--);
    });
  }

  static async start(t: Test): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    await receiver.listen();
    t.teardown(() => receiver.close());
    return receiver;
  }

  /** On the port of the last time, where there was one. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get url(): string {
    return `${this.origin}/v1/traces`;
  }

  get spans(): ReadSpan[] {
    return this.batches.flatMap(({ spans }) => spans);
  }

  untilSpans(count: number): Promise<void> {
    return this.signal.wait(`${count} spans`, () => this.spans.length >= count);
  }

  untilAsked(count: number): Promise<void> {
    return this.signal.wait(`${count} batches`, () => this.asked >= count);
  }

  describe(): string {
    return `a collector that was asked ${this.asked} times and took ${this.spans.length} spans`;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
