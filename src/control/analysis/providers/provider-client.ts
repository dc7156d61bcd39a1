/**
 * One GET to a provider, over within a given time, whatever the other side does.
 *
 * The time covers connecting, head and body together, on the clock that is given. Redirects are not followed: they would take a token to
 * somebody whom nobody configured. An answer is read up to LONGEST_ANSWER; a longer one is refused, since a value needs a line. Connections
 * are kept for the next reading. It never rejects.
 */
import { Agent, request } from 'undici';
import type { Clock } from '../../../runtime/clock.ts';
import { socketFault } from '../../health/socket-fault.ts';

export const LONGEST_ANSWER = 1024 * 1024;

const CONNECTIONS = 4;

export interface ProviderQuestion {
  readonly address: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly timeout: number;
  /** Gives up at once. */
  readonly signal: AbortSignal;
}

export type ProviderReply = { readonly status: number; readonly body: string } | { readonly fault: string };

export class ProviderClient {
  readonly #clock: Clock;
  readonly #agent = new Agent({ connections: CONNECTIONS, maxResponseSize: LONGEST_ANSWER });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async get({ address, headers, timeout, signal }: ProviderQuestion): Promise<ProviderReply> {
    const attempt = new AbortController();
    const abort = (): void => attempt.abort();
    const timer = this.#clock.setInterval(abort, timeout);
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    try {
      const { username, password } = address;
      const bare = new URL(address);
      bare.username = '';
      bare.password = '';
      const response = await request(bare, {
        method: 'GET',
        headers: {
          ...{ accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': 'sluice-metrics' },
          ...((username !== '' || password !== '') && { authorization: basic(username, password) }),
          ...headers,
        },
        signal: attempt.signal,
        dispatcher: this.#agent,
      });
      return { status: response.statusCode, body: await response.body.text() };
    } catch (error) {
      if (signal.aborted) return { fault: 'not asked any more' };
      if (attempt.signal.aborted) return { fault: `no complete answer in ${timeout} ms` };
      return { fault: faultText(error as NodeJS.ErrnoException) };
    } finally {
      timer.stop();
      signal.removeEventListener('abort', abort);
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`;

function faultText(error: NodeJS.ErrnoException): string {
  if (error.code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return 'the answer is longer than 1 MiB';
  // Names the field that cannot be sent, not what is in it.
  if (error.code === 'UND_ERR_INVALID_ARG') return error.message;
  return socketFault(error);
}
