/**
 * The HTTP probe: GET a path over HTTP/1.1 and judge status and body.
 *
 * GET and not HEAD, because many health pages know no HEAD. Redirects are not followed: the endpoint that answers one is asked, and
 * whether 302 is well is what `status` says. The answer must be complete; of a longer body the first 64 KiB are read, judged, and the
 * connection is closed.
 *
 * Probes keep their connection, as Envoy's do: less than half the processor time of a new one each (bench/probes.ts), and no ports in
 * TIME_WAIT. The price is the old race in which a server closes an idle connection while the next question is under way, which says nothing
 * about its health. So a question that finds no answer on a kept connection is asked once more on a new one, within the same timeout. A
 * server that is alive on old connections and refuses new ones is left to the outlier detector.
 *
 * One undici Client per endpoint, not an Agent for all: a Client is one connection, can be thrown away as a whole when time is up, and
 * says which of its requests found a kept connection. The socket is ours, so that one that is still connecting can be given up as well.
 */
import { connect, type Socket } from 'node:net';
import { type buildConnector, Client, type Dispatcher } from 'undici';
import type { HealthConfig } from '../../model/policy-config.ts';
import type { Probe, Verdict } from './probe.ts';
import { socketFault } from './socket-fault.ts';

const BODY_READ = 64 * 1024;

type Controller = Dispatcher.DispatchController;

/** What of a target an HTTP probe needs. */
export interface HttpProbeTarget {
  readonly url: string;
  readonly authority: string;
  readonly config: Pick<HealthConfig, 'path' | 'host' | 'status' | 'body'>;
}

export class HttpProbe implements Probe, Dispatcher.DispatchHandler {
  readonly #origin: string;
  readonly #status: HealthConfig['status'];
  readonly #expected: Buffer | null;
  readonly #question: Dispatcher.DispatchOptions;
  #client: Client | null = null;
  /** The latest socket, connected or not. */
  #socket: Socket | null = null;
  #verdict: Verdict | null = null;
  /** A connection was made for the open question. */
  #fresh = false;
  #repeated = false;
  #answered = 0;
  #read = 0;
  #body: Buffer[] = [];

  constructor(target: HttpProbeTarget) {
    const { path, host, status, body } = target.config;
    this.#origin = target.url;
    this.#status = status;
    this.#expected = body === undefined ? null : Buffer.from(body);
    // Compressed text would contain nothing that anybody looks for.
    const headers = ['host', host ?? target.authority, 'user-agent', 'sluice-health', 'accept', '*/*'];
    this.#question = { method: 'GET', path, headers: [...headers, 'accept-encoding', 'identity'] };
  }

  run(verdict: Verdict): void {
    this.#verdict = verdict;
    this.#fresh = false;
    this.#repeated = false;
    this.#ask();
  }

  cancel(): void {
    this.#verdict = null;
    const client = this.#client;
    this.#client = null;
    this.#socket?.destroy();
    this.#socket = null;
    // A rejection would only repeat what cancelling has decided already.
    client?.destroy().catch(() => {});
  }

  close(): void {
    this.cancel();
  }

  onRequestStart(): void {}

  onResponseStart(_: Controller, status: number): void {
    if (status >= 200) this.#answered = status;
  }

  onResponseData(_: Controller, chunk: Buffer): void {
    if (this.#expected !== null && this.#read < BODY_READ) this.#body.push(chunk);
    this.#read += chunk.length;
    if (this.#read > BODY_READ) this.#end(this.#judge());
  }

  onResponseEnd(): void {
    this.#end(this.#judge());
  }

  onResponseError(_: Controller, error: Error): void {
    // Also told of what was cancelled or is judged already.
    if (this.#verdict === null) return;
    if (this.#fresh || this.#repeated || this.#answered !== 0) {
      this.#end(socketFault(error));
      return;
    }
    this.#repeated = true;
    // Not from inside: undici takes the Client for empty while it tells of an error.
    const verdict = this.#verdict;
    queueMicrotask(() => {
      if (this.#verdict === verdict) this.#ask();
    });
  }

  #ask(): void {
    this.#answered = 0;
    this.#read = 0;
    this.#body = [];
    this.#client ??= new Client(this.#origin, {
      allowH2: false,
      connect: this.#connect,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.#client.dispatch(this.#question, this);
  }

  readonly #connect: buildConnector.connector = ({ hostname, port }, callback) => {
    this.#fresh = true;
    const socket = connect({ host: hostname, port: port === '' ? 80 : Number(port), noDelay: true });
    this.#socket = socket;
    const onConnect = (): void => {
      socket.removeListener('error', onError);
      callback(null, socket);
    };
    const onError = (error: Error): void => {
      socket.removeListener('connect', onConnect);
      callback(error, null);
    };
    socket.once('connect', onConnect);
    socket.once('error', onError);
  };

  #judge(): string | null {
    const status = this.#answered;
    if (!this.#status.some(([from, to]) => from <= status && status <= to)) return `answered ${status}`;
    if (this.#expected === null) return null;
    const body = this.#body.length === 1 ? this.#body[0]! : Buffer.concat(this.#body);
    return body.subarray(0, BODY_READ).includes(this.#expected) ? null : 'the body lacks the expected text';
  }

  #end(fault: string | null): void {
    const verdict = this.#verdict;
    // Whatever of the body is still to come is not waited for.
    if (this.#read > BODY_READ) this.cancel();
    this.#verdict = null;
    this.#body = [];
    verdict?.(fault);
  }
}
