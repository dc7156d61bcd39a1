/**
 * Server-sent events out of text that arrives in pieces (WHATWG HTML, 9.2.6), as far as a reader of one kind of stream needs it.
 *
 * Lines end in LF, CR or CRLF, also where a piece ends between the two. An event without data is none; comments only show that the server is alive.
 * What has no empty line behind it when the stream ends is dropped, as the standard has it: it may be half of an event, and resuming brings
 * the whole.
 */
export interface StreamEvent {
  readonly type: string;
  readonly data: string;
}

/** More than this without a line end is no event stream of ours, characters. */
const LONGEST_LINE = 4 * 2 ** 20;

export class EventStreamParser {
  #rest = '';
  #id: string | null = null;
  #type = '';
  #data: string[] = [];
  /** Last number that the server named, with an event or alone. */
  lastId: string | null = null;
  /** Milliseconds that the server asks to wait before connecting anew. */
  retry: number | null = null;

  /** @returns the events that are complete now. */
  push(text: string): StreamEvent[] {
    this.#rest += text;
    const events: StreamEvent[] = [];
    for (;;) {
      const line = this.#nextLine();
      if (line === null) break;
      if (line !== '') {
        this.#field(line);
        continue;
      }
      this.lastId = this.#id;
      if (this.#data.length > 0) events.push({ type: this.#type || 'message', data: this.#data.join('\n') });
      this.#type = '';
      this.#data = [];
    }
    if (this.#rest.length > LONGEST_LINE) throw new Error('the server sends lines without an end');
    return events;
  }

  #nextLine(): string | null {
    const end = this.#rest.search(/[\r\n]/);
    if (end === -1) return null;
    // A CR at the very end may be the first half of a CRLF.
    if (this.#rest[end] === '\r' && end === this.#rest.length - 1) return null;
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + (this.#rest.startsWith('\r\n', end) ? 2 : 1));
    return line;
  }

  #field(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.#data.push(value);
    else if (name === 'event') this.#type = value;
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
    else if (name === 'retry' && /^[0-9]{1,9}$/.test(value)) this.retry = Number(value);
  }
}
