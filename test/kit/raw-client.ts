/** A client that writes whatever a test wants and reads answers with the kit's own reader. */
import { connect } from 'node:net';
import { RawConnection } from './connection.ts';
import { type ResponseMessage, readResponse } from './message.ts';
import { turns } from './signal.ts';

export interface Answer extends ResponseMessage {
  /** The 1xx responses before it. */
  readonly interim: readonly ResponseMessage[];
}

export interface Transcript {
  readonly answers: readonly Answer[];
  /** 1xx responses whose final one has not come. */
  readonly interim: readonly ResponseMessage[];
  /** What follows the last whole response. */
  readonly rest: string;
  /** A response was begun and is not whole. */
  readonly cut: boolean;
  readonly bad: string | null;
}

export class RawClient extends RawConnection {
  static async open(port: number, host = '127.0.0.1', localAddress?: string): Promise<RawClient> {
    const socket = connect({ port, host, allowHalfOpen: true, ...(localAddress ? { localAddress } : {}) });
    const client = new RawClient(socket);
    await client.signal.wait('a connection', () => socket.readyState === 'open' || client.closed);
    return client;
  }

  constructor(socket: ConstructorParameters<typeof RawConnection>[0]) {
    super(socket);
    socket.once('connect', () => this.signal.notify());
  }

  /** Reads what came so far as responses to requests with these methods (`GET` where the list ends). */
  transcript(methods: readonly string[] = []): Transcript {
    const answers: Answer[] = [];
    let interim: ResponseMessage[] = [];
    let at = 0;
    const text = this.text;
    while (at < text.length) {
      const read = readResponse(text, at, methods[answers.length] ?? 'GET', this.over);
      if (read.state === 'bad') return { answers, interim, rest: text.slice(at), cut: false, bad: read.why };
      if (read.state === 'incomplete') return { answers, interim, rest: text.slice(at), cut: true, bad: null };
      at = read.end;
      if (read.message.status === 101) {
        answers.push({ ...read.message, interim });
        return { answers, interim: [], rest: text.slice(at), cut: false, bad: null };
      }
      if (read.message.status < 200) interim.push(read.message);
      else {
        answers.push({ ...read.message, interim });
        interim = [];
      }
    }
    return { answers, interim, rest: '', cut: false, bad: null };
  }

  /** The first `count` answers, once they are whole. */
  async answers(count: number, methods: readonly string[] = []): Promise<Answer[]> {
    const done = () => {
      const read = this.transcript(methods);
      return read.answers.length >= count || read.bad !== null || this.over;
    };
    await this.signal.wait(`${count} answers`, done);
    const read = this.transcript(methods);
    if (read.answers.length < count) throw new Error(`${read.bad ?? 'too few answers'}; ${this.describe()}`);
    return read.answers.slice(0, count);
  }

  async answer(method = 'GET'): Promise<Answer> {
    return (await this.answers(1, [method]))[0]!;
  }

  /** Gives the proxy the chance to say something that it should not say. */
  async nothingMore(): Promise<void> {
    await turns(6);
  }
}
