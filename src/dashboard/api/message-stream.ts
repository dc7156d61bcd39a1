/**
 * Server-sent events out of a response body, message by message.
 *
 * Written out because EventSource cannot send an Authorization field, and a token in the address would end up in logs. Only what the server sends is read: `id`,
 * `event`, `data` of one or more lines, comments. A message that is cut off by the end of the body is none.
 */

export interface StreamMessage {
  readonly id: string | null;
  readonly event: string;
  readonly data: string;
}

export class MessageReader {
  #rest = '';
  #id: string | null = null;
  #event = '';
  #data: string[] = [];

  /** @returns the messages that this piece completes. */
  read(piece: string): StreamMessage[] {
    const lines = (this.#rest + piece).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? '';
    const messages: StreamMessage[] = [];
    for (const line of lines) {
      if (line === '') this.#complete(messages);
      else this.#take(line);
    }
    return messages;
  }

  #take(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'id') this.#id = value;
    else if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
  }

  #complete(messages: StreamMessage[]): void {
    if (this.#data.length > 0 || this.#id !== null) {
      messages.push({ id: this.#id, event: this.#event || 'message', data: this.#data.join('\n') });
    }
    this.#id = null;
    this.#event = '';
    this.#data = [];
  }
}
