/**
 * Users who stay: WebSockets that say something again and again, and downloads and uploads that take seconds.
 *
 * Each counts what went right and notes what did not. A WebSocket is wrong once it is closed, or an echo is not the next one; a transfer when
 * it is cut, has another status or other bytes. `leave` lets transfers that are under way finish, and says goodbye.
 */
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { seededBytes, sha256 } from './origin.ts';
import { downloadBytes, PIECE } from './storm-messages.ts';

/** Between two things that a WebSocket or an upload says. */
const PAUSE = 50;
/** Silence that is too long; reached only by a test that fails. */
const PATIENCE = 8_000;

/** One WebSocket that is echoed. */
export class Talker {
  echoes = 0;
  /** Who greeted it. */
  greeting = '';
  fault: string | null = null;
  readonly #socket: WebSocket;
  #leaving = false;

  private constructor(url: string) {
    this.#socket = new WebSocket(url, { perMessageDeflate: false });
    this.#socket.on('close', (code) => this.#wrong(`closed with ${code} after ${this.echoes} echoes`));
    this.#socket.on('error', (error) => this.#wrong(error.message));
  }

  /** @param url ws: */
  static async open(url: string): Promise<Talker> {
    const talker = new Talker(url);
    const [greeting] = await once(talker.#socket, 'message');
    talker.greeting = String(greeting);
    talker.#socket.on('message', (data) => talker.#heard(String(data)));
    talker.#say();
    return talker;
  }

  /** Resolves at the next echo, or when there will be none: `fault` says so then. */
  async nextEcho(): Promise<void> {
    if (this.fault !== null) return;
    const silent = setTimeout(() => {
      this.#wrong(`no echo after ${this.echoes}`);
      this.#socket.terminate();
    }, PATIENCE);
    await Promise.race([once(this.#socket, 'message'), once(this.#socket, 'close')]);
    clearTimeout(silent);
  }

  leave(): void {
    this.#leaving = true;
    this.#socket.terminate();
  }

  #say(): void {
    if (!this.#leaving && this.fault === null) this.#socket.send(`message ${this.echoes}`);
  }

  #heard(text: string): void {
    if (text !== `message ${this.echoes}`) this.#wrong(`was told ${text} at ${this.echoes}`);
    this.echoes++;
    setTimeout(() => this.#say(), PAUSE);
  }

  #wrong(what: string): void {
    if (!this.#leaving) this.fault ??= what;
  }
}

export interface TransferReport {
  readonly finished: number;
  readonly faults: readonly string[];
}

/** Somebody who downloads and somebody who uploads, one after the other over a connection each. */
export class Transfers {
  readonly #port: number;
  readonly #ms: number;
  readonly #faults: string[] = [];
  readonly #runs: Promise<void>[] = [];
  #finished = 0;
  #leaving = false;

  /** @param ms how long each takes. */
  constructor(port: number, ms: number) {
    this.#port = port;
    this.#ms = ms;
  }

  /** @param path of a service. */
  begin(path: string): void {
    this.#runs.push(this.#repeat((agent) => this.#download(path, agent)));
    this.#runs.push(this.#repeat((agent) => this.#upload(path, agent)));
  }

  async leave(): Promise<TransferReport> {
    this.#leaving = true;
    await Promise.all(this.#runs);
    return { finished: this.#finished, faults: this.#faults };
  }

  async #repeat(transfer: (agent: Agent) => Promise<string | null>): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!this.#leaving) {
      const fault = await transfer(agent).catch((error: Error) => error.message);
      if (fault === null) this.#finished++;
      else this.#faults.push(fault);
    }
    agent.destroy();
  }

  async #download(path: string, agent: Agent): Promise<string | null> {
    const wanted = downloadBytes(this.#ms);
    const asked = request({ port: this.#port, path: `${path}/download?ms=${this.#ms}`, agent });
    asked.end();
    const { status, body } = await answerTo(asked);
    if (status !== 200) return `download: status ${status}`;
    return body.equals(wanted) ? null : `download: ${body.length} bytes are not the ${wanted.length} that were sent`;
  }

  async #upload(path: string, agent: Agent): Promise<string | null> {
    const bytes = seededBytes(downloadBytes(this.#ms).length, this.#ms + 1);
    const asked = request({ port: this.#port, path: `${path}/upload`, method: 'PUT', agent });
    const answer = answerTo(asked);
    // It may fail while bytes are still being sent; what became of it is looked at afterwards.
    answer.catch(() => {});
    for (let sent = 0; sent < bytes.length && !asked.destroyed; sent += PIECE) {
      asked.write(bytes.subarray(sent, sent + PIECE));
      await pause(PAUSE);
    }
    asked.end();
    const { status, body } = await answer;
    if (status !== 200) return `upload: status ${status}`;
    return body.toString().endsWith(sha256(bytes)) ? null : 'upload: other bytes arrived';
  }
}

async function answerTo(
  asked: ReturnType<typeof request>,
): Promise<{ readonly status: number | undefined; readonly body: Buffer }> {
  asked.on('error', () => {});
  asked.setTimeout(PATIENCE, () => asked.destroy(new Error(`nothing for ${PATIENCE} ms`)));
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, body: Buffer.concat(chunks) };
}
