import type { ClientRequest, IncomingMessage } from 'node:http';
import type { AdminStage, Sent } from './admin-stage.ts';

/** A reader of the stream; `until` resolves once the text so far satisfies it. */
export class EventReader {
  text = '';
  ended = false;
  readonly request: ClientRequest;
  response: IncomingMessage | null = null;
  readonly opened: Promise<IncomingMessage>;
  #changed = (): void => {};

  constructor(stage: AdminStage, path = '/api/v1/events', headers: NonNullable<Sent['headers']> = {}) {
    this.request = stage.request('GET', path, { headers });
    this.opened = new Promise((resolve, reject) => {
      this.request.on('error', (error) => {
        this.ended = true;
        this.#changed();
        reject(error);
      });
      this.request.on('response', (response) => {
        this.response = response;
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          this.text += chunk;
          this.#changed();
        });
        response.on('error', () => {});
        response.on('close', () => {
          this.ended = true;
          this.#changed();
        });
        resolve(response);
      });
    });
    this.opened.catch(() => {});
  }

  get ids(): number[] {
    return [...this.text.matchAll(/^id: (\d+)\n/gm)].map(([, id]) => Number(id));
  }

  async until(holds: () => boolean): Promise<void> {
    await this.opened;
    while (!holds()) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }
}
