/**
 * The admin API as a script would call it: JSON in, JSON out, over a few connections that are kept.
 *
 * A call that is refused comes back as a value like any other, because what the tests look at is often the refusal. A call that is not answered
 * at all rejects.
 */
import { Pool } from 'undici';
import type { Applied, ServerStatus, WeightsView } from '../../src/control/operations.ts';

export interface AdminAnswer<T> {
  readonly status: number;
  readonly etag: string | null;
  readonly body: T;
  /** Of the body, as it came. */
  readonly text: string;
}

export type Weights = Readonly<Record<string, number>>;
export type WeightsAnswer = AdminAnswer<WeightsView & Applied>;

export class AdminCalls {
  readonly #pool: Pool;

  constructor(url: string, connections = 8) {
    this.#pool = new Pool(url, { connections, pipelining: 1 });
  }

  async call<T>(
    method: 'GET' | 'PUT' | 'POST' | 'DELETE',
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<AdminAnswer<T>> {
    const typed = body === undefined ? headers : { 'content-type': 'application/json', ...headers };
    const text = body === undefined ? null : JSON.stringify(body);
    const answer = await this.#pool.request({ method, path, headers: typed, body: text });
    const got = await answer.body.text();
    const { etag, 'content-type': type } = answer.headers;
    const isJson = String(type).includes('json');
    return {
      status: answer.statusCode,
      etag: typeof etag === 'string' ? etag : null,
      body: (isJson ? JSON.parse(got) : null) as T,
      text: got,
    };
  }

  setWeights(
    service: string,
    weights: Weights,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<WeightsAnswer> {
    return this.call('PUT', `/api/v1/services/${service}/weights`, weights, headers);
  }

  weights(service: string): Promise<WeightsAnswer> {
    return this.call('GET', `/api/v1/services/${service}/weights`);
  }

  async status(): Promise<ServerStatus> {
    return (await this.call<ServerStatus>('GET', '/api/v1/status')).body;
  }

  /** The value of one series of `/metrics`, as it is written there; 0 where it is not. */
  async metric(series: string): Promise<number> {
    const { text } = await this.call('GET', '/metrics');
    const line = text.split('\n').find((each) => each.startsWith(`${series} `));
    return Number(line?.slice(series.length) ?? 0);
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}
