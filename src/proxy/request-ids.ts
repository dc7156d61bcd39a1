/**
 * Identities for requests: 48 hexadecimal digits each, 32 for the request and trace id and 16 for the parent id of the trace context.
 *
 * Random bytes from the system are fetched for 256 requests at a time, which makes one identity cost a slice. They are unique and not
 * guessable, so that an id seen by a client tells nothing about the next.
 *
 * @hotpath bench/micro/head-writer.ts
 */
import { randomFillSync } from 'node:crypto';
import type { RequestIds } from './http1/field-rules.ts';

const BYTES = 24;
const BATCH = 256;

export class RandomRequestIds implements RequestIds {
  readonly #bytes = Buffer.alloc(BYTES * BATCH);
  #text = '';
  #next = BATCH;

  next(): string {
    if (this.#next === BATCH) {
      randomFillSync(this.#bytes);
      this.#text = this.#bytes.toString('hex');
      this.#next = 0;
    }
    const from = this.#next++ * BYTES * 2;
    return this.#text.slice(from, from + BYTES * 2);
  }
}
