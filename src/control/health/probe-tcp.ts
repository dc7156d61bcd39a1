/**
 * The TCP probe: an endpoint is well when it accepts a connection.
 *
 * The connection is closed with a FIN and without a byte. An RST would spare a port in TIME_WAIT, but many servers log it as an error
 * every two seconds. It sees a process that has died; one that is stopped or stuck still has a kernel that accepts for it, which
 * only an HTTP probe notices.
 */
import { connect, type Socket } from 'node:net';
import type { Probe, Verdict } from './probe.ts';
import { socketFault } from './socket-fault.ts';

export class TcpProbe implements Probe {
  readonly #host: string;
  readonly #port: number;
  #socket: Socket | null = null;

  constructor(target: { readonly host: string; readonly port: number }) {
    // An IPv6 address has brackets in a URL and none in a connect call.
    this.#host = target.host.replace(/^\[|\]$/g, '');
    this.#port = target.port;
  }

  run(verdict: Verdict): void {
    const socket = connect(this.#port, this.#host);
    this.#socket = socket;
    const end = (fault: string | null): void => {
      socket.destroy();
      if (this.#socket !== socket) return;
      this.#socket = null;
      verdict(fault);
    };
    socket.on('connect', () => end(null));
    socket.on('error', (error) => end(socketFault(error)));
  }

  cancel(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }

  close(): void {
    this.cancel();
  }
}
