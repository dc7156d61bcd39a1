/**
 * The last 4 KiB of what a command writes.
 *
 * The end, since that is where a failure says what it was; and no more, since the result is kept with the rollout. A command may write gigabytes:
 * everything is read, or it would hang on a full pipe, and what is too old is dropped at once, so that at most one write more than the limit
 * is held. Both outputs go into one tail in the order in which they were read.
 */
import { plainText } from './plain-text.ts';

/** Bytes. */
export const TAIL = 4096;

export class OutputTail {
  readonly #parts: Buffer[] = [];
  #held = 0;
  #cut = false;

  push(part: Buffer): void {
    // A copy, because a slice would keep the whole of what was read.
    this.#parts.push(Buffer.from(part.subarray(-TAIL)));
    this.#cut ||= part.length > TAIL;
    this.#held += Math.min(part.length, TAIL);
    for (let first = this.#parts[0]!; this.#held - first.length >= TAIL; first = this.#parts[0]!) {
      this.#held -= first.length;
      this.#parts.shift();
      this.#cut = true;
    }
  }

  /** Begins with an ellipsis where something was left out. */
  text(): string {
    const all = Buffer.concat(this.#parts);
    const cut = this.#cut || all.length > TAIL;
    let tail = all.subarray(-TAIL);
    // The rest of a character whose first byte is gone.
    while (cut && (tail[0]! & 0xc0) === 0x80) tail = tail.subarray(1);
    return (cut ? '… ' : '') + plainText(tail.toString());
  }
}
