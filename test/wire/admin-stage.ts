/** A real admin server on a port of its own over a control plane that only takes notes, and a client that sends exactly what it is told. */
import http, { type IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import { AdminServer } from '../../src/control/admin/admin-server.ts';
import type { Denial } from '../../src/control/admin/gate.ts';
import type { AdminConfig, Role } from '../../src/model/admin-config.ts';
import { Secret } from '../../src/model/secret.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { FakeEvents, FakeOperations, FakeStore } from './admin-operations.ts';

export const OPEN: AdminConfig = {
  listen: { host: '127.0.0.1', port: 0 },
  tokens: [],
  hosts: [],
  origins: [],
  publicMetrics: false,
};

export const ROLES: readonly Role[] = ['viewer', 'operator', 'approver', 'admin'];

export const secretOf = (role: string): string => `${role}-token-0123456789`;

/** One token for each role, named like it. */
export const GUARDED: AdminConfig = {
  ...OPEN,
  tokens: ROLES.map((role) => ({ name: role, role, secret: new Secret('env:X', secretOf(role)) })),
};

export const bearer = (role: string) => ({ authorization: `Bearer ${secretOf(role)}` });

export interface Line {
  readonly level: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly json: any;
}

export interface Sent {
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** An object is sent as JSON, a text as it is. */
  readonly body?: unknown;
  readonly agent?: http.Agent;
}

export class AdminStage {
  readonly operations = new FakeOperations();
  readonly events = new FakeEvents();
  readonly store = new FakeStore();
  readonly clock = new FakeClock();
  readonly lines: Line[] = [];
  readonly denials: Denial[] = [];
  readonly accepts: (string | undefined)[] = [];
  readonly server: AdminServer;
  url = '';
  port = 0;

  /** @param bundle folder of the dashboard's files; the repository's own unless told. */
  static async open(config: AdminConfig = OPEN, bundle?: URL): Promise<AdminStage> {
    const stage = new AdminStage(config, bundle);
    const { url, port } = await stage.server.listen();
    stage.url = url;
    stage.port = port;
    return stage;
  }

  private constructor(config: AdminConfig, bundle: URL | undefined) {
    const log =
      (level: string) =>
      (event: string, fields: Readonly<Record<string, unknown>> = {}) =>
        void this.lines.push({ level, event, fields });
    const logger: Logger = { info: log('info'), warn: log('warn'), error: log('error') };
    this.server = new AdminServer({
      config,
      operations: this.operations,
      events: this.events,
      store: this.store.asStore(),
      metrics: {
        expose: async (accept) => {
          this.accepts.push(accept);
          return { contentType: 'text/plain; version=0.0.4; charset=utf-8', body: 'sluice_up 1\n' };
        },
      },
      clock: this.clock,
      logger,
      wallClock: () => Date.parse('2026-01-01T12:00:00.000Z'),
      ...(bundle !== undefined && { bundle }),
      onDenied: (denial) => this.denials.push(denial),
    });
  }

  request(method: string, path: string, sent: Sent = {}): http.ClientRequest {
    const body = typeof sent.body === 'string' || sent.body === undefined ? sent.body : JSON.stringify(sent.body);
    const type = body === undefined || typeof sent.body === 'string' ? {} : { 'content-type': 'application/json' };
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const headers = { ...type, ...length, ...(sent.headers as Record<string, string>) };
    const secure = this.url.startsWith('https');
    const options = { method, path, host: '127.0.0.1', port: this.port, headers, agent: sent.agent ?? false };
    const request = secure
      ? https.request({ ...options, rejectUnauthorized: false } as https.RequestOptions)
      : http.request(options as http.RequestOptions);
    request.end(body);
    return request;
  }

  send(method: string, path: string, sent: Sent = {}): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const request = this.request(method, path, sent);
      request.on('error', reject);
      request.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('error', reject);
        response.on('end', () => {
          const isJson = String(response.headers['content-type']).includes('json');
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json: isJson && text !== '' ? JSON.parse(text) : null,
          });
        });
      });
    });
  }

  get(path: string, headers: Sent['headers'] = {}): Promise<Reply> {
    return this.send('GET', path, { headers });
  }
}
