/**
 * The live connection: one stream of states and events, opened again whenever it ends.
 *
 *     connecting ─first message─▶ live ─ended, broke, silent for 20 s─▶ waiting ─time, network back, page shown─▶ connecting
 *         └─401─▶ refused ─another token─▶ connecting
 *
 * live: a state comes every second. waiting: what was seen last stays on the page, marked as old. Pauses between attempts double from half a second to five
 * seconds. Events are resumed by the id of the last one, so none is missed or shown twice.
 *
 * One stream for both kinds, because a browser opens six connections to a server and no more, over all its tabs.
 */
import { MessageReader, type StreamMessage } from './message-stream.ts';
import type { LiveState, SluiceEvent } from './views.ts';

export type Connection =
  | { readonly state: 'connecting' | 'live' | 'refused' }
  /** `at`: when it is tried again, milliseconds since 1970. */
  | { readonly state: 'waiting'; readonly at: number; readonly reason: string };

export interface LiveHandlers {
  connection(connection: Connection): void;
  state(state: LiveState): void;
  event(event: SluiceEvent): void;
}

export interface Opened {
  readonly ok: boolean;
  readonly status: number;
  readonly body: ReadableStream<Uint8Array> | null;
}

export interface LiveOptions {
  /** @param lastEventId null: from now on. */
  readonly open: (lastEventId: string | null, signal: AbortSignal) => Promise<Opened>;
  /** Asked where the stream was refused for something else than a token. */
  readonly explain: (opened: Opened) => Promise<string>;
  readonly handlers: LiveHandlers;
}

const SILENCE = 20_000;
const SHORTEST_PAUSE = 500;
const LONGEST_PAUSE = 5_000;

export class LiveStream {
  readonly #options: LiveOptions;
  #abort: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pause = SHORTEST_PAUSE;
  #lastEventId: string | null = null;
  #closed = false;

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  /** Opens it, at once: what was open or waited is given up. */
  start(): void {
    this.#stop();
    this.#closed = false;
    void this.#run();
  }

  /** Tries again now, if it waits. */
  hurry(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    void this.#run();
  }

  close(): void {
    this.#closed = true;
    this.#stop();
  }

  #stop(): void {
    this.#abort?.abort();
    this.#abort = null;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #run(): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    this.#options.handlers.connection({ state: 'connecting' });
    let reason = 'The connection to Sluice has ended.';
    try {
      const opened = await this.#options.open(this.#lastEventId, abort.signal);
      if (opened.status === 401) {
        await this.#options.explain(opened);
        if (this.#abort === abort) this.#options.handlers.connection({ state: 'refused' });
        return;
      }
      if (!opened.ok || opened.body === null) reason = await this.#options.explain(opened);
      else await this.#read(opened.body, abort);
    } catch {
      reason = 'Sluice does not answer.';
    }
    if (this.#abort !== abort || this.#closed) return;
    this.#wait(reason);
  }

  #wait(reason: string): void {
    const pause = this.#pause;
    this.#pause = Math.min(LONGEST_PAUSE, pause * 2);
    this.#options.handlers.connection({ state: 'waiting', at: Date.now() + pause, reason });
    this.#timer = setTimeout(() => this.hurry(), pause);
  }

  async #read(body: ReadableStream<Uint8Array>, abort: AbortController): Promise<void> {
    const messages = new MessageReader();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    abort.signal.addEventListener('abort', () => void reader.cancel().catch(() => {}));
    let silence: ReturnType<typeof setTimeout> | undefined;
    try {
      while (true) {
        clearTimeout(silence);
        silence = setTimeout(() => abort.abort(), SILENCE);
        const { done, value } = await reader.read();
        if (done || this.#abort !== abort) return;
        for (const message of messages.read(decoder.decode(value, { stream: true }))) this.#hand(message);
      }
    } finally {
      clearTimeout(silence);
      void reader.cancel().catch(() => {});
    }
  }

  /** What the page makes of a message is its own affair: a fault there is no fault of the connection. */
  #hand(message: StreamMessage): void {
    try {
      this.#take(message);
    } catch (error) {
      console.error(error);
    }
  }

  #take({ id, event, data }: StreamMessage): void {
    if (id !== null && id !== '') this.#lastEventId = id;
    this.#pause = SHORTEST_PAUSE;
    if (data === '') return;
    const { handlers } = this.#options;
    if (event === 'state') {
      handlers.connection({ state: 'live' });
      handlers.state(JSON.parse(data) as LiveState);
    } else if (event !== 'gap') {
      handlers.event(JSON.parse(data) as SluiceEvent);
    }
  }
}
