/**
 * A user with one keep-alive connection, who asks one thing after the other and may have a name.
 *
 * The connection is counted: a proxy that closes it makes the asker open a second one, which `connections` shows.
 */
import { Agent, get } from 'node:http';
import type { Test } from 'tap';

export class KeepAliveAsker {
  /** Opened so far; more than one means that somebody closed it. */
  connections = 0;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #port: number;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param user the value of X-User-Id; null: none. */
  constructor(t: Test, port: number, user: string | null) {
    this.#port = port;
    this.#headers = user === null ? {} : { 'x-user-id': user };
    t.teardown(() => this.#agent.destroy());
  }

  /** @returns the body, or the status where it is not 200. */
  ask(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const request = get({ port: this.#port, path, agent: this.#agent, headers: this.#headers }, (response) => {
        let body = '';
        response.setEncoding('latin1');
        response.on('data', (part: string) => {
          body += part;
        });
        response.on('end', () => resolve(response.statusCode === 200 ? body : `status ${response.statusCode}`));
        response.on('error', reject);
      });
      request.on('socket', () => {
        if (!request.reusedSocket) this.connections++;
      });
      request.on('error', reject);
    });
  }
}
