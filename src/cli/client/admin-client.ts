/**
 * The admin API as the commands see it: paths and JSON in, JSON out; everything else is a {@link CommandFailure} that names its exit code.
 *
 * undici carries it, loaded with the first call, since help and a wrong call have no use for it. There is one connection and no retry: a change
 * that got no answer may have happened, and only the user can decide whether to ask for it again. Redirects are not followed, because
 * they would carry the token elsewhere.
 */
import type { Dispatcher } from 'undici';
import type { Connection } from './connection.ts';
import { CommandFailure, EXIT, isTimeout, refusal, unreachable } from './failure.ts';

/** Query values that are undefined are left out. */
export type Query = Readonly<Record<string, string | number | undefined>>;

export interface Sending {
  readonly query?: Query;
  readonly body?: unknown;
  readonly ifMatch?: string | undefined;
}

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

/** Longest silence of an event stream, milliseconds; the server says something every 15 s. */
const STREAM_SILENCE = 45_000;
/** An answer larger than this is not one of the admin API. */
const LARGEST_ANSWER = 64 * 2 ** 20;

export class AdminClient {
  readonly #connection: Connection;
  #dispatcher: Promise<Dispatcher> | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get address(): string {
    return this.#connection.address;
  }

  /** The answer has the shape that the caller says: it is of Sluice, and server and client are of one release. */
  async get<Answer>(path: string, query?: Query): Promise<Answer> {
    return (await this.#call('GET', path, query === undefined ? {} : { query })) as Answer;
  }

  async send<Answer>(method: Exclude<Method, 'GET'>, path: string, sending: Sending = {}): Promise<Answer> {
    return (await this.#call(method, path, sending)) as Answer;
  }

  /** An answer that is a text of its own, such as a report in Markdown. @param type its media type */
  async text(path: string, query: Query, type: string): Promise<string> {
    const headers = { ...this.#headers(), accept: `${type}, application/problem+json` };
    const response = await this.#request(target(path, query), { method: 'GET', headers, signal: this.#limit() });
    if (response.statusCode !== 200) await this.#answer(response);
    if (!isOfSluice(response) || !String(response.headers['content-type']).startsWith(type)) {
      throw this.#stranger(response.statusCode, `no ${type}`);
    }
    return this.#textOf(response.body);
  }

  /** The body of an event stream, as text. */
  async stream(
    path: string,
    query: Query,
    lastEventId: string | null,
    signal: AbortSignal,
  ): Promise<AsyncIterable<string>> {
    const headers: Record<string, string> = { ...this.#headers(), accept: 'text/event-stream' };
    if (lastEventId !== null) headers['last-event-id'] = lastEventId;
    const response = await this.#request(target(path, query), {
      method: 'GET',
      headers,
      signal,
      bodyTimeout: STREAM_SILENCE,
    });
    if (response.statusCode !== 200) await this.#answer(response);
    if (!isOfSluice(response) || !/^text\/event-stream\b/i.test(String(response.headers['content-type']))) {
      throw this.#stranger(response.statusCode, 'no events of Sluice');
    }
    response.body.setEncoding('utf8');
    return this.#chunks(response.body, signal);
  }

  async close(): Promise<void> {
    await (await this.#dispatcher)?.destroy();
  }

  async #call(method: Method, path: string, { query, body, ifMatch }: Sending): Promise<unknown> {
    const headers: Record<string, string> = { ...this.#headers(), accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (ifMatch !== undefined) headers['if-match'] = ifMatch;
    return this.#answer(
      await this.#request(target(path, query ?? {}), {
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        signal: this.#limit(),
      }),
    );
  }

  async *#chunks(body: AsyncIterable<string>, signal: AbortSignal): AsyncGenerator<string> {
    try {
      yield* body;
    } catch (error) {
      throw signal.aborted ? error : unreachable(this.address, error);
    }
  }

  /** Of a whole answer: the time limits of the connection are of silence, and a server that drips would never be silent. */
  #limit(): AbortSignal {
    return AbortSignal.timeout(this.#connection.timeout);
  }

  #headers(): Record<string, string> {
    const { token } = this.#connection;
    return { 'user-agent': 'sluice-cli', ...(token !== null && { authorization: `Bearer ${token.reveal()}` }) };
  }

  async #request(path: string, options: Omit<Dispatcher.RequestOptions, 'path'>): Promise<Dispatcher.ResponseData> {
    const { origin, pathname } = new URL(this.#connection.address);
    this.#dispatcher ??= this.#open();
    const dispatcher = await this.#dispatcher;
    try {
      return await dispatcher.request({ origin, path: pathname.replace(/\/$/, '') + path, ...options });
    } catch (error) {
      if (options.signal instanceof AbortSignal && options.signal.aborted && !isTimeout(error)) throw error;
      throw unreachable(this.address, error);
    }
  }

  async #open(): Promise<Dispatcher> {
    const { Agent } = await import('undici');
    const { rootCertificates } = await import('node:tls');
    const { certificates, timeout } = this.#connection;
    return new Agent({
      headersTimeout: timeout,
      bodyTimeout: timeout,
      maxResponseSize: LARGEST_ANSWER,
      connect: { timeout, ...(certificates !== null && { ca: [...rootCertificates, certificates] }) },
    });
  }

  async #answer(response: Dispatcher.ResponseData): Promise<unknown> {
    const { statusCode, headers, body } = response;
    const text = await this.#textOf(body);
    const type = String(headers['content-type'] ?? '');
    const json = /^application\/(?:[\w.-]+\+)?json\b/i.test(type) ? parsed(text) : undefined;
    if (statusCode >= 200 && statusCode < 300 && (json !== undefined || text === '')) {
      if (!isOfSluice(response)) throw this.#stranger(statusCode, 'JSON of something else');
      return json ?? null;
    }
    // An answer that is no JSON is not of the admin API: the proxy's own port, most likely, or something in between.
    if (json === undefined) throw this.#stranger(statusCode, 'no JSON');
    throw refusal(statusCode, json, oneOf(headers['retry-after']));
  }

  async #textOf(body: Dispatcher.ResponseData['body']): Promise<string> {
    try {
      return await body.text();
    } catch (error) {
      throw unreachable(this.address, error);
    }
  }

  #stranger(statusCode: number, found: string): CommandFailure {
    return new CommandFailure(
      EXIT.unreachable,
      `what answers at ${this.address} is not the admin API of Sluice (status ${statusCode}, ${found})`,
      ['The admin API has an address of its own, "admin: { listen }" in the configuration; name it with --admin URL.'],
    );
  }
}

/** Every answer of the admin API says so. */
const isOfSluice = ({ headers }: Dispatcher.ResponseData): boolean => headers['sluice-api'] === '1';

/** @param path its parts already encoded, as {@link pathOf} does. */
function target(path: string, query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  if (given.length === 0) return path;
  return `${path}?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]))}`;
}

/** `/api/v1/services/shop/weights` of its parts, whatever characters the user gave them. */
export function pathOf(...parts: readonly string[]): string {
  return `/api/v1/${parts.map(encodeURIComponent).join('/')}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const oneOf = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);
